/**
 * The list of places: channels, direct messages, the app.
 * @module
 */

import { h, refill, said } from "../dom.js";
import { address, go, here } from "../place.js";
import { nameOf, signOf } from "../talk/channel.js";
import { avatar } from "./avatar.js";
import { icon } from "./icons.js";
import { roving } from "./keys.js";

/** Drawn anew whenever something in it changed. */
export class Sidebar {
  /**
   * @param {import("../workspace.js").Workspace} workspace
   * @param {import("../unread.js").Unread} unread
   * @param {(name: string, body: any) => Promise<any>} act
   */
  constructor(workspace, unread, act) {
    this._workspace = workspace;
    this._unread = unread;
    this._act = act;
    this._list = h("div", { class: "places" });
    this.element = h("nav", { class: "sidebar", id: "sidebar", "aria-label": "Channels" }, this._list);
    roving(this._list, "a[href]");
    for (const kind of ["snapshot", "channel", "bot"]) workspace.addEventListener(kind, () => this.show());
    unread.addEventListener("change", () => this.show());
  }

  show() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.place;
    const workspace = this._workspace;
    const all = [...workspace.channels.values()].map((channel) => channel.about);
    const app = workspace.withApp?.about;
    const named = all.filter((about) => about.name && about.joined && !about.archived);
    const outside = all.filter((about) => about.name && !about.joined && !about.archived);
    const archived = all.filter((about) => about.name && about.archived && about.joined);
    refill(
      this._list,
      app ? this._group("App", [this._place(app)]) : null,
      this._group(
        "Channels",
        named.map((about) => this._place(about)),
      ),
      outside.length
        ? this._group(
            "Not joined",
            outside.map((about) => this._place(about)),
          )
        : null,
      this._group("Direct messages", this._people()),
      archived.length
        ? this._group(
            "Archived",
            archived.map((about) => this._place(about)),
          )
        : null,
    );
    if (focused)
      /** @type {HTMLElement | null} */ (this._list.querySelector(`[data-place="${focused}"]`))?.focus();
    this._title();
  }

  /** @param {string} title @param {Node[]} rows */
  _group(title, rows) {
    return h("section", null, h("h2", null, title), h("ul", null, rows));
  }

  /** @param {any} about */
  _place(about) {
    const { count, mentions } = this._unread.all(about.id);
    const name = nameOf(this._workspace, about);
    const isApp = about.id === this._workspace.withApp?.id;
    const sign = isApp
      ? [
          avatar(this._workspace.person(this._workspace.app.user), "tiny"),
          h("span", { class: this._workspace.bot.connected ? "presence on" : "presence" }),
        ]
      : icon(signOf(about));
    const unread = count ? h("span", { class: "unseen" }, `, ${count} unread`) : null;
    return h(
      "li",
      null,
      h(
        "a",
        {
          href: address({ as: here().as, in: about.id }),
          class: count ? "place unread" : "place",
          "aria-current": here().in === about.id ? "page" : null,
          data: { place: about.id },
          on: { click: (/** @type {MouseEvent} */ event) => this._go(event, about.id) },
        },
        h("span", { class: "sign" }, sign),
        said(name, "place-name"),
        unread,
        mentions
          ? h("b", { class: "badge", "aria-hidden": "true" }, mentions)
          : count
            ? h("i", { class: "dot", "aria-hidden": "true" })
            : null,
      ),
    );
  }

  /** People to write to; those written to before stand first. */
  _people() {
    const workspace = this._workspace;
    const known = new Map(
      [...workspace.channels.values()]
        .filter((c) => c.about.kind === "im")
        .map((c) => [c.about.with[0], c.about]),
    );
    const others = [...workspace.people.values()].filter(
      (p) => p.id !== workspace.me && p.kind !== "app" && !p.deleted,
    );
    const talked = others.filter((p) => known.has(p.id));
    const rest = others.filter((p) => !known.has(p.id));
    return [...talked, ...rest].map((person) => {
      const about = known.get(person.id);
      const mark = about ? this._unread.all(about.id) : { count: 0, mentions: 0 };
      return h(
        "li",
        null,
        h(
          "a",
          {
            href: address({ as: here().as, in: about?.id || "" }),
            class: mark.count ? "place unread" : "place",
            "aria-current": about && here().in === about.id ? "page" : null,
            data: { place: person.id },
            on: { click: (/** @type {MouseEvent} */ event) => this._direct(event, person.id) },
          },
          avatar(person, "tiny"),
          said(person.name, "place-name"),
          mark.mentions ? h("b", { class: "badge" }, mark.mentions) : null,
        ),
      );
    });
  }

  /** @param {MouseEvent} event @param {string} id */
  _go(event, id) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.body.classList.remove("drawer-open");
    go({ in: id, thread: "", tab: "" });
  }

  /** @param {MouseEvent} event @param {string} user */
  async _direct(event, user) {
    event.preventDefault();
    const answer = await this._act("direct", { user }).catch(() => null);
    if (!answer) return;
    await this._workspace.knows(answer.channel);
    this._go(event, answer.channel);
  }

  _title() {
    const workspace = this._workspace;
    const sum = [...workspace.channels.keys()].reduce((n, id) => n + this._unread.all(id).mentions, 0);
    const about = workspace.channels.get(here().in)?.about;
    const place = about ? `${about.name ? "#" : ""}${nameOf(workspace, about)}` : workspace.team.name || "";
    document.title = `${sum ? `(${sum}) ` : ""}${place} · Purser`;
  }
}
