/**
 * Light and dark: as the machine says, until a person says otherwise.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "./icons.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** @returns {"light" | "dark"} */
function current() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return dark.matches ? "dark" : "light";
}

/** Takes up what was chosen before. */
export function restoreTheme() {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}

/** @returns {HTMLElement} the button that turns the light on and off */
export function themeButton() {
  const button = h("button", { type: "button", class: "bare", on: { click: turn } });
  const show = () => {
    const next = current() === "dark" ? "light" : "dark";
    fill(button, icon(next === "dark" ? "moon" : "sun"));
    button.setAttribute("aria-label", `Switch to ${next}`);
    button.title = `Switch to ${next}`;
  };
  function turn() {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
    show();
  }
  dark.addEventListener("change", show);
  show();
  return button;
}
