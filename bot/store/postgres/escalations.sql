-- name: open
-- What Claude refused is to be given to people of a channel; once for each ask.
INSERT INTO escalations (ask_id, channel, category, sentence, notes, state, at, until)
VALUES (:ask_id, :channel, :category, :sentence, :notes, 'open', :now, :until)
ON CONFLICT DO NOTHING;

-- name: get
-- One of them, with the ask.
SELECT escalations.*, asks.body FROM escalations JOIN asks ON asks.id = escalations.ask_id WHERE ask_id = :ask_id;

-- name: posted
-- It stands in their channel.
UPDATE escalations SET ts = :ts WHERE ask_id = :ask_id AND ts = '';

-- name: settle
-- What became of it, once.
UPDATE escalations SET state = :state, press = :press, who = :who, who_name = :who_name, decided_at = :now
WHERE ask_id = :ask_id AND state = 'open'
RETURNING ask_id;
