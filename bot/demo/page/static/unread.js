/**
 * What this person has not seen yet, kept for the window's session.
 * @module
 */

/** @typedef {{count: number, mentions: number, first: string}} Mark */

/** Counts what arrives where nobody looks. Event: change. */
export class Unread extends EventTarget {
  /**
   * @param {import("./workspace.js").Workspace} workspace
   * @param {(channel: string, root: string) => boolean} looks whether the person looks at that channel or thread
   */
  constructor(workspace, looks) {
    super();
    this._workspace = workspace;
    this._looks = looks;
    /** @type {Record<string, Mark>} */ this._marks = {};
    this._newest = "";
    this._shown = "";
    workspace.addEventListener("snapshot", () => this._catchUp());
    workspace.addEventListener("message", (event) => this._hear(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {string} channel @param {string} [root] @returns {Mark} */
  mark(channel, root = "") {
    return this._marks[key(channel, root)] || { count: 0, mentions: 0, first: "" };
  }

  /** @param {string} channel @returns {{count: number, mentions: number}} in the channel and its threads */
  all(channel) {
    const own = Object.entries(this._marks).filter(
      ([name]) => name === channel || name.startsWith(`${channel}/`),
    );
    const sum = (/** @type {"count" | "mentions"} */ what) => own.reduce((n, [, mark]) => n + mark[what], 0);
    return { count: sum("count"), mentions: sum("mentions") };
  }

  /** @param {string} channel @param {string} [root] */
  seen(channel, root = "") {
    if (!(key(channel, root) in this._marks)) return;
    delete this._marks[key(channel, root)];
    this._save();
  }

  _catchUp() {
    const stored = restore(this._workspace.me);
    this._marks = stored.marks || {};
    this._newest = stored.newest || this._workspace.newest;
    for (const channel of this._workspace.channels.values()) {
      for (const ts of channel.roots) if (ts > this._newest) this._count(channel.messages.get(ts));
    }
    this._newest = this._workspace.newest;
    this._save();
  }

  /** @param {any} detail */
  _hear({ message, fresh }) {
    if (!message) return;
    if (fresh) {
      this._count(message);
      this._newest = message.ts;
    }
    this._save();
  }

  /** @param {any} message */
  _count(message) {
    const { me } = this._workspace;
    if (!message || message.user === me) return;
    const root = message.is_reply ? message.root : "";
    if (this._looks(message.channel, root)) return;
    const mentioned = (message.text || "").includes(`<@${me}>`);
    if (root && !mentioned && !this._takesPart(message)) return;
    const mark = (this._marks[key(message.channel, root)] ||= { count: 0, mentions: 0, first: message.ts });
    mark.count += 1;
    if (mentioned || this._workspace.channels.get(message.channel)?.about.kind === "im") mark.mentions += 1;
  }

  /** @param {any} message a reply */
  _takesPart(message) {
    const root = this._workspace.message(message.channel, message.root);
    const { me } = this._workspace;
    return root && (root.user === me || (root.reply_users || []).includes(me));
  }

  /** Keeps it, and tells who listens when there is something to tell. */
  _save() {
    const marks = JSON.stringify(this._marks);
    const told = `{"marks":${marks},"newest":${JSON.stringify(this._newest)}}`;
    sessionStorage.setItem(`unread/${this._workspace.me}`, told);
    if (marks === this._shown) return;
    this._shown = marks;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {string} channel @param {string} root */
function key(channel, root) {
  return root ? `${channel}/${root}` : channel;
}

/** @param {string} me @returns {any} */
function restore(me) {
  try {
    return JSON.parse(sessionStorage.getItem(`unread/${me}`) || "{}");
  } catch {
    return {};
  }
}
