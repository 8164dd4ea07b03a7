/**
 * The page's signs, drawn as strokes of one weight.
 * @module
 */

import { svg } from "../dom.js";

/** @type {Record<string, string[]>} */
const PATHS = {
  hash: ["M9 4 7 20", "M17 4l-2 16", "M4 9h16", "M4 15h16"],
  lock: ["M7 11V8a5 5 0 0 1 10 0v3", "M5 11h14v9H5z"],
  shared: ["M9 12h6", "M10 8H8a4 4 0 0 0 0 8h2", "M14 8h2a4 4 0 0 1 0 8h-2"],
  archive: ["M4 5h16v4H4z", "M6 9v10h12V9", "M10 13h4"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  back: ["M14 6l-6 6 6 6"],
  send: ["M4 12 20 5l-6 15-3-6.5z"],
  attach: ["M8 12.5l6-6a3 3 0 0 1 4.3 4.3l-8 8a5 5 0 0 1-7-7l7.6-7.6"],
  thread: ["M5 5h14v10H12l-4 4v-4H5z"],
  smile: [
    "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
    "M8.5 14a4 4 0 0 0 7 0",
    "M9 9.6v.2",
    "M15 9.6v.2",
  ],
  more: ["M6 12h.01", "M12 12h.01", "M18 12h.01"],
  edit: ["M5 19l1-4L16 5l3 3L9 18z"],
  trash: ["M5 7h14", "M9 7V4.5h6V7", "M7 7l1 13h8l1-13"],
  copy: ["M9 9h10v11H9z", "M15 9V4H5v11h4"],
  stop: ["M7 7h10v10H7z"],
  sun: [
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
    "M12 2.5v2",
    "M12 19.5v2",
    "M2.5 12h2",
    "M19.5 12h2",
    "M5.3 5.3l1.4 1.4",
    "M17.3 17.3l1.4 1.4",
    "M5.3 18.7l1.4-1.4",
    "M17.3 6.7l1.4-1.4",
  ],
  moon: ["M19.5 14.2A7.8 7.8 0 0 1 9.8 4.5a7.8 7.8 0 1 0 9.7 9.7z"],
  chevron: ["M6 9.5l6 6 6-6"],
  window: ["M14 5h5v5", "M19 5l-8 8", "M17 14v5H5V7h5"],
  file: ["M7 3.5h7l4 4v13H7z", "M14 3.5v4h4"],
  spark: ["M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8z"],
  inside: ["M4 5h16v14H4z", "M14.5 5v14"],
  thumb_up: [
    "M8 20H5v-9h3",
    "M8 11l4-7c1.6 0 2.4 1 2.1 2.6L13.6 9H18a2 2 0 0 1 2 2.3l-1 6.4a2.5 2.5 0 0 1-2.5 2.3H8",
  ],
  thumb_down: [
    "M8 4H5v9h3",
    "M8 13l4 7c1.6 0 2.4-1 2.1-2.6L13.6 15H18a2 2 0 0 0 2-2.3l-1-6.4A2.5 2.5 0 0 0 16.5 4H8",
  ],
  pending: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z"],
  clock: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z", "M12 8v4.3l2.8 1.7"],
  in_progress: ["M12 4.5a7.5 7.5 0 1 1-7.5 7.5"],
  complete: ["M5.5 12.5l4.2 4.2 9-9.5"],
  error: ["M12 6v7", "M12 17.5v.1"],
};

/**
 * @param {string} name
 * @returns {SVGElement} hidden from screen readers; who shows it gives the label
 */
export function icon(name) {
  const paths = PATHS[name] || PATHS.more;
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `icon i-${name}`, "aria-hidden": "true", focusable: "false" },
    paths.map((d) => svg("path", { d })),
  );
}
