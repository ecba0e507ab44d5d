-- 0006-authorities.sql - the issuing CAs of this ledger, which of them issues, and the shards of
-- revocation lists.

-- An authority is never removed: what it issued must be told of as long as that is valid.
CREATE TABLE authorities (
  name TEXT PRIMARY KEY,         -- as in the configuration; also the label that its certificates have
  state TEXT NOT NULL CHECK (state IN ('standby', 'active', 'retired')),
  changed_at INTEGER NOT NULL,   -- seconds since 1970: when it came to this state; 0: at its first certificate
  issued INTEGER NOT NULL,       -- its certificates in this ledger, counted in the transaction that adds them
  missing INTEGER NOT NULL       -- its certificates that this ledger lacks, and that somebody has accepted as lost
) STRICT, WITHOUT ROWID;

INSERT INTO authorities (name, state, changed_at, issued, missing)
  SELECT (SELECT text FROM labels WHERE id = authority), 'standby', 0, count(*), 0
  FROM certificates GROUP BY authority;

-- One at a time issues.
CREATE UNIQUE INDEX authorities_active ON authorities (state) WHERE state = 'active';

CREATE TRIGGER authorities_insert BEFORE INSERT ON authorities
BEGIN
  SELECT RAISE(ROLLBACK, 'there is an authority of this name')
    WHERE EXISTS (SELECT 1 FROM authorities WHERE name = NEW.name);
END;
-- ROLLBACK, for the reason that 0001-ledger.sql gives: counting is on the way of every certificate.
CREATE TRIGGER authorities_update BEFORE UPDATE ON authorities
BEGIN
  SELECT RAISE(ROLLBACK, 'what an authority has issued only grows')
    WHERE NEW.name IS NOT OLD.name OR NEW.issued < OLD.issued OR NEW.missing < OLD.missing;
  SELECT RAISE(ROLLBACK, 'a retired authority stays retired')
    WHERE OLD.state = 'retired' AND NEW.state <> 'retired';
END;
CREATE TRIGGER authorities_delete BEFORE DELETE ON authorities
BEGIN
  SELECT RAISE(ABORT, 'authorities are never deleted');
END;

-- Which of the lists that its authority divides its revocations into tells of a certificate; NULL:
-- the one of all. It stands in the certificate's distribution point, and so never changes.
ALTER TABLE certificates ADD COLUMN shard INTEGER;
