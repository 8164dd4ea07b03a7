/** What the page knows: a snapshot, and every change since; bounded, and told on once for each drawing. */

const ASKS = 1000;
const LINES = 10_000;
const ENTRIES = 2000;

/** @typedef {{id: any, at: number}} Row */

/** Rows by id, in order of time; the oldest go first. */
class Shelf {
  /**
   * @param {number} most
   * @param {(row: any) => number} [order]
   */
  constructor(most, order = (row) => row.at) {
    this.most = most;
    this.order = order;
    /** @type {Map<any, any>} */
    this.rows = new Map();
    /** @type {any[] | null} */
    this.sorted = null;
  }

  /**
   * Take rows; one that is known is replaced.
   *
   * @param {any[]} rows
   */
  take(rows) {
    for (const row of rows) this.rows.set(row.id, row);
    if (rows.length) this.sorted = null;
    if (this.rows.size > this.most) {
      for (const row of this.newest().slice(this.most)) this.rows.delete(row.id);
      this.sorted = null;
    }
  }

  clear() {
    this.rows.clear();
    this.sorted = null;
  }

  /** @returns {any[]} The newest first; the same array until something changes. */
  newest() {
    this.sorted ??= [...this.rows.values()].sort((a, b) => this.order(b) - this.order(a));
    return this.sorted;
  }
}

export class Memory {
  constructor() {
    this.asks = new Shelf(ASKS);
    this.lines = new Shelf(LINES, (line) => line.id);
    this.entries = new Shelf(ENTRIES);
    this.tickets = new Shelf(2000, (ticket) => ticket.updated);
    this.pages = new Shelf(500, () => 0);
    /** @type {any[]} */
    this.sums = [];
    /** @type {any[]} */
    this.troubles = [];
    /** @type {Record<string, string>} */
    this.people = {};
    /** @type {Record<string, string>} */
    this.channels = {};
    /** @type {string[]} */
    this.real = [];
    this.connections = 0;
    this.ahead = 0; // seconds that the demo's clock is ahead of this machine's
    this.ready = false;
    /** @type {Map<string, Map<number, any>>} Lines by ask. */
    this.own = new Map();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.due = false;
  }

  /**
   * Take a frame: a snapshot replaces everything.
   *
   * @param {any} frame
   */
  take(frame) {
    if (frame.type === "snapshot") this.forget();
    this.asks.take(frame.asks ?? []);
    this.entries.take(frame.entries ?? []);
    this.tickets.take(frame.tickets ?? []);
    this.pages.take(frame.pages ?? []);
    this.takeLines(frame.lines ?? []);
    for (const name of /** @type {const} */ ([
      "sums",
      "troubles",
      "people",
      "channels",
      "real",
      "connections",
      "ahead",
    ])) {
      if (frame[name] !== undefined) /** @type {any} */ (this)[name] = frame[name];
    }
    this.ready = true;
    this.tell();
  }

  /** @returns {number} epoch seconds, by the demo's clock */
  get now() {
    return Date.now() / 1000 + this.ahead;
  }

  /** @param {any[]} lines */
  takeLines(lines) {
    for (const line of lines) {
      const before = this.lines.rows.get(line.id);
      if (before?.ask && before.ask !== line.ask) this.own.get(before.ask)?.delete(line.id);
      if (!line.ask) continue;
      if (!this.own.has(line.ask)) this.own.set(line.ask, new Map());
      this.own.get(line.ask)?.set(line.id, line);
    }
    this.lines.take(lines);
  }

  /**
   * The wire messages of an ask that are still kept, oldest first.
   *
   * @param {string} ask
   * @returns {any[]}
   */
  linesOf(ask) {
    const own = this.own.get(ask);
    if (!own) return [];
    for (const id of own.keys()) if (!this.lines.rows.has(id)) own.delete(id);
    return [...own.values()].sort((a, b) => a.id - b.id);
  }

  /** @param {string} id */
  person(id) {
    return this.people[id] ?? id;
  }

  /** @param {string} id */
  channel(id) {
    return this.channels[id] ?? id;
  }

  /**
   * Be told, at most once for each drawing of the screen.
   *
   * @param {() => void} listener
   * @returns {() => void} Hear no more.
   */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Something has changed. */
  tell() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      for (const listener of this.listeners) listener();
    });
  }

  forget() {
    for (const shelf of [this.asks, this.lines, this.entries, this.tickets, this.pages]) shelf.clear();
    this.own.clear();
  }
}
