-- name: version
-- Which version of the engine this is.
SELECT 'PostgreSQL ' || split_part(version(), ' ', 2) AS version;

-- name: room
-- What each table holds, and what of it vacuum has not cleared away, in rows.
SELECT relname AS name, n_live_tup AS live, n_dead_tup AS dead, pg_total_relation_size(relid) AS bytes
FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY bytes DESC;

-- name: heard
-- How many asks of people there are, and when the last mention and the last direct message came.
SELECT count(*) AS asks,
  max(CASE WHEN ts <> '' AND channel NOT LIKE 'D%' THEN at END) AS mention,
  max(CASE WHEN ts <> '' AND channel LIKE 'D%' THEN at END) AS direct
FROM asks WHERE "user" <> '' AND channel <> '' AND feature <> 'click';

-- name: known
-- What is ill and was told.
SELECT name, colour FROM ills;

-- name: ill
-- Something is ill, or worse than it was.
INSERT INTO ills (name, colour, since) VALUES (:finding, :colour, :now)
ON CONFLICT (name) DO UPDATE SET colour = excluded.colour, since = excluded.since;

-- name: well
-- It is well again: if it falls ill once more, that is news.
DELETE FROM ills WHERE name = :finding;
