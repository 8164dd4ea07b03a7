-- name: of_person
-- The last asks of a person in a channel that were for Claude, and how they ended.
SELECT id, channel, feature, at, state, outcome, sentence, attempt FROM asks
WHERE team = :team AND channel = :channel AND "user" = :user AND feature NOT IN ('cost', 'purser', 'click', 'digest')
ORDER BY at DESC, id DESC LIMIT :most;

-- name: by_reference
-- The same of one ask, by the end of its id.
SELECT id, channel, feature, at, state, outcome, sentence, attempt FROM asks
WHERE right(id, 8) = :reference AND (:user = '' OR "user" = :user) AND feature NOT IN ('cost', 'purser', 'click', 'digest')
ORDER BY at DESC, id DESC LIMIT :most;

-- name: calls
-- What was asked of Claude in an ask, and how each call ended.
SELECT at, ended_at, model, purpose, error, as_json(response) ->> 'stop_reason' AS stop_reason,
  as_json(response) ->> 'refusal_category' AS category
FROM requests WHERE ask_id = :ask_id ORDER BY n;

-- name: tools
-- Which tools Claude had run in an ask, and how each call of one ended.
SELECT block ->> 'name' AS name, tool_results.outcome
FROM requests, jsonb_path_query(as_json(requests.response), '$.content[*]') WITH ORDINALITY AS blocks (block, place)
JOIN tool_results ON tool_results.ask_id = :ask_id AND tool_results.use_id = block ->> 'id'
WHERE requests.ask_id = :ask_id AND block ->> 'type' = 'tool_use'
ORDER BY requests.n, place;

-- name: cost
-- What an ask cost, as far as prices are known, and how many rows have none.
SELECT coalesce(sum(cost_picos), 0)::bigint AS picos, count(*) - count(cost_picos) AS unpriced FROM ledger WHERE ask_id = :ask_id;

-- name: people
-- What became of an ask that was given to people.
SELECT state, who_name FROM escalations WHERE ask_id = :ask_id;
