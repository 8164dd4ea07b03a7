/**
 * The data_visualization block: bars, lines, areas and pies as inline SVG, and the same numbers as a table.
 * @module
 */

import { h, svg } from "../dom.js";
import { grid } from "./table.js";

const WIDE = 560;
const HIGH = 240;
const LEFT = 56;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 44;
const STEPS = 4; // lines across the picture

/**
 * @param {any} block
 * @returns {HTMLElement}
 */
export function chart(block) {
  const drawing = block.chart || {};
  const isPie = drawing.type === "pie";
  const series = isPie ? [] : drawing.series || [];
  const picture = isPie ? pie(drawing.segments || [], block.title) : plot(drawing, series, block.title);
  const keys = isPie
    ? (drawing.segments || []).map((/** @type {any} */ s) => s.label)
    : series.map((/** @type {any} */ s) => s.name);
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", { dir: "auto" }, String(block.title || "")),
    picture,
    keys.length > 1 || isPie ? legend(keys) : null,
    h(
      "details",
      null,
      h("summary", null, "As a table"),
      grid(isPie ? pieRows(drawing) : rows(drawing, series), {
        align: ["left", ...keys.map(() => "right")],
        label: block.title,
      }),
    ),
  );
}

/** @param {string[]} keys */
function legend(keys) {
  return h(
    "ul",
    { class: "legend" },
    keys.map((key, at) =>
      h("li", { class: `series-${at % 6}`, dir: "auto" }, h("i", { "aria-hidden": "true" }), key),
    ),
  );
}

/** @param {any} drawing @param {any[]} series @param {string} title */
function plot(drawing, series, title) {
  const axis = drawing.axis_config || {};
  const categories = /** @type {string[]} */ (axis.categories || []);
  const values = series.flatMap((one) =>
    one.data.map((/** @type {any} */ point) => Number(point.value) || 0),
  );
  const [low, high] = span(values);
  const y = (/** @type {number} */ value) =>
    TOP + ((high - value) / (high - low || 1)) * (HIGH - TOP - BOTTOM);
  const band = (WIDE - LEFT - RIGHT) / Math.max(categories.length, 1);
  const x = (/** @type {number} */ at) => LEFT + band * (at + 0.5);
  const draw = drawing.type === "bar" ? bars : drawing.type === "area" ? areas : lines;
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDE} ${HIGH}`,
      role: "img",
      "aria-label": describe(
        drawing.type,
        title,
        series.map((s) => s.name),
      ),
    },
    ruler(low, high, y),
    draw(series, { x, y, band, zero: y(Math.max(low, Math.min(0, high))) }),
    categories.map((name, at) => label(name, at, { x, band, count: categories.length })),
    axis.x_label
      ? svg(
          "text",
          { class: "axis", x: (WIDE + LEFT) / 2, y: HIGH - 6, "text-anchor": "middle" },
          axis.x_label,
        )
      : null,
    axis.y_label
      ? svg(
          "text",
          {
            class: "axis",
            transform: `translate(11 ${(HIGH - BOTTOM) / 2}) rotate(-90)`,
            "text-anchor": "middle",
          },
          axis.y_label,
        )
      : null,
  );
}

/** @param {string} name @param {number} at @param {any} scale */
function label(name, at, { x, band, count }) {
  const every = Math.ceil((count * 34) / (WIDE - LEFT - RIGHT));
  if (at % every) return null;
  const room = Math.max(3, Math.floor((band * every) / 6.6));
  const shown = name.length > room ? `${name.slice(0, room - 1)}…` : name;
  return svg(
    "text",
    { class: "tick", x: x(at), y: HIGH - BOTTOM + 18, "text-anchor": "middle" },
    svg("title", null, name),
    shown,
  );
}

/** @param {number} low @param {number} high @param {(v: number) => number} y */
function ruler(low, high, y) {
  const made = [];
  for (let step = 0; step <= STEPS; step += 1) {
    const value = low + ((high - low) * step) / STEPS;
    made.push(
      svg("line", {
        class: value === 0 ? "rule zero" : "rule",
        x1: LEFT,
        x2: WIDE - RIGHT,
        y1: y(value),
        y2: y(value),
      }),
    );
    made.push(
      svg("text", { class: "tick", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, short(value)),
    );
  }
  return made;
}

/** @param {any[]} series @param {any} scale */
function bars(series, { x, y, band, zero }) {
  const width = Math.min(44, (band * 0.7) / series.length);
  return series.map((one, at) =>
    svg(
      "g",
      { class: `series-${at % 6}` },
      one.data.map((/** @type {any} */ point, /** @type {number} */ place) => {
        const top = Math.min(y(point.value), zero);
        const height = Math.max(Math.abs(y(point.value) - zero), 1);
        const left = x(place) + (at - series.length / 2) * width;
        return svg(
          "rect",
          { x: left + 1, y: top, width: Math.max(width - 2, 1), height, rx: Math.min(3, height / 2) },
          hint(one.name, point),
        );
      }),
    ),
  );
}

/** @param {any[]} series @param {any} scale */
function lines(series, { x, y }) {
  return series.map((one, at) =>
    svg(
      "g",
      { class: `series-${at % 6}` },
      svg("polyline", { class: "line", points: points(one, x, y) }),
      one.data.map((/** @type {any} */ point, /** @type {number} */ place) =>
        svg("circle", { cx: x(place), cy: y(point.value), r: 3.5 }, hint(one.name, point)),
      ),
    ),
  );
}

/** @param {any[]} series @param {any} scale */
function areas(series, scale) {
  const { x, y, zero } = scale;
  const filled = series.map((one, at) => {
    const last = x(one.data.length - 1);
    return svg("polygon", {
      class: `fill series-${at % 6}`,
      points: `${x(0)},${zero} ${points(one, x, y)} ${last},${zero}`,
    });
  });
  return [filled, lines(series, scale)];
}

/** @param {any} one @param {(at: number) => number} x @param {(v: number) => number} y */
function points(one, x, y) {
  return one.data
    .map((/** @type {any} */ point, /** @type {number} */ at) => `${x(at)},${y(point.value)}`)
    .join(" ");
}

/** @param {any[]} segments @param {string} title */
function pie(segments, title) {
  const total = segments.reduce((sum, one) => sum + Math.max(0, Number(one.value) || 0), 0) || 1;
  let turned = 0;
  const slices = segments.map((one, at) => {
    const share = Math.max(0, Number(one.value) || 0) / total;
    const from = turned;
    turned += share;
    return svg(
      "path",
      { class: `series-${at % 6}`, d: slice(from, turned), "fill-rule": "evenodd" },
      hint(`${Math.round(share * 100)} %`, one),
    );
  });
  const label = describe(
    "pie",
    title,
    segments.map((s) => `${s.label} ${s.value}`),
  );
  return svg("svg", { viewBox: "0 0 240 200", class: "pie", role: "img", "aria-label": label }, slices);
}

/** @param {number} from share of the turn @param {number} to @returns {string} a ring's slice */
function slice(from, to) {
  const end = to - from >= 1 ? from + 0.9999 : to;
  const spot = (/** @type {number} */ share, /** @type {number} */ radius) => {
    const angle = share * 2 * Math.PI - Math.PI / 2;
    return `${(120 + radius * Math.cos(angle)).toFixed(2)} ${(100 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = end - from > 0.5 ? 1 : 0;
  return `M ${spot(from, 90)} A 90 90 0 ${large} 1 ${spot(end, 90)} L ${spot(end, 52)} A 52 52 0 ${large} 0 ${spot(from, 52)} Z`;
}

/** @param {string} name @param {any} point */
function hint(name, point) {
  return svg("title", null, `${name}, ${point.label}: ${point.value}`);
}

/** @param {number[]} values @returns {[number, number]} round ends of the axis */
function span(values) {
  const high = Math.max(0, ...values);
  const low = Math.min(0, ...values);
  const rough = (high - low) / STEPS || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => high - Math.floor(low / n) * n <= n * STEPS) ||
    20 * power;
  const floor = Math.floor(low / step) * step;
  return [floor, floor + step * STEPS];
}

/** @param {number} value */
function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toFixed(1)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toFixed(1)}k`;
  return String(+value.toPrecision(4));
}

/** @param {string} kind @param {string} title @param {string[]} names */
function describe(kind, title, names) {
  return `${kind} chart: ${title}. ${names.join(", ")}`;
}

/** @param {any} drawing @param {any[]} series */
function rows(drawing, series) {
  const categories = drawing.axis_config?.categories || [];
  const head = [drawing.axis_config?.x_label || "", ...series.map((one) => one.name)];
  return [
    head,
    ...categories.map((/** @type {string} */ name, /** @type {number} */ at) => [
      name,
      ...series.map((one) => String(one.data[at]?.value ?? "")),
    ]),
  ];
}

/** @param {any} drawing */
function pieRows(drawing) {
  return [
    ["", "value"],
    ...(drawing.segments || []).map((/** @type {any} */ one) => [one.label, String(one.value)]),
  ];
}
