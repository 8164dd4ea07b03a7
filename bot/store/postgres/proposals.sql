-- name: put
-- A proposal; the first one of a tool use counts, and of the same content in one ask.
INSERT INTO proposals (id, ask_id, use_id, team, channel, thread, "user", behalf, tool, asked, draft, hash, state, until, press, who, who_name, written, sentence, at, changed_at)
SELECT :id, :ask_id, :use_id, :team, :channel, :thread, :user, :behalf, :tool, :asked, :draft, :hash, :state, :until, :press, :who, :who_name, :written, :sentence, :now, :now
WHERE NOT EXISTS (SELECT 1 FROM proposals WHERE ask_id = :ask_id AND draft = :draft AND state = 'open')
ON CONFLICT DO NOTHING;

-- name: get
-- One proposal.
SELECT * FROM proposals WHERE id = :id;

-- name: of_ask
-- What was proposed in an ask.
SELECT * FROM proposals WHERE ask_id = :ask_id ORDER BY at, id;

-- name: like
-- What was proposed in a thread by the same tool, asked for the same.
SELECT * FROM proposals WHERE team = :team AND channel = :channel AND thread = :thread AND tool = :tool AND asked = :asked
ORDER BY at, id;

-- name: set
-- A step, if the proposal is still as it was read.
UPDATE proposals
SET behalf = :behalf, asked = :asked, draft = :draft, hash = :hash, state = :state, until = :until, press = :press, who = :who,
  who_name = :who_name, written = :written, sentence = :sentence, changed_at = :now
WHERE id = :id AND state = :old_state AND hash = :old_hash AND press = :old_press
RETURNING id;
