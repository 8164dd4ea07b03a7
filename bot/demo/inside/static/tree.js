/**
 * JSON to leaf through: what is small stands open, the rest is made when it is opened. Values are text, always.
 */

import { el } from "./element.js";

const OPEN_DEPTH = 2;
const OPEN_SIZE = 12; // entries that stand open by themselves
const ROWS = 200; // of one object before the rest hides behind a button
const LONG = 400; // characters of a string before the rest hides behind a button

/**
 * @param {any} value
 * @returns {HTMLElement}
 */
export function tree(value) {
  return el("div", { class: "tree" }, branch(null, value, 0));
}

/**
 * @param {string | null} name
 * @param {any} value
 * @param {number} depth
 * @returns {HTMLElement}
 */
function branch(name, value, depth) {
  const label = name === null ? null : el("span", { class: "key" }, name);
  if (value === null || typeof value !== "object") return el("div", { class: "leaf" }, label, leaf(value));
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (!entries.length)
    return el("div", { class: "leaf" }, label, el("span", { class: "none" }, `${open}${close}`));
  const body = el("div", { class: "entries" });
  const fold = el(
    "details",
    {},
    el(
      "summary",
      {},
      label,
      el("span", { class: "sum" }, `${open}${entries.length}${close}`),
      el("span", { class: "hint" }, hint(value)),
    ),
    body,
  );
  const fill = () => {
    if (!body.childElementCount) grow(body, entries, 0, Array.isArray(value), depth + 1);
  };
  fold.addEventListener("toggle", fill);
  if (depth < OPEN_DEPTH && entries.length <= OPEN_SIZE) {
    fill();
    /** @type {HTMLDetailsElement} */ (fold).open = true;
  }
  return fold;
}

/**
 * @param {HTMLElement} body
 * @param {[string, any][]} entries
 * @param {number} from
 * @param {boolean} numbered
 * @param {number} depth
 */
function grow(body, entries, from, numbered, depth) {
  const until = Math.min(entries.length, from + ROWS);
  for (const [key, value] of entries.slice(from, until))
    body.append(branch(numbered ? `${key}` : key, value, depth));
  if (until === entries.length) return;
  const more = el("button", { type: "button", class: "link" }, `${entries.length - until} more`);
  more.addEventListener("click", () => {
    more.remove();
    grow(body, entries, until, numbered, depth);
  });
  body.append(more);
}

/** @param {any} value */
function leaf(value) {
  if (typeof value !== "string")
    return el("span", { class: "value", data: { type: typeof value } }, String(value));
  const text = el("span", { class: "value", data: { type: "string" } }, value.slice(0, LONG));
  if (value.length <= LONG) return text;
  const more = el("button", { type: "button", class: "link" }, `${value.length - LONG} more characters`);
  more.addEventListener("click", () => {
    text.textContent = value;
    more.remove();
  });
  return el("span", {}, text, more);
}

/**
 * A word on what is folded away.
 *
 * @param {any} value
 */
function hint(value) {
  const first = Array.isArray(value) ? value[0] : value;
  const words =
    first && typeof first === "object"
      ? ["type", "role", "name", "text", "ok"].map((key) => first[key])
      : [first];
  return words
    .filter((word) => typeof word === "string" || typeof word === "boolean")
    .map((word) => String(word).slice(0, 40))
    .join(" · ");
}
