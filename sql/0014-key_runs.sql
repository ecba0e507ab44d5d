-- 0014-key_runs.sql - keys are indexed when a run of 65,536 certificates is whole.
--
-- Digests are spread evenly. As long as each row put its key into an index at once, each touched a page
-- that none of its neighbours did: half of all pages that a transaction wrote. Now the daemon remembers
-- the keys of the newest rows (it reads those rows when it starts), and writes them when their run is
-- whole: 128 rows with all of its keys. The first start after this migration does so for the runs that
-- are there.
DROP INDEX certificates_key;

CREATE TABLE keys (
  id INTEGER PRIMARY KEY,  -- run * 128 + the first seven bits of each key's SHA-256; the run of a
                           -- certificate is its id / 65536
  entries BLOB NOT NULL    -- of each key six octets, in the order of certificates: the second to the
                           -- fifth octet of its SHA-256; id % 65536, most significant octet first
) STRICT;

CREATE TRIGGER keys_insert BEFORE INSERT ON keys
BEGIN
  SELECT RAISE(ROLLBACK, 'keys are only added, each bucket behind the last one, of a run that is whole')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), -1) + 1 FROM keys)
       OR (SELECT coalesce(max(id), 0) FROM certificates) < (NEW.id / 128 + 1) * 65536 - 1;
END;
CREATE TRIGGER keys_update BEFORE UPDATE ON keys
BEGIN
  SELECT RAISE(ABORT, 'keys are only added');
END;
CREATE TRIGGER keys_delete BEFORE DELETE ON keys
BEGIN
  SELECT RAISE(ABORT, 'keys are never deleted');
END;

-- From here on nothing reads certificates.spki_prefix, and new rows have 0 there.
