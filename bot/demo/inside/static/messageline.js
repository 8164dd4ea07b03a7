/** One wire message in one line: when, which way, who, what, how it went, how long it took. */

import { el } from "./element.js";
import { clock, lasting } from "./words.js";

/**
 * @param {any} line
 * @param {number | null} began Times are counted from here; null shows the time of day.
 * @param {{times: number, last: any} | null} [run] So many of the same in a row, up to `last`.
 * @returns {HTMLElement} A button.
 */
export function messageLine(line, began, run = null) {
  const when = began === null ? clock(line.at, true) : `+${lasting(Math.max(0, line.at - began))}`;
  return el(
    "button",
    { type: "button", class: "message-line", data: { who: line.who, bad: line.bad } },
    el("span", { class: "at" }, when),
    ...messageFacts(line, run),
  );
}

/**
 * @param {any} line
 * @param {{times: number, last: any} | null} [run]
 * @returns {HTMLElement[]}
 */
export function messageFacts(line, run = null) {
  const way = line.who === "log" ? "·" : line.in ? "←" : "→";
  const said =
    line.who === "log" ? "written by the bot to its log" : line.in ? "to the bot, from" : "from the bot, to";
  const status = line.open ? "…" : line.status ? String(line.status) : "";
  return [
    el(
      "span",
      { class: "who" },
      el("span", { class: "unseen" }, said),
      el("span", { "aria-hidden": "true" }, way),
      ` ${line.who}`,
    ),
    el(
      "span",
      { class: "what" },
      el("b", {}, line.name),
      run ? el("em", {}, ` × ${run.times}`) : null,
      line.note ? el("span", { class: "note" }, ` ${line.note}`) : null,
    ),
    el("span", { class: "status" }, status),
    el("span", { class: "took" }, run ? lasting(run.last.at - line.at) : lasting(line.seconds)),
  ];
}
