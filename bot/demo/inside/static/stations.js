/** The stations of an ask's way, as `bot/__init__.py` draws it, and what one ask did at each. */

/**
 * `gives` stands on the arrow that leads to the station: the type that is handed over.
 *
 * @type {{kind: string, name: string, gives: string, says: string}[]}
 */
export const STATIONS = [
  { kind: "listened", name: "Listened", gives: "dict", says: "Slack's delivery came in at the door" },
  {
    kind: "committed",
    name: "Committed",
    gives: "Ask",
    says: "in the inbox, on disk; only then Slack got its ack",
  },
  {
    kind: "leased",
    name: "Leased",
    gives: "Lease",
    says: "a worker took it: who asks, may they, what was said",
  },
  {
    kind: "sent",
    name: "Sent",
    gives: "Conversation",
    says: "a request to Claude, journalled before it left",
  },
  { kind: "tools", name: "Tools", gives: "tool_use", says: "what Claude wanted read, side by side" },
  { kind: "parts", name: "Parts", gives: "TextDelta", says: "the answer in the thread, part by part" },
  { kind: "settled", name: "Settled", gives: "Posted", says: "the books agree with what happened" },
];

const BY_KIND = new Map(STATIONS.map((station) => [station.kind, station]));
const SEVERITY = ["waits", "done", "now", "bad"];

/** @typedef {{key: string, kind: string, at: number | null, first: number | null, until: number | null, state: string, note: string, tools: any[], bill: any}} Step */

/** @param {string} kind */
export function station(kind) {
  return /** @type {typeof STATIONS[number]} */ (BY_KIND.get(kind));
}

/**
 * What an ask did at each of the seven stations.
 *
 * @param {{steps: Step[], state: string}} ask
 * @returns {{kind: string, at: number | null, times: number, state: string, lap: number | null}[]} `lap` is in seconds
 *   since the station before that was passed; null where that is not known.
 */
export function passed(ask) {
  /** @type {number | null} */
  let before = null;
  return STATIONS.map(({ kind }) => {
    const steps = ask.steps.filter((step) => step.kind === kind);
    const begun = steps.filter((step) => step.at !== null);
    const at = begun.length ? Math.min(...begun.map((step) => /** @type {number} */ (step.at))) : null;
    const rank = Math.max(0, ...steps.map((step) => SEVERITY.indexOf(step.state)));
    const over = ask.state === "done" || ask.state === "dead";
    const state = at === null && over ? "skipped" : SEVERITY[rank];
    const lap = at !== null && before !== null && at >= before ? at - before : null;
    before = at ?? before;
    return { kind, at, times: begun.length, state, lap };
  });
}

/**
 * What stands on the arrow into a step: the type handed over, and on later rounds the results.
 *
 * @param {Step[]} steps
 * @param {number} place
 */
export function handedOver(steps, place) {
  const step = steps[place];
  if (step.kind === "sent" && steps[place - 1]?.kind === "tools") return "tool_result";
  if (step.kind === "sent" && steps[place - 1]?.kind === "sent") return "again";
  if (step.kind === "leased" && step.key !== "leased") return "resumed";
  return station(step.kind).gives;
}
