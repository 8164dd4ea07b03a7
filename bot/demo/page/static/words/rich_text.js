/**
 * Slack's rich_text blocks drawn: what people type, with code exact.
 * @module
 */

import { h, outward } from "../dom.js";
import { codeBlock } from "./code.js";
import { emoji } from "./emoji.js";
import { broadcast, channel, person } from "./mentions.js";

const STYLES = /** @type {[string, string][]} */ ([
  ["bold", "strong"],
  ["italic", "em"],
  ["strike", "s"],
  ["code", "code"],
]);

/**
 * @param {any} block
 * @param {any} names the workspace
 * @returns {HTMLElement}
 */
export function richText(block, names) {
  return h(
    "div",
    { class: "rich" },
    list(block.elements).map((part) => section(part, names)),
  );
}

/** @param {any} part @param {any} names @returns {Node} */
function section(part, names) {
  const inside = () => list(part.elements).map((element) => leaf(element, names));
  switch (part.type) {
    case "rich_text_preformatted":
      return codeBlock(
        list(part.elements)
          .map((e) => e.text ?? e.url ?? "")
          .join(""),
        part.language || "",
      );
    case "rich_text_quote":
      return h("blockquote", { dir: "auto" }, inside());
    case "rich_text_list": {
      const items = list(part.elements).map((row) =>
        h(
          "li",
          { dir: "auto" },
          list(row.elements).map((e) => leaf(e, names)),
        ),
      );
      const kind = `indent-${Math.min(Number(part.indent) || 0, 6)}`;
      return h(
        part.style === "ordered" ? "ol" : "ul",
        { class: kind, start: part.offset ? part.offset + 1 : null },
        items,
      );
    }
    default:
      return h("p", { dir: "auto", class: "kept" }, inside());
  }
}

/** @param {any} element @param {any} names @returns {Node} */
function leaf(element, names) {
  const styled = (/** @type {Node | string} */ inner) =>
    STYLES.reduce((made, [style, tag]) => (element.style?.[style] ? h(tag, null, made) : made), inner);
  switch (element.type) {
    case "link":
      return outward(element.url, styled(element.text || element.url || ""));
    case "user":
      return person(String(element.user_id), names);
    case "channel":
      return channel(String(element.channel_id), "", names);
    case "usergroup":
      return broadcast("group", String(element.usergroup_id));
    case "broadcast":
      return broadcast(String(element.range), String(element.range));
    case "emoji":
      return emoji(String(element.name)) || document.createTextNode(`:${element.name}:`);
    default: {
      const made = styled(String(element.text ?? element.fallback ?? element.value ?? ""));
      return typeof made === "string" ? document.createTextNode(made) : made;
    }
  }
}

/** @param {any} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value.filter((one) => one && typeof one === "object") : [];
}
