/**
 * The page begins here: its rooms are made, told of each other, and follow where the window stands.
 * @module
 */

import { h } from "./dom.js";
import { address, go, here, onMove } from "./place.js";
import { Header } from "./shell/header.js";
import { icon } from "./shell/icons.js";
import { Inside } from "./shell/inside.js";
import { Sidebar } from "./shell/sidebar.js";
import { restoreTheme } from "./shell/theme.js";
import { announce, note, say, voices } from "./shell/voice.js";
import { ChannelPane } from "./talk/channel.js";
import { renameDays } from "./talk/row.js";
import { ThreadPane } from "./talk/thread.js";
import { Unread } from "./unread.js";
import { Modals } from "./views/modal.js";
import { Wire } from "./wire.js";
import { Workspace } from "./workspace.js";

const DAYS_MILLISECONDS = 60_000; // after which midnight has been noticed

restoreTheme();

/** @type {Set<string>} */
const streaming = new Set();
const workspace = new Workspace();
const wire = new Wire({ frame: (frame) => workspace.hear(frame), state: connection });
const unread = new Unread(workspace, (id, root) =>
  root ? thread.looks(id, root) : channel.looks && channel.shown === id,
);
const rooms = { workspace, unread, wire, act, openThread: (/** @type {string} */ ts) => go({ thread: ts }) };

const drawer = h(
  "button",
  {
    type: "button",
    class: "bare drawer",
    "aria-label": "Channels",
    "aria-controls": "sidebar",
    on: { click: turnDrawer },
  },
  icon("menu"),
);
const inside = new Inside(/** @type {HTMLElement} */ (document.getElementById("inside")));
const header = new Header(workspace, inside.button, act);
const sidebar = new Sidebar(workspace, unread, act);
const channel = new ChannelPane(rooms, drawer);
const thread = new ThreadPane(rooms);
new Modals(workspace, act);

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.prepend(
  header.element,
  sidebar.element,
  h("div", { class: "shade", on: { click: turnDrawer } }),
  channel.element,
  thread.element,
);
document.body.append(...voices());
Object.assign(workspace, { link: (/** @type {string} */ id) => address({ as: here().as, in: id }) });

workspace.addEventListener("snapshot", () => show(true));
workspace.addEventListener("bot", tellBot);
workspace.addEventListener("clock", renameDays);
setInterval(renameDays, DAYS_MILLISECONDS);
workspace.addEventListener("message", (event) => speak(/** @type {CustomEvent} */ (event).detail));
onMove(moved);
document.addEventListener("visibilitychange", () => !document.hidden && show());
document.addEventListener("keydown", shortcuts);
document.addEventListener("click", follow);

wire.sit(here().as);
inside.load();

/** Somebody else may sit here now, or the window may stand elsewhere. */
function moved() {
  if (here().as && here().as !== workspace.self.handle) wire.sit(here().as);
  else show();
}

/** @param {boolean} [anew] everything may have changed */
function show(anew = false) {
  if (!workspace.me) return;
  const spot = here();
  const known = workspace.channels.has(spot.in) ? spot.in : first();
  if (spot.as !== workspace.self.handle || spot.in !== known) {
    go(
      { as: workspace.self.handle, in: known, ...(spot.in === known ? {} : { thread: "", tab: "" }) },
      { quietly: true },
    );
    if (!anew) return;
  }
  channel.show(known, { anew });
  thread.show(known, here().thread, { anew });
  sidebar.show();
  tellBot();
  document.body.classList.add("ready");
  if (anew) performance.mark("ready");
}

/** @returns {string} the channel a person sees first: where the app is, else any */
function first() {
  const all = [...workspace.channels.values()].filter((one) => one.about.joined && !one.about.archived);
  return (
    (all.find((one) => one.about.name && one.about.app_in) || all.find((one) => one.about.name) || all[0])
      ?.id || ""
  );
}

/**
 * Does something, and tells the person when it cannot be done.
 * @param {string} name
 * @param {any} body
 */
async function act(name, body) {
  try {
    return await wire.act(name, body);
  } catch (trouble) {
    note(/** @type {Error} */ (trouble).message);
    throw trouble;
  }
}

/** @param {"open" | "lost"} state */
function connection(state) {
  document.body.classList.toggle("lost", state === "lost");
  if (state === "lost")
    say("The demo does not answer. What you see may be old; it goes on by itself when the demo is back.");
  else tellBot();
}

function tellBot() {
  if (document.body.classList.contains("lost")) return;
  const words = `${workspace.app.name} is not running. Write on: Slack keeps what it misses and delivers it again, for about six minutes. Commands and buttons fail meanwhile.`;
  say(workspace.bot.connected ? "" : words);
}

/** @param {any} detail what a screen reader is told of a message: once, and of a stream when it is whole */
function speak({ channel: id, root, message, fresh }) {
  if (!message || message.user === workspace.me) return;
  if (message.streaming_state === "in_progress") streaming.add(message.ts);
  else if (!fresh && !streaming.delete(message.ts)) return;
  const inSight = id === here().in && (!message.is_reply || root === here().thread);
  if (inSight && !streaming.has(message.ts))
    announce(`${workspace.person(message.user).name}: ${message.text || "a message with blocks"}`);
}

function turnDrawer() {
  const open = document.body.classList.toggle("drawer-open");
  drawer.setAttribute("aria-expanded", String(open));
  if (open)
    /** @type {HTMLElement | null} */ (sidebar.element.querySelector('[aria-current="page"]'))?.focus();
}

/** @param {KeyboardEvent} event */
function shortcuts(event) {
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) turnDrawer();
}

/** @param {MouseEvent} event a reference to a channel leads there */
function follow(event) {
  const link = /** @type {Element} */ (event.target).closest?.("a[data-channel]");
  if (!(link instanceof HTMLElement) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  go({ in: link.dataset.channel || "", thread: "", tab: "" });
}
