/**
 * What the app is doing in a thread, in its own words, with the button that stops it.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "../shell/icons.js";

const TURN_MILLISECONDS = 2600; // between two loading messages

/**
 * @param {any} workspace
 * @param {string} channelId
 * @param {string} root
 * @returns {string} "is reading SHOP-12…", or "" when it does nothing there
 */
export function doing(workspace, channelId, root) {
  const channel = workspace.channels.get(channelId);
  const status = channel?.statuses.get(root);
  if (status?.text) return status.text;
  if (channel?.live.has(root)) return "is answering…";
  if (status?.session === "processing") return "is working…";
  return "";
}

/** The line itself; hidden while the app does nothing. */
export class Working {
  /**
   * @param {any} workspace
   * @param {() => {channel: string, root: string}} where
   * @param {(name: string, body: any) => Promise<any>} act
   */
  constructor(workspace, where, act) {
    this._workspace = workspace;
    this._where = where;
    this._words = h("span", { dir: "auto" });
    const stop = h(
      "button",
      { type: "button", class: "button stop", on: { click: () => this._stop(act) } },
      icon("stop"),
      "Stop",
    );
    this.element = h(
      "div",
      { class: "working", role: "status", hidden: true },
      h("span", { class: "pulse", "aria-hidden": "true" }),
      this._words,
      stop,
    );
    this._turn = 0;
    this._timer = 0;
    for (const kind of ["snapshot", "status", "message"]) workspace.addEventListener(kind, () => this.show());
  }

  show() {
    const { channel, root } = this._where();
    const text = root ? doing(this._workspace, channel, root) : "";
    this.element.hidden = !text;
    clearInterval(this._timer);
    if (!text) return;
    const loading = this._workspace.channels.get(channel)?.statuses.get(root)?.loading || [];
    this._say(text, loading);
    if (loading.length > 1)
      this._timer = window.setInterval(() => this._say(text, loading), TURN_MILLISECONDS);
  }

  /** @param {string} text @param {string[]} loading */
  _say(text, loading) {
    const words = loading.length
      ? loading[this._turn++ % loading.length]
      : `${this._workspace.app.name} ${text}`;
    if (this._words.textContent !== words) fill(this._words, words);
  }

  /** @param {(name: string, body: any) => Promise<any>} act */
  _stop(act) {
    const { channel, root } = this._where();
    act("stop", { channel, ts: root }).catch(() => null);
  }
}
