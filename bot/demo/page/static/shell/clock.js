/**
 * The workspace's clock, and how it is moved on: what comes in the morning need not be waited for.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "./icons.js";
import { now, weekdayOf } from "./times.js";

const GLANCE_MILLISECONDS = 1000;

/** What time it is here, and two buttons; shown only where the clock can be moved. */
export class Clock {
  /**
   * @param {import("../workspace.js").Workspace} workspace
   * @param {(name: string, body: any) => Promise<any>} act
   */
  constructor(workspace, act) {
    this._workspace = workspace;
    this._time = h("time", null);
    this._buttons = [
      this._button("+1 h", "Let an hour pass", "hour", act),
      this._button("to 7:00", "Let time pass until 7:00 (UTC)", "morning", act),
    ];
    this.element = h(
      "div",
      { class: "clock", role: "group", "aria-label": "The demo's clock", hidden: true },
      icon("clock"),
      this._time,
      this._buttons,
    );
    for (const kind of ["snapshot", "clock"]) workspace.addEventListener(kind, () => this._show());
    setInterval(() => this._show(), GLANCE_MILLISECONDS);
  }

  /**
   * @param {string} words
   * @param {string} title
   * @param {string} to
   * @param {(name: string, body: any) => Promise<any>} act
   */
  _button(words, title, to, act) {
    const click = () => act("clock", { to }).catch(() => null);
    return h("button", { type: "button", title, "aria-label": title, on: { click } }, words);
  }

  _show() {
    const { clock } = this._workspace;
    this.element.hidden = !clock;
    if (!clock) return;
    fill(this._time, weekdayOf(now()), h("small", null, "UTC"));
    this.element.classList.toggle("going", Boolean(clock.going));
    for (const button of this._buttons)
      /** @type {HTMLButtonElement} */ (button).disabled = Boolean(clock.going);
  }
}
