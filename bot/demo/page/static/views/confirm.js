/**
 * A question before something is done.
 * @module
 */

import { h } from "../dom.js";
import { plain, textObject } from "../words/mrkdwn.js";

/**
 * Asks as a button's `confirm` object wants it.
 * @param {any} about title, text, confirm, deny, style
 * @param {any} names the workspace
 * @returns {Promise<boolean>}
 */
export function confirmed(about, names) {
  return new Promise((answer) => {
    const end = (/** @type {boolean} */ yes) => {
      dialog.close();
      dialog.remove();
      answer(yes);
    };
    const no = h(
      "button",
      { type: "button", class: "button", on: { click: () => end(false) } },
      plain(about.deny?.text || "Cancel"),
    );
    const yes = h(
      "button",
      {
        type: "button",
        class: `button ${about.style === "danger" ? "danger" : "primary"}`,
        on: { click: () => end(true) },
      },
      plain(about.confirm?.text || "Yes"),
    );
    const dialog = /** @type {HTMLDialogElement} */ (
      h(
        "dialog",
        {
          class: "sheet question",
          on: { cancel: (/** @type {Event} */ event) => (event.preventDefault(), end(false)) },
        },
        h("h2", null, plain(about.title?.text || "Are you sure?")),
        h("div", { dir: "auto" }, textObject(about.text || { text: "" }, names)),
        h("footer", null, no, yes),
      )
    );
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}
