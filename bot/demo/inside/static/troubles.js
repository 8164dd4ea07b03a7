/** Troubles to switch on and watch, each with the sentence of what will be seen. */

import { el, set, write } from "./element.js";
import { clock, lasting } from "./words.js";

export class TroublesPanel {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {import("./link.js").Link} link
   */
  constructor(memory, link) {
    this.memory = memory;
    this.link = link;
    /** @type {Map<string, {node: HTMLElement, button: HTMLElement, state: HTMLElement}>} */
    this.drawn = new Map();
    this.list = el("ul", { class: "trouble-list" });
    this.node = el(
      "div",
      { class: "panel troubles" },
      el(
        "p",
        { class: "lead" },
        "Switch one on, ask something in the workspace, and watch the way of the ask. The bot is told nothing of this.",
      ),
      this.list,
    );
  }

  /** How many are on. */
  count() {
    return this.memory.troubles.filter((trouble) => trouble.left > 0).length;
  }

  draw() {
    for (const trouble of this.memory.troubles) {
      const known = this.drawn.get(trouble.name) ?? this.add(trouble);
      if (trouble.deed) drawDeed(trouble, known);
      else drawSwitch(trouble, known);
    }
  }

  /** @param {any} trouble */
  add(trouble) {
    const about = `inside-trouble-${trouble.name}`;
    const button = trouble.deed
      ? el("button", { type: "button", class: "deed", "aria-describedby": about }, "Kill it")
      : el(
          "button",
          {
            type: "button",
            role: "switch",
            class: "switch",
            "aria-label": trouble.title,
            "aria-describedby": about,
          },
          el("i", {}),
        );
    button.addEventListener("click", () =>
      this.link.turn(trouble.name, button.getAttribute("aria-checked") !== "true"),
    );
    const state = el("p", { class: "state", "aria-live": "polite" });
    const node = el(
      "li",
      { class: "trouble", data: { who: trouble.who ?? "bot" } },
      el("div", {}, el("h3", {}, trouble.title), el("p", { id: about }, trouble.sentence), state),
      button,
    );
    const made = { node, button, state };
    this.drawn.set(trouble.name, made);
    this.list.append(node);
    return made;
  }
}

/**
 * @param {any} trouble
 * @param {{node: HTMLElement, button: HTMLElement, state: HTMLElement}} drawn
 */
function drawSwitch(trouble, { node, button, state }) {
  const on = trouble.left > 0;
  set(button, { "aria-checked": String(on) });
  set(node, { data: { on } });
  const struck = trouble.struck ? `It struck at ${clock(trouble.struck)}.` : "";
  const waits = trouble.lasts
    ? "On until you switch it off."
    : trouble.left > 1
      ? `On: will strike ${trouble.left} times.`
      : "On: will strike once.";
  write(state, [on ? waits : "", struck].filter(Boolean).join(" "));
}

/**
 * @param {any} deed
 * @param {{node: HTMLElement, button: HTMLElement, state: HTMLElement}} drawn
 */
function drawDeed(deed, { node, button, state }) {
  const busy = deed.killed && !deed.ready && !deed.problem;
  set(button, { disabled: busy });
  set(node, { data: { on: Boolean(busy) } });
  if (!deed.killed) return;
  const killed = `Killed at ${clock(deed.killed)}`;
  write(
    state,
    deed.problem
      ? `${killed}. ${deed.problem}`
      : busy
        ? `${killed}; starting again…`
        : `${killed}; ready again after ${lasting(deed.ready - deed.killed)}.`,
  );
}
