/**
 * Tables: of Markdown, of the table block, and of a chart's numbers.
 * @module
 */

import { h } from "../dom.js";
import { richText } from "../words/rich_text.js";
import { plain } from "../words/mrkdwn.js";

/**
 * A table that scrolls by itself where it is wider than its place.
 * @param {import("../dom.js").Child[][]} rows the head first
 * @param {{align?: string[], label?: string}} [how]
 * @returns {HTMLElement}
 */
export function grid(rows, { align = [], label = "Table" } = {}) {
  const [head = [], ...body] = rows;
  const cell =
    (/** @type {string} */ tag) =>
    (/** @type {import("../dom.js").Child} */ inside, /** @type {number} */ column) =>
      h(
        tag,
        {
          class: align[column] && align[column] !== "left" ? align[column] : null,
          dir: "auto",
          scope: tag === "th" ? "col" : null,
        },
        inside,
      );
  return h(
    "div",
    { class: "grid", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      null,
      h("thead", null, h("tr", null, head.map(cell("th")))),
      h(
        "tbody",
        null,
        body.map((row) => h("tr", null, row.map(cell("td")))),
      ),
    ),
  );
}

/**
 * The table block, and data_table, which carries the same.
 * @param {any} block
 * @param {any} names the workspace
 * @returns {HTMLElement}
 */
export function tableBlock(block, names) {
  const rows = (block.rows || []).map((/** @type {any[]} */ row) => row.map((cell) => content(cell, names)));
  const settings = block.column_settings || [];
  const first = (block.rows || [])[1] || [];
  const align = (block.rows?.[0] || []).map(
    (/** @type {any} */ _, /** @type {number} */ column) =>
      settings[column]?.align || (first[column]?.type === "raw_number" ? "right" : "left"),
  );
  return grid(rows, { align, label: block.caption || "Table" });
}

/** @param {any} cell @param {any} names */
function content(cell, names) {
  if (cell?.type === "rich_text") return richText(cell, names);
  return plain(String(cell?.text ?? cell?.value ?? ""));
}
