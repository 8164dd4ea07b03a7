/**
 * The way to the stand-in: frames come over one WebSocket, acts go by requests.
 * @module
 */

const FIRST_WAIT = 250; // milliseconds before a lost connection is tried again
const LONGEST_WAIT = 4000;

/** What went wrong, as a sentence for a person. */
export class Trouble extends Error {}

/** One window's connection; it comes back by itself and goes on from the last number it has. */
export class Wire {
  /**
   * @param {object} heard
   * @param {(frame: any) => void} heard.frame
   * @param {(state: "open" | "lost") => void} heard.state
   */
  constructor({ frame, state }) {
    this._frame = frame;
    this._state = state;
    this.me = "";
    this._run = "";
    this._seq = -1;
    /** @type {WebSocket | null} */
    this._socket = null;
    this._wait = FIRST_WAIT;
    this._timer = 0;
    window.addEventListener("online", () => this._again(0));
  }

  /**
   * Sits somebody at this window; what was known of the former person's view is void.
   * @param {string} me a handle or an id
   */
  sit(me) {
    this.me = me;
    this._seq = -1;
    this._run = "";
    const old = this._socket;
    this._socket = null;
    if (old) old.close();
    this._connect();
  }

  /**
   * Does something in the workspace.
   * @param {string} name
   * @param {Record<string, any>} body
   * @returns {Promise<any>}
   * @throws {Trouble} with the stand-in's sentence
   */
  async act(name, body) {
    return this._ask(`/page/do/${name}?${this._who()}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /**
   * Uploads a file.
   * @param {File} file
   * @returns {Promise<string>} its id
   */
  async upload(file) {
    const type = file.type || "application/octet-stream";
    const answer = await this._ask(`/page/files?${this._who()}&name=${encodeURIComponent(file.name)}`, {
      method: "POST",
      headers: { "Content-Type": type },
      body: file,
    });
    return answer.file;
  }

  /**
   * Messages of the past: of a channel before a ts, or of a thread.
   * @param {"history" | "thread"} what
   * @param {Record<string, string>} where
   * @returns {Promise<{seq: number, messages: any[]}>}
   */
  async look(what, where) {
    return this._ask(`/page/${what}?${this._who()}&${new URLSearchParams(where)}`, {});
  }

  _who() {
    return `as=${encodeURIComponent(this.me)}`;
  }

  /** @param {string} address @param {RequestInit} options */
  async _ask(address, options) {
    let response;
    try {
      response = await fetch(address, options);
    } catch {
      throw new Trouble("The demo does not answer. Is it still running in its terminal?");
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Trouble(answer.sentence || `The demo answered with ${response.status}.`);
    return answer;
  }

  _connect() {
    clearTimeout(this._timer);
    const since = this._seq >= 0 ? `&run=${this._run}&since=${this._seq}` : "";
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/page/live?${this._who()}${since}`);
    this._socket = socket;
    socket.onopen = () => {
      this._wait = FIRST_WAIT;
    };
    socket.onmessage = (event) => {
      if (this._socket === socket) this._hear(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (this._socket !== socket) return;
      this._state("lost");
      this._again(this._wait);
      this._wait = Math.min(this._wait * 1.6, LONGEST_WAIT);
    };
  }

  /** @param {any} frame */
  _hear(frame) {
    this._seq = frame.seq;
    if (frame.type === "snapshot") this._run = frame.run;
    this._state("open");
    this._frame(frame);
  }

  /** @param {number} wait milliseconds */
  _again(wait) {
    clearTimeout(this._timer);
    if (this._socket && this._socket.readyState <= WebSocket.OPEN) return;
    this._timer = window.setTimeout(() => this._connect(), wait);
  }
}
