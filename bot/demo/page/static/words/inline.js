/**
 * Words within a line: emphasis, code, links, mentions, emoji. One engine, two dialects: Markdown as Claude writes
 * it, and Slack's own mrkdwn.
 * @module
 */

import { h, outward } from "../dom.js";
import { emoji } from "./emoji.js";
import { mention } from "./mentions.js";

const DEEPEST = 12; // emphasis within emphasis; what is deeper stays as typed
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0" };
const SPECIAL = /[\\`*_~!<[&:h\n]/g;
const BARE = /^https?:\/\/[^\s<>"|\\^`{}]+/i;

/**
 * @typedef {object} Dialect
 * @property {[string, string][]} marks delimiters and their tags, the longer ones first
 * @property {boolean} markdown whether backslashes escape and [labels](lead somewhere)
 */

/** @type {Dialect} */
export const MARKDOWN = {
  marks: [
    ["***", "strong em"],
    ["**", "strong"],
    ["__", "strong"],
    ["~~", "s"],
    ["*", "em"],
    ["_", "em"],
  ],
  markdown: true,
};

/** @type {Dialect} */
export const MRKDWN = {
  marks: [
    ["*", "strong"],
    ["_", "em"],
    ["~", "s"],
  ],
  markdown: false,
};

/**
 * The nodes of a line or paragraph.
 * @param {string} text
 * @param {any} names the workspace, for mentions
 * @param {Dialect} [dialect]
 * @param {number} [depth]
 * @returns {Node[]}
 */
export function inline(text, names, dialect = MARKDOWN, depth = 0) {
  const line = new Line(text, names, dialect, depth);
  line.read();
  return line.nodes;
}

class Line {
  /** @param {string} text @param {any} names @param {Dialect} dialect @param {number} depth */
  constructor(text, names, dialect, depth) {
    this.text = text;
    this.names = names;
    this.dialect = dialect;
    this.depth = depth;
    this.at = 0;
    this.plain = "";
    /** @type {Node[]} */ this.nodes = [];
    /** @type {Set<string>} */ this.unclosed = new Set(); // delimiters without an end in the rest of the text
  }

  read() {
    while (this.at < this.text.length) {
      SPECIAL.lastIndex = this.at;
      const next = SPECIAL.exec(this.text);
      const stop = next ? next.index : this.text.length;
      this.plain += this.text.slice(this.at, stop);
      this.at = stop;
      if (next && !this.special(next[0])) {
        this.plain += next[0];
        this.at += 1;
      }
    }
    this.flush();
  }

  flush() {
    if (this.plain) this.nodes.push(document.createTextNode(this.plain));
    this.plain = "";
  }

  /** @param {Node | Node[]} made @param {number} length of its source */
  add(made, length) {
    this.flush();
    this.nodes.push(...[made].flat());
    this.at += length;
    return true;
  }

  /** @param {string} first @returns {boolean} whether something was read here */
  special(first) {
    const { markdown } = this.dialect;
    if (first === "\n") return this.add(h("br"), 1);
    if (first === "\\") return markdown && this.escaped();
    if (first === "`") return this.code();
    if (first === "&") return this.entity();
    if (first === "<") return this.angle();
    if (first === ":") return this.emoji();
    if (first === "h") return this.bare();
    if (first === "[") return markdown && this.link(0);
    if (first === "!") return markdown && this.text[this.at + 1] === "[" && this.link(1);
    return this.depth < DEEPEST && this.emphasis();
  }

  escaped() {
    const next = this.text[this.at + 1] || "";
    if (!/[!-/:-@[-`{-~]/.test(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  code() {
    const ticks = /^`+/.exec(this.text.slice(this.at, this.at + 40))?.[0] || "`";
    let end = this.text.indexOf(ticks, this.at + ticks.length);
    while (end >= 0 && this.text[end + ticks.length] === "`") {
      while (this.text[end] === "`") end += 1;
      end = this.text.indexOf(ticks, end);
    }
    if (end < 0) {
      this.plain += ticks;
      this.at += ticks.length;
      return true;
    }
    let code = this.text.slice(this.at + ticks.length, end);
    if (/^ .*[^ ].* $/.test(code)) code = code.slice(1, -1);
    if (!this.dialect.markdown) code = unescaped(code);
    return this.add(h("code", { dir: "auto" }, code), end + ticks.length - this.at);
  }

  entity() {
    const found = /^&(?:amp|lt|gt|quot|#39|nbsp);/.exec(this.text.slice(this.at, this.at + 6));
    if (!found) return false;
    this.plain += ENTITIES[/** @type {keyof typeof ENTITIES} */ (found[0])];
    this.at += found[0].length;
    return true;
  }

  angle() {
    const end = this.text.indexOf(">", this.at);
    if (end < 0 || end - this.at > 3000) return false;
    const inside = this.text.slice(this.at + 1, end);
    if (/\n/.test(inside)) return false;
    const [target, label = ""] = split(inside);
    const named = mention(target, unescaped(label), this.names);
    if (named) return this.add(named, end + 1 - this.at);
    if (!/^(?:https?:|mailto:)/i.test(target)) return false;
    const shown = label ? inline(label, this.names, this.dialect, DEEPEST) : [unescaped(target)];
    return this.add(outward(unescaped(target), shown), end + 1 - this.at);
  }

  emoji() {
    const found = /^:([a-z0-9_+'-]{1,40}):/.exec(this.text.slice(this.at, this.at + 44));
    const shown = found && emoji(found[1]);
    return Boolean(shown) && this.add(/** @type {Node} */ (shown), /** @type {any} */ (found)[0].length);
  }

  bare() {
    if (/\w/.test(this.text[this.at - 1] || "")) return false;
    const found = BARE.exec(this.text.slice(this.at, this.at + 2100));
    if (!found) return false;
    let address = found[0].replace(/[.,;:!?'*_~\]]+$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.replace(/\)+$/, "");
    return this.add(outward(unescaped(address), unescaped(address)), address.length);
  }

  /** @param {number} skip 1 for a picture's exclamation mark */
  link(skip) {
    const start = this.at + skip + 1;
    const middle = closing(this.text, start);
    if (middle < 0 || this.text[middle + 1] !== "(") return false;
    const found = /^\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+["'(][^\n]*?["')])?\s*\)/.exec(
      this.text.slice(middle + 1, middle + 3000),
    );
    if (!found) return false;
    const label = this.text.slice(start, middle);
    const length = middle + 1 + found[0].length - this.at;
    if (skip) return this.add(h("span", { class: "no-picture" }, `Picture: ${label || found[1]}`), length);
    return this.add(outward(found[1], inline(label, this.names, this.dialect, this.depth + 1)), length);
  }

  emphasis() {
    for (const [mark, tags] of this.dialect.marks) {
      if (!this.text.startsWith(mark, this.at) || this.unclosed.has(mark)) continue;
      const end = this.closer(mark);
      if (end < 0) continue;
      const inside = inline(
        this.text.slice(this.at + mark.length, end),
        this.names,
        this.dialect,
        this.depth + 1,
      );
      const made = tags
        .split(" ")
        .reduceRight(
          (/** @type {Node[]} */ inner, /** @type {string} */ tag) => [h(tag, null, inner)],
          inside,
        );
      return this.add(made, end + mark.length - this.at);
    }
    const run = new RegExp(`^\\${this.text[this.at]}+`).exec(this.text.slice(this.at, this.at + 400));
    this.plain += run?.[0] || this.text[this.at];
    this.at += run?.[0].length || 1;
    return true;
  }

  /** @param {string} mark @returns {number} where its emphasis ends, or -1 */
  closer(mark) {
    const inner = this.at + mark.length;
    const before = this.text[this.at - 1] || " ";
    const tight = mark[0] === "_" || !this.dialect.markdown;
    if (/\s/.test(this.text[inner] || " ") || (tight && /[\p{L}\p{N}]/u.test(before))) return -1;
    for (let end = this.text.indexOf(mark, inner + 1); end >= 0; end = this.text.indexOf(mark, end + 1)) {
      const after = this.text[end + mark.length] || " ";
      if (/\s/.test(this.text[end - 1]) || this.text[end - 1] === "\\") continue;
      if (tight && /[\p{L}\p{N}]/u.test(after)) continue;
      if (mark.length === 1 && (after === mark || this.text[end - 1] === mark)) continue;
      if (!this.dialect.markdown && this.text.slice(inner, end).includes("\n")) return -1;
      return end;
    }
    this.unclosed.add(mark);
    return -1;
  }
}

/** @param {string} inside of angle brackets @returns {[string, string?]} */
function split(inside) {
  const bar = inside.indexOf("|");
  return bar < 0 ? [inside] : [inside.slice(0, bar), inside.slice(bar + 1)];
}

/** @param {string} text @param {number} from after an opening bracket @returns {number} its closing one, or -1 */
function closing(text, from) {
  let depth = 1;
  for (let at = from; at < Math.min(text.length, from + 1000); at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "[") depth += 1;
    else if (text[at] === "]") depth -= 1;
    if (!depth) return at;
  }
  return -1;
}

/** @param {string} text @returns {string} with &amp;amp; and its kin as the signs they stand for */
export function unescaped(text) {
  return text
    .replace(/&(?:lt|gt);/g, (entity) => ENTITIES[/** @type {"&lt;"} */ (entity)])
    .replaceAll("&amp;", "&");
}
