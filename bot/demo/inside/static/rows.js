/**
 * A list of which only what is seen is drawn, so that ten thousand rows cost no more than twenty.
 *
 * Rows are of one height. The list itself has the keyboard's focus; arrows move the active row, and choosing follows.
 * When rows come in above, what is being read stays where it is.
 */

import { el, set } from "./element.js";

const SPARE = 6; // rows drawn above and below what is seen

let made = 0;

/** @template T */
export class Rows {
  /**
   * @param {object} how
   * @param {string} how.label
   * @param {string} [how.empty] What stands there instead of no rows.
   * @param {number} how.height Of a row, in px.
   * @param {(row: T, node: HTMLElement) => void} how.draw Draw a row into its empty node.
   * @param {(row: T) => void} [how.choose]
   */
  constructor({ label, empty = "", height, draw, choose = () => {} }) {
    this.height = height;
    this.drawRow = draw;
    this.choose = choose;
    this.name = `inside-rows-${++made}`;
    /** @type {T[]} */
    this.rows = [];
    this.chosen = /** @type {any} */ (null);
    /** @type {Map<any, {row: T, node: HTMLElement}>} */
    this.drawn = new Map();
    this.canvas = el("div", { class: "canvas", role: "presentation" });
    this.empty = el("p", { class: "empty", hidden: true }, empty);
    this.node = el(
      "div",
      {
        class: "rows",
        role: "listbox",
        tabindex: 0,
        "aria-label": label,
        keydown: (/** @type {KeyboardEvent} */ e) => this.key(e),
      },
      this.empty,
      this.canvas,
    );
    this.node.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  /**
   * Show these rows, each with an `id` of its own.
   *
   * @param {T[]} rows
   * @param {any} [chosen] The id of the chosen one.
   */
  show(rows, chosen = this.chosen) {
    const top = this.node.scrollTop;
    const anchor = top > 0 ? this.rows[Math.floor(top / this.height)] : undefined;
    this.rows = rows;
    this.chosen = chosen;
    this.canvas.style.height = `${rows.length * this.height}px`;
    set(this.empty, { hidden: rows.length > 0 });
    if (anchor) {
      const place = this.place(/** @type {any} */ (anchor).id);
      if (place >= 0) this.node.scrollTop = place * this.height + (top % this.height);
    }
    this.draw();
  }

  /** Draw what is seen now. */
  draw() {
    const { scrollTop, clientHeight } = this.node;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - SPARE);
    const last = Math.min(this.rows.length, Math.ceil((scrollTop + clientHeight) / this.height) + SPARE);
    const gone = new Set(this.drawn.keys());
    for (let i = first; i < last; i++) {
      const id = /** @type {any} */ (this.rows[i]).id;
      gone.delete(id);
      this.drawOne(this.rows[i], id, i);
    }
    for (const id of gone) {
      this.drawn.get(id)?.node.remove();
      this.drawn.delete(id);
    }
    const active = this.drawn.get(this.chosen);
    set(this.node, { "aria-activedescendant": active ? active.node.id : null });
  }

  /**
   * @param {T} row
   * @param {any} id
   * @param {number} place
   */
  drawOne(row, id, place) {
    let known = this.drawn.get(id);
    if (!known) {
      const node = el("div", {
        class: "row",
        role: "option",
        id: `${this.name}-${id}`,
        click: () => this.pick(id),
      });
      known = { row: /** @type {any} */ (null), node };
      this.drawn.set(id, known);
      this.canvas.append(node);
    }
    if (known.row !== row) {
      known.row = row;
      known.node.replaceChildren();
      this.drawRow(row, known.node);
    }
    known.node.style.transform = `translateY(${place * this.height}px)`;
    known.node.style.height = `${this.height}px`;
    set(known.node, {
      "aria-selected": String(id === this.chosen),
      "aria-setsize": this.rows.length,
      "aria-posinset": place + 1,
    });
  }

  /**
   * Touch up the rows that are drawn, without drawing them again.
   *
   * @param {(row: T, node: HTMLElement) => void} touch
   */
  each(touch) {
    for (const { row, node } of this.drawn.values()) touch(row, node);
  }

  /** @param {any} id */
  pick(id) {
    this.chosen = id;
    const row = this.rows[this.place(id)];
    if (row) this.choose(row);
    this.draw();
  }

  /** @param {any} id */
  place(id) {
    return this.rows.findIndex((row) => /** @type {any} */ (row).id === id);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const last = this.rows.length - 1;
    const page = Math.max(1, Math.floor(this.node.clientHeight / this.height) - 1);
    const at = this.place(this.chosen);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    const place = Math.min(last, Math.max(0, to));
    this.reveal(place);
    this.pick(/** @type {any} */ (this.rows[place]).id);
  }

  /** @param {number} place */
  reveal(place) {
    const top = place * this.height;
    const { scrollTop, clientHeight } = this.node;
    if (top < scrollTop) this.node.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight)
      this.node.scrollTop = top + this.height - clientHeight;
  }
}
