/**
 * What can be done with a message: one small bar that goes to the message one points at.
 * @module
 */

import { h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { menu } from "../shell/popup.js";
import { note } from "../shell/voice.js";
import { confirmed } from "../views/confirm.js";
import { pick } from "./reactions.js";
import { typed } from "../compose/typed.js";

/** One bar for a timeline. */
export class Toolbar {
  /**
   * @param {import("../workspace.js").Workspace} workspace
   * @param {(name: string, body: any) => Promise<any>} act
   * @param {{channel: () => string, thread: ((ts: string) => void) | null, edit: (row: any) => void}} what
   */
  constructor(workspace, act, what) {
    this._workspace = workspace;
    this._act = act;
    this._what = what;
    /** @type {any} */ this._row = null;
    this.element = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message" });
    this._react = this._button("smile", "Add a reaction", () =>
      pick(this._react, (name) => this._do("react", { name })),
    );
    this._thread = this._button("thread", "Reply in a thread", () => this._what.thread?.(this._row.ts));
    this._more = this._button("more", "More", () => menu(this._more, this._choices(), "Message"));
  }

  /** @param {any} row */
  at(row) {
    const message = this._message(row);
    if (!message || (this._row === row && this.element.isConnected)) return;
    this._row = row;
    const plain = !message.only_for && message.subtype !== "tombstone";
    this.element.replaceChildren(
      ...(plain ? [this._react, ...(this._what.thread ? [this._thread] : [])] : []),
      this._more,
    );
    row.article.append(this.element);
  }

  /**
   * Keys on a message: e edits, r reacts, t opens the thread, Delete deletes.
   * @param {KeyboardEvent} event
   * @param {any} row
   */
  key(event, row) {
    if (event.target !== row.article || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = /** @type {Record<string, () => void>} */ ({
      r: () => this._react.click(),
      t: () => this._what.thread?.(row.ts),
      Enter: () => this._what.thread?.(row.ts),
      e: () => this._mine(row) && this._what.edit(row),
      Delete: () => this._mine(row) && this._delete(),
    });
    if (!acts[event.key]) return;
    event.preventDefault();
    this.at(row);
    acts[event.key]();
  }

  /** @param {string} sign @param {string} label @param {() => void} act */
  _button(sign, label, act) {
    return h(
      "button",
      { type: "button", class: "bare", "aria-label": label, title: label, on: { click: act } },
      icon(sign),
    );
  }

  /** @param {any} row */
  _message(row) {
    return row && this._workspace.message(this._what.channel(), row.ts);
  }

  /** @param {any} row */
  _mine(row) {
    const message = this._message(row);
    return message && message.user === this._workspace.me && message.subtype !== "tombstone";
  }

  _choices() {
    const row = this._row;
    const message = this._message(row);
    if (message.only_for) return [{ label: "Dismiss", sign: "close", act: () => this._do("dismiss", {}) }];
    const shortcuts = this._workspace.offers.shortcuts.filter(
      (/** @type {any} */ one) => one.kind === "message",
    );
    return [
      ...shortcuts.map((/** @type {any} */ one) => ({
        label: one.name,
        sign: "spark",
        quiet: this._workspace.app.name,
        act: () => this._do("shortcut", { callback_id: one.callback_id }),
      })),
      { label: "Copy its text", sign: "copy", act: () => copy(typed(message, this._workspace)) },
      ...(this._mine(row)
        ? [
            { label: "Edit", sign: "edit", act: () => this._what.edit(row) },
            { label: "Delete", sign: "trash", danger: true, act: () => this._delete() },
          ]
        : []),
    ];
  }

  async _delete() {
    const sure = await confirmed(
      {
        title: { text: "Delete this message?" },
        text: { type: "plain_text", text: "Everybody loses it." },
        confirm: { text: "Delete" },
        style: "danger",
      },
      this._workspace,
    );
    if (sure) this._do("delete", {});
  }

  /** @param {string} name @param {any} body */
  _do(name, body) {
    this._act(name, { channel: this._what.channel(), ts: this._row.ts, ...body }).catch(() => null);
  }
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    note("The browser does not let this page copy.");
  }
}
