/**
 * Modals the app opens: shown on top, filled in, sent, with what is wrong said beside each field.
 * @module
 */

import { fill, h } from "../dom.js";
import { blocks } from "../blocks/blocks.js";
import { icon } from "../shell/icons.js";
import { plain } from "../words/mrkdwn.js";

/** Shows this person's open views, one dialog each. */
export class Modals {
  /**
   * @param {import("../workspace.js").Workspace} workspace
   * @param {(name: string, body: any) => Promise<any>} act tells the person of troubles itself, and throws
   */
  constructor(workspace, act) {
    this._workspace = workspace;
    this._act = act;
    /** @type {Map<string, Modal>} */ this._open = new Map();
    workspace.addEventListener("snapshot", () => this._all());
    workspace.addEventListener("view", (event) => this._one(/** @type {CustomEvent} */ (event).detail));
  }

  _all() {
    for (const id of [...this._open.keys()])
      if (!this._workspace.views.has(id)) this._one({ id, open: false });
    for (const view of this._workspace.views.values()) this._one(view);
  }

  /** @param {any} shown */
  _one(shown) {
    const known = this._open.get(shown.id);
    if (!shown.open) {
      known?.leave();
      this._open.delete(shown.id);
    } else if (known) {
      known.show(shown.view);
    } else {
      const modal = new Modal(shown.id, this._workspace, this._act);
      this._open.set(shown.id, modal);
      modal.show(shown.view);
    }
  }
}

class Modal {
  /** @param {string} id @param {any} workspace @param {(name: string, body: any) => Promise<any>} act */
  constructor(id, workspace, act) {
    this._id = id;
    this._workspace = workspace;
    this._act = act;
    this._shown = "";
    /** @type {{block: any, given: any, field: any}[]} */ this._fields = [];
    this.dialog = /** @type {HTMLDialogElement} */ (
      h("dialog", {
        class: "sheet modal",
        on: { cancel: (/** @type {Event} */ event) => this._cancel(event) },
      })
    );
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  /** @param {any} view */
  show(view) {
    const told = JSON.stringify(view);
    if (told === this._shown) return; // what was filled in stays
    this._shown = told;
    this._fields = [];
    const title = h("h2", { id: `title-${this._id}`, dir: "auto" }, plain(view.title?.text || ""));
    const close = h(
      "button",
      { type: "button", class: "bare", "aria-label": "Close", on: { click: () => this._close() } },
      icon("close"),
    );
    const context = {
      names: this._workspace,
      click: (/** @type {any} */ action) => this._act("click", { view: this._id, ...action }),
      form: {
        take: (/** @type {any} */ block, /** @type {any} */ given, /** @type {any} */ field) =>
          this._fields.push({ block, given, field }),
      },
    };
    this._submit = h(
      "button",
      { type: "submit", class: "button primary" },
      plain(view.submit?.text || "Submit"),
    );
    const cancel = h(
      "button",
      { type: "button", class: "button", on: { click: () => this._close() } },
      plain(view.close?.text || "Cancel"),
    );
    const form = h(
      "form",
      { novalidate: true, on: { submit: (/** @type {Event} */ event) => this._send(event) } },
      h("header", null, title, close),
      h("div", { class: "sheet-body" }, blocks(view.blocks, context)),
      h("footer", null, cancel, view.submit || this._fields.length ? this._submit : null),
    );
    fill(this.dialog, form);
    this.dialog.setAttribute("aria-labelledby", title.id);
    const first = /** @type {HTMLElement | null} */ (
      form.querySelector("[autofocus], .sheet-body input, .sheet-body textarea, .sheet-body select")
    );
    (first || this._submit).focus();
  }

  leave() {
    this.dialog.close();
    this.dialog.remove();
  }

  /** @param {Event} event */
  async _send(event) {
    event.preventDefault();
    this._wrong({});
    const missing = this._missing();
    if (Object.keys(missing).length) {
      this._wrong(missing);
      return;
    }
    const values = Object.fromEntries(
      this._fields.map(({ given, field }) => [given.action_id, field.state()]),
    );
    this._submit?.setAttribute("aria-busy", "true");
    try {
      const answer = await this._act("submit", { view: this._id, values });
      this._wrong(answer.errors || {});
    } catch {
      // the person was told; what was filled in stays
    } finally {
      this._submit?.removeAttribute("aria-busy");
    }
  }

  /** @returns {Record<string, string>} what must be filled in, by block */
  _missing() {
    const empty = (/** @type {any} */ state) =>
      Object.values(state).every(
        (value) => value === null || value === "" || (Array.isArray(value) && !value.length),
      );
    const lacking = this._fields.filter(({ block, field }) => !block.optional && empty(field.state()));
    return Object.fromEntries(lacking.map(({ block }) => [block.block_id || "", "Please fill this in."]));
  }

  /** @param {Record<string, string>} errors by block */
  _wrong(errors) {
    /** @type {HTMLElement | null} */
    let first = null;
    for (const { block, field } of this._fields) {
      const said = errors[block.block_id || ""] || "";
      const place = field.element.closest(".input");
      const wrong = place?.querySelector(".wrong");
      if (wrong) wrong.textContent = said;
      place?.classList.toggle("invalid", Boolean(said));
      field.element.setAttribute("aria-invalid", String(Boolean(said)));
      if (said)
        first ||= field.element.matches("fieldset") ? field.element.querySelector("input") : field.element;
    }
    first?.focus();
  }

  /** @param {Event} event */
  _cancel(event) {
    event.preventDefault();
    this._close();
  }

  async _close() {
    await this._act("close", { view: this._id }).catch(() => null);
    this.leave();
  }
}
