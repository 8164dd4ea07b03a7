/**
 * The way of one ask, whole: its steps down a spine, what is handed over between them, and when each was, on one
 * scale. A step opens to the wire messages that belong to it.
 */

import { el, set, svg, write } from "./element.js";
import { Exchange } from "./exchange.js";
import { handedOver, station } from "./stations.js";
import { cached, count, lasting, money, share } from "./words.js";

const SCALE = 1000; // units of the time scale
const THINNEST = 4;

export class Way {
  /** @param {(path: string) => Promise<any>} fetched */
  constructor(fetched) {
    this.fetched = fetched;
    this.node = el("ol", { class: "way", "aria-label": "The way of this ask" });
    /** @type {Set<string>} The steps that are open. */
    this.open = new Set();
    /** @type {Map<string, Stage>} */
    this.stages = new Map();
    this.ask = "";
  }

  /**
   * Draw an ask.
   *
   * @param {any} ask
   * @param {any[]} lines Its wire messages, oldest first.
   * @param {number} now Epoch seconds, for what is not over.
   */
  draw(ask, lines, now) {
    if (ask.id !== this.ask) {
      this.ask = ask.id;
      this.open.clear();
      this.stages.clear();
      this.node.replaceChildren();
    }
    const began = ask.steps[0].at;
    const ended = Math.max(ask.ended ?? now, began + 0.001, ...lines.slice(-1).map((line) => line.at));
    const span = { began, seconds: ended - began, now };
    const steps = ask.steps.map((/** @type {any} */ step, /** @type {number} */ i) => ({
      step,
      arrow: handedOver(ask.steps, i),
      lines: lines.filter((line) => line.step === step.key),
    }));
    const stages = steps.map((/** @type {any} */ { step, arrow, lines: own }) => {
      const stage = this.stages.get(step.key) ?? this.add(step.key);
      stage.draw(step, arrow, own, span);
      return stage.node;
    });
    if (stages.some((/** @type {Node} */ node, /** @type {number} */ i) => this.node.children[i] !== node)) {
      this.node.replaceChildren(...stages);
    }
  }

  /** @param {string} key */
  add(key) {
    const stage = new Stage(this.fetched, () => {
      if (!this.open.delete(key)) this.open.add(key);
      stage.show(this.open.has(key));
    });
    this.stages.set(key, stage);
    return stage;
  }

  /** @param {string} kind Open the first step of this kind. */
  reveal(kind) {
    for (const [key, stage] of this.stages) {
      if (key.split(":")[0] !== kind) continue;
      this.open.add(key);
      stage.show(true);
      stage.button.scrollIntoView({ block: "nearest" });
      return;
    }
  }
}

/** One step of the way. */
class Stage {
  /**
   * @param {(path: string) => Promise<any>} fetched
   * @param {() => void} toggle
   */
  constructor(fetched, toggle) {
    this.arrow = el("span", { class: "arrow", "aria-hidden": "true" });
    this.name = el("span", { class: "name" });
    this.note = el("span", { class: "note" });
    this.bill = el("span", { class: "bill" });
    this.tools = el("span", { class: "tools" });
    this.chips = el("span", { class: "chips" });
    this.offset = el("span", { class: "offset" });
    this.lasted = el("span", { class: "lasted" });
    this.bar = svg("rect", { y: 2, height: 10 });
    this.silent = svg("rect", { class: "silent", y: 2, height: 10 });
    const scale = svg(
      "svg",
      { class: "scale", viewBox: `0 0 ${SCALE} 14`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("line", { class: "ground", x1: 0, x2: SCALE, y1: 7, y2: 7 }),
      this.silent,
      this.bar,
    );
    this.exchange = new Exchange(fetched);
    this.button = el(
      "button",
      { type: "button", class: "step", "aria-expanded": "false", click: toggle },
      el("span", { class: "node", "aria-hidden": "true" }),
      el("span", { class: "title" }, this.name, this.note, this.bill, this.tools, this.chips),
      el("span", { class: "when" }, scale, el("span", { class: "times" }, this.offset, this.lasted)),
    );
    this.node = el("li", {}, this.arrow, this.button, this.exchange.node);
    this.show(false);
    /** @type {any[]} */
    this.lines = [];
  }

  /** @param {boolean} open */
  show(open) {
    set(this.button, { "aria-expanded": String(open) });
    set(this.exchange.node, { hidden: !open });
    if (open) this.exchange.draw(this.lines ?? [], this.began ?? 0);
  }

  /**
   * @param {import("./stations.js").Step} step
   * @param {string} arrow
   * @param {any[]} lines
   * @param {{began: number, seconds: number, now: number}} span
   */
  draw(step, arrow, lines, span) {
    const { name, says } = station(step.kind);
    const number = step.key.split(":")[1];
    this.lines = lines;
    this.began = span.began;
    set(this.node, { data: { state: step.state, kind: step.kind } });
    set(this.button, { title: says });
    write(this.arrow, arrow);
    write(this.name, number && Number(number) > 1 ? `${name} ${number}` : name);
    write(this.note, step.note);
    write(this.bill, step.bill ? billed(step.bill) : "");
    this.drawTools(step.tools);
    this.drawChips(lines);
    write(this.offset, step.at === null ? "" : `+${lasting(step.at - span.began)}`);
    const moment = step.kind === "committed" || step.kind === "settled" || step.kind === "leased";
    const until = step.at === null || moment ? step.at : (step.until ?? span.now);
    write(this.lasted, step.at === null || moment ? "" : lasting(/** @type {number} */ (until) - step.at));
    this.drawScale(step.at, step.first, until, span);
    if (this.button.getAttribute("aria-expanded") === "true") this.exchange.draw(lines, span.began);
  }

  /**
   * @param {number | null} at
   * @param {number | null} first When the other side began to speak, where that is known: pale before, full after.
   * @param {number | null} until
   * @param {{began: number, seconds: number}} span
   */
  drawScale(at, first, until, span) {
    const x = (/** @type {number} */ moment) =>
      Math.min(SCALE - THINNEST, Math.max(0, (SCALE * (moment - span.began)) / span.seconds));
    const [from, to] = at === null || until === null ? [0, 0] : [x(at), Math.max(x(at), x(until)) + THINNEST];
    const spoke = first === null || at === null ? from : Math.min(to - THINNEST, Math.max(from, x(first)));
    set(this.silent, { x: from, width: spoke - from });
    set(this.bar, { x: spoke, width: to - spoke });
  }

  /** @param {any[]} tools */
  drawTools(tools) {
    const text = tools.map((tool) => `${tool.name}${tool.about}${tool.outcome}`).join("|");
    if (this.tools.dataset.drawn === text) return;
    this.tools.dataset.drawn = text;
    this.tools.replaceChildren(
      ...tools.map((tool) =>
        el(
          "span",
          { class: "tool", data: { outcome: tool.outcome || "runs" } },
          el("b", {}, tool.name),
          ` ${tool.about}`,
          tool.outcome && tool.outcome !== "ok" ? el("em", {}, ` ${tool.outcome.replace("_", " ")}`) : null,
        ),
      ),
    );
  }

  /** @param {any[]} lines */
  drawChips(lines) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { who } of lines) counts.set(who, (counts.get(who) ?? 0) + 1);
    const text = [...counts].join(";");
    if (this.chips.dataset.drawn === text) return;
    this.chips.dataset.drawn = text;
    this.chips.replaceChildren(
      ...[...counts].map(([who, n]) =>
        el("span", { class: "chip", data: { who } }, n > 1 ? `${who} ${n}` : who),
      ),
    );
  }
}

/**
 * What a request cost, in words.
 *
 * @param {any} bill
 */
function billed(bill) {
  const { prompt, share: hit } = cached(bill);
  const cost = !bill.billed
    ? "not billed"
    : bill.status === "settled"
      ? money(bill.cost)
      : `${money(bill.cost)} ${bill.status}`;
  return `${count(prompt)} in, ${share(hit)} cached · ${count(bill.output)} out · ${cost}`;
}
