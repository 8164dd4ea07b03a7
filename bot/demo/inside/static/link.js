/** The one WebSocket: frames in, troubles switched out; it comes back by itself. */

const FIRST_WAIT = 250; // ms before it is tried again
const LONGEST_WAIT = 4000; // ms

/** @typedef {"connecting" | "live" | "lost"} LinkState */

export class Link {
  /**
   * @param {URL} url Of the live feed, by http.
   * @param {import("./memory.js").Memory} memory What frames go into.
   */
  constructor(url, memory) {
    this.memory = memory;
    this.url = new URL(url);
    this.url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    /** @type {LinkState} */
    this.state = "connecting";
    this.wait = FIRST_WAIT;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.wanted = false;
    this.timer = 0;
  }

  /** Connect, and connect again whenever the connection is lost, until `close`. */
  open() {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  connect() {
    const socket = (this.socket = new WebSocket(this.url));
    socket.addEventListener("message", (event) => {
      this.wait = FIRST_WAIT;
      this.become("live");
      this.memory.take(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (this.socket !== socket) return;
      this.become("lost");
      this.timer = setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    });
  }

  /**
   * Switch a trouble.
   *
   * @param {string} name
   * @param {boolean} on
   */
  turn(name, on) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ turn: name, on }));
  }

  /** Connect no more; `open` begins anew. */
  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.become("connecting");
  }

  /** @param {LinkState} state */
  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.memory.tell();
  }
}
