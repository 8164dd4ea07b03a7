-- name: open
-- What is remembered of a thread; the words of asks that something stands in the place of are left out.
SELECT c.ask_id, iif(c.n > coalesce(o.upto, 0), c.messages, '') AS messages,
  iif(c.n > coalesce(o.upto, 0), c.sent, '') AS sent, c.cached, c.seen_ts, c.message_id, c.n,
  coalesce(o.upto, 0) AS upto, iif(c.n = o.upto, o.text, '') AS older, coalesce(o.ask_id, '') AS older_ask
FROM conversation c LEFT JOIN older o ON o.lane = c.lane
WHERE c.lane = :lane ORDER BY c.n;

-- name: declined
-- Of these messages, the asks that Claude refused, and what we said of them.
SELECT asks.ts FROM json_each(:said) AS said
CROSS JOIN asks ON asks.team = :team AND asks.channel = :channel AND asks.ts = said.value AND asks.ts <> ''
WHERE asks.outcome = 'refused'
UNION ALL
SELECT parts.ts FROM json_each(:said) AS said
CROSS JOIN parts ON parts.channel = :channel AND parts.ts = said.value
CROSS JOIN asks ON asks.id = parts.ask_id
WHERE asks.outcome = 'refused';

-- name: keep
-- One answered ask more.
INSERT INTO conversation (lane, n, ask_id, team, channel, user, messages, sent, cached, seen_ts, message_id, at)
SELECT :lane, coalesce(max(n), 0) + 1, :ask_id, :team, :channel, :user, :messages, :sent, :cached, :seen_ts, :message_id, :at
FROM conversation WHERE lane = :lane
ON CONFLICT (ask_id) DO NOTHING;

-- name: lighten
-- Asks of a thread that later ones read lighter by now: as they were sent nobody reads them any more.
UPDATE conversation SET sent = '' WHERE lane = :lane AND n < :before AND sent <> '';

-- name: last
-- The number of a thread's last ask; nothing of a thread without any.
SELECT n FROM conversation WHERE lane = :lane ORDER BY n DESC LIMIT 1;

-- name: carried
-- What stands in Claude's cache of a thread, after a call that carried it on; where nobody asked meanwhile.
UPDATE conversation SET cached = :cached
WHERE lane = :lane AND n = :n AND NOT EXISTS (SELECT 1 FROM conversation AS later WHERE later.lane = :lane AND later.n > :n);

-- name: shorten
-- What stands in the place of a thread's oldest asks; it grows only.
INSERT INTO older (lane, upto, text, ask_id, at) VALUES (:lane, :upto, :text, :ask_id, :at)
ON CONFLICT (lane) DO UPDATE SET upto = excluded.upto, text = excluded.text, ask_id = excluded.ask_id, at = excluded.at
WHERE excluded.upto > older.upto;
