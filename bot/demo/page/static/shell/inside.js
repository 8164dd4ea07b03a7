/**
 * The place for the look inside the bot: another module fills it; where there is none, it is not there.
 * @module
 */

import { h } from "../dom.js";
import { icon } from "./icons.js";

const MODULE = "/inside/static/inside.js";
const NARROWEST = 280;
const WIDEST = 720;
const STEP = 24; // pixels by an arrow key
const ROOMY = 1500; // window's width from which it stands open at first

/** Frames, folds and resizes `<aside id="inside">`. */
export class Inside {
  /** @param {HTMLElement} aside */
  constructor(aside) {
    this._aside = aside;
    this._frame = /** @type {HTMLElement} */ (aside.parentElement);
    this._edge = h("div", {
      class: "edge",
      role: "separator",
      tabindex: "0",
      "aria-orientation": "vertical",
      "aria-label": "Width of the look inside",
      "aria-valuemin": NARROWEST,
      "aria-valuemax": WIDEST,
    });
    this.button = h(
      "button",
      {
        type: "button",
        class: "inside-button",
        hidden: true,
        "aria-controls": "inside",
        on: { click: () => this._turn() },
      },
      icon("inside"),
      h("span", null, "Inside"),
    );
    this._frame.prepend(this._edge);
    this._width = Number(localStorage.getItem("inside-width")) || 400;
    this._drag();
  }

  /** Lets the other module fill it; a window without that module goes on without. */
  async load() {
    const inside = await import(MODULE).catch(() => null);
    if (!inside) return;
    await inside.mount(this._aside);
    this.button.hidden = false;
    const chosen = localStorage.getItem("inside");
    this._open(chosen ? chosen === "open" : innerWidth >= ROOMY);
  }

  _turn() {
    const open = Boolean(this._frame.hidden);
    localStorage.setItem("inside", open ? "open" : "closed");
    this._open(open);
  }

  /** @param {boolean} open */
  _open(open) {
    this._frame.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("inside-open", open);
    this._size(this._width);
  }

  /** @param {number} width */
  _size(width) {
    this._width = Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));
    document.documentElement.style.setProperty("--inside-width", `${this._width}px`);
    this._edge.setAttribute("aria-valuenow", String(this._width));
    localStorage.setItem("inside-width", String(this._width));
  }

  _drag() {
    this._edge.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this._edge.setPointerCapture(event.pointerId);
      const right = this._frame.getBoundingClientRect().right;
      const follow = (/** @type {PointerEvent} */ moved) => this._size(right - moved.clientX);
      this._edge.addEventListener("pointermove", follow);
      this._edge.addEventListener("pointerup", () => this._edge.removeEventListener("pointermove", follow), {
        once: true,
      });
    });
    this._edge.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
      if (step) this._size(this._width + step);
    });
  }
}
