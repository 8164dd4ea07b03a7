-- name: record
-- One record more, chained to the one before it: on its day, or on the last one that has any, so that days never turn back.
INSERT INTO audit (team, day, n, at, channel, user, ask_id, action, subject, outcome, rule, reference, seen, digest, salt, text, previous, hash)
SELECT :team, day, n, :at, :channel, :user, :ask_id, :action, :subject, :outcome, :rule, :reference, :seen, :digest, :salt, :text, previous,
  sha256(previous || char(10) || :team || char(10) || day || char(10) || n || char(10) || :at || char(10) || :channel || char(10)
    || :user || char(10) || :ask_id || char(10) || :action || char(10) || :subject || char(10) || :outcome || char(10)
    || :rule || char(10) || :reference || char(10) || :seen || char(10) || :digest)
FROM (
  SELECT max(:day, coalesce(head.day, '')) AS day, iif(head.day >= :day, head.n + 1, 1) AS n, coalesce(head.hash, '') AS previous
  FROM (SELECT 1) AS always LEFT JOIN (SELECT day, n, hash FROM chains WHERE team = :team ORDER BY day DESC LIMIT 1) AS head);

-- name: chains
-- Every day's chain: where it begins and ends, whether it was trimmed, and whether that is signed by our key.
SELECT team, day, n, previous, hash, trimmed,
  coalesce(signature = signed(team || char(10) || day || char(10) || n || char(10) || previous || char(10) || hash || char(10) || trimmed), 0)
    AS genuine
FROM chains ORDER BY team, day;

-- name: key
-- Whether the session brought its own key along.
SELECT 0 AS brought;

-- name: page
-- The records of a chain from one number on, some at a time.
SELECT * FROM audit WHERE team = :team AND day = :day AND n > :after ORDER BY n LIMIT :most;

-- name: stray
-- Records of days that have no chain.
SELECT team, day, count(*) AS records FROM audit
WHERE NOT EXISTS (SELECT 1 FROM chains WHERE chains.team = audit.team AND chains.day = audit.day) GROUP BY team, day;

-- name: find
-- Records by who, where, what and when, some at a time, with what their asks have cost.
SELECT audit.*, (SELECT sum(cost_picos) FROM ledger WHERE ledger.ask_id = audit.ask_id AND audit.action = 'ask') AS picos
FROM audit
WHERE (team, day, n) > (:after_team, :after_day, :after_n) AND at >= :since AND at < :until
  AND (:user IS NULL OR user = :user) AND (:channel IS NULL OR channel = :channel) AND (:subject IS NULL OR subject = :subject OR seen LIKE :seen ESCAPE '\')
ORDER BY team, day, n LIMIT :most;

-- name: about
-- The last records about one thing, and those of searches that gave it.
SELECT * FROM audit WHERE team = :team AND subject = :subject
UNION SELECT * FROM audit WHERE team = :team AND seen <> '' AND seen LIKE :seen ESCAPE '\'
ORDER BY at DESC, day DESC, n DESC LIMIT :most;

-- name: seal
-- A day is trimmed: what remains of it is where its chain begins and ends, signed.
UPDATE chains
SET trimmed = 1, signature = signed(team || char(10) || day || char(10) || n || char(10) || previous || char(10) || hash || char(10) || 1)
WHERE team = :team AND day = :day AND n = :n AND hash = :hash;

-- name: sign
-- A day's end is signed by the key in use, as long as the day ends there.
UPDATE chains SET signature = signed(team || char(10) || day || char(10) || n || char(10) || previous || char(10) || hash || char(10) || trimmed)
WHERE team = :team AND day = :day AND n = :n AND hash = :hash;

-- name: trim
-- Some records of a trimmed day go, the oldest first.
DELETE FROM audit WHERE (team, day, n) IN (
  SELECT team, day, n FROM audit WHERE team = :team AND day = :day ORDER BY n LIMIT :most)
RETURNING n;

-- name: holds
-- Whether a hash is a record's, or where a day ends.
SELECT 1 AS held WHERE EXISTS (SELECT 1 FROM audit WHERE hash = :hash) OR EXISTS (SELECT 1 FROM chains WHERE hash = :hash);
