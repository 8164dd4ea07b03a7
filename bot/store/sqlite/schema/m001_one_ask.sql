CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX keys_at ON keys (at);

CREATE TABLE asks (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  user TEXT NOT NULL,
  ts TEXT NOT NULL,
  lane TEXT NOT NULL,
  feature TEXT NOT NULL,
  body TEXT NOT NULL,
  at REAL NOT NULL,
  not_before REAL NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'parked', 'done', 'dead')),
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',
  leased_until REAL NOT NULL DEFAULT 0,
  behind_told INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT '',
  sentence TEXT NOT NULL DEFAULT '',
  ended_at REAL,
  erased INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX asks_message ON asks (team, channel, ts) WHERE ts <> '';
CREATE INDEX asks_waiting ON asks (channel, at, id, lane, user, not_before, feature) WHERE state = 'waiting';
CREATE INDEX asks_pressed ON asks (at, id) WHERE state = 'waiting' AND feature = 'click';
CREATE INDEX asks_leased ON asks (lane, channel, user, leased_until, feature) WHERE state = 'leased';
CREATE INDEX asks_parked ON asks (not_before) WHERE state = 'parked';
CREATE INDEX asks_dead ON asks (ended_at) WHERE state = 'dead';
CREATE INDEX asks_worded ON asks (channel, ended_at) WHERE erased = 0 AND state IN ('done', 'dead');
CREATE INDEX asks_wordless ON asks (ended_at) WHERE erased = 2;
CREATE INDEX asks_erasing ON asks (id) WHERE erased = 1;
CREATE INDEX asks_leaving ON asks (id) WHERE erased = 3;

CREATE TABLE signals (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  user TEXT NOT NULL,
  thread TEXT NOT NULL,
  ts TEXT NOT NULL,
  ask_id TEXT NOT NULL,
  text TEXT NOT NULL,
  at REAL NOT NULL
);
CREATE INDEX signals_channel ON signals (channel, at);
CREATE INDEX signals_deleted ON signals (channel, ts) WHERE kind = 'delete';
CREATE INDEX signals_ask ON signals (ask_id) WHERE ask_id <> '';
CREATE INDEX signals_feedback ON signals (at, id) WHERE kind = 'feedback';
CREATE TABLE heard (
  signal_id TEXT NOT NULL,
  ask_id TEXT NOT NULL,
  PRIMARY KEY (signal_id, ask_id)
) WITHOUT ROWID;

CREATE TABLE requests (
  ask_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  model TEXT NOT NULL,
  purpose TEXT NOT NULL,
  prefix_hash TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  estimate TEXT NOT NULL,
  estimate_cost INTEGER,
  price_version TEXT NOT NULL,
  at REAL NOT NULL,
  status TEXT NOT NULL DEFAULT 'open',
  message_id TEXT NOT NULL DEFAULT '',
  response TEXT,
  error TEXT NOT NULL DEFAULT '',
  ended_at REAL,
  PRIMARY KEY (ask_id, n)
) WITHOUT ROWID;
CREATE INDEX requests_at ON requests (at);
CREATE TABLE tool_results (
  ask_id TEXT NOT NULL,
  use_id TEXT NOT NULL,
  content TEXT NOT NULL,
  outcome TEXT NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (ask_id, use_id)
) WITHOUT ROWID;
CREATE TABLE parts (
  ask_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('opening', 'open', 'said')),
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  text TEXT NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (ask_id, n)
) WITHOUT ROWID;
CREATE INDEX parts_message ON parts (channel, ts);

CREATE TABLE ledger (
  entry_id TEXT PRIMARY KEY,
  message_id TEXT,
  iteration INTEGER NOT NULL,
  ask_id TEXT,
  at REAL NOT NULL,
  day TEXT NOT NULL,
  team TEXT,
  channel TEXT,
  user TEXT,
  thread TEXT,
  feature TEXT,
  purpose TEXT NOT NULL,
  model TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  thinking_tokens INTEGER NOT NULL,
  service_tier TEXT NOT NULL,
  speed TEXT NOT NULL,
  inference_geo TEXT NOT NULL,
  stop_reason TEXT,
  refusal_category TEXT,
  billed INTEGER NOT NULL,
  cost_picos INTEGER,
  counted_picos INTEGER NOT NULL,
  saved_picos INTEGER NOT NULL DEFAULT 0,
  opens INTEGER NOT NULL DEFAULT 0,
  price_version TEXT,
  request_id TEXT,
  ttft_ms INTEGER,
  latency_ms INTEGER,
  status TEXT NOT NULL CHECK (status IN ('settled', 'unconfirmed'))
) WITHOUT ROWID;
CREATE INDEX ledger_at ON ledger (at);
CREATE INDEX ledger_channel ON ledger (channel, at);
CREATE INDEX ledger_ask ON ledger (ask_id, model);
CREATE TABLE spent (
  month TEXT NOT NULL,
  channel TEXT NOT NULL,
  picos INTEGER NOT NULL,
  PRIMARY KEY (month, channel)
) WITHOUT ROWID;
CREATE TRIGGER ledger_adds_up AFTER INSERT ON ledger BEGIN
  INSERT INTO spent (month, channel, picos) VALUES (substr(new.day, 1, 7), coalesce(new.channel, ''), new.counted_picos)
  ON CONFLICT (month, channel) DO UPDATE SET picos = picos + excluded.picos; END;
CREATE TABLE sums (
  span TEXT NOT NULL,
  who TEXT NOT NULL,
  channel TEXT NOT NULL,
  feature TEXT NOT NULL,
  purpose TEXT NOT NULL,
  model TEXT NOT NULL,
  status TEXT NOT NULL,
  entries INTEGER NOT NULL,
  asks INTEGER NOT NULL,
  model_asks INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cache_write_5m_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  thinking_tokens INTEGER NOT NULL,
  unpriced_tokens INTEGER NOT NULL,
  cost_picos INTEGER NOT NULL,
  refused_picos INTEGER NOT NULL,
  saved_picos INTEGER NOT NULL,
  PRIMARY KEY (span, who, channel, feature, purpose, model, status)
) WITHOUT ROWID;
CREATE VIEW figures AS SELECT
  entry_id, day, coalesce(user, '') AS user, coalesce(channel, '') AS channel, coalesce(feature, '') AS feature, purpose,
  model, status, 1 AS entries, opens = 2 AS asks, opens > 0 AS model_asks,
  input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens, thinking_tokens,
  iif(cost_picos IS NULL, input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens + output_tokens, 0)
    AS unpriced_tokens,
  coalesce(cost_picos, 0) AS cost_picos, iif(stop_reason = 'refusal', coalesce(cost_picos, 0), 0) AS refused_picos,
  saved_picos
FROM ledger;
CREATE VIEW addends AS SELECT
  entry_id, iif(one_day, day, substr(day, 1, 7)) AS span, iif(grain = 'person', user, '*') AS who,
  iif(grain = 'all', '*', channel) AS channel, iif(grain = 'person', '', feature) AS feature,
  iif(grain = 'person', '', purpose) AS purpose, iif(grain = 'person', '', model) AS model, status,
  entries, asks, model_asks, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
  output_tokens, thinking_tokens, unpriced_tokens, cost_picos, refused_picos, saved_picos
FROM figures, (SELECT 0 AS one_day UNION ALL SELECT 1),
  (SELECT 'all' AS grain UNION ALL SELECT 'channel' UNION ALL SELECT 'person');
CREATE VIEW summed AS WITH fine AS MATERIALIZED (
  SELECT day, user, channel, feature, purpose, model, status,
    sum(entries) AS entries, sum(asks) AS asks, sum(model_asks) AS model_asks,
    sum(input_tokens) AS input_tokens, sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
    sum(cache_write_1h_tokens) AS cache_write_1h_tokens, sum(cache_read_tokens) AS cache_read_tokens,
    sum(output_tokens) AS output_tokens, sum(thinking_tokens) AS thinking_tokens,
    sum(unpriced_tokens) AS unpriced_tokens, sum(cost_picos) AS cost_picos,
    sum(refused_picos) AS refused_picos, sum(saved_picos) AS saved_picos
  FROM figures GROUP BY day, user, channel, feature, purpose, model, status
)
SELECT iif(one_day, day, substr(day, 1, 7)) AS span, iif(grain = 'person', user, '*') AS who,
  iif(grain = 'all', '*', channel) AS channel, iif(grain = 'person', '', feature) AS feature,
  iif(grain = 'person', '', purpose) AS purpose, iif(grain = 'person', '', model) AS model, status,
  sum(entries) AS entries, sum(asks) AS asks, sum(model_asks) AS model_asks,
  sum(input_tokens) AS input_tokens, sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens) AS cache_write_1h_tokens, sum(cache_read_tokens) AS cache_read_tokens,
  sum(output_tokens) AS output_tokens, sum(thinking_tokens) AS thinking_tokens,
  sum(unpriced_tokens) AS unpriced_tokens, sum(cost_picos) AS cost_picos,
  sum(refused_picos) AS refused_picos, sum(saved_picos) AS saved_picos
FROM fine, (SELECT 0 AS one_day UNION ALL SELECT 1),
  (SELECT 'all' AS grain UNION ALL SELECT 'channel' UNION ALL SELECT 'person')
GROUP BY 1, 2, 3, 4, 5, 6, 7;
CREATE TRIGGER ledger_sums_up AFTER INSERT ON ledger BEGIN
  UPDATE ledger SET opens = iif(EXISTS (SELECT 1 FROM ledger WHERE ask_id = new.ask_id AND entry_id <> new.entry_id), 1, 2)
  WHERE entry_id = new.entry_id AND new.ask_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM ledger WHERE ask_id = new.ask_id AND model = new.model AND entry_id <> new.entry_id); INSERT INTO sums SELECT
    span, who, channel, feature, purpose, model, status, entries, asks, model_asks, input_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, cache_read_tokens, output_tokens, thinking_tokens, unpriced_tokens, cost_picos, refused_picos,
    saved_picos
  FROM addends WHERE entry_id = new.entry_id
  ON CONFLICT (span, who, channel, feature, purpose, model, status) DO UPDATE SET
    entries = entries + excluded.entries, asks = asks + excluded.asks, model_asks = model_asks + excluded.model_asks,
    input_tokens = input_tokens + excluded.input_tokens,
    cache_write_5m_tokens = cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
    output_tokens = output_tokens + excluded.output_tokens, thinking_tokens = thinking_tokens + excluded.thinking_tokens,
    unpriced_tokens = unpriced_tokens + excluded.unpriced_tokens, cost_picos = cost_picos + excluded.cost_picos,
    refused_picos = refused_picos + excluded.refused_picos, saved_picos = saved_picos + excluded.saved_picos; END;
CREATE TABLE reservations (
  ask_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  channel TEXT NOT NULL,
  day TEXT NOT NULL,
  picos INTEGER NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (ask_id, n)
) WITHOUT ROWID;
CREATE INDEX reservations_channel ON reservations (channel, picos);

CREATE TABLE estimates (
  ask_id TEXT PRIMARY KEY,
  at REAL NOT NULL,
  tokens INTEGER NOT NULL,
  picos INTEGER NOT NULL,
  seconds REAL NOT NULL,
  state TEXT NOT NULL DEFAULT '',
  user TEXT NOT NULL DEFAULT '',
  press TEXT NOT NULL DEFAULT '',
  decided_at REAL
) WITHOUT ROWID;
CREATE INDEX estimates_at ON estimates (at);

CREATE TABLE adjusted (
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  user TEXT NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (channel, key)
) WITHOUT ROWID;

CREATE TABLE digests (
  id TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  user TEXT NOT NULL,
  subject TEXT NOT NULL,
  cadence TEXT NOT NULL,
  at REAL NOT NULL,
  stopped_at REAL
) WITHOUT ROWID;
CREATE INDEX digests_coming ON digests (channel, at) WHERE stopped_at IS NULL;

CREATE TABLE proposals (
  id TEXT PRIMARY KEY,
  ask_id TEXT NOT NULL,
  use_id TEXT NOT NULL,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  thread TEXT NOT NULL,
  user TEXT NOT NULL,
  behalf TEXT NOT NULL,
  tool TEXT NOT NULL,
  asked TEXT NOT NULL,
  draft TEXT NOT NULL,
  hash TEXT NOT NULL,
  state TEXT NOT NULL,
  until REAL NOT NULL,
  press TEXT NOT NULL,
  who TEXT NOT NULL,
  who_name TEXT NOT NULL,
  written TEXT NOT NULL,
  sentence TEXT NOT NULL,
  at REAL NOT NULL,
  changed_at REAL NOT NULL,
  UNIQUE (ask_id, use_id)
) WITHOUT ROWID;
CREATE INDEX proposals_thread ON proposals (team, channel, thread, tool);

CREATE TABLE escalations (
  ask_id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL DEFAULT '',
  category TEXT NOT NULL,
  sentence TEXT NOT NULL,
  notes TEXT NOT NULL,
  state TEXT NOT NULL,
  at REAL NOT NULL,
  until REAL NOT NULL,
  press TEXT NOT NULL DEFAULT '',
  who TEXT NOT NULL DEFAULT '',
  who_name TEXT NOT NULL DEFAULT '',
  decided_at REAL
) WITHOUT ROWID;

CREATE TABLE findings (
  ask_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  lane TEXT NOT NULL,
  url TEXT NOT NULL,
  head TEXT NOT NULL,
  severity TEXT NOT NULL,
  path TEXT NOT NULL,
  line INTEGER NOT NULL,
  quote TEXT NOT NULL,
  sentence TEXT NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (ask_id, n)
) WITHOUT ROWID;
CREATE INDEX findings_lane ON findings (lane, at);

CREATE TABLE conversation (
  lane TEXT NOT NULL,
  n INTEGER NOT NULL,
  ask_id TEXT NOT NULL UNIQUE,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  user TEXT NOT NULL,
  messages TEXT NOT NULL,
  seen_ts TEXT NOT NULL,
  message_id TEXT NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (lane, n)
) WITHOUT ROWID;
CREATE TABLE older (
  lane TEXT PRIMARY KEY,
  upto INTEGER NOT NULL,
  text TEXT NOT NULL,
  ask_id TEXT NOT NULL,
  at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit (
  team TEXT NOT NULL,
  day TEXT NOT NULL,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  channel TEXT NOT NULL,
  user TEXT NOT NULL,
  ask_id TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  rule TEXT NOT NULL,
  reference TEXT NOT NULL,
  seen TEXT NOT NULL,
  digest TEXT NOT NULL,
  salt TEXT NOT NULL,
  text TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (team, day, n)
) WITHOUT ROWID;
CREATE INDEX audit_subject ON audit (subject, at);
CREATE INDEX audit_seen ON audit (team, at) WHERE seen <> '';
CREATE INDEX audit_text ON audit (ask_id) WHERE salt <> '';
CREATE TABLE chains (
  team TEXT NOT NULL,
  day TEXT NOT NULL,
  n INTEGER NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  trimmed INTEGER NOT NULL DEFAULT 0,
  signature TEXT NOT NULL,
  PRIMARY KEY (team, day)
) WITHOUT ROWID;
CREATE TRIGGER audit_chains AFTER INSERT ON audit BEGIN
  INSERT INTO chains (team, day, n, previous, hash, signature) SELECT new.team, new.day, new.n, start, new.hash,
    signed(new.team || char(10) || new.day || char(10) || new.n || char(10) || start || char(10) || new.hash || char(10) || 0)
  FROM (SELECT coalesce((SELECT previous FROM chains WHERE team = new.team AND day = new.day), new.previous) AS start) WHERE 1
  ON CONFLICT (team, day) DO UPDATE SET n = excluded.n, hash = excluded.hash, signature = excluded.signature; END;
CREATE TRIGGER audit_only_grows
BEFORE UPDATE OF team, day, n, at, channel, user, ask_id, action, subject, outcome, rule, reference, seen, digest, previous, hash ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM chains WHERE team = old.team AND day = old.day AND trimmed = 1) BEGIN
  SELECT RAISE(ABORT, 'the audit is only trimmed by whole days'); END;

CREATE TABLE ills (
  name TEXT PRIMARY KEY,
  colour TEXT NOT NULL,
  since REAL NOT NULL
) WITHOUT ROWID;

CREATE VIEW lanes_at_work AS SELECT lane FROM asks WHERE state = 'waiting'
UNION ALL SELECT lane FROM asks WHERE state = 'leased' UNION ALL SELECT lane FROM asks WHERE state = 'parked';
CREATE VIEW ended AS SELECT
  id, channel, user, ended_at, lane IN (SELECT lane FROM lanes_at_work) AS lane_open,
  max(coalesce((SELECT max(until) FROM proposals WHERE proposals.ask_id = asks.id), 0),
    coalesce((SELECT until + 86400 FROM escalations WHERE escalations.ask_id = asks.id), 0)) AS needed_until
FROM asks WHERE erased = 0 AND state IN ('done', 'dead');
