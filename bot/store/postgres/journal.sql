-- name: sending
-- A request is about to leave: on disk before it does.
INSERT INTO requests (ask_id, n, attempt, model, purpose, prefix_hash, prompt_version, estimate, estimate_cost, price_version, sections, at)
VALUES (:ask_id, :n, :attempt, :model, :purpose, :prefix_hash, :prompt_version, :estimate, :estimate_cost, :price_version, :sections, :now);

-- name: started
-- Its answer has begun.
UPDATE requests SET message_id = :message_id WHERE ask_id = :ask_id AND n = :n;

-- name: names
-- Whose request has this id for its answer.
SELECT ask_id FROM requests WHERE at >= :since AND message_id = :message_id;

-- name: ended
-- It has ended, with a response or with an error.
UPDATE requests SET status = 'ended', response = :response, error = :error, ended_at = :now
WHERE ask_id = :ask_id AND n = :n AND status = 'open'
RETURNING n;

-- name: lost
-- Of an ask that has ended no request is open.
UPDATE requests SET status = 'ended', error = 'lost', ended_at = :now WHERE ask_id = :ask_id AND status = 'open';

-- name: shared_open
-- Requests that are nobody's and still open.
SELECT ask_id, model, purpose, estimate, prompt_version, at FROM requests
WHERE ask_id >= :prefix AND ask_id < :end AND status = 'open' ORDER BY at;

-- name: tool_result
-- What a tool gave; the first result counts.
INSERT INTO tool_results (ask_id, use_id, content, outcome, at)
VALUES (:ask_id, :use_id, :content, :outcome, :now) ON CONFLICT DO NOTHING;

-- name: part
-- A part of the answer in Slack: about to be opened, open, or said.
INSERT INTO parts (ask_id, n, state, kind, channel, ts, text, at)
VALUES (:ask_id, :n, :state, :kind, :channel, :ts, :text, :now)
ON CONFLICT (ask_id, n) DO UPDATE
SET state = excluded.state, kind = excluded.kind, channel = excluded.channel, ts = excluded.ts, text = excluded.text, at = excluded.at;

-- name: told
-- Everything that is known of an ask's earlier attempts, in one read; `content` and `response` are as they were given.
SELECT 'request' AS what, n, jsonb_build_object(
  'n', n, 'attempt', attempt, 'model', model, 'purpose', purpose, 'prefix_hash', prefix_hash,
  'estimate', as_json(estimate), 'estimate_cost', estimate_cost, 'status', status, 'message_id', message_id,
  'at', at, 'error', error)::text AS record, response AS content
FROM requests WHERE ask_id = :ask_id
UNION ALL
SELECT 'tool', 0, jsonb_build_object('use_id', use_id)::text, content
FROM tool_results WHERE ask_id = :ask_id
UNION ALL
SELECT 'part', n,
  jsonb_build_object('n', n, 'state', state, 'kind', kind, 'channel', channel, 'ts', ts, 'text', text, 'at', at)::text, NULL
FROM parts WHERE ask_id = :ask_id
ORDER BY 1, 2;

-- name: part_at
-- Whose part a message is, if anybody's.
SELECT ask_id, n FROM parts WHERE channel = :channel AND ts = :ts;

-- name: unbooked
-- Responses that the books do not hold.
SELECT utc_day(ended_at) AS day, response FROM requests
WHERE at >= :since AND at < :until AND response IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM ledger WHERE entry_id = (as_json(response) ->> 'id') || ':0');

-- name: flights
-- In which minutes requests to a model were on their way.
SELECT DISTINCT model, floor(at / 60)::bigint AS first, floor(coalesce(ended_at, at + 600) / 60)::bigint AS last
FROM requests WHERE at >= :since AND at < :until
UNION
SELECT DISTINCT model, floor((at - coalesce(latency_ms, 0) / 1000.0) / 60)::bigint, floor(at / 60)::bigint
FROM ledger WHERE at >= :since AND at < :until;
