/** Jira's tickets as they are in the stand-in, the last touched first; one of them whole beside. */

import { el, set } from "./element.js";
import { Rows } from "./rows.js";
import { count, day } from "./words.js";

export class TicketsPanel {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {(path: string) => Promise<any>} fetched
   */
  constructor(memory, fetched) {
    this.memory = memory;
    this.fetched = fetched;
    this.chosen = "";
    this.drawn = /** @type {any} */ (null);
    this.rows = new Rows({
      label: "Jira's tickets, the last touched first",
      empty: "Jira is the real one here: its tickets are there.",
      height: 48,
      draw: (ticket, node) => drawRow(ticket, node),
      choose: (/** @type {any} */ ticket) => {
        this.chosen = ticket.id;
        this.draw();
      },
    });
    this.detail = el("article", { class: "detail", "aria-label": "The chosen ticket", hidden: true });
    this.node = el("div", { class: "panel tickets" }, this.rows.node, this.detail);
  }

  draw() {
    const tickets = this.memory.tickets.newest();
    this.rows.show(tickets, this.chosen);
    const ticket = this.memory.tickets.rows.get(this.chosen);
    if (ticket && ticket !== this.drawn) {
      this.drawn = ticket;
      this.show(ticket.id);
    }
  }

  /** @param {string} key */
  async show(key) {
    const found = await this.fetched(`tickets/${encodeURIComponent(key)}`);
    if (key !== this.chosen) return;
    set(this.detail, { hidden: false });
    this.detail.replaceChildren(
      ...(found ? whole(found) : [el("p", { class: "empty" }, "This ticket is gone.")]),
    );
  }
}

/**
 * @param {any} ticket
 * @param {HTMLElement} node
 */
function drawRow(ticket, node) {
  node.append(
    el(
      "div",
      { class: "ticket-line" },
      el("b", {}, ticket.id),
      el("span", { class: "words" }, ticket.summary || "(no summary)"),
      status(ticket),
    ),
    el(
      "div",
      { class: "ticket-facts" },
      [
        ticket.type,
        ticket.priority,
        ticket.assignee || "nobody",
        count(ticket.comments, "comment"),
        day(ticket.updated),
      ].join(" · "),
    ),
  );
}

/** @param {any} ticket */
function status(ticket) {
  const tone = { new: "quiet", indeterminate: "now", done: "good" }[/** @type {string} */ (ticket.category)];
  return el("span", { class: "pill", data: { tone } }, ticket.status);
}

/** @param {any} ticket */
function whole(ticket) {
  const people = `${ticket.type} · ${ticket.priority} · reported by ${ticket.reporter} · assigned to ${ticket.assignee || "nobody"}`;
  const labels = [ticket.parent ? `part of ${ticket.parent}` : "", ...ticket.labels]
    .filter(Boolean)
    .join(" · ");
  const said = (/** @type {any} */ comment) =>
    el(
      "li",
      {},
      el("p", { class: "by" }, el("b", {}, comment.who), ` ${day(comment.at)}`),
      el("p", { class: "prose" }, comment.text),
    );
  const changed = (/** @type {any} */ change) =>
    el(
      "li",
      {},
      `${day(change.at)} · ${change.who}: ${change.field} ${change.old || "(nothing)"} → ${change.new || "(nothing)"}`,
    );
  return [
    el("h3", {}, `${ticket.id} ${ticket.summary}`),
    el("p", { class: "by" }, status(ticket), ` ${people}`),
    labels && el("p", { class: "by" }, labels),
    el("p", { class: "prose" }, ticket.description || "(no description)"),
    ...titled("Comments", ticket.comments, said),
    ...titled("History", ticket.changes, changed),
  ].filter(Boolean);
}

/**
 * @param {string} title
 * @param {any[]} rows
 * @param {(row: any) => HTMLElement} draw
 */
function titled(title, rows, draw) {
  return rows.length
    ? [
        el("h4", {}, `${title}, the newest first`),
        el("ul", { class: title.toLowerCase() }, ...rows.map(draw)),
      ]
    : [];
}
