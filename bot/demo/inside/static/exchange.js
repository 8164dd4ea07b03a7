/** The wire messages of one step, oldest first; a run of the same call is one line until it is opened. */

import { el, set, write } from "./element.js";
import { Message } from "./message.js";
import { messageLine } from "./messageline.js";

const RUN = 4; // the same call so often in a row becomes one line
const MOST = 300; // lines drawn; the newest

export class Exchange {
  /** @param {(path: string) => Promise<any>} fetched */
  constructor(fetched) {
    this.fetched = fetched;
    this.node = el("div", { class: "exchange" });
    this.list = el("ul", {});
    this.none = el("p", { class: "empty" }, "No wire message belongs to this step.");
    this.node.append(this.none, this.list);
    /** @type {Set<number>} The first ids of runs that are open. */
    this.open = new Set();
    /** @type {Map<number, Message>} The messages that are open. */
    this.shown = new Map();
    this.drawn = "";
  }

  /**
   * @param {any[]} lines
   * @param {number} began What times are counted from, epoch seconds.
   */
  draw(lines, began) {
    const mark =
      lines.map((line) => `${line.id}${line.status}${line.seconds}${line.note}`).join() +
      [...this.open].join();
    if (mark === this.drawn) return;
    this.drawn = mark;
    const focused = /** @type {HTMLElement | null} */ (this.list.querySelector(":focus"))?.dataset.id;
    set(this.none, { hidden: lines.length > 0 });
    const left = Math.max(0, lines.length - MOST);
    this.list.replaceChildren(...runs(lines.slice(-MOST)).flatMap((run) => this.drawRun(run, began)));
    if (left) this.list.prepend(el("li", { class: "empty" }, `${left} older messages are in the Wire tab.`));
    if (focused)
      /** @type {HTMLElement | null} */ (
        this.list.querySelector(`[data-id="${CSS.escape(focused)}"]`)
      )?.focus();
    this.redraw = () => this.draw(lines, began);
  }

  /**
   * @param {any[]} run
   * @param {number} began
   * @returns {HTMLElement[]}
   */
  drawRun(run, began) {
    const [first] = run;
    if (run.length < RUN || this.open.has(first.id)) return run.map((line) => this.drawLine(line, began));
    const open = () => {
      this.open.add(first.id);
      this.redraw?.();
    };
    const button = messageLine(first, began, { times: run.length, last: run[run.length - 1] });
    set(button, { click: open, "aria-expanded": "false", data: { id: first.id } });
    return [el("li", {}, button)];
  }

  /**
   * @param {any} line
   * @param {number} began
   */
  drawLine(line, began) {
    const button = messageLine(line, began);
    const item = el("li", {}, button);
    const known = this.shown.get(line.id);
    if (known) item.append(known.node);
    set(button, {
      "aria-expanded": String(Boolean(known)),
      data: { id: line.id },
      click: () => {
        const shown = this.shown.get(line.id);
        set(button, { "aria-expanded": String(!shown) });
        if (shown) {
          this.shown.delete(line.id);
          shown.node.remove();
          return;
        }
        const message = new Message(this.fetched);
        message.show(line.id);
        this.shown.set(line.id, message);
        item.append(message.node);
      },
    });
    return item;
  }
}

/**
 * Neighbours of the same name and stranger together.
 *
 * @param {any[]} lines
 * @returns {any[][]}
 */
function runs(lines) {
  /** @type {any[][]} */
  const found = [];
  for (const line of lines) {
    const run = found[found.length - 1];
    const same = run && run[0].name === line.name && run[0].who === line.who && run[0].bad === line.bad;
    if (same) run.push(line);
    else found.push([line]);
  }
  return found;
}
