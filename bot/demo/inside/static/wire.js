/** Every wire message, whoever it belongs to, the newest first; one of them whole below. */

import { el, set } from "./element.js";
import { Message } from "./message.js";
import { messageFacts } from "./messageline.js";
import { Rows } from "./rows.js";
import { clock } from "./words.js";

const STRANGERS = ["slack", "claude", "jira", "web", "github", "log"];

export class WirePanel {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {(path: string) => Promise<any>} fetched
   * @param {(ask: string) => void} open Show an ask.
   */
  constructor(memory, fetched, open) {
    this.memory = memory;
    this.open = open;
    this.hidden = new Set();
    this.wanted = "";
    this.chosen = 0;
    this.rows = new Rows({
      label: "Wire messages, the newest first",
      empty: "Nothing on the wire that you have not hidden.",
      height: 28,
      draw: (line, node) => this.drawRow(line, node),
      choose: (/** @type {any} */ line) => this.choose(line),
    });
    this.message = new Message(fetched);
    this.shut = el("button", { type: "button", class: "link", click: () => this.choose(null) }, "Close");
    this.toAsk = el("button", { type: "button", class: "link" }, "Show its ask");
    this.toAsk.addEventListener("click", () => this.open(this.memory.lines.rows.get(this.chosen)?.ask));
    this.drawer = el(
      "aside",
      { class: "drawer", "aria-label": "The chosen message", hidden: true },
      el("p", { class: "actions" }, this.toAsk, this.shut),
      this.message.node,
    );
    this.search = el("input", {
      type: "search",
      placeholder: "Find a method, a path, a note",
      "aria-label": "Find in the wire messages",
      input: () => {
        this.wanted = /** @type {HTMLInputElement} */ (this.search).value.trim().toLowerCase();
        this.draw();
      },
    });
    const toggles = STRANGERS.map((who) => this.toggle(who));
    const bar = el(
      "div",
      { class: "bar" },
      el("div", { class: "toggles", role: "group", "aria-label": "Whose messages" }, ...toggles),
      this.search,
    );
    this.node = el("div", { class: "panel wire" }, bar, this.rows.node, this.drawer);
  }

  /** @param {string} who */
  toggle(who) {
    const button = el(
      "button",
      { type: "button", class: "toggle", "aria-pressed": "true", data: { who } },
      who,
    );
    button.addEventListener("click", () => {
      if (!this.hidden.delete(who)) this.hidden.add(who);
      set(button, { "aria-pressed": String(!this.hidden.has(who)) });
      this.draw();
    });
    return button;
  }

  draw() {
    const lines = this.memory.lines.newest();
    const all = !this.hidden.size && !this.wanted;
    this.rows.show(all ? lines : lines.filter((line) => this.fits(line)), this.chosen);
    const line = this.memory.lines.rows.get(this.chosen);
    set(this.toAsk, { hidden: !line?.ask });
  }

  /** @param {any} line */
  fits(line) {
    if (this.hidden.has(line.who)) return false;
    return (
      !this.wanted ||
      `${line.name} ${line.note} ${line.who} ${line.status}`.toLowerCase().includes(this.wanted)
    );
  }

  /**
   * @param {any} line
   * @param {HTMLElement} node
   */
  drawRow(line, node) {
    set(node, { data: { who: line.who, bad: line.bad } });
    node.append(el("span", { class: "at" }, clock(line.at, true)), ...messageFacts(line));
  }

  /** @param {any} line Null closes what is open. */
  choose(line) {
    this.chosen = line?.id ?? 0;
    set(this.drawer, { hidden: !line });
    if (line) this.message.show(line.id);
    this.draw();
  }
}
