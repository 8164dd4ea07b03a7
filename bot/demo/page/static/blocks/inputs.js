/**
 * What is filled in: the input block of modals, and the fields that messages can have too.
 * @module
 */

import { freshId, h } from "../dom.js";
import { plain } from "../words/mrkdwn.js";

/** Text fields by Slack's name: the kind of HTML's input. */
const TEXT = {
  plain_text_input: "text",
  number_input: "number",
  email_text_input: "email",
  url_text_input: "url",
  rich_text_input: "text",
};
const PICKED = /** @type {Record<string, [string, string]>} */ ({
  datepicker: ["date", "selected_date"],
  timepicker: ["time", "selected_time"],
  datetimepicker: ["datetime-local", "selected_date_time"],
});
const PEOPLE = /** @type {Record<string, string>} */ ({
  users_select: "selected_user",
  channels_select: "selected_channel",
  conversations_select: "selected_conversation",
});

/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {() => Record<string, any>} state as Slack puts it into a view's state
 */

/**
 * @param {any} block
 * @param {import("./blocks.js").Context} context
 * @returns {HTMLElement}
 */
export function inputBlock(block, context) {
  const id = freshId("field");
  const given = block.element || {};
  const made = field(given, context.names, { id });
  context.form?.take(block, given, made);
  const hint = block.hint ? h("p", { class: "hint", id: `${id}-hint` }, plain(block.hint.text || "")) : null;
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  control(made.element)?.setAttribute("aria-describedby", `${id}-hint ${id}-wrong`);
  const isGroup = made.element.matches("fieldset");
  const label = h(
    isGroup ? "span" : "label",
    { class: "label", for: isGroup ? null : id, id: `${id}-label` },
    plain(block.label?.text || ""),
    block.optional ? h("small", null, " optional") : null,
  );
  if (isGroup) made.element.setAttribute("aria-labelledby", `${id}-label`);
  return h("div", { class: "input" }, label, made.element, hint, wrong);
}

/**
 * One field.
 * @param {any} given
 * @param {any} names the workspace
 * @param {{id?: string, acts?: boolean, change?: (value: string) => void}} how acts: each change is told at once
 * @returns {Field}
 */
export function field(given, names, how) {
  if (given.type in TEXT) return textField(given, how);
  if (given.type in PICKED) return picked(given, how);
  if (given.type === "checkboxes" || given.type === "radio_buttons" || given.type?.startsWith("multi_"))
    return boxes(given, names, how);
  return select(given, names, how);
}

/** @param {HTMLElement} element @returns {Element | null} what has the focus in it */
export function control(element) {
  return element.matches("input, textarea, select")
    ? element
    : element.querySelector("input, textarea, select");
}

/** @param {any} given @param {any} how @returns {Field} */
function textField(given, { id, change }) {
  const tag = given.multiline ? "textarea" : "input";
  const element = /** @type {HTMLInputElement} */ (
    h(tag, {
      id,
      dir: "auto",
      type: given.multiline ? null : TEXT[/** @type {keyof typeof TEXT} */ (given.type)],
      rows: given.multiline ? 4 : null,
      step: given.is_decimal_allowed ? "any" : null,
      min: given.min_value,
      max: given.max_value,
      minlength: given.min_length,
      maxlength: given.max_length,
      placeholder: given.placeholder?.text,
      autofocus: given.focus_on_load,
      prop: { value: given.initial_value || "" },
      on: change ? { change: () => change(element.value) } : {},
    })
  );
  return { element, state: () => ({ value: element.value || null }) };
}

/** @param {any} given @param {any} how @returns {Field} */
function picked(given, { id, change }) {
  const [type, name] = PICKED[given.type];
  const element = /** @type {HTMLInputElement} */ (
    h("input", {
      id,
      type,
      "aria-label": given.placeholder?.text || null,
      prop: { value: given.initial_date || given.initial_time || "" },
      on: change ? { change: () => change(element.value) } : {},
    })
  );
  const value = () =>
    type === "datetime-local" ? Math.floor(Date.parse(element.value) / 1000) || null : element.value || null;
  return { element, state: () => ({ [name]: value() }) };
}

/** @param {any} given @param {any} names @param {any} how @returns {Field} */
function select(given, names, { id, acts, change }) {
  const options = optionsOf(given, names);
  const first =
    given.initial_option?.value ||
    given.initial_user ||
    given.initial_channel ||
    given.initial_conversation ||
    "";
  const element = /** @type {HTMLSelectElement} */ (
    h(
      "select",
      {
        id,
        "aria-label": acts ? given.placeholder?.text || "Choose" : null,
        on: change ? { change: () => element.value && change(element.value) } : {},
      },
      h("option", { value: "" }, given.placeholder?.text || "Choose…"),
      options.map((option) =>
        h("option", { value: option.value, selected: option.value === first }, option.text.text),
      ),
    )
  );
  const name = PEOPLE[given.type];
  const chosen = () => options.find((option) => option.value === element.value) || null;
  return { element, state: () => (name ? { [name]: element.value || null } : { selected_option: chosen() }) };
}

/** @param {any} given @param {any} names @param {any} how @returns {Field} */
function boxes(given, names, { id, change }) {
  const options = optionsOf(given, names);
  const single = given.type === "radio_buttons";
  const group = freshId("group");
  const first = new Set(
    [given.initial_option, ...(given.initial_options || [])]
      .filter(Boolean)
      .map((/** @type {any} */ option) => option.value),
  );
  const inputs = options.map(
    (option) =>
      /** @type {HTMLInputElement} */ (
        h("input", {
          type: single ? "radio" : "checkbox",
          name: group,
          value: option.value,
          prop: { checked: first.has(option.value) },
          on: change ? { change: () => change(option.value) } : {},
        })
      ),
  );
  const rows = options.map((option, at) =>
    h(
      "label",
      { class: "choice" },
      inputs[at],
      h(
        "span",
        { dir: "auto" },
        plain(option.text?.text || ""),
        option.description ? h("small", null, plain(option.description.text)) : null,
      ),
    ),
  );
  const element = h(
    "fieldset",
    { id, class: given.type.startsWith("multi_") ? "choices many" : "choices" },
    rows,
  );
  const chosen = () => options.filter((_, at) => inputs[at].checked);
  return {
    element,
    state: () => (single ? { selected_option: chosen()[0] || null } : many(given.type, chosen())),
  };
}

/** @param {string} type @param {any[]} chosen */
function many(type, chosen) {
  const values = chosen.map((option) => option.value);
  if (type === "multi_users_select") return { selected_users: values };
  if (type === "multi_channels_select") return { selected_channels: values };
  if (type === "multi_conversations_select") return { selected_conversations: values };
  return { selected_options: chosen };
}

/** @param {any} given @param {any} names @returns {any[]} */
function optionsOf(given, names) {
  const option = (/** @type {string} */ value, /** @type {string} */ text) => ({
    value,
    text: { type: "plain_text", text },
  });
  if (/users_select$/.test(given.type))
    return [...names.people.values()].filter((p) => !p.deleted).map((p) => option(p.id, p.name));
  if (/(?:channels|conversations)_select$/.test(given.type)) {
    return [...names.channels.values()]
      .filter((c) => c.about.name)
      .map((c) => option(c.id, `#${c.about.name}`));
  }
  return given.options || (given.option_groups || []).flatMap((/** @type {any} */ one) => one.options || []);
}
