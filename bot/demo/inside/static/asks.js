/** Every ask, the newest first; beside them the chosen one's way. */

import { el, set, write } from "./element.js";
import { Rows } from "./rows.js";
import { tokenTable } from "./tokens.js";
import { track, trackNames } from "./track.js";
import { Way } from "./way.js";
import { cached, clock, count, lasting, money, share } from "./words.js";

const TICK = 250; // ms between drawings of what still runs

/** @param {any} ask */
const runs = (ask) => ask.state === "leased" || ask.state === "waiting";

export class AsksPanel {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {(path: string) => Promise<any>} fetched
   */
  constructor(memory, fetched) {
    this.memory = memory;
    this.chosen = "";
    this.follows = true;
    this.timer = 0;
    this.drawn = "";
    this.rows = new Rows({
      label: "Asks, the newest first",
      empty: "Nobody has asked anything yet. Mention @purser in the workspace and watch it arrive here.",
      height: 68,
      draw: (ask, node) => this.drawRow(ask, node),
      choose: (/** @type {any} */ ask) => this.choose(ask.id),
    });
    this.rows.node.addEventListener("click", (event) => this.clickedStop(event));
    this.follow = el(
      "button",
      {
        type: "button",
        class: "toggle",
        "aria-pressed": "true",
        "aria-label": "Follow the newest",
        title: "Always show the newest ask",
        click: () => this.setFollow(!this.follows),
      },
      "Follow",
    );
    this.head = el("div", { class: "ask-head" });
    this.way = new Way(fetched);
    this.tokens = el("div", {});
    this.detail = el(
      "article",
      { class: "detail", "aria-label": "The chosen ask", hidden: true },
      this.follow,
      this.head,
      this.way.node,
      this.tokens,
    );
    const names = el("div", { class: "bar" }, trackNames());
    this.node = el(
      "div",
      { class: "panel asks" },
      el("div", { class: "list" }, names, this.rows.node),
      this.detail,
    );
  }

  /** @param {string} id */
  choose(id) {
    this.chosen = id;
    this.setFollow(this.memory.asks.newest()[0]?.id === id);
  }

  /** @param {boolean} follows */
  setFollow(follows) {
    this.follows = follows;
    set(this.follow, { "aria-pressed": String(follows) });
    this.draw();
  }

  draw() {
    const asks = this.memory.asks.newest();
    if (this.follows || !this.memory.asks.rows.has(this.chosen)) this.chosen = asks[0]?.id ?? "";
    this.rows.show(asks, this.chosen);
    const ask = this.memory.asks.rows.get(this.chosen);
    set(this.detail, { hidden: !ask });
    if (ask) this.drawDetail(ask);
    this.tick();
  }

  /** Let the seconds of what still runs go on. */
  tick() {
    clearTimeout(this.timer);
    if (this.node.hidden || !this.memory.asks.newest().some(runs)) return;
    this.rows.each((/** @type {any} */ ask, node) => {
      const total = node.querySelector(".total");
      if (total && runs(ask)) write(total, lasted(ask, this.memory.now));
    });
    const ask = this.memory.asks.rows.get(this.chosen);
    if (ask && runs(ask)) this.drawDetail(ask);
    this.timer = setTimeout(() => this.tick(), TICK);
  }

  close() {
    clearTimeout(this.timer);
  }

  /**
   * @param {any} ask
   * @param {HTMLElement} node
   */
  drawRow(ask, node) {
    node.append(
      el(
        "div",
        { class: "ask-line" },
        el("span", { class: "asker" }, this.memory.person(ask.user)),
        el("span", { class: "place" }, this.memory.channel(ask.channel)),
        el("span", { class: "words" }, ask.text || `(${ask.feature})`),
        outcome(ask),
        el("span", { class: "total" }, lasted(ask, this.memory.now)),
      ),
      track(ask),
    );
  }

  /** @param {any} ask */
  drawDetail(ask) {
    const mark = JSON.stringify([ask, this.memory.person(ask.user)]);
    if (this.drawn !== mark) {
      this.drawn = mark;
      this.head.replaceChildren(...this.headOf(ask));
      this.tokens.replaceChildren(el("h3", {}, "Tokens"), tokenTable(ask.tokens));
    }
    const seconds = this.head.querySelector("dl.facts dd");
    if (seconds) write(seconds, lasted(ask, this.memory.now));
    this.way.draw(ask, this.memory.linesOf(ask.id), this.memory.now);
  }

  /** @param {any} ask */
  headOf(ask) {
    const { share: hit, prompt } = cached(ask.tokens);
    const rounds = ask.steps.filter((/** @type {any} */ step) => step.kind === "sent").length;
    const facts = [
      ["seconds", lasted(ask, this.memory.now)],
      ["cost", money(ask.cost), ask.unconfirmed && `${money(ask.unconfirmed)} unconfirmed`],
      ["cache hits", prompt ? share(hit) : "none"],
      ["tokens", `${count(prompt)} in, ${count(ask.tokens.output)} out`],
      ["calls of Claude", String(rounds)],
      ["model", ask.model || "none"],
    ];
    return [
      el(
        "p",
        { class: "ask-by" },
        el(
          "span",
          {},
          el("b", {}, this.memory.person(ask.user)),
          ` in ${this.memory.channel(ask.channel)} · ${ask.feature} · ${clock(ask.at)}`,
        ),
        outcome(ask),
      ),
      el("blockquote", {}, ask.text || "(no words)"),
      ask.sentence ? el("p", { class: "sentence" }, ask.sentence) : null,
      el(
        "dl",
        { class: "facts" },
        ...facts.map(([name, value, more]) =>
          el("div", {}, el("dt", {}, name), el("dd", {}, value), more && el("dd", { class: "more" }, more)),
        ),
      ),
    ].filter((node) => node !== null);
  }

  /**
   * A stop of a track was clicked: its step is opened.
   *
   * @param {Event} event
   */
  clickedStop(event) {
    const stop = /** @type {HTMLElement} */ (event.target).closest?.(".stop");
    const kind = /** @type {HTMLElement | null} */ (stop)?.dataset.kind;
    if (kind) this.way.reveal(kind);
  }
}

/** @param {any} ask @param {number} now */
function lasted(ask, now) {
  return lasting(Math.max(0, (ask.ended ?? now) - ask.at));
}

/** @param {any} ask */
function outcome(ask) {
  const state = ask.state === "leased" ? "running" : ask.state === "done" ? ask.outcome : ask.state;
  const tone = {
    answer: "good",
    running: "now",
    waiting: "now",
    parked: "now",
    refused: "warn",
    stopped: "warn",
  };
  return el(
    "span",
    { class: "pill", data: { tone: tone[/** @type {keyof typeof tone} */ (state)] ?? "bad" } },
    state,
  );
}
