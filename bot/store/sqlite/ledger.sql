-- name: book
-- One billed iteration; booked once, however often it is said.
INSERT INTO ledger (
  entry_id, message_id, iteration, ask_id, at, month, team, channel, user, thread, feature, purpose, model,
  prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
  thinking_tokens, service_tier, speed, inference_geo, stop_reason, refusal_category, billed, cost_picos,
  counted_picos, price_version, request_id, ttft_ms, latency_ms, status)
VALUES (
  :entry_id, :message_id, :iteration, :ask_id, :at, :month, :team, :channel, :user, :thread, :feature, :purpose, :model,
  :prompt_version, :input_tokens, :cache_write_5m_tokens, :cache_write_1h_tokens, :cache_read_tokens, :output_tokens,
  :thinking_tokens, :service_tier, :speed, :inference_geo, :stop_reason, :refusal_category, :billed, :cost_picos,
  :counted_picos, :price_version, :request_id, :ttft_ms, :latency_ms, :status)
ON CONFLICT DO NOTHING;

-- name: lost
-- Requests whose end nobody saw, of an ask that ends: by the estimates made before they left.
INSERT INTO ledger (
  entry_id, message_id, iteration, ask_id, at, month, team, channel, user, thread, feature, purpose, model,
  prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
  thinking_tokens, service_tier, speed, inference_geo, billed, cost_picos, counted_picos, price_version, status)
SELECT
  requests.ask_id || ':' || requests.n || ':unconfirmed', nullif(requests.message_id, ''), 0, requests.ask_id,
  requests.at, coalesce(reservations.month, strftime('%Y-%m', requests.at, 'unixepoch')),
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
  SELECT month, coalesce(channel, ''), 0, counted_picos FROM ledger
)
GROUP BY month, channel HAVING sum(kept) <> sum(booked);
