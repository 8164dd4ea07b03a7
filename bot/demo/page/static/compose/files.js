/**
 * Files on their way into a message: chosen, dropped or pasted, uploaded at once, shown until the message is sent.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { sizeOf } from "../shell/times.js";

/** @typedef {{name: string, size: number, id: string, wrong: string}} Waiting */

/** The files of one composer. */
export class Attached {
  /** @param {any} wire @param {() => any} limits @param {() => void} changed */
  constructor(wire, limits, changed) {
    this._wire = wire;
    this._limits = limits;
    this._changed = changed;
    /** @type {Waiting[]} */ this._files = [];
    this.element = h("ul", { class: "attached", "aria-label": "Files to send", hidden: true });
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      const waiting = { name: file.name, size: file.size, id: "", wrong: this._tooLarge(file) };
      this._files.push(waiting);
      if (!waiting.wrong) this._upload(file, waiting);
    }
    this._show();
  }

  clear() {
    this._files = [];
    this._show();
  }

  /** @returns {string[]} ids of what is uploaded */
  get ids() {
    return this._files.filter((file) => file.id).map((file) => file.id);
  }

  get isBusy() {
    return this._files.some((file) => !file.id && !file.wrong);
  }

  /** @param {File} file */
  _tooLarge(file) {
    const most = this._limits().file_bytes || Infinity;
    if (file.size <= most) return "";
    const megabytes = (/** @type {number} */ size) => Math.round(size / 1024 / 1024);
    return `${file.name} has ${megabytes(file.size)} MB, and this page takes files up to ${megabytes(most)} MB. Send the part that matters.`;
  }

  /** @param {File} file @param {Waiting} waiting */
  async _upload(file, waiting) {
    try {
      waiting.id = await this._wire.upload(file);
    } catch (trouble) {
      waiting.wrong = /** @type {Error} */ (trouble).message;
    }
    this._show();
  }

  _show() {
    this.element.hidden = !this._files.length;
    fill(
      this.element,
      this._files.map((file) => {
        const kind = file.wrong ? "wrong" : file.id ? "ready" : "busy";
        const leave = () => {
          this._files = this._files.filter((other) => other !== file);
          this._show();
        };
        return h(
          "li",
          { class: kind, role: file.wrong ? "alert" : null },
          icon("file"),
          h("span", { dir: "auto" }, file.wrong || file.name),
          file.wrong ? null : h("small", null, file.id ? sizeOf(file.size) : "uploading…"),
          h(
            "button",
            { type: "button", class: "bare", "aria-label": `Remove ${file.name}`, on: { click: leave } },
            icon("close"),
          ),
        );
      }),
    );
    this._changed();
  }
}
