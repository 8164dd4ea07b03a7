/**
 * What this window knows of the workspace: a copy that follows the stand-in, and tells who listens what changed.
 * @module
 */

import { setAhead } from "./shell/times.js";

/**
 * @typedef {Record<string, any>} Message in Slack's shape, with channel, root, is_reply, only_for, markdown, tasks
 * @typedef {object} Channel
 * @property {string} id
 * @property {any} about as the stand-in tells it
 * @property {Map<string, Message>} messages by ts
 * @property {string[]} roots ts of what stands in no thread, oldest first
 * @property {Map<string, {replies: string[], loaded: boolean}>} threads by the root's ts
 * @property {Map<string, any>} statuses by the root's ts
 * @property {string} oldest ts of the oldest message of the channel's own row that was loaded
 * @property {boolean} whole nothing older is left to load
 * @property {Map<string, Set<string>>} live ts of the streams that run, by the root's ts
 */

/** The copy. Events: snapshot, channel, message, status, view, home, bot, clock. */
export class Workspace extends EventTarget {
  constructor() {
    super();
    this.me = "";
    /** @type {any} */ this.team = {};
    /** @type {any} */ this.app = {};
    /** @type {Map<string, any>} */ this.people = new Map();
    /** @type {Map<string, Channel>} */ this.channels = new Map();
    /** @type {Map<string, any>} */ this.views = new Map();
    /** @type {any} */ this.home = null;
    this.bot = { connected: true };
    /** @type {{ahead: number, going: string} | null} */ this.clock = null;
    /** @type {any} */
    this.offers = { stand_ins: [], suggestions: [], commands: [], shortcuts: [], limits: {} };
    this.newest = "";
    /** @type {Map<string, number>} */ this._told = new Map(); // number of the step by which a message is known
  }

  /** @param {any} frame from the wire */
  hear(frame) {
    if (frame.type === "snapshot") this._whole(frame);
    for (const change of frame.changes || []) this._change(change, frame.seq);
  }

  /** @param {string} id @returns {any} */
  person(id) {
    return (
      this.people.get(id) || {
        id,
        name: id === "USLACKBOT" ? "Slackbot" : id,
        handle: id,
        kind: "app",
        role: "",
      }
    );
  }

  /** @returns {any} who sits at this window */
  get self() {
    return this.person(this.me);
  }

  /** @param {string} id @param {string} ts @returns {Message | undefined} */
  message(id, ts) {
    return this.channels.get(id)?.messages.get(ts);
  }

  /** @returns {Channel | undefined} this person's messages with the app */
  get withApp() {
    return [...this.channels.values()].find(
      (c) => c.about.kind === "im" && c.about.with.includes(this.app.user),
    );
  }

  /**
   * Takes in messages of the past.
   * @param {string} id
   * @param {{seq: number, messages: Message[]}} told
   * @param {{root?: string, whole?: boolean}} of a thread, or the channel and whether nothing older is left
   */
  take(id, told, { root = "", whole = false }) {
    const channel = this.channels.get(id);
    if (!channel) return;
    if (root) thread(channel, root).loaded = true;
    else Object.assign(channel, { whole, oldest: told.messages[0]?.ts || channel.oldest });
    for (const message of told.messages) {
      this._keep(channel, message, told.seq);
      streams(channel, /** @type {Message} */ (channel.messages.get(message.ts) || message));
    }
  }

  /** @param {string} kind @param {any} detail */
  _emit(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  /** @param {any} frame */
  _whole(frame) {
    Object.assign(this, { me: frame.me, team: frame.team, app: frame.app, home: frame.home });
    Object.assign(this, { bot: frame.bot, offers: frame.offers });
    this._clock(frame.clock);
    this.people = new Map(frame.people.map((/** @type {any} */ p) => [p.id, p]));
    this.views = new Map(frame.views.map((/** @type {any} */ v) => [v.id, v]));
    this.channels = new Map();
    this._told.clear();
    this.newest = "";
    for (const about of frame.channels) {
      const channel = this._outside(about);
      for (const message of [...about.messages, ...about.ephemerals]) {
        this._keep(channel, message, frame.seq);
        streams(channel, message);
      }
      channel.oldest = about.messages[0]?.ts || "";
      channel.whole = about.messages.length >= about.total;
      this._statuses(channel, about.statuses);
    }
    this._emit("snapshot", {});
  }

  /** @param {any} about @returns {Channel} */
  _outside(about) {
    const known = this.channels.get(about.id);
    const { messages: _m, ephemerals: _e, statuses: _s, ...outside } = about;
    if (known) {
      known.about = outside;
      return known;
    }
    const channel = {
      id: about.id,
      about: outside,
      messages: new Map(),
      roots: [],
      threads: new Map(),
      statuses: new Map(),
      oldest: "",
      whole: false,
      live: new Map(),
    };
    this.channels.set(about.id, channel);
    return channel;
  }

  /** @param {Channel} channel @param {any[]} statuses */
  _statuses(channel, statuses) {
    for (const status of statuses) channel.statuses.set(status.thread, status);
  }

  /**
   * Waits for a channel: what was asked for by one way may be answered before this copy hears of it by the other.
   * @param {string} id
   * @returns {Promise<void>}
   */
  knows(id) {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.channels.has(id)) return;
        for (const kind of ["channel", "snapshot"]) this.removeEventListener(kind, look);
        resolve();
      };
      for (const kind of ["channel", "snapshot"]) this.addEventListener(kind, look);
      look();
    });
  }

  /** @param {any} change @param {number} seq */
  _change(change, seq) {
    const { kind } = change;
    if (kind === "message") this._said(change, seq);
    else if (kind === "gone") this._gone(change, seq);
    else if (kind === "status") {
      this.channels.get(change.status.channel)?.statuses.set(change.status.thread, change.status);
      this._emit("status", change.status);
    } else if (kind === "channel") {
      const channel = this._outside(change.channel);
      this._statuses(channel, change.statuses);
      this._emit("channel", { id: channel.id });
    } else if (kind === "left") {
      if (this.channels.delete(change.channel)) this._emit("channel", { id: change.channel });
    } else if (kind === "view") {
      if (change.view.open) this.views.set(change.view.id, change.view);
      else this.views.delete(change.view.id);
      this._emit("view", change.view);
    } else if (kind === "home") {
      this.home = change.home;
      this._emit("home", change.home);
    } else if (kind === "bot") {
      this.bot = change.bot;
      this._emit("bot", change.bot);
    } else if (kind === "clock") {
      this._clock(change.clock);
      this._emit("clock", change.clock);
    }
  }

  /** @param {any} clock null where it cannot be moved */
  _clock(clock) {
    this.clock = clock;
    setAhead(clock ? clock.ahead : 0);
  }

  /** @param {any} change @param {number} seq */
  _said({ message, total }, seq) {
    const channel = this.channels.get(message.channel);
    if (!channel) return;
    channel.about.total = total;
    const fresh = message.ts > this.newest;
    const kept = this._keep(channel, message, seq);
    streams(channel, message);
    this._emit("message", { channel: channel.id, ts: message.ts, root: message.root, message, fresh, kept });
  }

  /** @param {any} change @param {number} seq */
  _gone({ channel: id, ts, total }, seq) {
    const channel = this.channels.get(id);
    if (!channel) return;
    channel.about.total = total;
    this._told.set(`${id}/${ts}`, seq);
    const message = channel.messages.get(ts);
    channel.messages.delete(ts);
    drop(channel.roots, ts);
    for (const one of channel.threads.values()) drop(one.replies, ts);
    this._emit("message", {
      channel: id,
      ts,
      root: message?.root || ts,
      message: null,
      fresh: false,
      kept: true,
    });
  }

  /**
   * @param {Channel} channel
   * @param {Message} message
   * @param {number} seq
   * @returns {boolean} whether the copy holds it; replies of threads nobody opened are not kept
   */
  _keep(channel, message, seq) {
    const key = `${channel.id}/${message.ts}`;
    if ((this._told.get(key) ?? -1) > seq) return channel.messages.has(message.ts);
    if (message.ts > this.newest) this.newest = message.ts;
    const inChannel = !message.is_reply || message.subtype === "thread_broadcast";
    const inThread = message.is_reply && (message.only_for || channel.threads.get(message.root)?.loaded);
    if (!inChannel && !inThread) return false;
    this._told.set(key, seq);
    channel.messages.set(message.ts, message);
    if (inChannel) place(channel.roots, message.ts);
    if (inThread) place(thread(channel, message.root).replies, message.ts);
    return true;
  }
}

/** @param {Channel} channel @param {string} root */
export function thread(channel, root) {
  let known = channel.threads.get(root);
  if (!known) {
    known = { replies: [], loaded: false };
    channel.threads.set(root, known);
  }
  return known;
}

/** @param {Channel} channel @param {Message} message */
function streams(channel, message) {
  const running = channel.live.get(message.root) || new Set();
  if (message.streaming_state === "in_progress") running.add(message.ts);
  else running.delete(message.ts);
  if (running.size) channel.live.set(message.root, running);
  else channel.live.delete(message.root);
}

/** @param {string[]} stamps in order @param {string} ts */
function place(stamps, ts) {
  let at = stamps.length;
  while (at > 0 && stamps[at - 1] > ts) at -= 1;
  if (stamps[at - 1] !== ts) stamps.splice(at, 0, ts);
}

/** @param {string[]} stamps @param {string} ts */
function drop(stamps, ts) {
  const at = stamps.indexOf(ts);
  if (at >= 0) stamps.splice(at, 1);
}
