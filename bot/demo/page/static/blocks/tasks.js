/**
 * Task cards and plans: what the app is doing, step by step.
 * @module
 */

import { h, outward } from "../dom.js";
import { icon } from "../shell/icons.js";
import { inline } from "../words/inline.js";
import { richText } from "../words/rich_text.js";

const STATES = { pending: "waiting", in_progress: "at work", complete: "done", error: "failed" };

/**
 * One task, of a stream's chunk or a task_card block.
 * @param {any} task
 * @param {any} names the workspace
 * @returns {HTMLElement}
 */
export function taskCard(task, names) {
  const state = task.status in STATES ? /** @type {keyof typeof STATES} */ (task.status) : "pending";
  const more = [words(task.details, names), words(task.output, names), sources(task.sources)]
    .flat()
    .filter(Boolean);
  const title = [
    h("span", { class: "task-mark", role: "img", "aria-label": STATES[state] }, icon(state)),
    h("span", { dir: "auto", class: "task-title" }, String(task.title || "")),
  ];
  if (!more.length) return h("div", { class: `task-card ${state}` }, title);
  return h(
    "details",
    { class: `task-card ${state}` },
    h("summary", null, title),
    h("div", { class: "task-more" }, more),
  );
}

/**
 * A plan with its tasks.
 * @param {string} title
 * @param {any[]} tasks
 * @param {any} names
 * @returns {HTMLElement}
 */
export function plan(title, tasks, names) {
  const done = tasks.filter((task) => task.status === "complete").length;
  return h(
    "section",
    { class: "plan", "aria-label": title || "Steps" },
    title
      ? h(
          "header",
          null,
          h("span", { dir: "auto" }, title),
          tasks.length ? h("small", null, `${done} of ${tasks.length}`) : null,
        )
      : null,
    tasks.map((task) => taskCard(task, names)),
  );
}

/** @param {any} value a text or a rich_text block @param {any} names */
function words(value, names) {
  if (!value) return null;
  if (typeof value === "object") return richText(value, names);
  return h("p", { dir: "auto" }, inline(String(value), names));
}

/** @param {any} given */
function sources(given) {
  if (!Array.isArray(given) || !given.length) return null;
  return h(
    "ul",
    { class: "sources" },
    given.map((one) => h("li", null, outward(one?.url, String(one?.text || one?.url || "")))),
  );
}
