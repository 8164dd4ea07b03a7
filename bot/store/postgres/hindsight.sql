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

-- name: place
-- The first message of an answer.
SELECT channel, ts FROM parts WHERE ask_id = :ask_id AND ts <> '' ORDER BY n LIMIT 1;

-- name: ask
-- What was asked.
SELECT body FROM asks WHERE id = :ask_id;
