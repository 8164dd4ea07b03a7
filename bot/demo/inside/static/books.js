/** The books as they fill: each channel's month against its budget, and the rows, the newest first. */

import { el } from "./element.js";
import { Rows } from "./rows.js";
import { tokenBar, tokenLegend } from "./tokens.js";
import { cached, clock, count, money, share } from "./words.js";

export class BooksPanel {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {(ask: string) => void} open Show an ask.
   */
  constructor(memory, open) {
    this.memory = memory;
    this.drawn = "";
    this.sums = el("div", { class: "sums" });
    this.rows = new Rows({
      label: "Rows of the books, the newest first",
      empty: "Nothing is booked yet.",
      height: 58,
      draw: (entry, node) => this.drawRow(entry, node),
      choose: (/** @type {any} */ entry) => entry.ask && open(entry.ask),
    });
    this.node = el("div", { class: "panel books" }, this.sums, tokenLegend(), this.rows.node);
  }

  draw() {
    const mark = JSON.stringify([this.memory.sums, this.memory.channels]);
    if (this.drawn !== mark) {
      this.drawn = mark;
      this.sums.replaceChildren(...this.memory.sums.map((sum) => this.sumOf(sum)));
    }
    this.rows.show(this.memory.entries.newest());
  }

  /** @param {any} sum */
  sumOf(sum) {
    const [spent, reserved, budget] = [sum.spent, sum.reserved, sum.budget].map(Number);
    const part = (/** @type {number} */ value) => Math.min(100, budget ? (100 * value) / budget : 100);
    const tone = spent + reserved > 0.95 * budget ? "bad" : spent > 0.8 * budget ? "warn" : "good";
    const taken = el("i", { class: "spent" });
    const held = el("i", { class: "reserved" });
    taken.style.width = `${part(spent)}%`;
    held.style.width = `${Math.min(100 - part(spent), part(reserved))}%`;
    const name = sum.channel
      ? this.memory.channel(sum.channel)
      : `All channels, ${sum.month || "this month"}`;
    const words = `${money(sum.spent)} of ${money(sum.budget)}${reserved ? `, ${money(sum.reserved)} reserved` : ""}`;
    return el(
      "div",
      { class: "sum", data: { tone, all: !sum.channel } },
      el("p", {}, el("b", {}, name), el("span", {}, words)),
      el(
        "div",
        {
          class: "meter",
          role: "meter",
          "aria-label": `${name}: ${words}`,
          "aria-valuemin": 0,
          "aria-valuemax": budget,
          "aria-valuenow": spent,
        },
        taken,
        held,
      ),
    );
  }

  /**
   * @param {any} entry
   * @param {HTMLElement} node
   */
  drawRow(entry, node) {
    const { memory } = this;
    const { prompt, share: hit } = cached(entry.tokens);
    const whose = entry.ask
      ? `${memory.person(entry.user)} in ${memory.channel(entry.channel)}`
      : "shared by all";
    const said = [entry.purpose, entry.model, entry.stop_reason].filter(Boolean).join(" · ");
    const tokens = `${count(prompt)} in, ${share(hit)} from cache, ${count(entry.tokens.output)} out`;
    node.append(
      el(
        "div",
        { class: "entry-line" },
        el("span", { class: "at" }, clock(entry.at)),
        el("span", { class: "whose" }, whose),
        el("span", { class: "said" }, said),
        entry.status === "settled"
          ? null
          : el("span", { class: "pill", data: { tone: "warn" } }, entry.status),
        el("span", { class: "cost" }, entry.billed ? money(entry.cost) : "not billed"),
      ),
      el("div", { class: "entry-tokens" }, tokenBar(entry.tokens), el("span", {}, tokens)),
    );
  }
}
