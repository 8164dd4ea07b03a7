-- needs: m001_one_ask

CREATE TABLE keys (
  key TEXT COLLATE "C" PRIMARY KEY,
  at DOUBLE PRECISION NOT NULL
);
CREATE INDEX keys_at ON keys (at);

CREATE TABLE asks (
  id TEXT COLLATE "C" PRIMARY KEY,
  key TEXT COLLATE "C" NOT NULL UNIQUE,
  team TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  ts TEXT COLLATE "C" NOT NULL,
  lane TEXT COLLATE "C" NOT NULL,
  feature TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  not_before DOUBLE PRECISION NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'leased', 'parked', 'done', 'dead')),
  attempt BIGINT NOT NULL DEFAULT 0,
  failures BIGINT NOT NULL DEFAULT 0,
  worker TEXT COLLATE "C" NOT NULL DEFAULT '',
  leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
  behind_told BIGINT NOT NULL DEFAULT 0,
  outcome TEXT COLLATE "C" NOT NULL DEFAULT '',
  sentence TEXT COLLATE "C" NOT NULL DEFAULT '',
  ended_at DOUBLE PRECISION,
  erased BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX asks_message ON asks (team, channel, ts) WHERE ts <> '';
CREATE INDEX asks_waiting ON asks (channel, at, id, lane, "user", not_before, feature) WHERE state = 'waiting';
CREATE INDEX asks_pressed ON asks (at, id) WHERE state = 'waiting' AND feature = 'click';
CREATE INDEX asks_leased ON asks (lane, channel, "user", leased_until, feature) WHERE state = 'leased';
CREATE INDEX asks_parked ON asks (not_before) WHERE state = 'parked';
CREATE INDEX asks_dead ON asks (ended_at) WHERE state = 'dead';
CREATE INDEX asks_worded ON asks (channel, ended_at) WHERE erased = 0 AND state IN ('done', 'dead');
CREATE INDEX asks_wordless ON asks (ended_at) WHERE erased = 2;
CREATE INDEX asks_erasing ON asks (id) WHERE erased = 1;
CREATE INDEX asks_leaving ON asks (id) WHERE erased = 3;

CREATE TABLE signals (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  team TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  thread TEXT COLLATE "C" NOT NULL,
  ts TEXT COLLATE "C" NOT NULL,
  ask_id TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL
);
CREATE INDEX signals_channel ON signals (channel, at);
CREATE INDEX signals_deleted ON signals (channel, ts) WHERE kind = 'delete';
CREATE INDEX signals_ask ON signals (ask_id) WHERE ask_id <> '';
CREATE INDEX signals_feedback ON signals (at, id) WHERE kind = 'feedback';
CREATE TABLE heard (
  signal_id TEXT COLLATE "C" NOT NULL,
  ask_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (signal_id, ask_id)
);

CREATE TABLE requests (
  ask_id TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  model TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  prefix_hash TEXT COLLATE "C" NOT NULL,
  prompt_version TEXT COLLATE "C" NOT NULL,
  estimate TEXT COLLATE "C" NOT NULL,
  estimate_cost BIGINT,
  price_version TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  status TEXT COLLATE "C" NOT NULL DEFAULT 'open',
  message_id TEXT COLLATE "C" NOT NULL DEFAULT '',
  response TEXT COLLATE "C",
  error TEXT COLLATE "C" NOT NULL DEFAULT '',
  ended_at DOUBLE PRECISION,
  PRIMARY KEY (ask_id, n)
);
CREATE INDEX requests_at ON requests (at);
CREATE TABLE tool_results (
  ask_id TEXT COLLATE "C" NOT NULL,
  use_id TEXT COLLATE "C" NOT NULL,
  content TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (ask_id, use_id)
);
CREATE TABLE parts (
  ask_id TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('opening', 'open', 'said')),
  kind TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  ts TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (ask_id, n)
);
CREATE INDEX parts_message ON parts (channel, ts);

CREATE TABLE ledger (
  entry_id TEXT COLLATE "C" PRIMARY KEY,
  message_id TEXT COLLATE "C",
  iteration BIGINT NOT NULL,
  ask_id TEXT COLLATE "C",
  at DOUBLE PRECISION NOT NULL,
  day TEXT COLLATE "C" NOT NULL,
  team TEXT COLLATE "C",
  channel TEXT COLLATE "C",
  "user" TEXT COLLATE "C",
  thread TEXT COLLATE "C",
  feature TEXT COLLATE "C",
  purpose TEXT COLLATE "C" NOT NULL,
  model TEXT COLLATE "C" NOT NULL,
  prompt_version TEXT COLLATE "C" NOT NULL,
  input_tokens BIGINT NOT NULL,
  cache_write_5m_tokens BIGINT NOT NULL,
  cache_write_1h_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  thinking_tokens BIGINT NOT NULL,
  service_tier TEXT COLLATE "C" NOT NULL,
  speed TEXT COLLATE "C" NOT NULL,
  inference_geo TEXT COLLATE "C" NOT NULL,
  stop_reason TEXT COLLATE "C",
  refusal_category TEXT COLLATE "C",
  billed BIGINT NOT NULL,
  cost_picos BIGINT,
  counted_picos BIGINT NOT NULL,
  saved_picos BIGINT NOT NULL DEFAULT 0,
  opens BIGINT NOT NULL DEFAULT 0,
  price_version TEXT COLLATE "C",
  request_id TEXT COLLATE "C",
  ttft_ms BIGINT,
  latency_ms BIGINT,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('settled', 'unconfirmed'))
);
CREATE INDEX ledger_at ON ledger (at);
CREATE INDEX ledger_channel ON ledger (channel, at);
CREATE INDEX ledger_ask ON ledger (ask_id, model);
CREATE TABLE spent (
  month TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  picos BIGINT NOT NULL,
  PRIMARY KEY (month, channel)
);
CREATE TABLE sums (
  span TEXT COLLATE "C" NOT NULL,
  who TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  feature TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  model TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  entries BIGINT NOT NULL,
  asks BIGINT NOT NULL,
  model_asks BIGINT NOT NULL,
  input_tokens BIGINT NOT NULL,
  cache_write_5m_tokens BIGINT NOT NULL,
  cache_write_1h_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  thinking_tokens BIGINT NOT NULL,
  unpriced_tokens BIGINT NOT NULL,
  cost_picos BIGINT NOT NULL,
  refused_picos BIGINT NOT NULL,
  saved_picos BIGINT NOT NULL,
  PRIMARY KEY (span, who, channel, feature, purpose, model, status)
);
CREATE VIEW figures AS SELECT
  entry_id, day, coalesce("user", '') AS "user", coalesce(channel, '') AS channel, coalesce(feature, '') AS feature, purpose,
  model, status, 1 AS entries, (opens = 2)::integer AS asks, (opens > 0)::integer AS model_asks,
  input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens, thinking_tokens,
  CASE WHEN cost_picos IS NULL
    THEN input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens + output_tokens ELSE 0 END
    AS unpriced_tokens,
  coalesce(cost_picos, 0) AS cost_picos,
  CASE WHEN stop_reason = 'refusal' THEN coalesce(cost_picos, 0) ELSE 0 END AS refused_picos, saved_picos
FROM ledger;
CREATE VIEW summed AS WITH fine AS MATERIALIZED (
  SELECT day, "user", channel, feature, purpose, model, status,
    sum(entries) AS entries, sum(asks) AS asks, sum(model_asks) AS model_asks,
    sum(input_tokens) AS input_tokens, sum(cache_write_5m_tokens) AS cache_write_5m_tokens,
    sum(cache_write_1h_tokens) AS cache_write_1h_tokens, sum(cache_read_tokens) AS cache_read_tokens,
    sum(output_tokens) AS output_tokens, sum(thinking_tokens) AS thinking_tokens,
    sum(unpriced_tokens) AS unpriced_tokens, sum(cost_picos) AS cost_picos,
    sum(refused_picos) AS refused_picos, sum(saved_picos) AS saved_picos
  FROM figures GROUP BY day, "user", channel, feature, purpose, model, status
)
SELECT CASE WHEN one_day THEN day ELSE substr(day, 1, 7) END AS span, CASE grain WHEN 'person' THEN "user" ELSE '*' END AS who,
  CASE grain WHEN 'all' THEN '*' ELSE channel END AS channel, CASE grain WHEN 'person' THEN '' ELSE feature END AS feature,
  CASE grain WHEN 'person' THEN '' ELSE purpose END AS purpose, CASE grain WHEN 'person' THEN '' ELSE model END AS model, status,
  sum(entries)::bigint AS entries, sum(asks)::bigint AS asks, sum(model_asks)::bigint AS model_asks,
  sum(input_tokens)::bigint AS input_tokens, sum(cache_write_5m_tokens)::bigint AS cache_write_5m_tokens,
  sum(cache_write_1h_tokens)::bigint AS cache_write_1h_tokens, sum(cache_read_tokens)::bigint AS cache_read_tokens,
  sum(output_tokens)::bigint AS output_tokens, sum(thinking_tokens)::bigint AS thinking_tokens,
  sum(unpriced_tokens)::bigint AS unpriced_tokens, sum(cost_picos)::bigint AS cost_picos,
  sum(refused_picos)::bigint AS refused_picos, sum(saved_picos)::bigint AS saved_picos
FROM fine, (VALUES (false), (true)) AS spans (one_day), (VALUES ('all'), ('channel'), ('person')) AS grains (grain)
GROUP BY 1, 2, 3, 4, 5, 6, 7;
CREATE FUNCTION ledger_opens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The first row of an ask (2), or of a model in it (1), so that sums can count asks; known before it is added up.
  IF new.ask_id IS NOT NULL AND NOT EXISTS (SELECT FROM ledger WHERE ask_id = new.ask_id AND model = new.model) THEN
    new.opens := CASE WHEN EXISTS (SELECT FROM ledger WHERE ask_id = new.ask_id) THEN 1 ELSE 2 END;
  END IF;
  RETURN new;
END $$;
CREATE TRIGGER ledger_opens BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_opens();
CREATE FUNCTION ledger_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO spent (month, channel, picos) VALUES (substr(new.day, 1, 7), coalesce(new.channel, ''), new.counted_picos)
  ON CONFLICT (month, channel) DO UPDATE SET picos = spent.picos + excluded.picos;
  INSERT INTO sums
  SELECT CASE WHEN one_day THEN day ELSE substr(day, 1, 7) END, CASE grain WHEN 'person' THEN "user" ELSE '*' END,
    CASE grain WHEN 'all' THEN '*' ELSE channel END, CASE grain WHEN 'person' THEN '' ELSE feature END,
    CASE grain WHEN 'person' THEN '' ELSE purpose END, CASE grain WHEN 'person' THEN '' ELSE model END, status,
    entries, asks, model_asks, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,
    output_tokens, thinking_tokens, unpriced_tokens, cost_picos, refused_picos, saved_picos
  FROM figures, (VALUES (false), (true)) AS spans (one_day), (VALUES ('all'), ('channel'), ('person')) AS grains (grain)
  WHERE entry_id = new.entry_id
  ON CONFLICT (span, who, channel, feature, purpose, model, status) DO UPDATE SET
    entries = sums.entries + excluded.entries, asks = sums.asks + excluded.asks,
    model_asks = sums.model_asks + excluded.model_asks, input_tokens = sums.input_tokens + excluded.input_tokens,
    cache_write_5m_tokens = sums.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = sums.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    cache_read_tokens = sums.cache_read_tokens + excluded.cache_read_tokens,
    output_tokens = sums.output_tokens + excluded.output_tokens,
    thinking_tokens = sums.thinking_tokens + excluded.thinking_tokens,
    unpriced_tokens = sums.unpriced_tokens + excluded.unpriced_tokens,
    cost_picos = sums.cost_picos + excluded.cost_picos, refused_picos = sums.refused_picos + excluded.refused_picos,
    saved_picos = sums.saved_picos + excluded.saved_picos;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_adds_up AFTER INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_adds_up();
CREATE TABLE reservations (
  ask_id TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  day TEXT COLLATE "C" NOT NULL,
  picos BIGINT NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (ask_id, n)
);
CREATE INDEX reservations_channel ON reservations (channel, picos);

CREATE TABLE estimates (
  ask_id TEXT COLLATE "C" PRIMARY KEY,
  at DOUBLE PRECISION NOT NULL,
  tokens BIGINT NOT NULL,
  picos BIGINT NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  state TEXT COLLATE "C" NOT NULL DEFAULT '',
  "user" TEXT COLLATE "C" NOT NULL DEFAULT '',
  press TEXT COLLATE "C" NOT NULL DEFAULT '',
  decided_at DOUBLE PRECISION
);
CREATE INDEX estimates_at ON estimates (at);

CREATE TABLE adjusted (
  channel TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (channel, key)
);

CREATE TABLE digests (
  id TEXT COLLATE "C" PRIMARY KEY,
  team TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  cadence TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  stopped_at DOUBLE PRECISION
);
CREATE INDEX digests_coming ON digests (channel, at) WHERE stopped_at IS NULL;

CREATE TABLE proposals (
  id TEXT COLLATE "C" PRIMARY KEY,
  ask_id TEXT COLLATE "C" NOT NULL,
  use_id TEXT COLLATE "C" NOT NULL,
  team TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  thread TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  behalf TEXT COLLATE "C" NOT NULL,
  tool TEXT COLLATE "C" NOT NULL,
  asked TEXT COLLATE "C" NOT NULL,
  draft TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  until DOUBLE PRECISION NOT NULL,
  press TEXT COLLATE "C" NOT NULL,
  who TEXT COLLATE "C" NOT NULL,
  who_name TEXT COLLATE "C" NOT NULL,
  written TEXT COLLATE "C" NOT NULL,
  sentence TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  changed_at DOUBLE PRECISION NOT NULL,
  UNIQUE (ask_id, use_id)
);
CREATE INDEX proposals_thread ON proposals (team, channel, thread, tool);

CREATE TABLE escalations (
  ask_id TEXT COLLATE "C" PRIMARY KEY,
  channel TEXT COLLATE "C" NOT NULL,
  ts TEXT COLLATE "C" NOT NULL DEFAULT '',
  category TEXT COLLATE "C" NOT NULL,
  sentence TEXT COLLATE "C" NOT NULL,
  notes TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  until DOUBLE PRECISION NOT NULL,
  press TEXT COLLATE "C" NOT NULL DEFAULT '',
  who TEXT COLLATE "C" NOT NULL DEFAULT '',
  who_name TEXT COLLATE "C" NOT NULL DEFAULT '',
  decided_at DOUBLE PRECISION
);

CREATE TABLE findings (
  ask_id TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  lane TEXT COLLATE "C" NOT NULL,
  url TEXT COLLATE "C" NOT NULL,
  head TEXT COLLATE "C" NOT NULL,
  severity TEXT COLLATE "C" NOT NULL,
  path TEXT COLLATE "C" NOT NULL,
  line BIGINT NOT NULL,
  quote TEXT COLLATE "C" NOT NULL,
  sentence TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (ask_id, n)
);
CREATE INDEX findings_lane ON findings (lane, at);

CREATE TABLE conversation (
  lane TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  ask_id TEXT COLLATE "C" NOT NULL UNIQUE,
  team TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  messages TEXT COLLATE "C" NOT NULL,
  seen_ts TEXT COLLATE "C" NOT NULL,
  message_id TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (lane, n)
);
CREATE TABLE older (
  lane TEXT COLLATE "C" PRIMARY KEY,
  upto BIGINT NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  ask_id TEXT COLLATE "C" NOT NULL,
  at DOUBLE PRECISION NOT NULL
);

CREATE TABLE audit (
  team TEXT COLLATE "C" NOT NULL,
  day TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  at BIGINT NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  "user" TEXT COLLATE "C" NOT NULL,
  ask_id TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  reference TEXT COLLATE "C" NOT NULL,
  seen TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  salt TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  previous TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (team, day, n)
);
CREATE INDEX audit_subject ON audit (subject, at);
CREATE INDEX audit_seen ON audit (team, at) WHERE seen <> '';
CREATE INDEX audit_text ON audit (ask_id) WHERE salt <> '';
CREATE TABLE chains (
  team TEXT COLLATE "C" NOT NULL,
  day TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  previous TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  trimmed BIGINT NOT NULL DEFAULT 0,
  signature TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (team, day)
);
CREATE TABLE seal (
  one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
  key BYTEA NOT NULL
);
INSERT INTO seal (key) SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
CREATE FUNCTION hashed(what text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(sha256(convert_to(what, 'UTF8')), 'hex') $$;
CREATE FUNCTION pad(key bytea, with_byte integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(
    set_byte('\x00', 0, with_byte # CASE WHEN n < length(key) THEN get_byte(key, n) ELSE 0 END), ''::bytea ORDER BY n)
  FROM generate_series(0, 63) AS n $$;
CREATE FUNCTION signed(what text) RETURNS text LANGUAGE sql STABLE AS $$
  -- HMAC-SHA-256 by the key that the session brings along (`purser.audit_key`), or else by the one that lies here.
  SELECT encode(sha256(pad(key, 92) || sha256(pad(key, 54) || convert_to(what, 'UTF8'))), 'hex')
  FROM (
    SELECT CASE WHEN length(given) = 0 THEN (SELECT key FROM seal) WHEN length(given) > 64 THEN sha256(given) ELSE given END AS key
    FROM (SELECT convert_to(coalesce(current_setting('purser.audit_key', true), ''), 'UTF8') AS given) AS session
  ) AS keys $$;
CREATE FUNCTION audit_chains() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  start TEXT := coalesce((SELECT previous FROM chains WHERE team = new.team AND day = new.day), new.previous);
BEGIN
  INSERT INTO chains (team, day, n, previous, hash, signature) VALUES (new.team, new.day, new.n, start, new.hash,
    signed(concat_ws(chr(10), new.team, new.day, new.n, start, new.hash, 0)))
  ON CONFLICT (team, day) DO UPDATE SET n = excluded.n, hash = excluded.hash, signature = excluded.signature;
  RETURN NULL;
END $$;
CREATE TRIGGER audit_chains AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chains();
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is only added to';
END $$;
CREATE TRIGGER audit_only_grows
BEFORE UPDATE OF team, day, n, at, channel, "user", ask_id, action, subject, outcome, rule, reference, seen, digest, previous, hash
ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_grows();
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM chains WHERE team = old.team AND day = old.day AND trimmed = 1) THEN
    RAISE EXCEPTION 'the audit is only trimmed by whole days';
  END IF;
  RETURN old;
END $$;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();

CREATE TABLE ills (
  name TEXT COLLATE "C" PRIMARY KEY,
  colour TEXT COLLATE "C" NOT NULL,
  since DOUBLE PRECISION NOT NULL
);

CREATE VIEW lanes_at_work AS SELECT lane FROM asks WHERE state = 'waiting'
UNION ALL SELECT lane FROM asks WHERE state = 'leased' UNION ALL SELECT lane FROM asks WHERE state = 'parked';
CREATE VIEW ended AS SELECT
  id, channel, "user", ended_at, (lane IN (SELECT lane FROM lanes_at_work))::integer AS lane_open,
  greatest(coalesce((SELECT max(until) FROM proposals WHERE proposals.ask_id = asks.id), 0),
    coalesce((SELECT until + 86400 FROM escalations WHERE escalations.ask_id = asks.id), 0)) AS needed_until
FROM asks WHERE erased = 0 AND state IN ('done', 'dead');

CREATE FUNCTION must(n bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  -- A statement that had to find something found nothing: its transaction ends here.
  IF n = 0 THEN
    RAISE EXCEPTION 'purser: nothing is there any more' USING ERRCODE = 'PU001';
  END IF;
  RETURN true;
END $$;
CREATE FUNCTION as_json(body text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  -- A NUL, which JSON may carry and this engine may not, becomes a replacement character.
  SELECT CASE WHEN strpos(body, '\u0000') = 0 THEN body
    ELSE regexp_replace(body, '(?<!\\)((?:\\\\)*)\\u0000', '\1\ufffd', 'g') END::jsonb $$;
CREATE FUNCTION utc_day(at double precision) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(to_timestamp(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD') $$;

CREATE FUNCTION asks_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Deferred: what was taken in the transaction that put it is no news to anybody.
  IF EXISTS (SELECT FROM asks WHERE id = new.id AND state = 'waiting') THEN
    PERFORM pg_notify('purser', '');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER asks_put AFTER INSERT ON asks DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION asks_news();
CREATE CONSTRAINT TRIGGER asks_again AFTER UPDATE OF state ON asks DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (new.state = 'waiting' AND old.state <> 'waiting') EXECUTE FUNCTION asks_news();
CREATE FUNCTION signals_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('purser', new.channel);
  RETURN NULL;
END $$;
CREATE TRIGGER signals_put AFTER INSERT ON signals
FOR EACH ROW WHEN (new.kind <> 'feedback') EXECUTE FUNCTION signals_news();
