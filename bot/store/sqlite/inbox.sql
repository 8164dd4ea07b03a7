-- name: alive
-- Whether the database gives a row's place when asked.
SELECT EXISTS (SELECT 1 FROM asks) AS alive;

-- name: probe
-- Whether it takes a row.
INSERT INTO keys (key, at) VALUES ('probe', 0) ON CONFLICT (key) DO UPDATE SET at = at + 1;

-- name: claim
-- A delivery's key: a second claim returns no row.
INSERT INTO keys (key, at) VALUES (:key, :now) ON CONFLICT DO NOTHING RETURNING key;

-- name: put
-- An ask, unless its key or its message has one already, or the message was deleted before it came.
INSERT INTO asks (id, key, team, channel, user, ts, lane, feature, body, at, not_before, state)
SELECT :id, :key, :team, :channel, :user, :ts, :lane, :feature, :body, :at, :not_before, 'waiting'
WHERE NOT EXISTS (SELECT 1 FROM signals WHERE kind = 'delete' AND team = :team AND channel = :channel AND ts = :ts AND :ts <> '')
ON CONFLICT DO NOTHING
RETURNING id;

-- name: signal
-- Something said about an ask.
INSERT INTO signals (id, kind, team, channel, user, thread, ts, ask_id, text, at)
VALUES (:id, :kind, :team, :channel, :user, :thread, :ts, :ask_id, :text, :at)
ON CONFLICT DO NOTHING;

-- name: signal_if_begun
-- An edit is a signal only when somebody has begun the ask: of one that waits, for us or for a person, it replaces the words.
INSERT INTO signals (id, kind, team, channel, user, thread, ts, ask_id, text, at)
SELECT :id, :kind, :team, :channel, :user, :thread, :ts, :ask_id, :text, :at
WHERE EXISTS (SELECT 1 FROM asks WHERE team = :team AND channel = :channel AND ts = :ts AND ts <> '' AND attempt > 0 AND state <> 'parked')
ON CONFLICT DO NOTHING;

-- name: overtake
-- What waits for a person is about to have other words: nobody needs to hear of its edits before.
INSERT INTO heard (signal_id, ask_id)
SELECT signals.id, asks.id FROM asks JOIN signals ON signals.channel = asks.channel AND signals.at >= asks.at
WHERE asks.team = :team AND asks.channel = :channel AND asks.ts = :ts AND asks.ts <> '' AND asks.state = 'parked'
  AND signals.kind = 'edit' AND signals.team = asks.team AND signals.ts = asks.ts
ON CONFLICT DO NOTHING;

-- name: reword
-- A later edit of an ask that nobody has begun replaces its words; its identity stays. One that is parked waits for us again.
UPDATE asks
SET body = json_set(:body, '$.id', id, '$.key', key, '$.at', at), feature = :feature,
  state = 'waiting', not_before = iif(state = 'parked', 0, not_before)
WHERE team = :team AND channel = :channel AND ts = :ts AND ts <> '' AND (state = 'waiting' AND attempt = 0 OR state = 'parked')
  AND json_extract(body, '$.edited') <= :edited;

-- name: retext
-- The same where only the new text is known.
UPDATE asks
SET body = json_set(body, '$.text', :text), state = 'waiting', not_before = iif(state = 'parked', 0, not_before)
WHERE team = :team AND channel = :channel AND ts = :ts AND ts <> '' AND (state = 'waiting' AND attempt = 0 OR state = 'parked');

-- name: delete
-- A deleted message is no ask any more, if nobody has begun it; whoever has is told by the signal.
UPDATE asks
SET state = 'done', outcome = 'deleted', ended_at = :now
WHERE team = :team AND channel = :channel AND ts = :ts AND ts <> '' AND state = 'waiting' AND attempt = 0;

-- name: rouse
-- What waits for a person waits no longer when somebody speaks of it; named as in `signals`.
UPDATE asks SET state = 'waiting', not_before = 0
WHERE state = 'parked' AND team = :team AND channel = :channel
  AND CASE
    WHEN :ask_id <> '' THEN id = :ask_id
    WHEN :ts <> '' THEN ts = :ts OR id IN (SELECT ask_id FROM parts WHERE parts.channel = :channel AND parts.ts = :ts)
    WHEN :thread <> '' THEN lane = :team || ':' || :channel || ':' || :thread
    ELSE user = :user
  END
RETURNING id;

-- name: decided
-- Nor when it was decided.
UPDATE asks SET state = 'waiting', not_before = 0 WHERE state = 'parked' AND id = :ask_id;

-- name: take
-- The next ask: a press of a button before all else, since it counts for nobody; then from the channel with the fewest
-- in flight, the oldest first, none before an earlier one of its lane. A channel may have caps of its own.
-- What was tried too often is for nobody.
WITH
  press AS (
    SELECT id FROM asks AS one
    WHERE one.state = 'waiting' AND one.feature = 'click' AND one.not_before <= :now AND one.failures < :most
      AND NOT EXISTS (SELECT 1 FROM asks AS held WHERE held.state = 'leased' AND held.lane = one.lane)
    ORDER BY one.at, one.id LIMIT 1
  ),
  flight AS MATERIALIZED (
    SELECT channel, count(*) AS n FROM asks WHERE state = 'leased' AND feature <> 'click' GROUP BY channel),
  person AS MATERIALIZED (
    SELECT user, count(*) AS n FROM asks WHERE state = 'leased' AND feature <> 'click' GROUP BY user),
  own AS MATERIALIZED (
    SELECT key AS channel, json_extract(value, '$[0]') AS of_person, json_extract(value, '$[1]') AS of_channel
    FROM json_each(:own_caps)),
  ranked AS MATERIALIZED (
    SELECT waiting.channel, coalesce(own.of_person, :person_in_flight) AS of_person
    FROM (SELECT channel, min(at) AS oldest FROM asks WHERE state = 'waiting' AND failures < :most GROUP BY channel) AS waiting
    LEFT JOIN flight USING (channel)
    LEFT JOIN own USING (channel)
    WHERE coalesce(flight.n, 0) < coalesce(own.of_channel, :channel_in_flight)
    ORDER BY coalesce(flight.n, 0), waiting.oldest
  ),
  next AS (
    SELECT (
      SELECT id FROM asks AS one
      WHERE one.state = 'waiting' AND one.channel = ranked.channel AND one.not_before <= :now
        AND one.feature <> 'click' AND one.failures < :most
        AND coalesce((SELECT n FROM person WHERE person.user = one.user), 0) < ranked.of_person
        AND NOT EXISTS (SELECT 1 FROM asks AS held WHERE held.state = 'leased' AND held.lane = one.lane)
        AND NOT EXISTS (
          SELECT 1 FROM asks AS earlier
          WHERE earlier.state = 'waiting' AND earlier.channel = one.channel AND (earlier.at, earlier.id) < (one.at, one.id)
            AND earlier.lane = one.lane AND earlier.not_before <= :now AND earlier.failures < :most)
      ORDER BY one.at, one.id LIMIT 1
    ) AS id
    FROM ranked
  )
UPDATE asks
SET state = 'leased', attempt = attempt + 1, worker = :worker, leased_until = :until
WHERE id = coalesce((SELECT id FROM press), (SELECT id FROM next WHERE id IS NOT NULL LIMIT 1))
RETURNING id, body, attempt, at, failures;

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

-- name: hopeless
-- What was tried too often.
SELECT id, body FROM asks WHERE state = 'waiting' AND failures >= :most;

-- name: bury
-- It is dead, and says why.
UPDATE asks
SET state = 'dead', sentence = :sentence, outcome = 'dead', ended_at = :now
WHERE id = :ask_id AND state = 'waiting' AND failures >= :most
RETURNING id;

-- name: unpark
-- A parked ask whose time is over waits again.
UPDATE asks SET state = 'waiting' WHERE state = 'parked' AND not_before <= :now RETURNING id;

-- name: done
-- The ask has ended.
UPDATE asks SET state = 'done', outcome = :outcome, sentence = :sentence, ended_at = :now
WHERE id = :ask_id AND attempt = :attempt AND state = 'leased';

-- name: more
-- Whether anything waits that may be worked on by now, whatever else it waits for.
SELECT 1 AS waits WHERE EXISTS (SELECT 1 FROM asks WHERE state = 'waiting' AND not_before <= :now);

-- name: dead
-- The ask could not be finished.
UPDATE asks SET state = 'dead', outcome = 'dead', sentence = :sentence, ended_at = :now
WHERE id = :ask_id AND attempt = :attempt AND state = 'leased';

-- name: give_back
-- The ask waits again, for somebody else or for later.
UPDATE asks SET state = 'waiting', worker = '', not_before = :not_before
WHERE id = :ask_id AND attempt = :attempt AND state = 'leased';

-- name: park
-- The ask waits for a person; it holds neither slot nor lane.
UPDATE asks SET state = 'parked', worker = '', not_before = :until
WHERE id = :ask_id AND attempt = :attempt AND state = 'leased';

-- name: parked
-- If somebody spoke of it, or decided, just before, it waits for them no longer.
UPDATE asks SET state = 'waiting', not_before = 0
WHERE id = :ask_id AND state = 'parked' AND (
  EXISTS (SELECT 1 FROM estimates WHERE estimates.ask_id = asks.id AND estimates.state NOT IN ('', 'asked'))
  OR EXISTS (
    SELECT 1 FROM signals
    WHERE signals.channel = asks.channel AND signals.at >= asks.at AND kind IN ('stop', 'delete')
      AND CASE
        WHEN signals.ask_id <> '' THEN signals.ask_id = asks.id
        WHEN signals.ts <> '' THEN signals.ts = asks.ts OR signals.ts IN (SELECT parts.ts FROM parts WHERE parts.ask_id = asks.id)
        WHEN signals.thread <> '' THEN signals.thread = json_extract(asks.body, '$.thread')
        ELSE signals.user = asks.user
      END))
RETURNING id;

-- name: signals
-- What was said about an ask, until it has ended, since who heard it may be gone; of edits, those that its words do not
-- have. Named by its id, its message, one of its parts, its lane, or (a "stop" in a direct message) by its asker.
SELECT id, kind, team, channel, user, thread, ts, ask_id, text, at
FROM signals
WHERE channel = :channel AND at >= :since AND kind IN ('stop', 'edit', 'delete')
  AND CASE
    WHEN ask_id <> '' THEN ask_id = :ask_id
    WHEN ts <> '' THEN ts = :ts AND :ts <> '' OR ts IN (SELECT parts.ts FROM parts WHERE parts.ask_id = :ask_id)
    WHEN thread <> '' THEN thread = :thread
    ELSE user = :user
  END
  AND (kind <> 'edit' OR NOT EXISTS (SELECT 1 FROM heard WHERE heard.signal_id = signals.id AND heard.ask_id = :ask_id))
ORDER BY at, id;

-- name: behind
-- Asks that have waited a while because their own thread is busy, or as many as may be at once are at work, and were not told so yet.
WITH
  flight AS MATERIALIZED (
    SELECT channel, count(*) AS n FROM asks WHERE state = 'leased' AND feature <> 'click' GROUP BY channel),
  person AS MATERIALIZED (
    SELECT user, count(*) AS n FROM asks WHERE state = 'leased' AND feature <> 'click' GROUP BY user),
  own AS MATERIALIZED (
    SELECT key AS channel, json_extract(value, '$[0]') AS of_person, json_extract(value, '$[1]') AS of_channel
    FROM json_each(:own_caps)),
  late AS (
    SELECT asks.body, asks.at, CASE
      WHEN EXISTS (SELECT 1 FROM asks AS held WHERE held.lane = asks.lane AND held.state = 'leased') THEN 'thread'
      WHEN person.n >= coalesce(own.of_person, :person_in_flight) THEN 'person'
      WHEN flight.n >= coalesce(own.of_channel, :channel_in_flight) THEN 'channel'
      ELSE '' END AS why
    FROM asks LEFT JOIN flight USING (channel) LEFT JOIN person ON person.user = asks.user LEFT JOIN own USING (channel)
    WHERE asks.state = 'waiting' AND asks.behind_told = 0 AND asks.at <= :before AND asks.not_before <= :now
      AND asks.feature <> 'click'
  )
SELECT body, why FROM late WHERE why <> '' ORDER BY at LIMIT 20;

-- name: tell_behind
-- One of those is told, once.
UPDATE asks SET behind_told = 1 WHERE id = :id AND behind_told = 0 RETURNING id;

-- name: queue
-- Asks by state, and the oldest that waits, since when it may be worked on; what has ended is not counted through, nor
-- what is to be done much later.
SELECT 'waiting' AS state, count(*) AS n, min(CASE WHEN not_before > at THEN not_before ELSE at END) AS oldest FROM asks WHERE state = 'waiting' AND not_before <= :soon
UNION ALL SELECT 'leased', count(*), NULL FROM asks WHERE state = 'leased'
UNION ALL SELECT 'parked', count(*), NULL FROM asks WHERE state = 'parked'
UNION ALL SELECT 'dead', count(*), NULL FROM asks WHERE state = 'dead';

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

-- name: purge_heard
-- Of signals that are purged.
DELETE FROM heard WHERE signal_id IN (SELECT id FROM signals WHERE at < :before AND kind <> 'feedback');

-- name: purge_signals
-- What was said so long ago that nobody can still be told; feedback is kept.
DELETE FROM signals WHERE at < :before AND kind <> 'feedback';
