-- name: reserve_ask
-- Money for one call, if the ask's own limit covers it.
SELECT 1 AS covered
WHERE :picos::bigint + (SELECT coalesce(sum(counted_picos), 0)::bigint FROM ledger WHERE ask_id = :ask_id)
  + (SELECT coalesce(sum(picos), 0)::bigint FROM reservations WHERE ask_id = :ask_id) <= :limit::bigint;

-- name: reserve_workspace
-- The same for all channels together. What is reserved will be spent in this month, whenever it was reserved.
SELECT 1 AS covered
WHERE :picos::bigint + (SELECT coalesce(sum(picos), 0)::bigint FROM spent WHERE month = :month)
  + (SELECT coalesce(sum(picos), 0)::bigint FROM reservations) <= :limit::bigint;

-- name: reserve
-- The same for the channel; only when all three cover it is it reserved.
INSERT INTO reservations (ask_id, n, channel, day, picos, at)
SELECT :ask_id, :n, :channel, :day, :picos::bigint, :now
WHERE :picos::bigint + (SELECT coalesce(sum(picos), 0)::bigint FROM spent WHERE month = :month AND channel = :channel)
  + (SELECT coalesce(sum(picos), 0)::bigint FROM reservations WHERE channel = :channel) <= :limit::bigint
RETURNING n;

-- name: release
-- What was reserved for a call is free again; the booking stands in its place.
DELETE FROM reservations WHERE ask_id = :ask_id AND n = :n;

-- name: free
-- An ask that has ended reserves nothing.
DELETE FROM reservations WHERE ask_id = :ask_id;

-- name: state
-- What a channel (or, with '', everything) has spent in a month, and what is reserved.
SELECT
  (SELECT coalesce(sum(picos), 0)::bigint FROM spent WHERE month = :month AND (:channel = '' OR channel = :channel)) AS spent,
  (SELECT coalesce(sum(picos), 0)::bigint FROM reservations WHERE :channel = '' OR channel = :channel) AS reserved;
