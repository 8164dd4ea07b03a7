/**
 * Things to try, by use: a press puts one into the composer.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { roving } from "../shell/keys.js";

/** A strip above the composer that can be folded away. */
export class Suggestions {
  /** @param {any} workspace @param {(text: string) => void} chosen */
  constructor(workspace, chosen) {
    this._workspace = workspace;
    this._chosen = chosen;
    this._row = h("div", { class: "tries", role: "list" });
    this._fold = h("button", { type: "button", class: "fold", on: { click: () => this._turn() } });
    this.element = h(
      "section",
      { class: "suggestions", "aria-label": "Things to try" },
      this._fold,
      this._row,
    );
    roving(this._row, "button", { across: true });
    workspace.addEventListener("snapshot", () => this._show());
  }

  _turn() {
    sessionStorage.setItem("tries", this._folded ? "" : "folded");
    this._show();
  }

  get _folded() {
    return sessionStorage.getItem("tries") === "folded";
  }

  _show() {
    const given = this._workspace.offers.suggestions;
    fill(this._fold, icon("spark"), "Try", icon("chevron"));
    this._fold.setAttribute("aria-expanded", String(!this._folded));
    this._row.hidden = this._folded;
    this.element.classList.toggle("folded", this._folded);
    fill(
      this._row,
      given.map((/** @type {any} */ one, /** @type {number} */ at) =>
        h(
          "span",
          { role: "listitem" },
          h(
            "button",
            {
              type: "button",
              class: "try",
              tabindex: at ? "-1" : "0",
              on: { click: () => this._chosen(one.text) },
            },
            one.group ? h("small", null, one.group) : null,
            one.title,
          ),
        ),
      ),
    );
  }
}
