/**
 * The look inside: `mount(element)` draws it there and keeps it live.
 *
 *     link --frames--> memory --told--> panels (asks, wire, books, tickets, pages, troubles)
 */

import { AsksPanel } from "./asks.js";
import { BooksPanel } from "./books.js";
import { el } from "./element.js";
import { Headline } from "./headline.js";
import { Link } from "./link.js";
import { Memory } from "./memory.js";
import { PagesPanel } from "./pages.js";
import { Tabs } from "./tabs.js";
import { TicketsPanel } from "./tickets.js";
import { TroublesPanel } from "./troubles.js";
import { WirePanel } from "./wire.js";

/** Where this page's own addresses begin, such as /inside/. */
const HERE = new URL("../", import.meta.url);

/**
 * Draw the look inside into an element and keep it live.
 *
 * @param {HTMLElement} element It is emptied first.
 * @returns {() => void} Takes it away again and closes the connection.
 */
export function mount(element) {
  const memory = new Memory();
  const link = new Link(new URL("live", HERE), memory);
  const ask = (/** @type {string} */ path) => fetched(new URL(path, HERE));
  const headline = new Headline(memory, link);
  const asks = new AsksPanel(memory, ask);
  const troubles = new TroublesPanel(memory, link);
  const tabs = new Tabs("What to look at", [
    { name: "Asks", panel: asks },
    { name: "Wire", panel: new WirePanel(memory, ask, (id) => open(id)) },
    { name: "Books", panel: new BooksPanel(memory, (id) => open(id)) },
    { name: "Jira", panel: new TicketsPanel(memory, ask) },
    { name: "Web", panel: new PagesPanel(memory, ask) },
    { name: "Troubles", panel: troubles, badge: () => troubles.count() },
  ]);
  const open = (/** @type {string} */ id) => {
    asks.choose(id);
    tabs.show("Asks");
  };
  const sheet = el("link", { rel: "stylesheet", href: new URL("static/css/inside.css", HERE).href });
  const root = el("section", { class: "inside", "aria-label": "Inside the bot" }, headline.node, tabs.node);
  document.head.append(sheet);
  element.replaceChildren(root);
  // One drawing for all that came since the last one, and none while nobody can see it.
  const stop = memory.listen(() => {
    headline.draw();
    tabs.draw();
  });
  // Folded away, nobody watches: then nothing is sent, and the bot's file is left alone.
  const seen = new ResizeObserver(() => (root.clientWidth ? link.open() : link.close()));
  seen.observe(root);
  return () => {
    seen.disconnect();
    stop();
    link.close();
    tabs.close();
    root.remove();
    sheet.remove();
  };
}

/**
 * One of our own answers as JSON, or null where there is none any more.
 *
 * @param {URL} url
 * @returns {Promise<any>}
 */
async function fetched(url) {
  try {
    const answer = await fetch(url);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
