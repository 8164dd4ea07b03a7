-- name: version
-- Which version of the engine this is.
SELECT 'SQLite ' || sqlite_version() AS version;

-- name: room
-- What the file holds, and what of it is empty, in pages.
SELECT 'the file' AS name, page_count - freelist_count AS live, freelist_count AS dead, page_count * page_size AS bytes
FROM pragma_page_count, pragma_freelist_count, pragma_page_size;

-- name: heard
-- How many asks of people there are, and when the last mention and the last direct message came.
SELECT count(*) AS asks,
  max(CASE WHEN ts <> '' AND channel NOT LIKE 'D%' THEN at END) AS mention,
  max(CASE WHEN ts <> '' AND channel LIKE 'D%' THEN at END) AS direct
FROM asks WHERE user <> '' AND channel <> '' AND feature <> 'click';

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
