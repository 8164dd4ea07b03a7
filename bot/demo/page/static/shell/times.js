/**
 * Times as people read them.
 * @module
 */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const weekday = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

let ahead = 0; // seconds that the workspace's clock is ahead of this machine's

/** @param {number} seconds that the workspace's clock is ahead of this machine's */
export function setAhead(seconds) {
  ahead = seconds;
}

/** @returns {Date} the moment, by the workspace's clock */
export function now() {
  return new Date(Date.now() + ahead * 1000);
}

/** @param {Date} date @returns {string} "Thu 18:00" in UTC, in which the bot counts */
export function weekdayOf(date) {
  return weekday.format(date).replace(",", "");
}

/** @param {string} ts @returns {Date} */
export function dateOf(ts) {
  return new Date(parseFloat(ts) * 1000);
}

/** @param {string} ts @returns {string} hours and minutes */
export function clockOf(ts) {
  return clock.format(dateOf(ts));
}

/** @param {string} ts @returns {string} */
export function fullOf(ts) {
  return full.format(dateOf(ts));
}

/** @param {string} ts @returns {string} today, yesterday, or the day's name */
export function dayOf(ts) {
  const date = dateOf(ts);
  const days = Math.round((midnight(now()) - midnight(date)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return day.format(date);
}

/** @param {string} one @param {string} other @returns {boolean} whether both are on the same day */
export function sameDay(one, other) {
  return midnight(dateOf(one)) === midnight(dateOf(other));
}

/** @param {number} size bytes @returns {string} */
export function sizeOf(size) {
  if (size < 1024) return `${size} bytes`;
  if (size < 1024 * 1024) return `${Math.round(size / 1024)} kB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}

/** @param {Date} date */
function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
