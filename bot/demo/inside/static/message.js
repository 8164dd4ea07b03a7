/** One wire message whole, as JSON to leaf through. */

import { el } from "./element.js";
import { tree } from "./tree.js";
import { clock } from "./words.js";

export class Message {
  /** @param {(path: string) => Promise<any>} fetched */
  constructor(fetched) {
    this.fetched = fetched;
    this.node = el("div", { class: "message", "aria-live": "polite" });
    this.id = 0;
  }

  /**
   * Fetch it and show it.
   *
   * @param {number} id
   */
  async show(id) {
    this.id = id;
    this.node.replaceChildren(el("p", { class: "empty" }, "Looking it up…"));
    const found = await this.fetched(`messages/${id}`);
    if (this.id !== id) return;
    if (!found) {
      this.node.replaceChildren(el("p", { class: "empty" }, "This message is not kept any more."));
      return;
    }
    const again = () => this.show(id);
    this.node.replaceChildren(
      el(
        "p",
        { class: "caption" },
        `${clock(found.at, true)} · ${found.who}`,
        found.open
          ? el("button", { type: "button", class: "link", click: again }, "No answer yet: look again")
          : null,
      ),
      tree(found.whole),
    );
  }
}
