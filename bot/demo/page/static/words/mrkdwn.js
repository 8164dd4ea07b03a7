/**
 * Slack's mrkdwn drawn: what apps and people put into `text`.
 * @module
 */

import { h } from "../dom.js";
import { codeBlock } from "./code.js";
import { emoji } from "./emoji.js";
import { inline, MRKDWN, unescaped } from "./inline.js";

const FENCE = /```\n?([\s\S]*?)\n?```/g;
const QUOTED = /^(?:&gt;|>) ?/;

/**
 * A text of several lines.
 * @param {string} text
 * @param {any} names the workspace
 * @returns {Node[]}
 */
export function mrkdwn(text, names) {
  const made = [];
  let at = 0;
  for (const fence of text.matchAll(FENCE)) {
    made.push(...lines(text.slice(at, fence.index), names));
    made.push(codeBlock(unescaped(fence[1])));
    at = fence.index + fence[0].length;
  }
  made.push(...lines(text.slice(at), names));
  return made;
}

/**
 * Slack's text object, plain or mrkdwn.
 * @param {any} text
 * @param {any} names
 * @returns {Node[]}
 */
export function textObject(text, names) {
  if (typeof text === "string") return [document.createTextNode(text)];
  const words = String(text?.text ?? "");
  if (text?.type === "mrkdwn") return mrkdwn(words, names);
  return plain(words);
}

/**
 * Plain text with its emoji.
 * @param {string} words
 * @returns {Node[]}
 */
export function plain(words) {
  return words.split(/(:[a-z0-9_+'-]{1,40}:)/).map((part) => {
    const shown = /^:.+:$/.test(part) ? emoji(part.slice(1, -1)) : null;
    return shown || document.createTextNode(part);
  });
}

/** @param {string} text @param {any} names @returns {Node[]} */
function lines(text, names) {
  if (!text.trim()) return [];
  /** @type {Node[]} */
  const made = [];
  /** @type {string[]} */
  let held = [];
  let quoted = false;
  const flush = () => {
    const words = held.join("\n").replace(/^\n+|\n+$/g, "");
    if (words) made.push(h(quoted ? "blockquote" : "p", { dir: "auto" }, inline(words, names, MRKDWN)));
    held = [];
  };
  for (const line of text.split("\n")) {
    if (QUOTED.test(line) !== quoted) {
      flush();
      quoted = !quoted;
    }
    held.push(quoted ? line.replace(QUOTED, "") : line);
  }
  flush();
  return made;
}
