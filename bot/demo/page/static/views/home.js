/**
 * The app's home tab.
 * @module
 */

import { fill, h } from "../dom.js";
import { blocks } from "../blocks/blocks.js";

/** Shows what the app published for this person. */
export class Home {
  /**
   * @param {import("../workspace.js").Workspace} workspace
   * @param {(name: string, body: any) => Promise<any>} act
   */
  constructor(workspace, act) {
    this._workspace = workspace;
    this._act = act;
    this.element = h("section", { class: "home", "aria-label": "Home", tabindex: "-1", hidden: true });
    workspace.addEventListener("home", () => this.show());
  }

  /** Opens it: the app hears of that. */
  open() {
    this.show();
    this._act("home", { tab: "home" }).catch(() => null);
  }

  show() {
    const { home, app } = this._workspace;
    if (!home) {
      fill(this.element, h("p", { class: "empty" }, `${app.name} has put nothing on your home yet.`));
      return;
    }
    const click = (/** @type {any} */ action) => this._act("click", { view: home.id, ...action });
    fill(this.element, blocks(home.view.blocks, { names: this._workspace, click }));
  }
}
