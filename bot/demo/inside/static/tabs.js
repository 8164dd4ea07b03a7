/** Tabs as the keyboard expects them: one stop for all, arrows between them, the panel next. */

import { el, set, write } from "./element.js";

/**
 * @typedef {object} Panel
 * @property {HTMLElement} node
 * @property {() => void} draw Bring it up to date; called only while it is seen.
 * @property {() => void} [close]
 */

let made = 0;

export class Tabs {
  /**
   * @param {string} label
   * @param {{name: string, panel: Panel, badge?: () => number}[]} entries
   */
  constructor(label, entries) {
    const group = ++made;
    this.entries = entries.map(({ name, panel, badge }, i) => {
      const id = `inside-${group}-${i}`;
      const count = el("span", { class: "badge", hidden: true });
      const tab = el(
        "button",
        { type: "button", role: "tab", id: `${id}-tab`, "aria-controls": id, click: () => this.show(name) },
        name,
        " ",
        count,
      );
      set(panel.node, { id, role: "tabpanel", "aria-labelledby": `${id}-tab` });
      return { name, panel, badge, count, tab };
    });
    this.list = el(
      "div",
      {
        class: "tabs",
        role: "tablist",
        "aria-label": label,
        keydown: (/** @type {KeyboardEvent} */ e) => this.key(e),
      },
      ...this.entries.map((entry) => entry.tab),
    );
    this.node = el("div", { class: "tabbed" }, this.list, ...this.entries.map((entry) => entry.panel.node));
    this.seen = entries[0].name;
    this.choose();
  }

  /** @param {string} name */
  show(name) {
    this.seen = name;
    this.choose();
    this.draw();
  }

  /** Bring what is seen up to date. */
  draw() {
    for (const { name, panel, badge, count } of this.entries) {
      const number = badge?.() ?? 0;
      set(count, { hidden: !number });
      write(count, number ? String(number) : "");
      if (name === this.seen) panel.draw();
    }
  }

  close() {
    for (const { panel } of this.entries) panel.close?.();
  }

  choose() {
    for (const { name, panel, tab } of this.entries) {
      const seen = name === this.seen;
      set(tab, { "aria-selected": String(seen), tabindex: seen ? 0 : -1 });
      set(panel.node, { hidden: !seen });
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const at = this.entries.findIndex(({ name }) => name === this.seen);
    const last = this.entries.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(this.entries[to].name);
    this.entries[to].tab.focus();
    this.entries[to].tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
