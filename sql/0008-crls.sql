-- 0008-crls.sql - the lists of revoked certificates that were published, so that no number comes
-- up twice and what a list takes account of is known after a restart. Rows are only added.

CREATE TABLE crls (
  id INTEGER PRIMARY KEY,        -- position: 1, 2, 3, ... without gaps
  authority INTEGER NOT NULL REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,
  shard INTEGER NOT NULL,        -- of which certificates it tells: see certificates; 0: of all
  number INTEGER NOT NULL,       -- cRLNumber: above every other of the authority, whatever its kind
  base_number INTEGER,           -- of a delta: the list that it goes on from; NULL: it is complete
  this_update INTEGER NOT NULL,  -- seconds since 1970, as in the list, and so is the next
  next_update INTEGER NOT NULL,
  revocation INTEGER NOT NULL,   -- the newest revocation that it takes account of; 0: there was none
  entries INTEGER NOT NULL,      -- certificates on it
  octets INTEGER NOT NULL,       -- its length
  sha256 BLOB NOT NULL           -- over the whole list in DER
) STRICT;

-- The highest number, and the highest shard that certificates may name, are at the ends of these.
CREATE UNIQUE INDEX crls_number ON crls (authority, number);
CREATE INDEX crls_shard ON crls (authority, shard);

-- A list of one shard of a thousand is not to cost a walk over all of them.
CREATE INDEX revocations_shard ON revocations (shard) WHERE shard > 0;

CREATE TRIGGER crls_insert BEFORE INSERT ON crls
BEGIN
  SELECT RAISE(ROLLBACK, 'lists are only added, each behind the last one')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM crls);
  SELECT RAISE(ROLLBACK, 'the number of a list is above those of all lists before it')
    WHERE NEW.number <= (SELECT max(number) FROM crls WHERE authority = NEW.authority);
END;
CREATE TRIGGER crls_update BEFORE UPDATE ON crls
BEGIN
  SELECT RAISE(ABORT, 'lists are never changed');
END;
CREATE TRIGGER crls_delete BEFORE DELETE ON crls
BEGIN
  SELECT RAISE(ABORT, 'lists are never deleted');
END;
