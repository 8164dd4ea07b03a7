/**
 * Block Kit drawn: each block by its type; one that is not known says so and shows nothing else.
 * @module
 */

import { h, outward } from "../dom.js";
import { plain, textObject } from "../words/mrkdwn.js";
import { Prose } from "../words/prose.js";
import { richText } from "../words/rich_text.js";
import { chart } from "./chart.js";
import { element, feedback } from "./elements.js";
import { inputBlock } from "./inputs.js";
import { tableBlock } from "./table.js";
import { plan, taskCard } from "./tasks.js";

const LEVELS = ["default", "info", "warning", "error", "success"];

/**
 * @typedef {object} Context
 * @property {any} names the workspace
 * @property {(action: {action_id: string, value?: string}) => Promise<void>} click
 * @property {any} [form] in modals: takes the inputs
 */

/**
 * @param {any[]} given
 * @param {Context} context
 * @returns {HTMLElement}
 */
export function blocks(given, context) {
  return h(
    "div",
    { class: "blocks" },
    (given || []).map((block) => one(block, context)),
  );
}

/** @param {any} block @param {Context} context @returns {Node} */
function one(block, context) {
  const draw = DRAWN[block?.type];
  const drawn = draw
    ? draw(block, context)
    : h("p", { class: "unknown" }, `A block of type ${block?.type} is not shown here.`);
  if (drawn instanceof HTMLElement && block?.block_id) drawn.dataset.block = block.block_id;
  return drawn;
}

/** @type {Record<string, (block: any, context: Context) => Node>} */
const DRAWN = {
  section,
  image: (block) => picture(block.alt_text, block.title?.text),
  header: (block) => h("h3", { class: "block-header", dir: "auto" }, plain(block.text?.text || "")),
  divider: () => h("hr"),
  markdown: (block, { names }) => new Prose(names).show(block.text || "").element,
  rich_text: (block, { names }) => richText(block, names),
  context: (block, { names }) =>
    h(
      "div",
      { class: "context" },
      (block.elements || []).map((/** @type {any} */ e) =>
        e.type === "image" ? picture(e.alt_text) : h("span", { dir: "auto" }, textObject(e, names)),
      ),
    ),
  actions: (block, context) =>
    h(
      "div",
      { class: "actions" },
      (block.elements || []).map((/** @type {any} */ e) => element(e, context)),
    ),
  context_actions: (block, context) =>
    h(
      "div",
      { class: "actions small" },
      (block.elements || []).map((/** @type {any} */ e) =>
        e.type === "feedback_buttons" ? feedback(e, context) : element(e, context),
      ),
    ),
  table: (block, { names }) => tableBlock(block, names),
  data_table: (block, { names }) => tableBlock(block, names),
  data_visualization: (block) => chart(block),
  task_card: (block, { names }) => taskCard(block, names),
  plan: (block, { names }) => plan(String(block.title?.text ?? block.title ?? ""), block.tasks || [], names),
  input: (block, context) => inputBlock(block, context),
  alert,
  card,
  container: (block, context) =>
    h(
      "section",
      { class: "container" },
      block.title ? h("h4", { dir: "auto" }, textObject(block.title, context.names)) : null,
      blocks(block.child_blocks, context),
    ),
  carousel: (block, context) =>
    h(
      "div",
      { class: "carousel", tabindex: "0", role: "region", "aria-label": "Cards" },
      (block.elements || []).map((/** @type {any} */ e) => one(e, context)),
    ),
  file: (block) => picture(`File ${block.external_id || ""}`),
  video: (block) =>
    h("p", null, outward(block.title_url, plain(block.title?.text || block.alt_text || "Video"))),
};

/** @param {any} block @param {Context} context */
function section(block, context) {
  const { names } = context;
  const fields = block.fields?.length
    ? h(
        "div",
        { class: "fields" },
        block.fields.map((/** @type {any} */ field) => h("div", { dir: "auto" }, textObject(field, names))),
      )
    : null;
  const words = h(
    "div",
    { class: "section-words", dir: "auto" },
    block.text ? textObject(block.text, names) : null,
    fields,
  );
  const beside =
    block.accessory &&
    (block.accessory.type === "image"
      ? picture(block.accessory.alt_text)
      : element(block.accessory, context));
  return h("div", { class: beside ? "section beside" : "section" }, words, beside);
}

/**
 * Where a picture from outside would be: its description, and nothing is fetched.
 * @param {string} [alt]
 * @param {string} [title]
 */
function picture(alt, title) {
  return h(
    "span",
    {
      class: "no-picture",
      role: "img",
      "aria-label": alt || "Picture",
      title: "Pictures from outside are not loaded here",
    },
    title || alt || "Picture",
  );
}

/** @param {any} block @param {Context} context */
function alert(block, { names }) {
  const level = LEVELS.includes(block.level) ? block.level : "default";
  return h("div", { class: `alert ${level}`, dir: "auto" }, textObject(block.text, names));
}

/** @param {any} block @param {Context} context */
function card(block, context) {
  const { names } = context;
  return h(
    "article",
    { class: "card" },
    h("h4", { dir: "auto" }, textObject(block.title, names)),
    block.subtitle ? h("p", { class: "quiet", dir: "auto" }, textObject(block.subtitle, names)) : null,
    block.body ? h("div", { dir: "auto" }, textObject(block.body, names)) : null,
    block.actions?.length
      ? h(
          "div",
          { class: "actions" },
          block.actions.map((/** @type {any} */ e) => element(e, context)),
        )
      : null,
  );
}
