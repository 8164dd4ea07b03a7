/**
 * The pane beside the channel: one thread, and what the app is doing in it.
 * @module
 */

import { fill, h, said } from "../dom.js";
import { go } from "../place.js";
import { icon } from "../shell/icons.js";
import { note } from "../shell/voice.js";
import { thread } from "../workspace.js";
import { nameOf, signOf } from "./channel.js";
import { Pane } from "./pane.js";

/** Shows the thread where the window stands, or nothing. */
export class ThreadPane {
  /** @param {import("./pane.js").Rooms} rooms */
  constructor(rooms) {
    this._rooms = rooms;
    this._where = { channel: "", thread: "" };
    this._me = "";
    this.pane = new Pane(rooms, {
      label: "Thread",
      inThread: true,
      where: () => this._where,
      sent: () => this.pane.timeline.toEnd(),
    });
    this._head = h("header", { class: "pane-head" });
    this.element = h(
      "section",
      { class: "thread", id: "thread", "aria-label": "Thread", hidden: true },
      this._head,
      this.pane.timeline.element,
      this.pane.working.element,
      this.pane.composer.element,
    );
    this.pane.takesFiles(this.element);
    this.pane.timeline.element.addEventListener("end", () =>
      rooms.unread.seen(this._where.channel, this._where.thread),
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.close();
    });
    rooms.workspace.addEventListener("message", (event) =>
      this._lost(/** @type {CustomEvent} */ (event).detail),
    );
  }

  /**
   * @param {string} channelId
   * @param {string} root "" closes it
   * @param {{anew?: boolean}} [how]
   */
  async show(channelId, root, { anew = false } = {}) {
    const { workspace, unread, wire } = this._rooms;
    const channel = workspace.channels.get(channelId);
    this.element.hidden = !root || !channel;
    document.body.classList.toggle("in-thread", !this.element.hidden);
    const same = this._where.channel === channelId && this._where.thread === root;
    const moved = !same || workspace.me !== this._me;
    this._where = { channel: channelId, thread: root };
    this._me = workspace.me;
    if (!root || !channel || !(moved || anew)) return;
    this._frame(channel);
    this._open(root);
    if (moved) this.pane.composer.open("Reply in the thread");
    this.pane.working.show();
    const known = thread(channel, root);
    if (!known.loaded) {
      try {
        known.loaded = true; // from now on what is said there is kept
        workspace.take(channelId, await wire.look("thread", { channel: channelId, ts: root }), { root });
      } catch (trouble) {
        known.loaded = false;
        note(/** @type {Error} */ (trouble).message);
      }
      if (this._where.thread === root) this._open(root);
      this.pane.working.show();
    }
    unread.seen(channelId, root);
  }

  /** Goes back to the channel, and to the message the thread hangs on. */
  close() {
    const root = this._where.thread;
    go({ thread: "" });
    /** @type {HTMLElement | null} */ (
      document.querySelector(`.channel article[data-ts="${root}"]`)
    )?.focus();
  }

  /** @param {string} channel @param {string} root @returns {boolean} whether one looks at the end of that thread */
  looks(channel, root) {
    const same = this._where.channel === channel && this._where.thread === root;
    return same && !this.element.hidden && !document.hidden && this.pane.timeline.atEnd;
  }

  /** @param {string} root */
  _open(root) {
    const { workspace, unread } = this._rooms;
    const id = this._where.channel;
    const channel = () => workspace.channels.get(id);
    const replies = () => channel()?.threads.get(root)?.replies || [];
    const source = {
      stamps: () => (channel()?.messages.has(root) ? [root, ...replies()] : [...replies()]),
      get: (/** @type {string} */ ts) => channel()?.messages.get(ts),
      whole: () => true,
      older: async () => {},
    };
    this.pane.timeline.open(source, null, unread.mark(id, root).first);
  }

  /** @param {any} channel */
  _frame({ about }) {
    const close = h(
      "button",
      {
        type: "button",
        class: "bare close",
        "aria-label": "Close the thread",
        on: { click: () => this.close() },
      },
      icon("close"),
    );
    const back = h(
      "button",
      {
        type: "button",
        class: "bare back",
        "aria-label": "Back to the channel",
        on: { click: () => this.close() },
      },
      icon("back"),
    );
    const where = h(
      "span",
      { class: "quiet" },
      icon(signOf(about)),
      said(nameOf(this._rooms.workspace, about)),
    );
    fill(this._head, back, h("h2", null, "Thread"), where, close);
  }

  /** @param {any} detail a root that was deleted closes its thread */
  _lost({ channel, ts, message }) {
    if (!message && channel === this._where.channel && ts === this._where.thread)
      go({ thread: "" }, { quietly: true });
  }
}
