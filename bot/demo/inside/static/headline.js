/** One line on top: whether the bot is there, what runs, what the month has cost; and what a screen reader hears. */

import { el, set, write } from "./element.js";
import { lasting, money } from "./words.js";

export class Headline {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {import("./link.js").Link} link
   */
  constructor(memory, link) {
    this.memory = memory;
    this.link = link;
    this.lamp = el("span", { class: "lamp", "aria-hidden": "true" });
    this.bot = el("span", { class: "bot" });
    this.facts = el("span", { class: "facts" });
    this.spoken = el("p", { class: "unseen", role: "status" });
    /** @type {Set<string> | null} Asks that were told to have ended. */
    this.ended = null;
    this.node = el(
      "header",
      { class: "headline" },
      el("h2", {}, "Inside Purser"),
      el("p", {}, this.lamp, this.bot, this.facts),
      this.spoken,
    );
  }

  draw() {
    const { memory, link } = this;
    const away = memory.ready && memory.connections === 0;
    const state = link.state !== "live" ? "lost" : away ? "away" : "live";
    set(this.lamp, { data: { state } });
    const word = {
      lost: link.state === "lost" ? "The page lost its connection; trying again" : "Connecting",
      away: "The bot is away",
      live: "The bot is connected",
    };
    write(this.bot, word[state]);
    const running = memory.asks.newest().filter((ask) => ask.state === "leased").length;
    const waiting = memory.asks.newest().filter((ask) => ask.state === "waiting").length;
    const spent = memory.sums[0]?.spent;
    const real = memory.real.map((name) => `${name} is the real one`);
    const facts = [
      `${running} running`,
      waiting ? `${waiting} waiting` : "",
      spent ? `${money(spent)} this month` : "",
      ...real,
    ];
    write(this.facts, memory.ready ? facts.filter(Boolean).join(" · ") : "");
    this.speak();
  }

  /** Say the latest ask that ended since the last drawing. */
  speak() {
    if (!this.memory.ready) return;
    const over = this.memory.asks.newest().filter((ask) => ask.ended);
    const known = this.ended;
    this.ended = new Set(over.map((ask) => ask.id));
    const latest = known && over.find((ask) => !known.has(ask.id));
    if (!latest) return;
    const who = this.memory.person(latest.user);
    write(
      this.spoken,
      `${who}'s ask ended: ${latest.outcome}, after ${lasting(latest.ended - latest.at)}, ${money(latest.cost)}.`,
    );
  }
}
