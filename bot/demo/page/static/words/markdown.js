/**
 * Markdown's blocks, read into plain objects: paragraphs, headings, lists, quotes, tables, fenced code, rules.
 * @module
 */

const DEEPEST = 8; // quotes and lists within each other; what is deeper is a paragraph
const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}(?:>|&gt;) ?/;
const ITEM = /^( *)([-*+•]|\d{1,9}[.)])(?: +|\t|$)(.*)$/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/**
 * @typedef {object} Block
 * @property {"p" | "h" | "hr" | "code" | "quote" | "list" | "table"} type
 * @property {string} source its own lines, to know whether it changed
 * @property {string} [text]
 * @property {number} [level]
 * @property {string} [language]
 * @property {boolean} [open] a fence that has no end yet
 * @property {Block[]} [blocks]
 * @property {boolean} [ordered]
 * @property {number} [start]
 * @property {{done: boolean | null, blocks: Block[]}[]} [items]
 * @property {string[]} [align]
 * @property {string[][]} [rows] the head first
 */

/**
 * @param {string} text
 * @returns {Block[]}
 */
export function parse(text) {
  return read(text.replace(/\r\n?/g, "\n").split("\n"), 0);
}

/** @param {string[]} lines @param {number} depth @returns {Block[]} */
function read(lines, depth) {
  /** @type {Block[]} */
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [block, next] = one(lines, at, depth);
    block.source = lines.slice(at, next).join("\n");
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[any, number]} and where the next begins */
function one(lines, at, depth) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return code(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) return [{ type: "h", level: heading[1].length, text: heading[2] || "" }, at + 1];
  if (RULE.test(line)) return [{ type: "hr" }, at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (isTable(lines, at)) return table(lines, at);
  return paragraph(lines, at, depth);
}

/** @param {string[]} lines @param {number} at @param {RegExpExecArray} fence @returns {[any, number]} */
function code(lines, at, [, indent, mark, info]) {
  const close = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}\\s*$`);
  const lead = new RegExp(`^ {0,${indent.length}}`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end += 1;
  const text = lines
    .slice(at + 1, end)
    .map((line) => line.replace(lead, ""))
    .join("\n");
  const language = info.trim().split(/\s+/)[0].toLowerCase();
  return [{ type: "code", text, language, open: end >= lines.length }, Math.min(end + 1, lines.length)];
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[any, number]} */
function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [{ type: "quote", blocks: read(inside, depth + 1) }, end];
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[any, number]} */
function list(lines, at, depth) {
  const first = /** @type {RegExpExecArray} */ (ITEM.exec(lines[at]));
  const margin = first[1].length;
  const ordered = /\d/.test(first[2]);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    const same =
      item &&
      Math.abs(item[1].length - margin) < 2 &&
      /\d/.test(item[2]) === ordered &&
      !RULE.test(lines[next]);
    if (!same) break;
    const end = itemEnd(lines, next, item[1].length);
    items.push(entry(lines.slice(next, end), item, depth));
    next = end;
    if (!lines[next]?.trim() && ITEM.test(lines[next + 1] || "")) next += 1;
  }
  return [{ type: "list", ordered, start: parseInt(first[2], 10) || 1, items }, next];
}

/** @param {string[]} lines @param {number} at @param {number} margin @returns {number} where an item's lines end */
function itemEnd(lines, at, margin) {
  let end = at + 1;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    const indent = /^ */.exec(line)?.[0].length || 0;
    if (!line.trim()) {
      const after = lines[end + 1] || "";
      if (!after.trim() || (/^ */.exec(after)?.[0].length || 0) < margin + 2) break;
    } else if (
      indent < margin + 2 &&
      (ITEM.test(line) || QUOTE.test(line) || FENCE.test(line) || HEADING.test(line))
    ) {
      break;
    }
  }
  return end;
}

/** @param {string[]} lines @param {RegExpExecArray} item @param {number} depth */
function entry(lines, item, depth) {
  const width = lines[0].length - item[3].length;
  const lead = new RegExp(`^ {0,${width}}`);
  const inside = [item[3], ...lines.slice(1).map((line) => line.replace(lead, ""))];
  const task = /^\[([ xX])\] +/.exec(inside[0]);
  if (task) inside[0] = inside[0].slice(task[0].length);
  return { done: task ? task[1] !== " " : null, blocks: read(inside, depth + 1) };
}

/** @param {string[]} lines @param {number} at */
function isTable(lines, at) {
  const rule = lines[at + 1] || "";
  return (
    lines[at].includes("|") &&
    rule.includes("-") &&
    TABLE_RULE.test(rule) &&
    cells(rule).length === cells(lines[at]).length
  );
}

/** @param {string[]} lines @param {number} at @returns {[any, number]} */
function table(lines, at) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((cell) => {
    const right = cell.endsWith(":");
    return right && cell.startsWith(":") ? "center" : right ? "right" : "left";
  });
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const rows = [head, ...lines.slice(at + 2, end).map(cells)];
  return [{ type: "table", align, rows: rows.map((row) => head.map((_, column) => row[column] || "")) }, end];
}

/** @param {string} line @returns {string[]} */
function cells(line) {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(^|[^\\])\|$/, "$1");
  const found = [""];
  let ticked = false;
  for (let at = 0; at < inner.length; at += 1) {
    if (inner[at] === "\\" && inner[at + 1] === "|") {
      found[found.length - 1] += "|";
      at += 1;
    } else if (inner[at] === "|" && !ticked) {
      found.push("");
    } else {
      if (inner[at] === "`") ticked = !ticked;
      found[found.length - 1] += inner[at];
    }
  }
  return found.map((cell) => cell.trim());
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {[any, number]} */
function paragraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(lines, end, depth)) end += 1;
  const text = lines
    .slice(at, end)
    .map((line) => line.replace(/ {2,}$|\\$/, "").trimStart())
    .join("\n");
  return [{ type: "p", text }, end];
}

/** @param {string[]} lines @param {number} at @param {number} depth @returns {boolean} whether a line ends a paragraph */
function begins(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || isTable(lines, at)) return true;
  return depth < DEEPEST && (QUOTE.test(line) || ITEM.test(line));
}
