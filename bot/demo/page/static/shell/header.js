/**
 * The bar on top: what this is, which strangers are stand-ins, who one is, light and dark.
 * @module
 */

import { h, refill, said } from "../dom.js";
import { address, go, here } from "../place.js";
import { plain } from "../words/mrkdwn.js";
import { avatar } from "./avatar.js";
import { Clock } from "./clock.js";
import { icon } from "./icons.js";
import { popup } from "./popup.js";
import { themeButton } from "./theme.js";

/** The page's header. */
export class Header {
  /**
   * @param {import("../workspace.js").Workspace} workspace
   * @param {HTMLElement} insideButton
   * @param {(name: string, body: any) => Promise<any>} act
   */
  constructor(workspace, insideButton, act) {
    this._workspace = workspace;
    this._worlds = h("button", {
      type: "button",
      class: "worlds",
      "aria-expanded": "false",
      "aria-haspopup": "dialog",
      on: { click: () => this._tellWorlds() },
    });
    this._me = h("button", {
      type: "button",
      class: "me",
      "aria-expanded": "false",
      "aria-haspopup": "dialog",
      on: { click: () => this._choosePerson() },
    });
    this.element = h(
      "header",
      { class: "top-bar" },
      h(
        "a",
        { class: "skip", href: "#", on: { click: (/** @type {Event} */ event) => this._skip(event) } },
        "To the messages",
      ),
      h(
        "p",
        { class: "brand" },
        h("span", { class: "mark", "aria-hidden": "true" }),
        "Purser",
        h("small", null, "demo"),
      ),
      this._worlds,
      h("span", { class: "push" }),
      new Clock(workspace, act).element,
      insideButton,
      themeButton(),
      this._me,
    );
    workspace.addEventListener("snapshot", () => this._show());
  }

  _show() {
    const { offers, self } = this._workspace;
    const real = offers.stand_ins.filter((/** @type {any} */ one) => one.is_real).length;
    refill(
      this._worlds,
      h(
        "span",
        { class: "worlds-long" },
        offers.stand_ins.map((/** @type {any} */ one) =>
          h(
            "span",
            { class: one.is_real ? "world real" : "world" },
            h("i", { "aria-hidden": "true" }),
            one.name,
            h("small", null, one.is_real ? "real" : "stand-in"),
          ),
        ),
      ),
      h("span", { class: "worlds-short" }, `${offers.stand_ins.length - real} stand-ins`),
    );
    refill(
      this._me,
      avatar(self, "small"),
      h("span", { class: "me-words" }, said(self.name), h("small", null, self.role)),
      icon("chevron"),
    );
    this._me.setAttribute("aria-label", `You are ${self.name}, ${self.role}. Be somebody else`);
  }

  _tellWorlds() {
    const rows = this._workspace.offers.stand_ins.map((/** @type {any} */ one) =>
      h(
        "li",
        { class: one.is_real ? "world real" : "world" },
        h(
          "b",
          null,
          h("i", { "aria-hidden": "true" }),
          one.name,
          h("small", null, one.is_real ? "the real one" : "a stand-in on this machine"),
        ),
        h("p", null, coded(one.how)),
      ),
    );
    popup(
      this._worlds,
      h(
        "div",
        { class: "explain" },
        h("h2", null, "What is real here"),
        h(
          "p",
          { class: "quiet" },
          "The bot is the real one, and speaks the real wire protocols. Whom it speaks to:",
        ),
        h("ul", null, rows),
      ),
      { label: "What is real here" },
    );
  }

  _choosePerson() {
    const { people, me } = this._workspace;
    const choices = [...people.values()].filter((person) => person.kind !== "app" && !person.deleted);
    const rows = choices.map((person) => {
      const choose = () => {
        close();
        go({ as: person.handle, in: "", thread: "", tab: "" });
      };
      return h(
        "li",
        null,
        h(
          "button",
          {
            type: "button",
            class: "person",
            "aria-current": person.id === me ? "true" : null,
            on: { click: choose },
          },
          avatar(person, "small"),
          h("span", null, said(person.name), h("small", null, person.role)),
        ),
        h(
          "a",
          {
            class: "bare",
            href: address({ as: person.handle }),
            target: "_blank",
            rel: "noopener",
            "aria-label": `Open a second window as ${person.name}`,
            title: "Open a second window",
          },
          icon("window"),
        ),
      );
    });
    const close = popup(
      this._me,
      h(
        "div",
        { class: "persons" },
        h("h2", null, "Who you are in this window"),
        h("ul", null, rows),
        h("p", { class: "quiet" }, "Two windows are two people."),
      ),
      { label: "Who you are" },
    );
  }

  /** @param {Event} event */
  _skip(event) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (
      document.querySelector('.channel article[tabindex="0"], .channel .writing')
    )?.focus();
  }
}

/** @param {string} words with `code` in them @returns {Node[]} */
function coded(words) {
  return words.split(/(`[^`]+`|\b[A-Z]{3,}[A-Z_]*\*?)/).flatMap((part) => {
    if (/^`.+`$/.test(part)) return [h("code", null, part.slice(1, -1))];
    if (/^[A-Z_]{4,}\*?$/.test(part)) return [h("code", null, part)];
    return plain(part);
  });
}
