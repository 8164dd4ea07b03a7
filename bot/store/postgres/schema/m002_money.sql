-- needs: m001_one_ask

ALTER TABLE requests ADD COLUMN sections TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN sent TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN cached TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX conversation_sent ON conversation (at) WHERE sent <> '';
