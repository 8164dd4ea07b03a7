/**
 * Makes elements. Text is only ever text: nothing here, and nothing that uses it, parses markup.
 */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An HTML element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [about] Attributes; functions are listeners by event name; true is an empty attribute,
 *   null and false none; `data` holds data attributes.
 * @param {...Child} children Strings become text.
 * @returns {HTMLElement}
 */
export function el(tag, about = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), about, children));
}

/**
 * An SVG element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [about]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, about = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS(SVG, tag), about, children));
}

/**
 * Put attributes on an element; what is null or false is taken off.
 *
 * @param {Element} element
 * @param {Record<string, any>} about
 */
export function set(element, about) {
  for (const [name, value] of Object.entries(about)) {
    if (name === "data") {
      for (const [key, datum] of Object.entries(value)) {
        /** @type {HTMLElement} */ (element).dataset[key] = String(datum);
      }
    } else if (typeof value === "function") element.addEventListener(name, value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * Give an element this text, and touch nothing where it has it already.
 *
 * @param {Node} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} element
 * @param {Record<string, any>} about
 * @param {Child[]} children
 */
function filled(element, about, children) {
  set(element, about);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
