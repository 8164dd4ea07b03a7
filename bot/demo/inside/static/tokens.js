/** Tokens by kind: a bar of what they were, and the numbers. */

import { el, svg } from "./element.js";
import { cached, count, share } from "./words.js";

/** Every kind that has a price of its own; thinking is a part of output. */
export const KINDS = /** @type {const} */ ([
  ["input", "input"],
  ["write_5m", "cache write 5 min"],
  ["write_1h", "cache write 1 h"],
  ["read", "cache read"],
  ["output", "output"],
  ["thinking", "of it thinking"],
]);

/**
 * A bar of the kinds, to scale.
 *
 * @param {import("./words.js").Tokens} tokens
 */
export function tokenBar(tokens) {
  const parts = [
    ...KINDS.slice(0, 4).map(([kind]) => ({ kind, n: tokens[kind] })),
    { kind: "thinking", n: tokens.thinking },
    { kind: "output", n: Math.max(0, tokens.output - tokens.thinking) },
  ];
  const sum = parts.reduce((all, { n }) => all + n, 0);
  let x = 0;
  const bars = parts
    .filter(({ n }) => n > 0)
    .map(({ kind, n }) => {
      const width = (1000 * n) / sum;
      const bar = svg("rect", { x, width, height: 8, data: { kind } });
      x += width;
      return bar;
    });
  return svg(
    "svg",
    { class: "token-bar", viewBox: "0 0 1000 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...bars,
  );
}

/** What the colours of a bar mean. */
export function tokenLegend() {
  return el(
    "p",
    { class: "legend" },
    ...KINDS.map(([kind, name]) => el("span", { data: { kind } }, name.replace("of it ", ""))),
  );
}

/**
 * The bar and its numbers.
 *
 * @param {import("./words.js").Tokens} tokens
 */
export function tokenTable(tokens) {
  const rows = KINDS.map(([kind, name]) =>
    el(
      "div",
      { data: { kind, none: tokens[kind] === 0 } },
      el("dt", {}, name),
      el("dd", {}, count(tokens[kind])),
    ),
  );
  const { prompt, share: hit } = cached(tokens);
  return el(
    "div",
    { class: "tokens" },
    tokenBar(tokens),
    el("dl", {}, ...rows),
    prompt
      ? el("p", { class: "hit" }, `${share(hit)} of ${count(prompt)} prompt tokens came from cache`)
      : null,
  );
}
