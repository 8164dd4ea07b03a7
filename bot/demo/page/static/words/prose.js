/**
 * Markdown drawn: blocks become elements, and a text that grows redraws only the blocks that changed.
 * @module
 */

import { h } from "../dom.js";
import { codeBlock } from "./code.js";
import { inline } from "./inline.js";
import { parse } from "./markdown.js";
import { grid } from "../blocks/table.js";

/**
 * An element that shows Markdown and follows it as it grows.
 */
export class Prose {
  /** @param {any} names the workspace */
  constructor(names) {
    this._names = names;
    this.element = h("div", { class: "prose", dir: "auto" });
    /** @type {string[]} */ this._sources = [];
  }

  /**
   * @param {string} text
   * @param {{live?: boolean}} [state] live: more is coming
   * @returns {Prose}
   */
  show(text, { live = false } = {}) {
    const blocks = parse(text);
    blocks.forEach((block, at) => {
      if (this._sources[at] === block.source) return;
      const drawn = draw(block, this._names);
      const old = this.element.children[at];
      if (old) old.replaceWith(drawn);
      else this.element.append(drawn);
    });
    while (this.element.children.length > blocks.length) this.element.lastElementChild?.remove();
    this._sources = blocks.map((block) => block.source);
    this.element.classList.toggle("live", live);
    return this;
  }
}

/** @param {import("./markdown.js").Block} block @param {any} names @returns {Element} */
function draw(block, names) {
  const words = (/** @type {string | undefined} */ text) => inline(text || "", names);
  switch (block.type) {
    case "code":
      return codeBlock(block.text || "", block.language || "");
    case "h":
      return h(
        `h${Math.min((block.level || 1) + 2, 6)}`,
        { class: `h${block.level}`, dir: "auto" },
        words(block.text),
      );
    case "hr":
      return h("hr");
    case "quote":
      return h("blockquote", { dir: "auto" }, drawAll(block.blocks, names));
    case "list":
      return list(block, names);
    case "table":
      return table(block, words);
    default:
      return h("p", { dir: "auto" }, words(block.text));
  }
}

/** @param {import("./markdown.js").Block[] | undefined} blocks @param {any} names */
function drawAll(blocks, names) {
  return (blocks || []).map((block) => draw(block, names));
}

/** @param {any} block @param {any} names */
function list(block, names) {
  const items = block.items.map((/** @type {any} */ item) => {
    const lone = item.blocks[0]?.type === "p" ? item.blocks[0] : null;
    const rest = lone ? item.blocks.slice(1) : item.blocks;
    const box =
      item.done === null
        ? null
        : h("span", { class: "box", role: "img", "aria-label": item.done ? "done" : "open" });
    const kind = item.done === null ? null : item.done ? "task done" : "task";
    return h("li", { class: kind, dir: "auto" }, box, lone && inline(lone.text, names), drawAll(rest, names));
  });
  return h(
    block.ordered ? "ol" : "ul",
    { start: block.ordered && block.start !== 1 ? block.start : null },
    items,
  );
}

/** @param {any} block @param {(text: string) => Node[]} words */
function table(block, words) {
  const rows = block.rows.map((/** @type {string[]} */ row) => row.map(words));
  return grid(rows, { align: block.align });
}
