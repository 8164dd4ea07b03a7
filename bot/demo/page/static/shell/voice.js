/**
 * What the page says beside the talk: to screen readers, in a passing note, in a banner.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "./icons.js";

const LONGEST = 240; // characters of a message read aloud
const NOTE_MILLISECONDS = 7000;

const quiet = h("div", { class: "unseen", "aria-live": "polite", id: "spoken" });
const notes = h("div", { class: "notes", role: "status", "aria-live": "assertive" });
const banner = h("div", { class: "banner", role: "status", hidden: true });

/** @returns {HTMLElement[]} what has to stand in the page for this to be heard */
export function voices() {
  return [quiet, notes];
}

/** @returns {HTMLElement} where the banner shows */
export function bannerPlace() {
  return banner;
}

/** @param {string} words read aloud, not shown */
export function announce(words) {
  quiet.textContent = words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
}

/** @param {string} words a sentence that passes by itself */
export function note(words) {
  const close = h(
    "button",
    { type: "button", class: "bare", "aria-label": "Dismiss", on: { click: () => one.remove() } },
    icon("close"),
  );
  const one = h("div", { class: "note" }, h("span", { dir: "auto" }, words), close);
  notes.replaceChildren(one);
  setTimeout(() => one.remove(), NOTE_MILLISECONDS);
}

/**
 * The one banner: what is wrong at the moment, or "" when nothing is.
 * @param {string} words
 * @param {string} [kind]
 */
export function say(words, kind = "warning") {
  banner.hidden = !words;
  banner.className = `banner ${kind}`;
  fill(banner, words ? h("span", { class: "dot", "aria-hidden": "true" }) : null, words);
}
