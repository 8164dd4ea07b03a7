/**
 * What the composer completes: people after @, channels after #, commands after /, emoji after a colon.
 * @module
 */

import { fill, freshId, h } from "../dom.js";
import { avatar } from "../shell/avatar.js";
import { EMOJI } from "../words/emoji.js";

const MOST = 8; // offers at once

/**
 * @typedef {object} Offer
 * @property {string} insert what is written
 * @property {string} label
 * @property {string} quiet
 * @property {any} sign
 * @property {string} [shortcut] is chosen instead of written
 */

/** A list above a text field, driven from the field's own keys. */
export class Completion {
  /**
   * @param {HTMLTextAreaElement} field
   * @param {any} workspace
   * @param {{inThread: () => boolean, shortcut: (callback: string) => void}} place
   */
  constructor(field, workspace, { inThread, shortcut }) {
    this._field = field;
    this._shortcut = shortcut;
    this._workspace = workspace;
    this._inThread = inThread;
    /** @type {Offer[]} */ this._offers = [];
    this._at = 0;
    this._from = 0;
    this.element = h("ul", {
      class: "completion",
      role: "listbox",
      id: freshId("completion"),
      "aria-label": "Suggestions",
      hidden: true,
    });
    field.setAttribute("aria-controls", this.element.id);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-expanded", "false");
    field.addEventListener("input", () => this.look());
    field.addEventListener("blur", () => this.close());
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Looks at the word before the caret. */
  look() {
    const { value, selectionStart } = this._field;
    const before = value.slice(0, selectionStart);
    const found = /(?:^|[\s(])([@#:][\p{L}\p{N}._+-]*|^\/[\w-]*)$/u.exec(before);
    const word = found?.[1] || "";
    const isCode = (before.match(/```/g) || []).length % 2 === 1;
    this._from = selectionStart - word.length;
    this._offers = word && !isCode ? this._find(word[0], word.slice(1).toLowerCase()) : [];
    this._at = 0;
    this._show();
  }

  close() {
    this._offers = [];
    this._show();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  key(event) {
    if (!this.isOpen) return false;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (event.key in steps) {
      this._at = (this._at + steps[event.key] + this._offers.length) % this._offers.length;
      this._show();
    } else if (event.key === "Enter" || event.key === "Tab") {
      this._choose(this._offers[this._at]);
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** @param {string} sign @param {string} word @returns {Offer[]} */
  _find(sign, word) {
    if (sign === ":" && word.length < 2) return [];
    /** @type {Record<string, () => Offer[]>} */
    const kinds = {
      "@": () => this._people(),
      "#": () => this._channels(),
      "/": () => this._commands(),
      ":": () => this._emoji(word),
    };
    const all = kinds[sign]?.() || [];
    const starts = all.filter((one) => one.insert.slice(1).toLowerCase().startsWith(word));
    const names = all.filter(
      (one) =>
        !starts.includes(one) &&
        one.label
          .toLowerCase()
          .split(/\s+/)
          .some((part) => part.startsWith(word)),
    );
    const offers = [...starts, ...names].slice(0, MOST);
    return offers.length === 1 && offers[0].insert === sign + word ? [] : offers;
  }

  _people() {
    const { app, people, me } = this._workspace;
    const rank = (/** @type {any} */ person) => (person.id === app.user ? 0 : person.id === me ? 2 : 1);
    return [...people.values()]
      .filter((person) => !person.deleted)
      .sort((a, b) => rank(a) - rank(b))
      .map((person) => ({
        insert: `@${person.handle}`,
        label: person.name,
        quiet: person.role,
        sign: avatar(person, "tiny"),
      }));
  }

  _channels() {
    const named = [...this._workspace.channels.values()].filter((channel) => channel.about.name);
    return named.map(({ about }) => ({
      insert: `#${about.name}`,
      label: about.name,
      quiet: about.topic,
      sign: "#",
    }));
  }

  _commands() {
    if (this._inThread()) return [];
    const own = this._workspace.offers.commands.map((/** @type {any} */ one) => ({
      insert: one.name,
      label: one.name,
      quiet: one.usage ? `${one.description} · ${one.usage}` : one.description,
      sign: "/",
    }));
    const shortcuts = this._workspace.offers.shortcuts
      .filter((/** @type {any} */ one) => one.kind === "global")
      .map((/** @type {any} */ one) => ({
        insert: `/${one.name}`,
        label: one.name,
        quiet: `Shortcut of ${this._workspace.app.name}`,
        sign: "↗",
        shortcut: one.callback_id,
      }));
    return [
      ...own,
      ...shortcuts,
      {
        insert: "/invite",
        label: "/invite",
        quiet: `Bring @${this._workspace.app.handle} into this channel`,
        sign: "/",
      },
      {
        insert: "/remove",
        label: "/remove",
        quiet: `Take @${this._workspace.app.handle} out of it`,
        sign: "/",
      },
    ];
  }

  /** @param {string} word */
  _emoji(word) {
    const names = [...EMOJI.keys()].filter((name) => name.includes(word));
    return names.map((name) => ({
      insert: `:${name}:`,
      label: `:${name}:`,
      quiet: "",
      sign: EMOJI.get(name),
    }));
  }

  /** @param {Offer} offer */
  _choose(offer) {
    const caret = this._field.selectionStart;
    this._field.setRangeText(offer.shortcut ? "" : `${offer.insert} `, this._from, caret, "end");
    this.close();
    if (offer.shortcut) this._shortcut(offer.shortcut);
    this._field.dispatchEvent(new Event("input"));
    this._field.focus();
  }

  _show() {
    this.element.hidden = !this._offers.length;
    this._field.setAttribute("aria-expanded", String(this.isOpen));
    const id = (/** @type {number} */ at) => `${this.element.id}-${at}`;
    fill(
      this.element,
      this._offers.map((offer, at) =>
        h(
          "li",
          {
            role: "option",
            id: id(at),
            "aria-selected": String(at === this._at),
            on: {
              pointerdown: (/** @type {Event} */ event) => (event.preventDefault(), this._choose(offer)),
            },
          },
          h("span", { class: "sign" }, offer.sign),
          h("span", { class: "what", dir: "auto" }, offer.label),
          h("small", { dir: "auto" }, offer.quiet),
        ),
      ),
    );
    if (this.isOpen) this._field.setAttribute("aria-activedescendant", id(this._at));
    else this._field.removeAttribute("aria-activedescendant");
    this.element.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }
}
