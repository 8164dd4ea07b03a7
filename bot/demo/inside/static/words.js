/** Numbers and times as people read them. */

/**
 * A duration; "" where it is not known.
 *
 * @param {number | null | undefined} seconds
 */
export function lasting(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 0.0005) return "0 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Exact dollars, with as many places as say something.
 *
 * @param {string | null} dollars As exact decimal; null where the price is not known.
 */
export function money(dollars) {
  if (dollars === null) return "price unknown";
  const value = Number(dollars);
  if (value === 0) return "$0";
  if (Math.abs(value) >= 1) return `$${value.toFixed(2)}`;
  // Three digits that say something, however small it is.
  const zeros = Math.max(0, -Math.floor(Math.log10(Math.abs(value))) - 1);
  return `$${value.toFixed(Math.min(12, zeros + 3))}`;
}

/**
 * A number, or a number of something.
 *
 * @param {number} value
 * @param {string} [what] In the singular.
 */
export function count(value, what = "") {
  const number = value.toLocaleString("en");
  return what ? `${number} ${what}${value === 1 ? "" : "s"}` : number;
}

/** @param {number} value Between 0 and 1. */
export function share(value) {
  return `${(value * 100).toFixed(value > 0 && value < 0.01 ? 2 : 0)} %`;
}

/**
 * The time of day.
 *
 * @param {number} at Epoch seconds.
 * @param {boolean} [fine] With milliseconds.
 */
export function clock(at, fine = false) {
  const moment = new Date(at * 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const whole = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
  return fine ? `${whole}.${String(moment.getMilliseconds()).padStart(3, "0")}` : whole;
}

/**
 * The day and the time.
 *
 * @param {number} at Epoch seconds.
 */
export function day(at) {
  const moment = new Date(at * 1000);
  return `${moment.toLocaleDateString("en", { day: "numeric", month: "short" })}, ${clock(at).slice(0, 5)}`;
}

/**
 * The prompt tokens of an ask or a row of the books, and what share of them was read from cache.
 *
 * @param {Tokens} tokens
 */
export function cached(tokens) {
  const prompt = tokens.input + tokens.write_5m + tokens.write_1h + tokens.read;
  return { prompt, share: prompt ? tokens.read / prompt : 0 };
}

/** @typedef {{input: number, write_5m: number, write_1h: number, read: number, output: number, thinking: number}} Tokens */
