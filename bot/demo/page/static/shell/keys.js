/**
 * Lists that are walked with arrow keys: one stop for the Tab key, the rest by arrows.
 * @module
 */

const STEPS = /** @type {Record<string, number>} */ ({
  ArrowDown: 1,
  ArrowUp: -1,
  ArrowRight: 1,
  ArrowLeft: -1,
});

/**
 * Makes the children that match walkable.
 * @param {HTMLElement} list
 * @param {string} selector
 * @param {{across?: boolean}} [how] across: left and right walk it, else up and down
 */
export function roving(list, selector, { across = false } = {}) {
  const all = () =>
    /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]).filter(
      (one) => one.offsetParent !== null,
    );
  list.addEventListener("keydown", (event) => {
    const keys = across ? ["ArrowRight", "ArrowLeft"] : ["ArrowDown", "ArrowUp"];
    if (![...keys, "Home", "End"].includes(event.key) || event.altKey || event.ctrlKey || event.metaKey)
      return;
    const rows = all();
    const at = rows.findIndex(
      (row) => row === event.target || row.contains(/** @type {Node} */ (event.target)),
    );
    if (at < 0 || isTyping(event.target)) return;
    const next = event.key === "Home" ? 0 : event.key === "End" ? rows.length - 1 : at + STEPS[event.key];
    if (!rows[next]) return;
    event.preventDefault();
    stand(rows[next], rows);
    rows[next].focus();
  });
  list.addEventListener("focusin", (event) => {
    const row = all().find((one) => one.contains(/** @type {Node} */ (event.target)));
    if (row) stand(row, all());
  });
}

/** @param {HTMLElement} row where Tab leads @param {HTMLElement[]} rows */
function stand(row, rows) {
  for (const one of rows) one.tabIndex = one === row ? 0 : -1;
}

/** @param {EventTarget | null} target @returns {boolean} whether keys there are words */
export function isTyping(target) {
  return (
    target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable)
  );
}
