-- name: asks
-- The asks that may have changed since a moment, the newest first.
SELECT id, key, channel, user, ts, coalesce(json_extract(body, '$.thread'), '') AS thread, feature,
  coalesce(json_extract(body, '$.origin'), '') AS origin,
  substr(coalesce(json_extract(body, '$.text'), ''), 1, 600) AS text,
  at, state, attempt, leased_until, outcome, sentence, ended_at
FROM asks
WHERE state IN ('waiting', 'leased', 'parked') OR at >= :since OR ended_at >= :since
ORDER BY at DESC LIMIT :most;

-- name: requests
-- Their requests to Claude, and the tools that each answer wants.
SELECT ask_id, n, attempt, model, purpose, at, status, message_id, error, ended_at,
  json_extract(response, '$.stop_reason') AS stop_reason,
  (SELECT json_group_array(json_object('id', value ->> 'id', 'name', value ->> 'name', 'input', value -> 'input'))
   FROM json_each(response, '$.content') WHERE value ->> 'type' = 'tool_use') AS uses
FROM requests WHERE ask_id IN (SELECT value FROM json_each(:ids)) ORDER BY ask_id, n;

-- name: tools
-- What their tools gave, and when that was on disk.
SELECT ask_id, use_id, outcome, at FROM tool_results
WHERE ask_id IN (SELECT value FROM json_each(:ids));

-- name: parts
-- The parts of their answers.
SELECT ask_id, n, state, kind, channel, ts, at FROM parts
WHERE ask_id IN (SELECT value FROM json_each(:ids)) ORDER BY ask_id, n;

-- name: booked
-- What the books hold of them.
SELECT ask_id, entry_id, model, purpose, message_id, request_id, input_tokens, cache_write_5m_tokens,
  cache_write_1h_tokens, cache_read_tokens, output_tokens, thinking_tokens, billed, cost_picos, ttft_ms, status
FROM ledger WHERE ask_id IN (SELECT value FROM json_each(:ids)) ORDER BY ask_id, at, entry_id;

-- name: entries
-- The newest rows of the books since a moment.
SELECT entry_id, ask_id, at, channel, user, feature, purpose, model, input_tokens, cache_write_5m_tokens,
  cache_write_1h_tokens, cache_read_tokens, output_tokens, thinking_tokens, stop_reason, billed, cost_picos,
  ttft_ms, latency_ms, status
FROM ledger WHERE at >= :since ORDER BY at DESC, entry_id LIMIT :most;

-- name: sums
-- What each channel has spent and reserved in its latest month.
WITH latest AS (SELECT max(month) AS month FROM (SELECT month FROM spent UNION ALL SELECT substr(day, 1, 7) FROM reservations))
SELECT latest.month AS month, channel, sum(spent) AS spent, sum(reserved) AS reserved FROM latest, (
  SELECT month, channel, picos AS spent, 0 AS reserved FROM spent
  UNION ALL
  SELECT substr(day, 1, 7), channel, 0, picos FROM reservations) AS sums
WHERE sums.month = latest.month GROUP BY channel ORDER BY channel;

-- name: at_work
-- Whether an ask is worked on.
SELECT EXISTS (SELECT 1 FROM asks WHERE state = 'leased') AS busy;
