-- 0011-batches.sql - requests for certificates that came many at a time, and what became of each.

CREATE TABLE batches (
  id INTEGER PRIMARY KEY,        -- what the rows of batch_lines hold
  name BLOB NOT NULL,            -- 16 octets: the id by which its sender asks for it
  principal INTEGER NOT NULL REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED, -- who sent it
  begun_at INTEGER NOT NULL,     -- seconds since 1970
  ended_at INTEGER,              -- likewise; NULL: it runs
  cut_off INTEGER NOT NULL,      -- 1: it ended before all of its lines had come
  issued INTEGER NOT NULL,       -- how many of its lines ended so, up to now
  replayed INTEGER NOT NULL,     -- they had been issued before
  refused INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX batches_name ON batches (name);
CREATE INDEX batches_principal ON batches (principal);
CREATE INDEX batches_running ON batches (ended_at) WHERE ended_at IS NULL;

CREATE TRIGGER batches_update BEFORE UPDATE ON batches
BEGIN
  SELECT RAISE(ROLLBACK, 'a batch that has ended stays as it is, and a number only grows')
    WHERE OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.name <> OLD.name
       OR NEW.principal <> OLD.principal OR NEW.begun_at <> OLD.begun_at
       OR NEW.issued < OLD.issued OR NEW.replayed < OLD.replayed OR NEW.refused < OLD.refused;
END;
CREATE TRIGGER batches_delete BEFORE DELETE ON batches
BEGIN
  SELECT RAISE(ABORT, 'batches are never deleted');
END;

-- What became of each line, written with the certificate itself: some 20 octets for one that was
-- issued. Rows are only added.
CREATE TABLE batch_lines (
  batch INTEGER NOT NULL REFERENCES batches (id) DEFERRABLE INITIALLY DEFERRED,
  line INTEGER NOT NULL,         -- from 1, as the sender counts
  certificate INTEGER REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
                                 -- NULL: the line was refused
  replayed INTEGER,              -- 1: the certificate was there already; NULL: it was issued
  code INTEGER REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,
                                 -- why it was refused: the problem's code; NULL: it was not
  detail TEXT,                   -- likewise, in words
  names TEXT,                    -- and what was wrong with each of its names: "name TAB why LF",
                                 -- as many as go into 8 KiB; NULL: nothing
  PRIMARY KEY (batch, line)
) STRICT, WITHOUT ROWID;

-- One that is there already stays, whatever is to be put in its place.
CREATE TRIGGER batch_lines_insert BEFORE INSERT ON batch_lines
BEGIN
  SELECT RAISE(IGNORE)
    WHERE EXISTS (SELECT 1 FROM batch_lines WHERE batch = NEW.batch AND line = NEW.line);
END;
CREATE TRIGGER batch_lines_update BEFORE UPDATE ON batch_lines
BEGIN
  SELECT RAISE(ABORT, 'what became of a line is never changed');
END;
CREATE TRIGGER batch_lines_delete BEFORE DELETE ON batch_lines
BEGIN
  SELECT RAISE(ABORT, 'what became of a line is never deleted');
END;
