ALTER TABLE requests ADD COLUMN sections TEXT NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN sent TEXT NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN cached TEXT NOT NULL DEFAULT '';
CREATE INDEX conversation_sent ON conversation (at) WHERE sent <> '';
