-- name: thumbs
-- What people said of answers, in the order of saying.
SELECT ask_id, "user", text FROM signals
WHERE kind = 'feedback' AND at >= :since AND ask_id <> '' AND (:channel::text IS NULL OR channel = :channel)
ORDER BY at, id;

-- name: causes
-- Why responses of these asks missed the cache, where Claude said why.
SELECT message_id, as_json(response) ->> 'cache_miss' AS cause FROM requests
WHERE ask_id IN (SELECT jsonb_array_elements_text(:asks::jsonb)) AND message_id <> '' AND response IS NOT NULL
  AND (as_json(response) ->> 'cache_miss') IS NOT NULL;

-- name: sections
-- What the requests of these asks began with, by hashes.
SELECT message_id, sections FROM requests
WHERE ask_id IN (SELECT jsonb_array_elements_text(:asks::jsonb)) AND message_id <> '' AND sections <> '';

-- name: cold
-- Responses of a span of time that found nothing in cache and wrote for an hour, wherever they were asked for.
SELECT entry_id, model, prompt_version, at, latency_ms, ttft_ms FROM ledger
WHERE at >= :since AND at < :until AND cache_read_tokens = 0 AND cache_write_1h_tokens > 0 AND status = 'settled'
ORDER BY at, entry_id;

-- name: followed
-- The latest asks of a span of time: when each was asked, when its last request left, and in how many calls it was answered.
SELECT team, channel, thread, feature, min(at - coalesce(latency_ms, 0) / 1000.0) AS asked,
  max(at - coalesce(latency_ms, 0) / 1000.0) AS sent, count(*) AS calls
FROM ledger
WHERE at >= :since AND purpose = 'answer' AND status = 'settled' AND iteration = 0 AND ask_id IS NOT NULL
GROUP BY ask_id, team, channel, thread, feature
ORDER BY asked DESC LIMIT :most;

-- name: place
-- The first message of an answer.
SELECT channel, ts FROM parts WHERE ask_id = :ask_id AND ts <> '' ORDER BY n LIMIT 1;

-- name: ask
-- What was asked.
SELECT body FROM asks WHERE id = :ask_id;
