/** The small web as it is: pages to read, pages that move, pages that are odd; and who came. */

import { el, set } from "./element.js";
import { Rows } from "./rows.js";
import { clock } from "./words.js";

const KINDS = { page: "to read", redirect: "moves", odd: "odd" };

export class PagesPanel {
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
      label: "Pages of the small web",
      empty: "There is no page.",
      height: 34,
      draw: (page, node) => drawRow(page, node),
      choose: (/** @type {any} */ page) => {
        this.chosen = page.id;
        this.draw();
      },
    });
    this.detail = el("article", { class: "detail", "aria-label": "The chosen page", hidden: true });
    this.node = el("div", { class: "panel pages" }, this.rows.node, this.detail);
  }

  draw() {
    this.rows.show(this.memory.pages.newest(), this.chosen);
    const page = this.memory.pages.rows.get(this.chosen);
    if (page && page !== this.drawn) {
      this.drawn = page;
      this.show(page.id);
    }
  }

  /** @param {string} path */
  async show(path) {
    const found = await this.fetched(`pages?path=${encodeURIComponent(path)}`);
    if (path !== this.chosen) return;
    set(this.detail, { hidden: false });
    this.detail.replaceChildren(
      ...(found ? whole(found) : [el("p", { class: "empty" }, "There is no such page.")]),
    );
  }
}

/**
 * @param {any} page
 * @param {HTMLElement} node
 */
function drawRow(page, node) {
  node.append(
    el(
      "div",
      { class: "page-line" },
      el("b", {}, page.id),
      el("span", { class: "words" }, page.about),
      el(
        "span",
        { class: "pill", data: { tone: page.kind === "page" ? "good" : "quiet" } },
        KINDS[/** @type {keyof typeof KINDS} */ (page.kind)],
      ),
      el("span", { class: "visits" }, page.visits ? `${page.visits} ×` : ""),
    ),
  );
}

/** @param {any} page */
function whole(page) {
  const visits = page.log.map((/** @type {any} */ visit) =>
    el("li", {}, `${clock(visit.at)} · ${visit.status ?? "no answer yet"}`),
  );
  return [
    el("h3", {}, page.title || page.id),
    el(
      "p",
      { class: "by" },
      page.about,
      page.url ? " · " : "",
      page.url
        ? el("a", { href: page.url, target: "_blank", rel: "noreferrer noopener" }, "open it as it is")
        : null,
    ),
    page.text
      ? el("p", { class: "prose" }, page.text)
      : el("p", { class: "empty" }, "A page for machines: it has no words of its own to show."),
    visits.length ? el("h4", {}, "Visits, the newest first") : null,
    visits.length ? el("ul", { class: "history" }, ...visits) : null,
  ].filter((node) => node !== null);
}
