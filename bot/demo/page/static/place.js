/**
 * Where this window stands: who sits at it, which channel, thread and tab; kept in the address, so that a reload,
 * a bookmark and a second window work.
 * @module
 */

/**
 * @typedef {object} Spot
 * @property {string} as handle of who sits here
 * @property {string} in channel id
 * @property {string} thread the root's ts, or ""
 * @property {string} tab "home" in the app's own channel, or ""
 */

/** @returns {Spot} */
export function here() {
  const words = new URLSearchParams(location.hash.slice(1));
  const word = (/** @type {string} */ name) => words.get(name) || "";
  return { as: word("as"), in: word("in"), thread: word("thread"), tab: word("tab") };
}

/**
 * The address of a spot, as a link has it.
 * @param {Partial<Spot>} spot
 * @returns {string}
 */
export function address(spot) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(spot)) if (value) words.set(name, value);
  return `#${words}`;
}

/**
 * Goes elsewhere; what is not named stays.
 * @param {Partial<Spot>} spot
 * @param {{quietly?: boolean}} [how] quietly: the way back does not lead here
 */
export function go(spot, { quietly = false } = {}) {
  const next = address({ ...here(), ...spot });
  if (next === location.hash) return;
  if (quietly) history.replaceState(null, "", next);
  else history.pushState(null, "", next);
  window.dispatchEvent(new Event("moved"));
}

/**
 * Calls back whenever the window stands elsewhere.
 * @param {() => void} heard
 */
export function onMove(heard) {
  window.addEventListener("moved", heard);
  window.addEventListener("popstate", heard);
}
