-- 0010-standing.sql - numbers of revocation lists are taken before they are signed, so that a key holder
-- that has signed a higher one tells that this ledger is an older copy.

-- The highest cRLNumber that was taken, or accepted as signed by a newer copy of this ledger.
ALTER TABLE authorities ADD COLUMN crl_number INTEGER NOT NULL DEFAULT 0;
UPDATE authorities SET crl_number =
  coalesce((SELECT max(number) FROM crls
            WHERE authority = (SELECT id FROM labels WHERE text = authorities.name)), 0);

CREATE TRIGGER authorities_crl_number BEFORE UPDATE ON authorities
BEGIN
  SELECT RAISE(ROLLBACK, 'the number of a revocation list only grows')
    WHERE NEW.crl_number < OLD.crl_number;
END;
