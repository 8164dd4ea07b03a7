-- name: keep
-- A finding of a review that was answered; the row numbered 0 is the review itself, which may have none.
INSERT INTO findings (ask_id, n, lane, url, head, severity, path, line, quote, sentence, at)
VALUES (:ask_id, :n, :lane, :url, :head, :severity, :path, :line, :quote, :sentence, :at) ON CONFLICT DO NOTHING;

-- name: reviews
-- The asks whose answers were reviews of a thread, the newest first.
SELECT ask_id FROM findings WHERE lane = :lane AND n = 0 ORDER BY at DESC LIMIT :most;

-- name: last
-- The last review of a thread, but for one ask's own.
SELECT ask_id, n, url, head, severity, path, line, quote, sentence FROM findings
WHERE ask_id = (SELECT ask_id FROM findings WHERE lane = :lane AND ask_id <> :ask_id ORDER BY at DESC LIMIT 1)
ORDER BY n;
