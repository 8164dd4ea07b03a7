-- name: book
-- One billed iteration; booked once, however often it is said.
INSERT INTO ledger (
  entry_id, message_id, iteration, ask_id, at, day, team, channel, user, thread, feature, purpose, model,
  prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
  thinking_tokens, service_tier, speed, inference_geo, stop_reason, refusal_category, billed, cost_picos,
  counted_picos, saved_picos, price_version, request_id, ttft_ms, latency_ms, status)
VALUES (
  :entry_id, :message_id, :iteration, :ask_id, :at, :day, :team, :channel, :user, :thread, :feature, :purpose, :model,
  :prompt_version, :input_tokens, :cache_write_5m_tokens, :cache_write_1h_tokens, :cache_read_tokens, :output_tokens,
  :thinking_tokens, :service_tier, :speed, :inference_geo, :stop_reason, :refusal_category, :billed, :cost_picos,
  :counted_picos, :saved_picos, :price_version, :request_id, :ttft_ms, :latency_ms, :status)
ON CONFLICT DO NOTHING;

-- name: lost
-- Requests whose end nobody saw, of an ask that ends: by the estimates made before they left.
INSERT INTO ledger (
  entry_id, message_id, iteration, ask_id, at, day, team, channel, user, thread, feature, purpose, model,
  prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
  thinking_tokens, service_tier, speed, inference_geo, billed, cost_picos, counted_picos, price_version, status)
SELECT
  requests.ask_id || ':' || requests.n || ':unconfirmed', nullif(requests.message_id, ''), 0, requests.ask_id,
  requests.at, coalesce(reservations.day, date(requests.at, 'unixepoch')),
  asks.team, asks.channel, asks.user, json_extract(asks.body, '$.thread'), asks.feature, requests.purpose, requests.model,
  requests.prompt_version, json_extract(estimate, '$.input_tokens'), json_extract(estimate, '$.cache_write_5m_tokens'),
  json_extract(estimate, '$.cache_write_1h_tokens'), json_extract(estimate, '$.cache_read_tokens'), json_extract(estimate, '$.output_tokens'),
  json_extract(estimate, '$.thinking_tokens'), json_extract(estimate, '$.service_tier'), json_extract(estimate, '$.speed'), json_extract(estimate, '$.inference_geo'),
  1, estimate_cost, coalesce(estimate_cost, reservations.picos, 0), nullif(requests.price_version, ''), 'unconfirmed'
FROM requests
JOIN asks ON asks.id = requests.ask_id
LEFT JOIN reservations ON reservations.ask_id = requests.ask_id AND reservations.n = requests.n
WHERE requests.ask_id = :ask_id AND requests.status = 'open'
ON CONFLICT DO NOTHING;

-- name: rows
-- The books, row by row.
SELECT * FROM ledger
WHERE at >= :since AND at < :until AND (:channel IS NULL OR channel = :channel)
ORDER BY at, entry_id;

-- name: page
-- So many rows of the books, after a place in their order.
SELECT * FROM ledger
WHERE (at, entry_id) > (:at, :entry_id) AND at < :until
ORDER BY at, entry_id LIMIT :most;

-- name: differences
-- Where the sums that are kept are not those of the rows.
SELECT month, channel, sum(kept) AS kept, sum(booked) AS booked
FROM (
  SELECT month, channel, picos AS kept, 0 AS booked FROM spent
  UNION ALL
  SELECT substr(day, 1, 7), coalesce(channel, ''), 0, counted_picos FROM ledger
)
GROUP BY month, channel HAVING sum(kept) <> sum(booked);

-- name: daily
-- What the rows of each day add up to, by everything but persons.
SELECT span, channel, feature, purpose, model, status, entries, asks, model_asks, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
  output_tokens, thinking_tokens, unpriced_tokens, cost_picos, refused_picos, saved_picos,
  iif(status = 'unconfirmed', cost_picos, 0) AS unconfirmed_picos
FROM sums
WHERE span IN (SELECT value FROM json_each(:spans)) AND who = :who
  AND channel >= :low AND channel <= :high AND (channel <> '*' OR :low = '*')
ORDER BY span, channel, feature, purpose, model, status;

-- name: totals
-- The same over days and whole months together, by one of these; of everybody ('*') or of one person.
SELECT
  CASE :by WHEN 'day' THEN span WHEN 'channel' THEN channel WHEN 'feature' THEN feature WHEN 'purpose' THEN purpose
    WHEN 'model' THEN model ELSE '' END AS key,
  sum(entries) AS entries, sum(asks) AS asks, sum(model_asks) AS model_asks,
  sum(input_tokens) AS input_tokens, sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens) AS cache_write_1h_tokens, sum(cache_read_tokens) AS cache_read_tokens,
  sum(output_tokens) AS output_tokens, sum(thinking_tokens) AS thinking_tokens,
  sum(unpriced_tokens) AS unpriced_tokens, sum(cost_picos) AS cost_picos,
  sum(refused_picos) AS refused_picos, sum(saved_picos) AS saved_picos,
  sum(iif(status = 'unconfirmed', cost_picos, 0)) AS unconfirmed_picos
FROM sums
WHERE span IN (SELECT value FROM json_each(:spans)) AND who = :who
  AND channel >= :low AND channel <= :high AND (channel <> '*' OR :low = '*')
GROUP BY 1;

-- name: totals_by_user
-- The same, a person each.
SELECT who AS key,
  sum(entries) AS entries, sum(asks) AS asks, sum(model_asks) AS model_asks,
  sum(input_tokens) AS input_tokens, sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens) AS cache_write_1h_tokens, sum(cache_read_tokens) AS cache_read_tokens,
  sum(output_tokens) AS output_tokens, sum(thinking_tokens) AS thinking_tokens,
  sum(unpriced_tokens) AS unpriced_tokens, sum(cost_picos) AS cost_picos,
  sum(refused_picos) AS refused_picos, sum(saved_picos) AS saved_picos,
  sum(iif(status = 'unconfirmed', cost_picos, 0)) AS unconfirmed_picos
FROM sums
WHERE span IN (SELECT value FROM json_each(:spans)) AND who <> '*' AND channel >= :low AND channel <= :high
GROUP BY 1;

-- name: off
-- Where what is kept of days and months is not what the rows add up to.
SELECT span, who, channel, feature, purpose, model, status
FROM (SELECT * FROM sums UNION ALL SELECT * FROM summed)
GROUP BY span, who, channel, feature, purpose, model, status, entries, asks, model_asks, input_tokens, cache_write_5m_tokens,
  cache_write_1h_tokens, cache_read_tokens, output_tokens, thinking_tokens, unpriced_tokens, cost_picos, refused_picos,
  saved_picos
HAVING count(*) <> 2 ORDER BY span, who, channel, feature, purpose, model, status LIMIT 100;

-- name: forget_sums
-- Everything that is added up, to be added up again from the rows.
DELETE FROM sums;

-- name: forget_spent
-- The same for what counts against budgets.
DELETE FROM spent;

-- name: sum_up
-- Days and months, from the rows.
INSERT INTO sums SELECT * FROM summed;

-- name: spend_up
-- What counts against budgets, from the rows.
INSERT INTO spent
SELECT substr(day, 1, 7), coalesce(channel, ''), sum(counted_picos) FROM ledger GROUP BY 1, 2;

-- name: utc_days
-- What rows add up to by days as Claude's own reports have them.
SELECT date(at, 'unixepoch') AS day, model, status, billed,
  sum(input_tokens) AS input_tokens, sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens) AS cache_write_1h_tokens, sum(cache_read_tokens) AS cache_read_tokens,
  sum(output_tokens) AS output_tokens, coalesce(sum(cost_picos), 0) AS cost_picos
FROM ledger WHERE at >= :since AND at < :until GROUP BY 1, 2, 3, 4;

-- name: utc_borders
-- Rows whose request may belong to the day before or behind: it was on its way at midnight, or near it.
SELECT day, iif(began <> day, began, behind) AS beside, model,
  input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens
FROM (
  SELECT date(at, 'unixepoch') AS day, date(at - coalesce(latency_ms, 0) / 1000.0 - :near, 'unixepoch') AS began,
    date(at + :near, 'unixepoch') AS behind, ledger.*
  FROM ledger WHERE at >= :since AND at < :until AND billed = 1
) WHERE began <> day OR behind <> day;

-- name: spent_since
-- What each channel spent since a moment, as it counts against its budget.
SELECT channel, sum(counted_picos) AS picos FROM ledger
WHERE at >= :since AND channel IS NOT NULL
GROUP BY channel;
