-- 0007-revocations.sql - which certificates are revoked, since when and why.
--
-- Like certificates, revocations only grow: triggers refuse UPDATE, DELETE and REPLACE. The newest
-- row of a certificate is its state. A revocation is final, with two exceptions: a hold is lifted or
-- becomes final, and a key that turns out to be compromised is said to be so.

CREATE TABLE revocations (
  id INTEGER PRIMARY KEY,        -- position: 1, 2, 3, ... without gaps
  certificate INTEGER REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
                                 -- NULL: one that this ledger does not have
  serial_number BLOB NOT NULL,   -- the certificate's, and so are the next two
  authority INTEGER NOT NULL REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,
  shard INTEGER NOT NULL,        -- 0: none
  not_after INTEGER NOT NULL,    -- likewise, seconds since 1970; 0: not known
  at INTEGER NOT NULL,           -- seconds since 1970: since when it is revoked; what follows a hold
                                 -- or is a reason that was corrected has the time of that row
  reason INTEGER NOT NULL        -- CRLReason (RFC 5280, 5.3.1); 8, removeFromCRL: a hold was lifted
    CHECK (reason BETWEEN 0 AND 10 AND reason <> 7),
  follows INTEGER REFERENCES revocations (id) DEFERRABLE INITIALLY DEFERRED
                                 -- the row before it of the same certificate; NULL: none
) STRICT;

-- The first two end in the row's id: the newest row of a certificate is the last one there. Few rows
-- are followed by another one, so that the third is small: "is it the newest?" costs next to nothing
-- while a list of a million rows is made in their order.
CREATE INDEX revocations_certificate ON revocations (certificate) WHERE certificate IS NOT NULL;
CREATE INDEX revocations_serial_number ON revocations (serial_number);
CREATE INDEX revocations_follows ON revocations (follows) WHERE follows IS NOT NULL;

-- How many of a span's certificates are revoked now: lets a search for those that are not step over
-- a span that has nothing else. Whoever adds revocations counts them in the same transaction.
ALTER TABLE spans ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;

-- ROLLBACK in what watches over inserts, for the sake of speed: see 0001-ledger.sql.
CREATE TRIGGER revocations_insert BEFORE INSERT ON revocations
BEGIN
  SELECT RAISE(ROLLBACK, 'revocations are only added, each behind the last one')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM revocations);
  SELECT RAISE(ROLLBACK, 'a revocation is of the certificate that has its serial_number')
    WHERE NEW.certificate IS NOT (SELECT id FROM certificates
                                  WHERE serial_number = NEW.serial_number
                                    AND authority = NEW.authority);
  SELECT RAISE(ROLLBACK, 'a revocation follows the newest one of its certificate')
    WHERE NEW.follows IS NOT (SELECT max(id) FROM revocations
                              WHERE serial_number = NEW.serial_number
                                AND authority = NEW.authority);
  -- What was never revoked is as what was lifted (8).
  SELECT RAISE(ROLLBACK, 'a revocation is final, but for a hold or a compromised key')
    WHERE EXISTS (SELECT 1 FROM (SELECT coalesce((SELECT reason FROM revocations
                                                  WHERE id = NEW.follows), 8) AS before)
                  WHERE NEW.reason = before OR (before NOT IN (6, 8) AND NEW.reason <> 1));
END;
CREATE TRIGGER revocations_update BEFORE UPDATE ON revocations
BEGIN
  SELECT RAISE(ABORT, 'revocations are never changed');
END;
CREATE TRIGGER revocations_delete BEFORE DELETE ON revocations
BEGIN
  SELECT RAISE(ABORT, 'revocations are never deleted');
END;
