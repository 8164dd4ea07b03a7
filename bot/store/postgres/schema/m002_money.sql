-- needs: m001_one_ask

ALTER TABLE requests ADD COLUMN sections TEXT COLLATE "C" NOT NULL DEFAULT '';
