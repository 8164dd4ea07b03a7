/**
 * Somebody's sign: initials on a colour of their own; the app has its own mark.
 * @module
 */

import { h } from "../dom.js";

/**
 * @param {any} person
 * @param {string} [size] a class
 * @returns {HTMLElement}
 */
export function avatar(person, size = "") {
  const words = String(person.name || "?")
    .replace(/\(.*\)/, "")
    .trim()
    .split(/\s+/);
  const initials = [words[0], words.length > 1 ? words[words.length - 1] : ""]
    .map((word) => [...word][0] || "")
    .join("");
  const isApp = person.kind === "app";
  return h(
    "span",
    { class: `avatar hue-${person.hue ?? 0} ${isApp ? "app" : ""} ${size}`, "aria-hidden": "true" },
    initials.toUpperCase().normalize("NFC").replace(/\p{M}/gu, ""),
  );
}
