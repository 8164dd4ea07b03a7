-- name: put
-- What an ask is likely to take; said again, the last one counts, and what was decided stays.
INSERT INTO estimates (ask_id, at, tokens, picos, seconds) VALUES (:ask_id, :now, :tokens, :picos, :seconds)
ON CONFLICT (ask_id) DO UPDATE SET tokens = excluded.tokens, picos = excluded.picos, seconds = excluded.seconds;

-- name: ask
-- Somebody has to decide; asked again, the day that they have still began with the first time.
UPDATE estimates SET state = 'asked' WHERE ask_id = :ask_id AND state = '';

-- name: decide
-- What was decided, once.
UPDATE estimates SET state = :state, "user" = :user, press = :press, decided_at = :now
WHERE ask_id = :ask_id AND state = 'asked'
RETURNING ask_id;

-- name: of
-- What an ask was likely to take, and what was decided about it.
SELECT
  estimates.at, estimates.tokens, estimates.picos, estimates.seconds, estimates.state, estimates."user", estimates.press,
  asks."user" AS asker
FROM estimates JOIN asks ON asks.id = estimates.ask_id
WHERE estimates.ask_id = :ask_id;

-- name: pairs
-- Estimates of a span of time beside what became of them; asks that have ended and were asked of Claude.
WITH ended AS MATERIALIZED (
  SELECT estimates.*, asks.channel, asks.feature
  FROM estimates JOIN asks ON asks.id = estimates.ask_id
  WHERE estimates.at >= :since AND estimates.at < :until AND asks.state IN ('done', 'dead')
)
SELECT
  ended.ask_id, ended.channel, ended.feature, ended.at, ended.tokens, ended.picos, ended.seconds, ended.state,
  sum(ledger.counted_picos)::bigint AS spent, sum(ledger.output_tokens)::bigint AS output_tokens,
  sum(ledger.input_tokens + ledger.cache_write_5m_tokens + ledger.cache_write_1h_tokens + ledger.cache_read_tokens)::bigint
    AS prompt_tokens
FROM ended JOIN ledger ON ledger.ask_id = ended.ask_id
GROUP BY ended.ask_id, ended.channel, ended.feature, ended.at, ended.tokens, ended.picos, ended.seconds, ended.state
ORDER BY ended.at, ended.ask_id;

-- name: warmth
-- How much of a prompt Claude's cache is likely to hold, of a thread and of what all share, and how fast a model was lately.
WITH lately AS MATERIALIZED (
  SELECT * FROM ledger WHERE at >= :since_shared AND model = :model ORDER BY at DESC LIMIT :most
)
SELECT
  coalesce((
    SELECT cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens FROM ledger
    WHERE entry_id = :entry_id AND model = :model AND at >= :since_thread), 0) AS thread,
  coalesce((
    SELECT min(cache_read_tokens + cache_write_1h_tokens) FROM lately
    WHERE prompt_version = :prompt_version AND cache_read_tokens + cache_write_1h_tokens > 0), 0) AS shared,
  (SELECT (sum(output_tokens) * 1000.0 / sum(latency_ms))::double precision FROM lately
    WHERE latency_ms > 0 AND output_tokens > 0 AND status = 'settled') AS speed;
