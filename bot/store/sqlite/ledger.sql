-- name: book
-- One billed iteration; booked once, however often it is said.
INSERT INTO ledger (
  entry_id, message_id, iteration, ask_id, at, month, team, channel, user, thread, feature, purpose, model,
  prompt_version, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
  thinking_tokens, service_tier, speed, inference_geo, stop_reason, refusal_category, billed, cost_picos,
  price_version, request_id, ttft_ms, latency_ms, status)
VALUES (
  :entry_id, :message_id, :iteration, :ask_id, :at, :month, :team, :channel, :user, :thread, :feature, :purpose, :model,
  :prompt_version, :input_tokens, :cache_write_5m_tokens, :cache_write_1h_tokens, :cache_read_tokens, :output_tokens,
  :thinking_tokens, :service_tier, :speed, :inference_geo, :stop_reason, :refusal_category, :billed, :cost_picos,
  :price_version, :request_id, :ttft_ms, :latency_ms, :status)
ON CONFLICT DO NOTHING;

-- name: add_up
-- The month's sum of a channel, counted only when the row was new: `changes()` is that of the booking before.
INSERT INTO spent (month, channel, picos)
SELECT :month, :channel, :picos WHERE changes() > 0
ON CONFLICT (month, channel) DO UPDATE SET picos = picos + excluded.picos;

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

-- name: sums
-- What the rows say a channel spent in a month; must equal `spent`.
SELECT month, coalesce(channel, '') AS channel, sum(coalesce(cost_picos, 0)) AS picos FROM ledger GROUP BY month, coalesce(channel, '');

-- name: spent
-- The kept sums, by month and channel.
SELECT month, channel, picos FROM spent;
