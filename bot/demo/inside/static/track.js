/** The way of an ask in one line: seven stops, with the time between them; stops of all asks stand in columns. */

import { el, svg } from "./element.js";
import { STATIONS, passed } from "./stations.js";
import { lasting } from "./words.js";

const WIDTH = 100; // of a column, in the picture's own units
const MIDDLE = 10;

/** The names above the columns. */
export function trackNames() {
  return el(
    "div",
    { class: "track-names", "aria-hidden": "true" },
    ...STATIONS.map(({ name }) => el("span", {}, name)),
  );
}

/**
 * Draw an ask's way.
 *
 * @param {any} ask
 * @returns {HTMLElement}
 */
export function track(ask) {
  const stops = passed(ask);
  const said = stops
    .filter((stop) => stop.at !== null)
    .map((stop) => stop.kind)
    .join(", ");
  return el(
    "div",
    { class: "track", role: "img", "aria-label": `Passed: ${said}` },
    line(stops),
    ...stops.map(stopOf),
  );
}

/**
 * The rail behind the stops: drawn as far as the ask has come.
 *
 * @param {ReturnType<typeof passed>} stops
 */
function line(stops) {
  const width = WIDTH * stops.length;
  const x = (/** @type {number} */ i) => WIDTH * (i + 0.5);
  const rails = stops.slice(1).map((stop, i) => {
    const reached = stop.at !== null || stops.slice(i + 2).some((later) => later.at !== null);
    const state = stop.state === "skipped" ? "skipped" : reached ? "done" : "waits";
    return svg("line", { x1: x(i), x2: x(i + 1), y1: MIDDLE, y2: MIDDLE, data: { state } });
  });
  return svg(
    "svg",
    { class: "rail", viewBox: `0 0 ${width} ${2 * MIDDLE}`, preserveAspectRatio: "none" },
    ...rails,
  );
}

/** @param {ReturnType<typeof passed>[number]} stop */
function stopOf(stop) {
  const many = stop.times > 1 ? String(stop.times) : "";
  return el(
    "span",
    { class: "stop", data: { state: stop.state, kind: stop.kind } },
    el("i", { class: "dot" }, many),
    el("span", { class: "lap" }, lasting(stop.lap)),
  );
}
