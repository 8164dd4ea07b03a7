/**
 * One message as it stands; when it changes, only the parts that changed are drawn anew.
 * @module
 */

import { fill, h, said } from "../dom.js";
import { blocks } from "../blocks/blocks.js";
import { plan } from "../blocks/tasks.js";
import { avatar } from "../shell/avatar.js";
import { clockOf, dayOf, fullOf, sameDay } from "../shell/times.js";
import { mrkdwn, textObject } from "../words/mrkdwn.js";
import { Prose } from "../words/prose.js";
import { fileCard } from "./files.js";
import { reactions } from "./reactions.js";
import { doing } from "./working.js";

const TOGETHER_SECONDS = 300; // messages of one person within this stand under one name

/** @typedef {import("./timeline.js").Talk} Talk */

/** A row of a timeline. */
export class Row {
  /** @param {string} ts @param {Talk} talk */
  constructor(ts, talk) {
    this.ts = ts;
    this.above = /** @type {string | undefined} */ (undefined); // ts of the message it was drawn below
    this._talk = talk;
    /** @type {Record<string, string>} */ this._keys = {};
    this._before = h("div", { class: "before" });
    this._gutter = h("div", { class: "gutter" });
    /** @type {Record<string, HTMLElement>} */
    this._parts = Object.fromEntries(
      ["head", "steps", "words", "blocks", "attached", "files", "reactions", "line"].map((name) => [
        name,
        h("div", { class: `part ${name}` }),
      ]),
    );
    this._prose = new Prose(talk.workspace);
    this.body = h("div", { class: "body" }, Object.values(this._parts));
    this.article = h("article", { class: "message", tabindex: "-1", data: { ts } }, this._gutter, this.body);
    this.element = h("li", null, this._before, this.article);
  }

  /**
   * @param {any} message
   * @param {any} previous the message above, if any
   * @param {boolean} isFirstNew whether unread messages begin here
   */
  show(message, previous, isFirstNew) {
    const day = !previous || !sameDay(previous.ts, message.ts);
    const joined = !day && !isFirstNew && follows(message, previous) && !message.only_for;
    this._part("before", [day, isFirstNew], () => this._dividers(message, day, isFirstNew), this._before);
    this._classes(message, joined);
    const person = this._talk.workspace.person(message.user);
    this._part(
      "gutter",
      [joined, person.name],
      () => (joined ? h("time", null, clockOf(message.ts)) : avatar(person)),
      this._gutter,
    );
    this._part("head", [joined, message.edited, message.only_for, person.name], () =>
      this._head(message, joined, person),
    );
    this._content(message);
    this._part("files", message.files, () => (message.files || []).map(fileCard));
    this._part("reactions", message.reactions, () =>
      reactions(message, this._talk.workspace, (name) =>
        this._talk.act("react", { channel: message.channel, ts: message.ts, name }).catch(() => null),
      ),
    );
    this.line(message);
  }

  /** @param {any} message what is said of its thread below it */
  line(message) {
    const { workspace, unread, inThread } = this._talk;
    const shows = !inThread && !message.is_reply && !message.only_for;
    const busy = shows ? doing(workspace, message.channel, message.ts) : "";
    const fresh = shows ? unread.mark(message.channel, message.ts).count : 0;
    const about = shows ? [message.reply_count, message.latest_reply, message.reply_users, busy, fresh] : [];
    this._part("line", about, () =>
      shows && (message.reply_count || busy) ? this._threadLine(message, busy, fresh) : null,
    );
  }

  /** @param {HTMLElement} editor shown instead of the words until it is taken away */
  edit(editor) {
    this.body.append(editor);
    this.article.classList.add("editing");
  }

  /** Shows the words again. */
  unedit() {
    this.article.classList.remove("editing");
    this.body.querySelector(".editor")?.remove();
    this.article.focus();
  }

  /** @param {any} message */
  _content(message) {
    const { workspace } = this._talk;
    const context = {
      names: workspace,
      click: (/** @type {any} */ action) =>
        this._talk.act("click", { channel: message.channel, ts: message.ts, ...action }),
    };
    this._part("steps", [message.plan, message.tasks], () =>
      message.plan || message.tasks?.length ? plan(message.plan, message.tasks || [], workspace) : null,
    );
    const live = message.streaming_state === "in_progress";
    if (message.markdown || live) {
      if (this._keys.words !== "prose") fill(this._parts.words, this._prose.element);
      this._keys.words = "prose";
      this._parts.words.hidden = false;
      this._prose.show(message.markdown || "", { live });
    } else {
      const written = message.blocks?.length ? "" : message.text || "";
      this._part("words", written, () =>
        written ? h("div", { class: "rich" }, mrkdwn(written, workspace)) : null,
      );
    }
    this._part("blocks", message.blocks, () =>
      message.blocks?.length ? blocks(message.blocks, context) : null,
    );
    this._part("attached", message.attachments, () =>
      (message.attachments || []).map((/** @type {any} */ one) => attached(one, context)),
    );
  }

  /** @param {any} message @param {boolean} joined */
  _classes(message, joined) {
    const { workspace } = this._talk;
    const list = this.article.classList;
    list.toggle("joined", joined);
    list.toggle("ephemeral", Boolean(message.only_for));
    list.toggle("streaming", message.streaming_state === "in_progress");
    list.toggle("gone", message.subtype === "tombstone");
    list.toggle(
      "to-me",
      message.user !== workspace.me && (message.text || "").includes(`<@${workspace.me}>`),
    );
    this.article.setAttribute("aria-label", `${workspace.person(message.user).name}, ${clockOf(message.ts)}`);
  }

  /** @param {any} message @param {boolean} day @param {boolean} isFirstNew */
  _dividers(message, day, isFirstNew) {
    return [
      day
        ? h("div", { class: "divider day", role: "separator" }, h("span", { data: { ts: message.ts } }, dayOf(message.ts)))
        : null,
      isFirstNew ? h("div", { class: "divider new", role: "separator" }, h("span", null, "New")) : null,
    ];
  }

  /** @param {any} message @param {boolean} joined @param {any} person */
  _head(message, joined, person) {
    const edited = message.edited && person.kind !== "app" ? h("small", { class: "quiet" }, "edited") : null;
    if (joined) return edited;
    const tag = { app: "App", guest: "Guest", external: "Partner" }[/** @type {string} */ (person.kind)];
    return [
      message.only_for ? h("div", { class: "only" }, "Only visible to you") : null,
      said(person.name, "name"),
      tag ? h("span", { class: `tag ${person.kind}` }, tag) : null,
      h(
        "time",
        { datetime: new Date(parseFloat(message.ts) * 1000).toISOString(), title: fullOf(message.ts) },
        clockOf(message.ts),
      ),
      edited,
    ];
  }

  /** @param {any} message @param {string} busy @param {number} fresh */
  _threadLine(message, busy, fresh) {
    const { workspace } = this._talk;
    const count = message.reply_count || 0;
    const faces = (message.reply_users || [])
      .slice(0, 4)
      .map((/** @type {string} */ id) => avatar(workspace.person(id), "tiny"));
    return h(
      "button",
      { type: "button", class: "thread-line", on: { click: () => this._talk.openThread(message.ts) } },
      h("span", { class: "faces" }, faces),
      count ? h("b", null, count === 1 ? "1 reply" : `${count} replies`) : null,
      fresh ? h("span", { class: "fresh" }, `${fresh} new`) : null,
      busy
        ? h(
            "span",
            { class: "busy" },
            h("span", { class: "pulse", "aria-hidden": "true" }),
            `${workspace.app.name} ${busy}`,
          )
        : count
          ? h("time", null, `last ${clockOf(message.latest_reply)}`)
          : null,
    );
  }

  /**
   * Draws a part when what it shows changed.
   * @param {string} name
   * @param {any} value
   * @param {() => any} draw
   * @param {HTMLElement} [place]
   */
  _part(name, value, draw, place = this._parts[name]) {
    const key = JSON.stringify(value ?? null);
    if (this._keys[name] === key) return;
    this._keys[name] = key;
    fill(place, draw());
    place.hidden = !place.hasChildNodes();
  }
}

/** @param {any} message @param {any} previous */
function follows(message, previous) {
  const close = parseFloat(message.ts) - parseFloat(previous.ts) < TOGETHER_SECONDS;
  return (
    close &&
    previous.user === message.user &&
    !previous.only_for &&
    !previous.reply_count &&
    previous.subtype !== "tombstone"
  );
}

/** @param {any} one an attachment @param {any} context */
function attached(one, context) {
  return h(
    "aside",
    { class: "attachment" },
    one.pretext ? h("div", { dir: "auto" }, mrkdwn(String(one.pretext), context.names)) : null,
    one.title ? h("b", { dir: "auto" }, String(one.title)) : null,
    one.text
      ? h("div", { dir: "auto" }, textObject({ type: "mrkdwn", text: String(one.text) }, context.names))
      : null,
    one.blocks ? blocks(one.blocks, context) : null,
    !one.title && !one.text && !one.blocks ? String(one.fallback || "") : null,
  );
}

/** Calls each day by its name again: what was "Today" is "Yesterday" once the clock has gone on. */
export function renameDays() {
  for (const name of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".divider.day span")))
    name.textContent = dayOf(name.dataset.ts || "");
}
