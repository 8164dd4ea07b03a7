/**
 * References to people, channels and everybody, as `<@U…>`, `<#C…>` and `<!here>` name them.
 * @module
 */

import { h } from "../dom.js";

/**
 * @param {string} target what stands in the angle brackets, before the bar
 * @param {string} label after the bar
 * @param {any} names the workspace
 * @returns {Node | null} null when it refers to nobody and nothing
 */
export function mention(target, label, names) {
  const [, sign, id] = /^([@#!])(.+)$/.exec(target) || [];
  if (sign === "@") return person(id, names);
  if (sign === "#") return channel(id, label, names);
  if (sign === "!") return broadcast(label || id.replace(/^(?:date|subteam)\^.*/, "group"), id);
  return null;
}

/** @param {string} id @param {any} names */
export function person(id, names) {
  const known = names.person(id);
  const kind = id === names.me ? "mention mine" : "mention";
  return h("span", { class: kind, dir: "auto", title: known.role || null }, `@${known.name}`);
}

/** @param {string} id @param {string} label @param {any} names */
export function channel(id, label, names) {
  const known = names.channels.get(id);
  const name = known?.about.name || label || "a private channel";
  if (!known) return h("span", { class: "mention" }, `#${name}`);
  return h("a", { class: "mention", href: names.link?.(id) || null, data: { channel: id } }, `#${name}`);
}

/** @param {string} label @param {string} range */
export function broadcast(label, range) {
  return h("span", { class: "mention mine" }, `@${(label || range).replace(/^@/, "")}`);
}
