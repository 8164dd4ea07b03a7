/**
 * The pane in the middle: a channel or direct message, its head, its tabs where it is the app's own.
 * @module
 */

import { fill, h, said } from "../dom.js";
import { icon } from "../shell/icons.js";
import { bannerPlace } from "../shell/voice.js";
import { Suggestions } from "../compose/suggestions.js";
import { Home } from "../views/home.js";
import { Pane } from "./pane.js";
import { go, here } from "../place.js";

/** @typedef {import("./pane.js").Rooms} Rooms */

const SIGNS = { channel: "hash", private: "lock" };

/**
 * @param {any} workspace
 * @param {any} about a channel
 * @returns {string} what it is called
 */
export function nameOf(workspace, about) {
  if (about.name) return about.name;
  const others = about.with.map((/** @type {string} */ id) => workspace.person(id).name);
  return others.join(", ") || "You";
}

/** @param {any} about @returns {string} its sign */
export function signOf(about) {
  if (about.archived) return "archive";
  if (about.shared) return "shared";
  return SIGNS[/** @type {"channel"} */ (about.kind)] || "thread";
}

/** Shows the channel where the window stands. */
export class ChannelPane {
  /** @param {Rooms} rooms @param {HTMLElement} drawer opens the list of channels on narrow screens */
  constructor(rooms, drawer) {
    this._rooms = rooms;
    this._shown = "";
    this._me = "";
    const { workspace } = rooms;
    this.pane = new Pane(rooms, {
      label: "Messages",
      inThread: false,
      where: () => ({ channel: this._shown, thread: "" }),
      sent: (where, ts, text) => this._sent(where, ts, text),
    });
    this._drawer = drawer;
    this._home = new Home(workspace, rooms.act);
    this._head = h("header", { class: "pane-head" });
    this._tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "Views", hidden: true });
    this._suggestions = new Suggestions(workspace, (text) => this.pane.composer.fill(text));
    this._closed = h("div", { class: "closed", hidden: true });
    this._talk = h(
      "div",
      { class: "talk" },
      this.pane.timeline.element,
      this._suggestions.element,
      this._closed,
      this.pane.composer.element,
    );
    this.element = h(
      "main",
      { class: "channel", id: "channel", "aria-label": "Channel" },
      this._head,
      this._tabs,
      bannerPlace(),
      this._talk,
      this._home.element,
    );
    this.pane.takesFiles(this._talk);
    this.pane.timeline.element.addEventListener("end", () => rooms.unread.seen(this._shown));
    rooms.unread.addEventListener("change", () => this.pane.timeline.lines());
    workspace.addEventListener(
      "channel",
      (event) => /** @type {CustomEvent} */ (event).detail.id === this._shown && this._frame(),
    );
  }

  /** @param {string} id @param {{anew?: boolean}} [how] anew: everything known of it may have changed */
  show(id, { anew = false } = {}) {
    const { workspace, unread } = this._rooms;
    const channel = workspace.channels.get(id);
    if (!channel) return;
    const moved = id !== this._shown || workspace.me !== this._me;
    this._shown = id;
    this._me = workspace.me;
    this._frame();
    this._tab();
    if (moved || anew) {
      const { first } = unread.mark(id);
      this.pane.timeline.open(this._source(channel), this._beginning(channel.about), first);
      if (moved) this.pane.composer.open(`Message ${this._title(channel.about)}`);
    }
    unread.seen(id);
  }

  /** @returns {boolean} whether its newest messages are in sight */
  get looks() {
    return !document.hidden && this.pane.timeline.atEnd && Boolean(this._home.element.hidden);
  }

  get shown() {
    return this._shown;
  }

  /** @param {any} channel */
  _source(channel) {
    const { workspace, wire } = this._rooms;
    const known = () => workspace.channels.get(channel.id) || channel;
    return {
      stamps: () => known().roots,
      get: (/** @type {string} */ ts) => known().messages.get(ts),
      whole: () => known().whole,
      older: async () => {
        const told = await wire.look("history", { channel: channel.id, before: known().oldest });
        workspace.take(channel.id, told, { whole: !told.messages.length });
      },
    };
  }

  /** @param {any} about */
  _title(about) {
    return about.name ? `#${about.name}` : nameOf(this._rooms.workspace, about);
  }

  /** Its head, and whether it takes words. */
  _frame() {
    const { workspace, act } = this._rooms;
    const about = workspace.channels.get(this._shown)?.about;
    if (!about) return;
    const isDirect = about.kind === "im";
    const invite = !isDirect && about.joined && !about.app_in && !about.archived;
    fill(
      this._head,
      this._drawer,
      h("h1", { dir: "auto" }, icon(signOf(about)), said(nameOf(workspace, about))),
      about.topic ? h("p", { class: "topic", dir: "auto" }, about.topic) : null,
      h(
        "div",
        { class: "facts" },
        about.shared
          ? h("span", { class: "tag external", title: "People of another organisation read here" }, "Shared")
          : null,
        about.kind === "private" ? h("span", { class: "tag" }, "Private") : null,
        isDirect
          ? null
          : h(
              "span",
              {
                class: "quiet",
                title: about.members.map((/** @type {string} */ id) => workspace.person(id).name).join("\n"),
              },
              `${about.members.length} members`,
            ),
        invite
          ? h(
              "button",
              {
                type: "button",
                class: "button small",
                on: { click: () => act("invite", { channel: about.id }).catch(() => null) },
              },
              `Invite ${workspace.app.name}`,
            )
          : null,
      ),
    );
    const isOpen = about.joined && !about.archived;
    this.pane.composer.element.hidden = !isOpen;
    this._closed.hidden = isOpen;
    this._suggestions.element.hidden = !isOpen || !(about.app_in || isDirect);
    const join = h(
      "button",
      {
        type: "button",
        class: "button primary",
        on: { click: () => act("join", { channel: about.id }).catch(() => null) },
      },
      "Join",
    );
    fill(
      this._closed,
      about.archived
        ? `#${about.name} is archived: it can be read, and nothing more.`
        : [`You are reading #${about.name} from outside.`, join],
    );
  }

  /** The app's own channel has two: messages and home. */
  _tab() {
    const { workspace } = this._rooms;
    const isApp = workspace.withApp?.id === this._shown;
    const home = isApp && here().tab === "home";
    const tab = (/** @type {string} */ name, /** @type {string} */ label, /** @type {boolean} */ on) =>
      h(
        "button",
        { type: "button", role: "tab", "aria-selected": String(on), on: { click: () => go({ tab: name }) } },
        label,
      );
    this._tabs.hidden = !isApp;
    fill(this._tabs, tab("", "Messages", !home), tab("home", "Home", home));
    if (home && this._home.element.hidden) this._home.open();
    this._home.element.hidden = !home;
    this._talk.hidden = home;
  }

  /** @param {any} about */
  _beginning(about) {
    const title = about.name
      ? `The beginning of #${about.name}`
      : `You and ${nameOf(this._rooms.workspace, about)}`;
    const words =
      about.kind === "im" && about.app_in ? "Ask anything; no mention is needed here." : about.topic;
    return h("div", { class: "beginning" }, h("h2", { dir: "auto" }, title), h("p", { dir: "auto" }, words));
  }

  /** @param {{channel: string}} where @param {string} ts @param {string} text */
  _sent(where, ts, text) {
    const { workspace, act } = this._rooms;
    const about = workspace.channels.get(where.channel)?.about;
    this.pane.timeline.toEnd();
    if (!ts || !about) return;
    const mentions = new RegExp(`@${workspace.app.handle}\\b`, "i").test(text);
    if (about.app_in && (mentions || about.kind === "im")) this._rooms.openThread(ts);
    else if (mentions) {
      const invite = () => act("invite", { channel: about.id }).catch(() => null);
      this.pane.composer.say(`${workspace.app.name} is not in #${about.name}, so it has not read this.`, {
        label: `Invite ${workspace.app.name}`,
        act: invite,
      });
    }
  }
}
