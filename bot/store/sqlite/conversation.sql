-- name: open
-- What is remembered of a thread.
SELECT ask_id, messages, seen_ts, message_id, n FROM conversation WHERE lane = :lane ORDER BY n;

-- name: keep
-- One answered ask more.
INSERT INTO conversation (lane, n, ask_id, team, channel, user, messages, seen_ts, message_id, at)
SELECT :lane, coalesce(max(n), 0) + 1, :ask_id, :team, :channel, :user, :messages, :seen_ts, :message_id, :at
FROM conversation WHERE lane = :lane
ON CONFLICT (ask_id) DO NOTHING;
