-- name: put
-- A digest that somebody wants from now on, unless the channel has as many as it may.
INSERT INTO digests (id, team, channel, "user", subject, cadence, at)
SELECT :id, :team, :channel, :user, :subject, :cadence, :at
WHERE (SELECT count(*) FROM digests WHERE channel = :channel AND stopped_at IS NULL) < :most
ON CONFLICT DO NOTHING
RETURNING id;

-- name: of_channel
-- The digests of a channel that still come.
SELECT id, team, channel, "user", subject, cadence, at, stopped_at FROM digests
WHERE channel = :channel AND stopped_at IS NULL ORDER BY at, id;

-- name: coming
-- Every digest that still comes.
SELECT id, team, channel, "user", subject, cadence, at, stopped_at FROM digests WHERE stopped_at IS NULL ORDER BY at, id;

-- name: get
-- One digest, stopped or not.
SELECT id, team, channel, "user", subject, cadence, at, stopped_at FROM digests WHERE id = :id;

-- name: stop
-- It comes no more; what it was about is not kept.
UPDATE digests SET stopped_at = :now, subject = '' WHERE id = :id AND stopped_at IS NULL RETURNING id;

-- name: forget
-- Nor does what a person wanted who is to be forgotten.
DELETE FROM digests WHERE "user" = :user RETURNING id;
