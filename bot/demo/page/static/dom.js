/**
 * Elements, built one by one. Text is only ever text: nothing here takes markup, so no message, name or block
 * can become any.
 * @module
 */

const SVG = "http://www.w3.org/2000/svg";
const HOLDERS = new Set(["SECTION", "UL"]);
const LINKS = /^(?:https?:|mailto:)/i;

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */
/** @typedef {Record<string, any>} Props attributes; `on` listeners, `data` dataset, `prop` properties */

/**
 * An HTML element.
 * @param {string} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  dress(element, props);
  put(element, ...children);
  return element;
}

/**
 * An SVG element.
 * @param {string} tag
 * @param {Props | null} [props]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  dress(element, props);
  put(element, ...children);
  return element;
}

/**
 * Adds children at the end; null, undefined and false are left out.
 * @param {Element} parent
 * @param {...Child} children
 */
export function put(parent, ...children) {
  parent.append(...flat(children));
}

/**
 * Replaces all children.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...flat(children));
}

/**
 * Replaces those children that look otherwise now, and theirs: who presses one meanwhile keeps it under the finger.
 * What a child does may hang only on what can be seen of it.
 * @param {Element} parent
 * @param {...Child} children
 */
export function refill(parent, ...children) {
  const fresh = flat(children);
  fresh.forEach((child, n) => {
    const old = parent.childNodes[n];
    if (!old) parent.append(child);
    else if (!(child instanceof Element && old instanceof Element)) old.replaceWith(child);
    else if (HOLDERS.has(child.tagName) && old.cloneNode(false).isEqualNode(child.cloneNode(false)))
      refill(old, ...child.childNodes);
    else if (!alike(old, child)) old.replaceWith(child);
  });
  while (parent.childNodes.length > fresh.length) parent.lastChild?.remove();
}

/**
 * Whether two look the same; which of a row the keys go to (`roving`) cannot be seen.
 * @param {Element} old
 * @param {Element} fresh
 */
function alike(old, fresh) {
  const seen = /** @type {Element} */ (old.cloneNode(true));
  for (const one of seen.querySelectorAll("[tabindex]")) one.removeAttribute("tabindex");
  return seen.isEqualNode(fresh);
}

/**
 * An address that a link may have, or "" when it is of a kind that could run something.
 * @param {unknown} address
 * @returns {string}
 */
export function safeAddress(address) {
  const text = typeof address === "string" ? address.trim() : "";
  return LINKS.test(text) ? text : "";
}

/**
 * A link to somewhere outside, opened in a window of its own; plain text where the address is none.
 * @param {unknown} address
 * @param {...Child} label
 * @returns {Node}
 */
export function outward(address, ...label) {
  const href = safeAddress(address);
  if (!href) return h("span", { class: "dead-link" }, ...label);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...label);
}

/**
 * Text as its writer wrote it, in the direction of its own script.
 * @param {string} text
 * @param {string} [kind] a class
 * @returns {HTMLElement}
 */
export function said(text, kind = "") {
  return h("span", { dir: "auto", class: kind || null }, text);
}

let given = 0;

/**
 * An id for an element, never given twice in this window.
 * @param {string} [stem]
 * @returns {string}
 */
export function freshId(stem = "e") {
  given += 1;
  return `${stem}-${given}`;
}

/** @param {Element} element @param {Props | null | undefined} props */
function dress(element, props) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, heard] of Object.entries(value)) element.addEventListener(event, heard);
    } else if (name === "data") {
      Object.assign(/** @type {HTMLElement} */ (element).dataset, value);
    } else if (name === "prop") {
      Object.assign(element, value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/** @param {Child[]} children @returns {(Node | string)[]} */
function flat(children) {
  return /** @type {any[]} */ (children)
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
