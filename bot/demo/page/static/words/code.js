/**
 * A block of code: its words tinted, its language named, copied by one press.
 * @module
 */

import { h } from "../dom.js";

const LONGEST = 30_000; // characters that are tinted; what is longer stays plain
const KEYWORDS = new Set(
  (
    "abstract and as assert async await break case catch class const continue def default del do elif else enum except " +
    "export extends final finally fn for from func function global go if implements import in interface is lambda let " +
    "match module mut new nil None not null or package pass private protected pub public raise return self static " +
    "struct super switch this throw True true False false try type typeof use var void while with yield select where " +
    "insert update delete set values join on group by order limit"
  ).split(" "),
);
const TOKENS =
  /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|(\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?:^|(?<=\s))#[^\n]*|--\s[^\n]*)|\b(\d[\d_.]*(?:e[+-]?\d+)?)\b|([A-Za-z_]\w*)/g;
const PROSE = new Set(["", "text", "txt", "plain", "log", "csv", "console", "md", "markdown"]);

/**
 * @param {string} code
 * @param {string} [language]
 * @returns {HTMLElement}
 */
export function codeBlock(code, language = "") {
  const isDiff = language === "diff" || language === "patch" || /^(?:diff --git |@@ -\d)/m.test(code);
  const tinted =
    code.length > LONGEST
      ? [code]
      : isDiff
        ? diff(code)
        : PROSE.has(language) && language
          ? [code]
          : tint(code);
  const inside = h("code", { dir: "ltr" }, tinted);
  const copy = h(
    "button",
    { type: "button", class: "copy", on: { click: () => copied(copy, code) } },
    "Copy",
  );
  return h(
    "figure",
    { class: "code" },
    h("figcaption", null, h("span", null, language || (isDiff ? "diff" : "code")), copy),
    h("pre", { tabindex: "0", "aria-label": `Code${language ? `, ${language}` : ""}` }, inside),
  );
}

/** @param {string} code @returns {(Node | string)[]} */
function tint(code) {
  const made = [];
  let at = 0;
  for (const found of code.matchAll(TOKENS)) {
    const [whole, string, comment, number, word] = found;
    const kind = string ? "str" : comment ? "com" : number ? "num" : KEYWORDS.has(word) ? "key" : "";
    if (!kind) continue;
    made.push(code.slice(at, found.index), h("span", { class: `t-${kind}` }, whole));
    at = found.index + whole.length;
  }
  made.push(code.slice(at));
  return made;
}

/** @param {string} code @returns {Node[]} */
function diff(code) {
  return code.split("\n").map((line, at, all) => {
    const kind = /^(?:\+\+\+|---|diff |index )/.test(line)
      ? "file"
      : /^@@/.test(line)
        ? "hunk"
        : line[0] === "+"
          ? "add"
          : line[0] === "-"
            ? "cut"
            : "";
    return h("span", { class: kind ? `line ${kind}` : "line" }, line + (at < all.length - 1 ? "\n" : ""));
  });
}

/** @param {HTMLElement} button @param {string} code */
async function copied(button, code) {
  try {
    await navigator.clipboard.writeText(code);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = "Copy"), 1600);
}
