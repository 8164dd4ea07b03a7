/**
 * Reactions under a message, and the picker that adds one.
 * @module
 */

import { h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { popup } from "../shell/popup.js";
import { EMOJI, emoji, NAMES, USUAL } from "../words/emoji.js";

const FOUND = 32; // emoji shown for a search

/**
 * @param {any} message
 * @param {any} workspace
 * @param {(name: string) => void} react
 * @returns {Node[]}
 */
export function reactions(message, workspace, react) {
  const given = message.reactions || [];
  if (!given.length) return [];
  const chips = given.map((/** @type {any} */ one) => {
    const who = one.users.map((/** @type {string} */ id) => workspace.person(id).name).join(", ");
    const mine = one.users.includes(workspace.me);
    return h(
      "button",
      {
        type: "button",
        class: "reaction",
        "aria-pressed": String(mine),
        title: `${who}: ${one.name}`,
        "aria-label": `${one.name}, ${one.count}: ${who}`,
        on: { click: () => react(one.name) },
      },
      emoji(one.name) || `:${one.name}:`,
      h("span", { "aria-hidden": "true" }, one.count),
    );
  });
  const add = h(
    "button",
    {
      type: "button",
      class: "reaction add",
      "aria-label": "Add a reaction",
      on: { click: () => pick(add, react) },
    },
    icon("smile"),
  );
  return [...chips, add];
}

/**
 * Lets somebody choose an emoji.
 * @param {HTMLElement} opener
 * @param {(name: string) => void} chosen
 */
export function pick(opener, chosen) {
  const found = h("div", { class: "emoji-grid" });
  const search = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "search",
      placeholder: "Find an emoji",
      "aria-label": "Find an emoji",
      on: { input: () => show() },
    })
  );
  const show = () => {
    const words = search.value.trim().toLowerCase().replaceAll(" ", "_");
    const names = words
      ? NAMES.filter((name) => name.includes(words)).slice(0, FOUND)
      : [...new Set([...USUAL, ...NAMES])].slice(0, FOUND);
    found.replaceChildren(
      ...names.map((name) =>
        h(
          "button",
          {
            type: "button",
            class: "bare",
            "aria-label": name,
            title: `:${name}:`,
            on: {
              click: () => {
                close();
                chosen(name);
              },
            },
          },
          EMOJI.get(name),
        ),
      ),
    );
  };
  show();
  const close = popup(opener, h("div", { class: "picker" }, search, found), {
    across: true,
    label: "Choose an emoji",
  });
  search.focus();
}
