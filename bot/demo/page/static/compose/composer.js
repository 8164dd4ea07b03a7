/**
 * Where one writes: words, code, commands and files, with what is half written kept for each place.
 * @module
 */

import { fill, h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { Completion } from "./completion.js";
import { Attached } from "./files.js";
import { inFence, looksLikeCode } from "./typed.js";

const TALLEST = 0.4; // of the window

/**
 * @typedef {object} Where
 * @property {string} channel
 * @property {string} thread the root's ts, or ""
 *
 * @typedef {object} Deeds
 * @property {(name: string, body: any) => Promise<any>} act throws with a sentence, tells nobody
 * @property {(where: Where, ts: string, text: string) => void} sent
 * @property {() => boolean} editLast opens one's last message for editing
 */

/** One composer, for a channel or a thread. */
export class Composer {
  /** @param {any} workspace @param {any} wire @param {() => Where} where @param {Deeds} deeds */
  constructor(workspace, wire, where, deeds) {
    this._workspace = workspace;
    this._where = where;
    this._deeds = deeds;
    this._spot = "";
    this._waits = false;
    this._sending = false;
    this.field = /** @type {HTMLTextAreaElement} */ (
      h("textarea", { rows: "1", dir: "auto", class: "writing", spellcheck: "true", "aria-label": "Message" })
    );
    this._completion = new Completion(this.field, workspace, {
      inThread: () => Boolean(where().thread),
      shortcut: (callback) =>
        deeds.act("shortcut", { callback_id: callback }).catch((t) => this.say(t.message)),
    });
    this._files = new Attached(
      wire,
      () => workspace.offers.limits,
      () => this._filed(),
    );
    this._notice = h("div", { class: "notice", role: "alert", hidden: true });
    this._picker = /** @type {HTMLInputElement} */ (
      h("input", { type: "file", multiple: true, hidden: true, on: { change: () => this._picked() } })
    );
    this._send = h(
      "button",
      { type: "submit", class: "button primary send", "aria-label": "Send", title: "Send (Enter)" },
      icon("send"),
    );
    const attach = h(
      "button",
      {
        type: "button",
        class: "bare",
        "aria-label": "Attach files",
        title: "Attach files",
        on: { click: () => this._picker.click() },
      },
      icon("attach"),
    );
    const code = h(
      "button",
      {
        type: "button",
        class: "bare code-button",
        "aria-label": "Code block",
        title: "Code block",
        on: { click: () => this._fence() },
      },
      "{ }",
    );
    const hint = h(
      "span",
      { class: "keys", "aria-hidden": "true" },
      "Enter sends, Shift + Enter breaks the line",
    );
    this._form = h(
      "form",
      {
        class: "composer",
        on: { submit: (/** @type {Event} */ event) => (event.preventDefault(), this.submit()) },
      },
      this._completion.element,
      this._notice,
      this._files.element,
      this.field,
      h("div", { class: "composer-foot" }, attach, code, hint, this._send, this._picker),
    );
    this.element = this._form;
    this._listen();
  }

  /** Takes up what was half written where the window stands now. @param {string} placeholder */
  open(placeholder) {
    const { channel, thread } = this._where();
    this._spot = `draft/${this._workspace.me}/${channel}/${thread}`;
    this.field.placeholder = placeholder;
    this.field.setAttribute("aria-label", placeholder);
    this._set(sessionStorage.getItem(this._spot) || "");
    this._files.clear();
    this.say("");
  }

  /** @param {string} text put there instead of what was */
  fill(text) {
    this._set(text);
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
    this._completion.close();
  }

  /** @param {Iterable<File>} files */
  attach(files) {
    this._files.add(files);
    this.field.focus();
  }

  /**
   * @param {string} words beside the composer, until the next sending; "" takes them away
   * @param {{label: string, act: () => void} | null} [button]
   */
  say(words, button = null) {
    this._notice.hidden = !words;
    const press =
      button &&
      h(
        "button",
        { type: "button", class: "button", on: { click: () => (this.say(""), button.act()) } },
        button.label,
      );
    fill(this._notice, words ? h("span", { dir: "auto" }, words) : null, press);
  }

  async submit() {
    const text = this.field.value;
    const ids = this._files.ids;
    this._waits = this._files.isBusy; // sent as soon as the last file is there
    if ((!text.trim() && !ids.length) || this._waits || this._sending) return;
    const where = this._where();
    this._sending = true;
    this._ready();
    try {
      const answer = await this._deed(text, ids, where);
      if (this.field.value === text) this._set("");
      this._files.clear();
      this.say("");
      this._deeds.sent(where, answer?.ts || "", text);
    } catch (trouble) {
      this.say(/** @type {Error} */ (trouble).message);
    } finally {
      this._sending = false;
      this._ready();
    }
  }

  /** @param {string} text @param {string[]} files @param {Where} where */
  _deed(text, files, where) {
    const [, name, rest = ""] = /^(\/[a-z][\w-]*)(?:\s+([\s\S]*))?$/.exec(text.trim()) || [];
    const body = { channel: where.channel, thread_ts: where.thread };
    if (!name) return this._deeds.act("say", { ...body, text, files });
    if (name === "/invite" || name === "/remove")
      return this._deeds.act("invite", { ...body, out: name === "/remove" ? "yes" : "" });
    return this._deeds.act("command", { ...body, command: name, text: rest });
  }

  _listen() {
    const { field } = this;
    field.addEventListener("input", () => {
      sessionStorage.setItem(this._spot, field.value);
      this._ready();
    });
    field.addEventListener("keydown", (event) => this._key(event));
    field.addEventListener("paste", (event) => this._pasted(event));
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (event.isComposing || this._completion.key(event)) return;
    const { value, selectionStart } = this.field;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      if (!event.ctrlKey && !event.metaKey && inFence(value, selectionStart)) return;
      event.preventDefault();
      this.submit();
    } else if (event.key === "ArrowUp" && !value && this._deeds.editLast()) {
      event.preventDefault();
    }
  }

  /** @param {ClipboardEvent} event */
  _pasted(event) {
    const files = [...(event.clipboardData?.files || [])];
    const text = event.clipboardData?.getData("text/plain") || "";
    if (files.length && !text) {
      event.preventDefault();
      this.attach(files);
    } else if (looksLikeCode(text) && !inFence(this.field.value, this.field.selectionStart)) {
      event.preventDefault();
      const made = fenced(text, this.field);
      this._insert(made);
      this.say("Pasted as code.", {
        label: "As plain text instead",
        act: () => this._replace(made, text),
      });
    }
  }

  _fence() {
    const { field } = this;
    const chosen = field.value.slice(field.selectionStart, field.selectionEnd);
    this._insert(`${before(field)}\`\`\`\n${chosen}\n\`\`\``);
    field.setSelectionRange(field.selectionStart - 4, field.selectionStart - 4);
    field.focus();
  }

  _picked() {
    this.attach(this._picker.files || []);
    this._picker.value = "";
  }

  /** @param {string} text at the caret */
  _insert(text) {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.field.dispatchEvent(new Event("input"));
  }

  /** @param {string} old @param {string} text */
  _replace(old, text) {
    this._set(this.field.value.replace(old, () => text));
    this.field.focus();
  }

  /** @param {string} text */
  _set(text) {
    this.field.value = text;
    this.field.dispatchEvent(new Event("input"));
    this._completion.close();
  }

  /** Something changed among the files. */
  _filed() {
    this._ready();
    if (this._waits && !this._files.isBusy) this.submit();
  }

  _ready() {
    const { field } = this;
    this._form.classList.toggle("with-code", field.value.includes("```"));
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, innerHeight * TALLEST)}px`;
    const empty = !field.value.trim() && !this._files.ids.length;
    this._send.setAttribute("aria-disabled", String(empty || this._files.isBusy));
    this._send.toggleAttribute("aria-busy", Boolean(this._sending));
    this._form.classList.toggle("empty", empty);
  }
}

/** @param {HTMLTextAreaElement} field @returns {string} what brings the caret to the start of a line */
function before(field) {
  const text = field.value.slice(0, field.selectionStart);
  return text && !text.endsWith("\n") ? "\n" : "";
}

/** @param {string} text @param {HTMLTextAreaElement} field */
function fenced(text, field) {
  return `${before(field)}\`\`\`\n${text.replace(/\s+$/, "")}\n\`\`\`\n`;
}
