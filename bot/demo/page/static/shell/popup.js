/**
 * A small window beside what opened it: menus and pickers. Esc, a click elsewhere or a choice closes it.
 * @module
 */

import { h } from "../dom.js";
import { icon } from "./icons.js";
import { roving } from "./keys.js";

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * Opens one beside an element, and closes whichever was open.
 * @param {HTMLElement} opener gets the focus back
 * @param {HTMLElement} content
 * @param {{across?: boolean, label: string}} how
 * @returns {() => void} closes it
 */
export function popup(opener, content, { across = false, label }) {
  closeOpen?.();
  const box = h("div", { class: "popup", role: "dialog", "aria-label": label }, content);
  const host = opener.closest("dialog") || document.body;
  host.append(box);
  opener.setAttribute("aria-expanded", "true");
  settle(box, opener);
  roving(box, "button, a[href]", { across });
  const close = () => {
    if (closeOpen !== close) return;
    closeOpen = null;
    const inside = box.contains(document.activeElement);
    box.remove();
    opener.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", escaped, true);
    if (inside || document.activeElement === document.body) opener.focus();
  };
  const outside = (/** @type {Event} */ event) => {
    const target = /** @type {Node} */ (event.target);
    if (!box.contains(target) && !opener.contains(target)) close();
  };
  const escaped = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" && event.key !== "Tab") return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
    }
    close();
  };
  closeOpen = close;
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", escaped, true);
  /** @type {HTMLElement | null} */ (box.querySelector("button, a[href], input"))?.focus();
  return close;
}

/**
 * A menu of choices.
 * @param {HTMLElement} opener
 * @param {{label: string, sign?: string, danger?: boolean, quiet?: string, act: () => void}[]} choices
 * @param {string} label
 */
export function menu(opener, choices, label) {
  const close = popup(
    opener,
    h(
      "div",
      { class: "menu" },
      choices.map((choice) =>
        h(
          "button",
          {
            type: "button",
            class: choice.danger ? "choice danger" : "choice",
            on: {
              click: () => {
                close();
                choice.act();
              },
            },
          },
          choice.sign ? icon(choice.sign) : null,
          h("span", { dir: "auto" }, choice.label),
          choice.quiet ? h("small", null, choice.quiet) : null,
        ),
      ),
    ),
    { label },
  );
}

/** @param {HTMLElement} box @param {HTMLElement} opener */
function settle(box, opener) {
  const at = opener.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const below = at.bottom + 6 + size.height < innerHeight || at.top < size.height;
  const left = Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8));
  box.style.left = `${at.left + size.width < innerWidth - 8 ? at.left : left}px`;
  box.style.top = `${below ? Math.min(at.bottom + 6, Math.max(8, innerHeight - size.height - 8)) : at.top - size.height - 6}px`;
}
