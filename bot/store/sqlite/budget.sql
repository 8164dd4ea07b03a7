-- name: reserve_ask
-- Money for one call, if the ask's own limit covers it.
SELECT 1 AS covered
WHERE :picos + (SELECT coalesce(sum(cost_picos), 0) FROM ledger WHERE ask_id = :ask_id)
  + (SELECT coalesce(sum(picos), 0) FROM reservations WHERE ask_id = :ask_id) <= :limit;

-- name: reserve_workspace
-- The same for all channels together.
SELECT 1 AS covered
WHERE :picos + (SELECT coalesce(sum(picos), 0) FROM spent WHERE month = :month)
  + (SELECT coalesce(sum(picos), 0) FROM reservations WHERE month = :month) <= :limit;

-- name: reserve
-- The same for the channel; only when all three cover it is it reserved.
INSERT INTO reservations (ask_id, n, channel, month, picos, at)
SELECT :ask_id, :n, :channel, :month, :picos, :now
WHERE :picos + (SELECT coalesce(sum(picos), 0) FROM spent WHERE month = :month AND channel = :channel)
  + (SELECT coalesce(sum(picos), 0) FROM reservations WHERE month = :month AND channel = :channel) <= :limit
RETURNING n;

-- name: release
-- What was reserved for a call is free again; the booking stands in its place.
DELETE FROM reservations WHERE ask_id = :ask_id AND n = :n;

-- name: state
-- What a channel (or, with '', everything) has spent and reserved in a month.
SELECT
  (SELECT coalesce(sum(picos), 0) FROM spent WHERE month = :month AND (:channel = '' OR channel = :channel)) AS spent,
  (SELECT coalesce(sum(picos), 0) FROM reservations WHERE month = :month AND (:channel = '' OR channel = :channel)) AS reserved;
