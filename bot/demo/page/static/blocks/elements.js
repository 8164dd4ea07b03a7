/**
 * What can be pressed or chosen in a block: buttons, menus, feedback, and their confirmations.
 * @module
 */

import { h, outward } from "../dom.js";
import { icon } from "../shell/icons.js";
import { confirmed } from "../views/confirm.js";
import { plain } from "../words/mrkdwn.js";
import { field } from "./inputs.js";

/** @typedef {import("./blocks.js").Context} Context */

/**
 * @param {any} given
 * @param {Context} context
 * @returns {Node}
 */
export function element(given, context) {
  if (given.type === "button" || given.type === "workflow_button") return button(given, context);
  if (given.type === "icon_button") return button({ ...given, small: true }, context);
  if (given.type === "overflow") return overflow(given, context);
  if (given.type === "feedback_buttons") return feedback(given, context);
  const made = field(given, context.names, {
    acts: true,
    change: (value) => act(given, context, value, made.element),
  });
  return made.element;
}

/** @param {any} given @param {Context} context */
function button(given, context) {
  const label = given.text ? plain(given.text.text || "") : "…";
  if (given.url) return h("span", { class: "button" }, outward(given.url, label));
  const made = h(
    "button",
    {
      type: "button",
      class: ["button", given.style, given.small && "quiet"].filter(Boolean).join(" "),
      "aria-label": given.accessibility_label,
      on: { click: () => act(given, context, undefined, made) },
    },
    label,
  );
  return made;
}

/** @param {any} given @param {Context} context */
function overflow(given, context) {
  const options = given.options || [];
  const select = /** @type {HTMLSelectElement} */ (
    h(
      "select",
      {
        class: "overflow",
        "aria-label": "More",
        on: {
          change: () => {
            act(given, context, select.value, select);
            select.selectedIndex = 0;
          },
        },
      },
      h("option", { value: "" }, "⋯"),
      options.map((/** @type {any} */ option) =>
        h("option", { value: option.value }, option.text?.text || ""),
      ),
    )
  );
  return select;
}

/**
 * Thumbs up and down; what was pressed stays pressed in this window.
 * @param {any} given
 * @param {Context} context
 * @returns {HTMLElement}
 */
export function feedback(given, context) {
  const side = (/** @type {"positive_button" | "negative_button"} */ name, /** @type {string} */ sign) => {
    const about = given[name] || {};
    const label = about.text?.text || (name === "positive_button" ? "Good" : "Bad");
    const made = h(
      "button",
      {
        type: "button",
        class: "thumb",
        "aria-label": label,
        "aria-pressed": "false",
        title: label,
        on: {
          click: async () => {
            if (!(await act(given, context, about.value, made))) return;
            for (const other of made.parentElement?.querySelectorAll(".thumb") || [])
              other.setAttribute("aria-pressed", String(other === made));
          },
        },
      },
      icon(sign),
    );
    return made;
  };
  return h(
    "span",
    { class: "feedback", role: "group", "aria-label": "Was this a good answer?" },
    side("positive_button", "thumb_up"),
    side("negative_button", "thumb_down"),
  );
}

/**
 * Presses it, after its confirmation; while the app is asked it is busy.
 * @param {any} given
 * @param {Context} context
 * @param {string | undefined} value
 * @param {HTMLElement} made
 * @returns {Promise<boolean>} whether the app heard it
 */
async function act(given, context, value, made) {
  if (given.confirm && !(await confirmed(given.confirm, context.names))) return false;
  made.setAttribute("aria-busy", "true");
  try {
    await context.click({ action_id: given.action_id, value });
    return true;
  } catch {
    return false; // whoever gave us `click` has told the person
  } finally {
    made.removeAttribute("aria-busy");
  }
}
