/**
 * What a channel and a thread have in common: a timeline, a bar for its messages, a composer, files dropped on it.
 * @module
 */

import { h } from "../dom.js";
import { Composer } from "../compose/composer.js";
import { typed } from "../compose/typed.js";
import { note } from "../shell/voice.js";
import { Timeline } from "./timeline.js";
import { Toolbar } from "./toolbar.js";
import { Working } from "./working.js";

/**
 * @typedef {object} Rooms what panes share
 * @property {import("../workspace.js").Workspace} workspace
 * @property {import("../unread.js").Unread} unread
 * @property {import("../wire.js").Wire} wire
 * @property {(name: string, body: any) => Promise<any>} act tells the person of troubles, and throws
 * @property {(ts: string) => void} openThread
 */

/** A pane; `where` says what it shows. */
export class Pane {
  /**
   * @param {Rooms} rooms
   * @param {{label: string, inThread: boolean, where: () => {channel: string, thread: string}, sent: (where: any, ts: string, text: string) => void}} about
   */
  constructor(rooms, about) {
    this._rooms = rooms;
    this._about = about;
    const { workspace, wire, act } = rooms;
    const open = about.inThread ? null : rooms.openThread;
    this._toolbar = new Toolbar(workspace, act, {
      channel: () => about.where().channel,
      thread: open,
      edit: (row) => this.edit(row),
    });
    this.timeline = new Timeline(
      { ...rooms, inThread: about.inThread, toolbar: (row) => this._toolbar.at(row) },
      about.label,
    );
    this.working = new Working(
      workspace,
      () => ({ channel: about.where().channel, root: about.inThread ? about.where().thread : "" }),
      act,
    );
    this.composer = new Composer(workspace, wire, about.where, {
      act: (name, body) => wire.act(name, body),
      sent: about.sent,
      editLast: () => this._editLast(),
    });
    this.timeline.element.addEventListener("keydown", (event) => this._key(event));
    workspace.addEventListener("message", (event) => this._hear(/** @type {CustomEvent} */ (event).detail));
    workspace.addEventListener("status", (event) => this._line(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * Files dropped on an element go into this pane's composer.
   * @param {HTMLElement} element
   */
  takesFiles(element) {
    const veil = h(
      "div",
      { class: "veil", "aria-hidden": "true" },
      h("span", null, "Drop files to attach them"),
    );
    let depth = 0;
    const hasFiles = (/** @type {DragEvent} */ event) =>
      [...(event.dataTransfer?.types || [])].includes("Files");
    element.addEventListener("dragenter", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth += 1;
      element.append(veil);
    });
    element.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    element.addEventListener("dragleave", () => {
      depth -= 1;
      if (depth <= 0) veil.remove();
    });
    element.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      veil.remove();
      this.composer.attach(event.dataTransfer?.files || []);
    });
  }

  /** @param {import("./row.js").Row} row whose words become a field to write in */
  edit(row) {
    const { channel } = this._about.where();
    const message = this._rooms.workspace.message(channel, row.ts);
    const field = /** @type {HTMLTextAreaElement} */ (
      h("textarea", {
        class: "writing",
        dir: "auto",
        "aria-label": "Edit the message",
        prop: { value: typed(message, this._rooms.workspace) },
      })
    );
    const save = async () => {
      try {
        await this._rooms.wire.act("edit", { channel, ts: row.ts, text: field.value });
        row.unedit();
      } catch (trouble) {
        note(/** @type {Error} */ (trouble).message);
      }
    };
    const cancel = h(
      "button",
      { type: "button", class: "button", on: { click: () => row.unedit() } },
      "Cancel",
    );
    const form = h(
      "form",
      { class: "editor", on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), save()) } },
      field,
      h("footer", null, cancel, h("button", { type: "submit", class: "button primary" }, "Save")),
    );
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") row.unedit();
      else if (
        event.key === "Enter" &&
        !event.shiftKey &&
        (event.ctrlKey || event.metaKey || !field.value.includes("```"))
      )
        save();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    row.edit(form);
    field.rows = Math.min(14, field.value.split("\n").length + 1);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  /** @param {any} detail of a message that changed */
  _hear({ channel, ts, root }) {
    const where = this._about.where();
    if (channel !== where.channel) return;
    const mine = this._about.inThread ? root === where.thread : true;
    if (mine && this._shows(channel, ts, root)) this.timeline.hear(ts);
    if (!this._about.inThread) this.timeline.line(root);
  }

  /** @param {string} channel @param {string} ts @param {string} root @returns {boolean} whether it belongs, or belonged, into this row */
  _shows(channel, ts, root) {
    if (this.timeline.row(ts)) return true;
    const known = this._rooms.workspace.channels.get(channel);
    const stamps = this._about.inThread ? known?.threads.get(root)?.replies : known?.roots;
    return ts === this._about.where().thread || Boolean(stamps?.includes(ts));
  }

  /** @param {any} status */
  _line(status) {
    if (!this._about.inThread && status.channel === this._about.where().channel)
      this.timeline.line(status.thread);
  }

  _editLast() {
    const { channel } = this._about.where();
    const { workspace } = this._rooms;
    const rows = [...this.timeline.element.querySelectorAll("article.message")].reverse();
    const last = rows
      .map((article) => this.timeline.row(/** @type {HTMLElement} */ (article).dataset.ts || ""))
      .find((row) => row && workspace.message(channel, row.ts)?.user === workspace.me);
    if (last) this.edit(last);
    return Boolean(last);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const article = /** @type {Element} */ (event.target).closest("article.message");
    const row = article && this.timeline.row(/** @type {HTMLElement} */ (article).dataset.ts || "");
    if (row) this._toolbar.key(event, row);
  }
}
