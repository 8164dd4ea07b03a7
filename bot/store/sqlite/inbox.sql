-- name: alive
-- Whether the database answers at all.
SELECT 1 AS alive;

-- name: claim
-- A delivery's key: a second claim returns no row.
INSERT INTO keys (key, at) VALUES (:key, :now) ON CONFLICT DO NOTHING RETURNING key;

-- name: put
-- An ask, unless its key or its message has one already.
INSERT INTO asks (id, key, team, channel, user, ts, lane, feature, body, at, not_before, state)
VALUES (:id, :key, :team, :channel, :user, :ts, :lane, :feature, :body, :at, :not_before, 'waiting')
ON CONFLICT DO NOTHING
RETURNING id;

-- name: signal
-- Something said about an ask.
INSERT INTO signals (id, kind, team, channel, user, thread, ts, ask_id, text, at)
VALUES (:id, :kind, :team, :channel, :user, :thread, :ts, :ask_id, :text, :at)
ON CONFLICT DO NOTHING;

-- name: signal_if_asked
-- An edit is a signal only when its message was an ask before.
INSERT INTO signals (id, kind, team, channel, user, thread, ts, ask_id, text, at)
SELECT :id, :kind, :team, :channel, :user, :thread, :ts, :ask_id, :text, :at
WHERE EXISTS (SELECT 1 FROM asks WHERE team = :team AND channel = :channel AND ts = :ts)
ON CONFLICT DO NOTHING;

-- name: reword
-- An edit of an ask that still waits replaces its words; its identity stays.
UPDATE asks
SET body = json_set(:body, '$.id', id, '$.key', key, '$.at', at), feature = :feature
WHERE team = :team AND channel = :channel AND ts = :ts AND state = 'waiting';

-- name: retext
-- The same where only the new text is known.
UPDATE asks
SET body = json_set(body, '$.text', :text)
WHERE team = :team AND channel = :channel AND ts = :ts AND state = 'waiting';

-- name: delete
-- A deleted message is no ask any more, if nobody works on it.
UPDATE asks
SET state = 'done', outcome = 'deleted', ended_at = :now
WHERE team = :team AND channel = :channel AND ts = :ts AND state = 'waiting';

-- name: take
-- The next ask: of a free lane, from the channel with the fewest in flight, the oldest first.
WITH
  flight AS (SELECT channel, count(*) AS n FROM asks WHERE state = 'leased' GROUP BY channel),
  person AS (SELECT user, count(*) AS n FROM asks WHERE state = 'leased' GROUP BY user),
  next AS (SELECT id, lane, channel, user, at FROM asks WHERE state = 'waiting' AND not_before <= :now ORDER BY at, id LIMIT :window)
UPDATE asks
SET state = 'leased', attempt = attempt + 1, worker = :worker, leased_until = :until
WHERE id = (
  SELECT next.id
  FROM next
  LEFT JOIN flight ON flight.channel = next.channel
  LEFT JOIN person ON person.user = next.user
  WHERE coalesce(flight.n, 0) < :channel_in_flight
    AND coalesce(person.n, 0) < :person_in_flight
    AND NOT EXISTS (SELECT 1 FROM asks AS held WHERE held.lane = next.lane AND held.state = 'leased')
  ORDER BY coalesce(flight.n, 0), next.at, next.id
  LIMIT 1
)
RETURNING id, body, attempt, at;

-- name: many
-- Whether more asks wait than the first look sees.
SELECT 1 AS more FROM asks WHERE state = 'waiting' ORDER BY at, id LIMIT 1 OFFSET :least;

-- name: fence
-- Whether a lease still holds; every write of a worker begins with this.
SELECT 1 AS held FROM asks WHERE id = :ask_id AND attempt = :attempt AND state = 'leased';

-- name: renew
-- A lease is prolonged by whoever holds it.
UPDATE asks SET leased_until = :until
WHERE id = :ask_id AND attempt = :attempt AND state = 'leased'
RETURNING id;

-- name: expire
-- Leases that ran out (their worker died) wait again, at once.
UPDATE asks
SET state = 'waiting', failures = failures + 1, worker = ''
WHERE state = 'leased' AND leased_until < :now
RETURNING id;

-- name: bury
-- What was tried too often is dead, and says why.
UPDATE asks
SET state = 'dead', sentence = :sentence, outcome = 'dead', ended_at = :now
WHERE state = 'waiting' AND failures >= :most
RETURNING id;

-- name: unpark
-- A parked ask whose time is over waits again.
UPDATE asks SET state = 'waiting' WHERE state = 'parked' AND not_before <= :now RETURNING id;

-- name: done
-- The ask has ended.
UPDATE asks SET state = 'done', outcome = :outcome, sentence = :sentence, ended_at = :now
WHERE id = :ask_id AND attempt = :attempt;

-- name: dead
-- The ask could not be finished.
UPDATE asks SET state = 'dead', outcome = 'dead', sentence = :sentence, ended_at = :now
WHERE id = :ask_id AND attempt = :attempt;

-- name: give_back
-- The ask waits again, for somebody else or for later.
UPDATE asks SET state = 'waiting', worker = '', not_before = :not_before
WHERE id = :ask_id AND attempt = :attempt;

-- name: park
-- The ask waits for a person; it holds neither slot nor lane.
UPDATE asks SET state = 'parked', worker = '', not_before = :until
WHERE id = :ask_id AND attempt = :attempt;

-- name: signals
-- What was said about an ask and not heard yet: by its id, its message, one of its parts, its lane, or (a "stop" in a direct message) by its asker.
SELECT id, kind, team, channel, user, thread, ts, ask_id, text, at
FROM signals
WHERE channel = :channel AND at >= :since AND kind IN ('stop', 'edit', 'delete', 'confirm')
  AND CASE
    WHEN ask_id <> '' THEN ask_id = :ask_id
    WHEN ts <> '' THEN ts = :ts AND :ts <> '' OR ts IN (SELECT parts.ts FROM parts WHERE parts.ask_id = :ask_id)
    WHEN thread <> '' THEN thread = :thread
    ELSE user = :user
  END
  AND NOT EXISTS (SELECT 1 FROM heard WHERE heard.signal_id = signals.id AND heard.ask_id = :ask_id)
ORDER BY at, id;

-- name: hear
-- A signal was heard for an ask.
INSERT INTO heard (signal_id, ask_id) VALUES (:id, :ask_id) ON CONFLICT DO NOTHING;

-- name: behind
-- Asks that have waited a while because their own thread is busy, and were not told so yet.
SELECT body FROM asks
WHERE state = 'waiting' AND behind_told = 0 AND at <= :before
  AND EXISTS (SELECT 1 FROM asks AS held WHERE held.lane = asks.lane AND held.state = 'leased')
ORDER BY at LIMIT 20;

-- name: tell_behind
-- One of those is told, once.
UPDATE asks SET behind_told = 1 WHERE id = :id AND behind_told = 0 RETURNING id;

-- name: queue
-- Asks by state, and the oldest that waits.
SELECT state, count(*) AS n, min(at) AS oldest FROM asks WHERE state IN ('waiting', 'leased', 'parked', 'dead') GROUP BY state;

-- name: dead_list
-- Asks that could not be finished, with their reasons.
SELECT id, team, channel, user, feature, at, attempt, sentence, ended_at FROM asks WHERE state = 'dead' ORDER BY ended_at, id;

-- name: retry_dead
-- A dead ask gets another chance.
UPDATE asks SET state = 'waiting', failures = 0, outcome = '', sentence = '', ended_at = NULL, not_before = 0
WHERE id = :id AND state = 'dead' RETURNING id;

-- name: drop_dead
-- A dead ask is given up for good.
UPDATE asks SET state = 'done', outcome = 'dropped' WHERE id = :id AND state = 'dead' RETURNING id;

-- name: purge_keys
-- Keys too old for any redelivery.
DELETE FROM keys WHERE at < :before;

-- name: why
-- The last asks of a person in a channel and how they ended.
SELECT id, feature, at, state, outcome, sentence FROM asks
WHERE team = :team AND channel = :channel AND user = :user AND feature NOT IN ('cost', 'purser')
ORDER BY at DESC LIMIT :most;
