/**
 * Files under a message: a picture, the beginning of a text, or its name.
 * @module
 */

import { h } from "../dom.js";
import { icon } from "../shell/icons.js";
import { sizeOf } from "../shell/times.js";

const PICTURES = /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/;
const PREVIEW_LINES = 8;

/**
 * @param {any} file
 * @returns {HTMLElement}
 */
export function fileCard(file) {
  const gone = file.mode === "tombstone";
  const name = h("span", { class: "file-name", dir: "auto" }, gone ? "A deleted file" : file.name);
  const about = h("small", null, gone ? "" : sizeOf(file.size));
  const title = gone
    ? h("span", { class: "file" }, icon("file"), name)
    : h(
        "a",
        { class: "file", href: file.url, download: file.name },
        icon("file"),
        h("span", null, name, about),
      );
  if (!gone && PICTURES.test(file.mimetype))
    return h(
      "figure",
      { class: "file-card" },
      h("img", { src: file.url, alt: file.name, loading: "lazy" }),
      title,
    );
  const lines = String(file.preview || "").split("\n");
  const cut = lines.length > PREVIEW_LINES || (file.preview || "").length < file.size;
  const preview = file.preview
    ? h("pre", { dir: "auto" }, lines.slice(0, PREVIEW_LINES).join("\n"), cut ? "\n…" : "")
    : null;
  return h("figure", { class: "file-card" }, title, preview);
}
