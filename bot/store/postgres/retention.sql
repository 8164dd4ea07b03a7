-- name: channels
-- Where asks have ended whose words are still there.
SELECT DISTINCT channel FROM asks WHERE erased = 0 AND state IN ('done', 'dead');

-- name: due
-- Asks of a channel whose words nobody needs any more: not for a change that may still be decided on or undone, not in a thread at work.
SELECT id FROM ended WHERE channel = :channel AND ended_at < :before AND needed_until < :now AND lane_open = 0
ORDER BY ended_at LIMIT :most;

-- name: of_person
-- A person's asks whose words may go now.
SELECT id FROM ended WHERE "user" = :user AND needed_until < :now;

-- name: left_of_person
-- And those whose words may not go yet.
SELECT count(*) AS n FROM asks WHERE "user" = :user AND erased = 0;

-- name: mark
-- Asks lose their words, in this transaction; looked at once more, as they are now. A dead one cannot be tried again.
UPDATE asks
SET erased = 1, sentence = '', state = 'done', outcome = CASE WHEN state = 'dead' THEN 'dropped' ELSE outcome END,
  body = ((as_json(body) || '{"text": "", "files": [], "response_url": ""}') #- '{click,fields}')::text
WHERE id IN (
  SELECT id FROM ended
  WHERE id IN (SELECT jsonb_array_elements_text(:asks::jsonb)) AND needed_until < :now AND (:although_open::integer <> 0 OR lane_open = 0))
RETURNING id;

-- name: responses
-- Claude's words go; what was counted and why it stopped stays.
UPDATE requests SET response = (as_json(response) || '{"content": []}')::text
WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1) AND response IS NOT NULL;

-- name: results
-- What tools gave.
DELETE FROM tool_results WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1);

-- name: parts
-- Answers, but not where they stand in Slack.
UPDATE parts SET text = '' WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1) AND text <> '';

-- name: older
-- A thread's summary, once an ask of those it sums up goes.
DELETE FROM older WHERE lane IN (
  SELECT conversation.lane FROM asks JOIN conversation ON conversation.ask_id = asks.id
  WHERE asks.erased = 1 AND conversation.n <= (SELECT upto FROM older AS one WHERE one.lane = conversation.lane));

-- name: conversation
-- What is remembered of threads.
DELETE FROM conversation WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1);

-- name: lighten
-- Asks as they were sent, once no cache holds them any more: nobody has gone on with their thread for as long.
UPDATE conversation SET sent = ''
WHERE at < :before AND sent <> ''
  AND NOT EXISTS (SELECT 1 FROM conversation AS later WHERE later.lane = conversation.lane AND later.at >= :before);

-- name: findings
-- What reviews found.
DELETE FROM findings WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1);

-- name: proposals
-- What was proposed; the audit keeps who decided on what, by its hash.
DELETE FROM proposals WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1);

-- name: escalations
-- What was given to people.
DELETE FROM escalations WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1);

-- name: audit
-- Addresses and queries; their digests stay, which tell nothing without the salt.
UPDATE audit SET text = '', salt = '' WHERE ask_id IN (SELECT id FROM asks WHERE erased = 1) AND salt <> '';

-- name: marked
-- The words are gone.
UPDATE asks SET erased = 2 WHERE erased = 1;

-- name: leave
-- What is left of asks goes, too, but for our own, whose keys say what was said.
UPDATE asks SET erased = 3 WHERE id IN (
  SELECT id FROM asks WHERE erased = 2 AND ended_at < :before AND (as_json(body) ->> 'origin') <> 'own' ORDER BY ended_at LIMIT :most)
RETURNING id;

-- name: leave_requests
-- With what was sent for them.
DELETE FROM requests WHERE ask_id IN (SELECT id FROM asks WHERE erased = 3);

-- name: leave_parts
-- Where their answers stood.
DELETE FROM parts WHERE ask_id IN (SELECT id FROM asks WHERE erased = 3);

-- name: leave_estimates
-- What they were expected to take.
DELETE FROM estimates WHERE ask_id IN (SELECT id FROM asks WHERE erased = 3);

-- name: left
-- And they themselves.
DELETE FROM asks WHERE erased = 3;

-- name: leave_shared
-- Requests that were nobody's.
DELETE FROM requests WHERE ask_id >= :prefix AND ask_id < :end AND at < :before AND status = 'ended';

-- name: leave_feedback
-- What people thought of answers.
DELETE FROM signals WHERE kind = 'feedback' AND at < :before;

-- name: names
-- By which names Claude knew a person: those of their own requests.
SELECT DISTINCT block ->> 'text' AS text
FROM conversation, jsonb_path_query(as_json(conversation.messages), '$[0].content[*]') AS block
WHERE conversation."user" = :user AND (block ->> 'text') LIKE '<purser:ask from="%';

-- name: lanes
-- Threads in which a person asked, or in whose memory something is labelled as theirs.
SELECT lane FROM asks WHERE "user" = :user AND erased < 2
UNION SELECT lane FROM conversation
WHERE "user" = :user OR EXISTS (
  SELECT 1 FROM jsonb_array_elements_text(:labels::jsonb) AS label
  WHERE strpos(conversation.messages, label) + strpos(conversation.sent, label) > 0);

-- name: of_lanes
-- What others asked in these threads, as far as it has ended; what an operator may try again is left.
SELECT id FROM ended
WHERE "user" <> :user AND needed_until < :now AND id IN (
  SELECT id FROM asks WHERE state = 'done' AND lane IN (SELECT jsonb_array_elements_text(:lanes::jsonb)));

-- name: remembers
-- Whether there is any memory of a thread.
SELECT 1 AS known FROM conversation WHERE lane = :lane LIMIT 1;

-- name: forget_lane
-- The memory of a thread, unless somebody is at work in it.
DELETE FROM conversation
WHERE lane = :lane AND :lane NOT IN (SELECT lane FROM lanes_at_work)
RETURNING n;

-- name: forget_older
-- And its summary.
DELETE FROM older WHERE lane = :lane AND NOT EXISTS (SELECT 1 FROM conversation WHERE lane = :lane);

-- name: forget_signals
-- What a person said about asks.
UPDATE signals SET text = '' WHERE "user" = :user AND kind <> 'feedback' AND text <> '' RETURNING id;

-- name: forget_name
-- What a person is called where they decided on others' proposals.
UPDATE proposals SET who_name = '' WHERE who = :user AND who_name <> '' RETURNING id;

-- name: forget_taker
-- And where they took over what Claude refused.
UPDATE escalations SET who_name = '' WHERE who = :user AND who_name <> '' RETURNING ask_id;

-- name: team
-- Whose workspace a person's asks are of.
SELECT team FROM asks WHERE "user" = :user ORDER BY at DESC LIMIT 1;

-- name: checkpoint
-- Nothing to be done here: what was erased leaves the server's files with its own vacuum, its log with its own checkpoints.
SELECT 1 AS done;

-- name: empty_log
-- Nor here.
SELECT 1 AS done;
