/**
 * A row of messages that may be very long: only a stretch of it stands in the page, moved as one scrolls.
 * @module
 */

import { h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { roving } from "../shell/keys.js";
import { Row } from "./row.js";

const FIRST = 60; // rows drawn at first
const MORE = 40; // rows drawn more at an end that is near
const MOST = 220; // rows in the page
const NEAR = 700; // pixels from an end

/**
 * @typedef {object} Talk what a timeline and its rows need
 * @property {import("../workspace.js").Workspace} workspace
 * @property {import("../unread.js").Unread} unread
 * @property {(name: string, body: any) => Promise<any>} act
 * @property {(ts: string) => void} openThread
 * @property {boolean} inThread
 * @property {(row: Row) => void} toolbar stands at this row from now on
 *
 * @typedef {object} Source
 * @property {() => string[]} stamps all that is known, oldest first
 * @property {(ts: string) => any} get
 * @property {() => boolean} whole nothing older is left to load
 * @property {() => Promise<void>} older loads some of what is older
 */

/** The element is a scrolling region with a list in it; it has the event `end` when one arrives at the newest. */
export class Timeline {
  /** @param {Talk} talk @param {string} label */
  constructor(talk, label) {
    this._talk = talk;
    this._list = h("ol", { class: "rows", role: "list" });
    this._top = h("div", { class: "top" });
    this._scroller = h(
      "div",
      { class: "scroller", tabindex: "-1", role: "region", "aria-label": label },
      this._top,
      this._list,
    );
    this._pill = h(
      "button",
      { type: "button", class: "pill", hidden: true, on: { click: () => this.toEnd() } },
      icon("chevron"),
      "Newest",
    );
    this.element = h("div", { class: "timeline" }, this._scroller, this._pill);
    /** @type {Map<string, Row>} */ this._rows = new Map();
    /** @type {Source | null} */ this._source = null;
    this._start = 0;
    this._end = 0;
    this._total = 0;
    this._pinned = true;
    this._last = 0;
    this._firstNew = "";
    this._loading = false;
    this._scroller.addEventListener("scroll", () => this._scrolled(), { passive: true });
    new ResizeObserver(() => this._settle()).observe(this._list);
    new ResizeObserver(() => this._settle()).observe(this._scroller);
    roving(this._list, "article.message");
    for (const kind of ["pointerover", "focusin"])
      this._list.addEventListener(kind, (event) => this._point(event));
  }

  /**
   * Shows another row of messages, at its end.
   * @param {Source} source
   * @param {import("../dom.js").Child} top stands above the very first message
   * @param {string} [firstNew] ts of the first unread message
   */
  open(source, top, firstNew = "") {
    this._source = source;
    this._firstNew = firstNew;
    this._intro = top;
    this._rows.clear();
    this._list.replaceChildren();
    this._end = source.stamps().length;
    this._start = Math.max(0, this._end - FIRST);
    this._pinned = true;
    this._draw();
    this._settle();
    if (this._start === 0 && !source.whole()) this._older();
  }

  /** Something was said, changed or taken away. @param {string} ts */
  hear(ts) {
    if (!this._source) return;
    const stamps = this._source.stamps();
    const known = this._rows.has(ts);
    if (known && this._source.get(ts)) {
      this._refresh(ts);
      return;
    }
    const anchor = this._anchor();
    const shown = this._end >= this._total;
    if (shown && (this._pinned || stamps.length - this._start <= MOST)) this._end = stamps.length;
    this._end = Math.min(this._end, stamps.length);
    if (this._pinned) this._start = Math.max(this._start, this._end - MOST);
    this._start = Math.max(0, Math.min(this._start, this._end - 1));
    this._draw();
    this._hold(anchor);
  }

  /** Draws what changed around a thread: its line below the root. @param {string} ts */
  line(ts) {
    const message = this._source?.get(ts);
    if (message) this._rows.get(ts)?.line(message);
  }

  /** Draws all those lines anew where something in them changed. */
  lines() {
    for (const ts of this._rows.keys()) this.line(ts);
  }

  /** @param {string} ts @returns {Row | undefined} */
  row(ts) {
    return this._rows.get(ts);
  }

  toEnd() {
    if (!this._source) return;
    this._end = this._source.stamps().length;
    this._start = Math.max(0, this._end - FIRST);
    this._pinned = true;
    this._draw();
    this._settle();
  }

  /** Puts the focus on the newest message. */
  focus() {
    const last = /** @type {HTMLElement | null} */ (this._list.querySelector("li:last-child article"));
    (last || this._scroller).focus();
  }

  get atEnd() {
    return this._pinned;
  }

  /** Makes the page show exactly the rows from start to end. */
  _draw() {
    if (!this._source) return;
    const stamps = this._source.stamps();
    this._total = stamps.length;
    const wanted = stamps.slice(this._start, this._end);
    const kept = new Set(wanted);
    for (const [ts, row] of this._rows) {
      if (kept.has(ts)) continue;
      row.element.remove();
      this._rows.delete(ts);
    }
    let next = this._list.firstElementChild;
    wanted.forEach((ts, at) => {
      const known = this._rows.get(ts);
      const row = known || this._make(ts);
      if (row.element === next) next = next.nextElementSibling;
      else this._list.insertBefore(row.element, next);
      const above = at ? wanted[at - 1] : stamps[this._start - 1];
      if (!known || row.above !== above) this._fill(row, above);
    });
    const isStart = this._start === 0 && this._source.whole();
    this._top.replaceChildren(...(isStart && this._intro instanceof Node ? [this._intro] : []));
    if (!this._list.querySelector('article[tabindex="0"]'))
      this._list.querySelector("li:last-child article")?.setAttribute("tabindex", "0");
  }

  /** @param {string} ts */
  _make(ts) {
    const row = new Row(ts, this._talk);
    this._rows.set(ts, row);
    return row;
  }

  /** @param {Row} row @param {string} [above] */
  _fill(row, above) {
    row.above = above;
    row.show(this._source?.get(row.ts), above && this._source?.get(above), row.ts === this._firstNew);
  }

  /** @param {string} ts */
  _refresh(ts) {
    const stamps = /** @type {Source} */ (this._source).stamps();
    const at = stamps.indexOf(ts);
    for (const one of [at, at + 1]) {
      const row = this._rows.get(stamps[one]);
      if (row) this._fill(row, stamps[one - 1]);
    }
  }

  _scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this._scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    const shown = this._end >= this._total;
    const wasPinned = this._pinned;
    if (shown && below < 48) this._pinned = true;
    else if (scrollTop < this._last - 1) this._pinned = false; // moved up by hand; growing below is no move
    this._last = scrollTop;
    if (this._pinned && !wasPinned) this.element.dispatchEvent(new Event("end"));
    this._pill.hidden = shown && below < 400;
    if (scrollTop < NEAR && this._start > 0) this._move(-1);
    else if (scrollTop < NEAR) this._older();
    else if (below < NEAR && !shown) this._move(1);
  }

  /** @param {1 | -1} way towards the newest or the oldest */
  _move(way) {
    const anchor = this._anchor();
    if (way < 0) {
      this._start = Math.max(0, this._start - MORE);
      this._end = Math.min(this._end, this._start + MOST);
    } else {
      this._end = Math.min(this._total, this._end + MORE);
      this._start = Math.max(this._start, this._end - MOST);
    }
    this._draw();
    this._hold(anchor);
  }

  async _older() {
    const source = this._source;
    if (!source || this._loading || source.whole()) return;
    this._loading = true;
    const before = source.stamps().length;
    await source.older().catch(() => null);
    this._loading = false;
    if (source !== this._source) return;
    const anchor = this._anchor();
    const more = source.stamps().length - before;
    this._start += more;
    this._end += more;
    this._total += more;
    if (this._scroller.scrollTop < NEAR) this._start = Math.max(0, this._start - MORE);
    this._end = Math.min(this._end, this._start + MOST);
    this._draw();
    this._hold(anchor);
  }

  /** @returns {{row: Row, at: number} | null} a row that is in sight, and where */
  _anchor() {
    const top = this._scroller.getBoundingClientRect().top;
    for (const row of this._ordered()) {
      const box = row.element.getBoundingClientRect();
      if (box.bottom > top + 4) return { row, at: box.top };
    }
    return null;
  }

  _ordered() {
    return /** @type {Row[]} */ (
      [...this._list.children]
        .map((element) =>
          this._rows.get(/** @type {HTMLElement} */ (element.lastElementChild).dataset.ts || ""),
        )
        .filter(Boolean)
    );
  }

  /** @param {{row: Row, at: number} | null} anchor is put where it was */
  _hold(anchor) {
    if (this._pinned) this._settle();
    else if (anchor?.row.element.isConnected)
      this._scroller.scrollTop += anchor.row.element.getBoundingClientRect().top - anchor.at;
  }

  _settle() {
    if (this._pinned) this._scroller.scrollTop = this._scroller.scrollHeight;
  }

  /** @param {Event} event */
  _point(event) {
    const article = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest("article.message")
    );
    const row = article && this._rows.get(article.dataset.ts || "");
    if (row) this._talk.toolbar(row);
  }
}
