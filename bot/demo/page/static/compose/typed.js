/**
 * Words as people type them: a message back in the composer, and what looks like code.
 * @module
 */

import { unescaped } from "../words/inline.js";

/**
 * A message as it was typed, to edit or copy it.
 * @param {any} message
 * @param {any} workspace
 * @returns {string}
 */
export function typed(message, workspace) {
  if (message.markdown) return message.markdown;
  const only = message.blocks?.[0];
  if (only?.type === "markdown") return only.text;
  const text = String(message.text || "").replace(/<([^<>\n]+)>/g, (whole, inside) => {
    const [target, label = ""] = inside.split("|");
    if (target.startsWith("@")) return `@${workspace.person(target.slice(1)).handle}`;
    if (target.startsWith("#"))
      return `#${label || workspace.channels.get(target.slice(1))?.about.name || target.slice(1)}`;
    if (target.startsWith("!")) return `@${label || target.slice(1)}`;
    return /^(?:https?|mailto):/.test(target) ? target : whole;
  });
  return unescaped(text).replace(/```(?!\n)([\s\S]*?)```/g, "```\n$1\n```");
}

const CODE_LINE =
  /^(?:\s{2,}\S|\t)|[;{}]\s*$|^\s*(?:def |class |function |import |from |const |let |var |return |if \(|for \(|#include|@\w+|async |public |SELECT |\+{3} |-{3} |@@ )|=>|:=|\)\s*:\s*$/;

/**
 * Whether pasted text is code: several lines, a good part of which look like it.
 * @param {string} text
 * @returns {boolean}
 */
export function looksLikeCode(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  if (lines.length < 2 || text.includes("```")) return false;
  const code = lines.filter((line) => CODE_LINE.test(line)).length;
  return code >= 2 && code / lines.length >= 0.3;
}

/**
 * Whether a place in a text is within an open fence.
 * @param {string} text
 * @param {number} at
 * @returns {boolean}
 */
export function inFence(text, at) {
  return (text.slice(0, at).match(/```/g) || []).length % 2 === 1;
}
