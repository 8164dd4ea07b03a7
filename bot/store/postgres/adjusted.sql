-- name: read
-- Every value that an admin set in Slack.
SELECT channel, key, value, "user", at FROM adjusted ORDER BY channel, key;

-- name: put
-- A value is set, or set anew.
INSERT INTO adjusted (channel, key, value, "user", at) VALUES (:channel, :key, :value, :user, :at)
ON CONFLICT (channel, key) DO UPDATE SET value = excluded.value, "user" = excluded."user", at = excluded.at;

-- name: drop
-- A value is taken back.
DELETE FROM adjusted WHERE channel = :channel AND key = :key RETURNING key;
