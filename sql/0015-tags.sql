-- 0015-tags.sql - names, and the devices and sources of events, are indexed as keys are (0014): when a
-- run of 65,536 rows is whole.
--
-- An index in the order of values has a page to write for nearly each row, and a search in it for each of
-- the values of a row; only operators ask by them. Five octets of a value, its tag, find the rows that may
-- have it; the row itself (its certificate, for a name) tells whether it has. The newest rows' tags are in
-- the daemon's memory, which reads those rows when it starts. The first start after this migration writes
-- the tags of all runs that are there.
--
-- Of a run there are 1,024 rows: 512 buckets of the first kind of value, 512 of the second. The tag of a
-- public key is its SHA-256. That of any other value is its FNV-1a hash of 64 bits, most significant octet
-- first, behind one octet for what it is (1: IP address, 2: DNS name, 3: URI, 4: device_serial of an event,
-- 5: source), put through the finalizer of MurmurHash3. The first nine bits are the bucket.
DROP TABLE names;
DROP TABLE bits;

-- Marks (0012) are written of 1,024 rows at once, with the last of them; so many rows are marked. A search
-- by label looks through all rows behind these.
CREATE TABLE marked_rows (
  log INTEGER PRIMARY KEY,  -- 0: certificates, 1: events
  rows INTEGER NOT NULL     -- those with an id below
) STRICT;
INSERT INTO marked_rows VALUES
  (0, (SELECT coalesce(max(id), 0) + 1 FROM certificates) / 1024 * 1024),
  (1, (SELECT coalesce(max(id), 0) + 1 FROM events) / 1024 * 1024);

CREATE TRIGGER marked_rows_update BEFORE UPDATE ON marked_rows
BEGIN
  SELECT RAISE(ROLLBACK, 'marked rows only become more')
    WHERE NEW.rows <= OLD.rows OR NEW.log <> OLD.log;
END;
CREATE TRIGGER marked_rows_delete BEFORE DELETE ON marked_rows
BEGIN
  SELECT RAISE(ABORT, 'marked rows are never deleted');
END;
DROP TABLE keys;
DROP INDEX events_device;
DROP INDEX events_source;

CREATE TABLE certificate_tags (
  id INTEGER PRIMARY KEY,  -- (run * 2 + 0 for keys, 1 for names) * 512 + bucket; the run of a certificate
                           -- is its id / 65536
  entries BLOB NOT NULL    -- of each value six octets, in the order of certificates: the second to the
                           -- fifth octet of its tag; id % 65536, most significant octet first
) STRICT;

-- The same for events: 0 for device_serial, 1 for source.
CREATE TABLE event_tags (
  id INTEGER PRIMARY KEY,
  entries BLOB NOT NULL
) STRICT;

CREATE TRIGGER certificate_tags_insert BEFORE INSERT ON certificate_tags
BEGIN
  SELECT RAISE(ROLLBACK, 'tags are only added, each bucket behind the last one, of a run that is whole')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), -1) + 1 FROM certificate_tags)
       OR (SELECT coalesce(max(id), 0) FROM certificates) < (NEW.id / 1024 + 1) * 65536 - 1;
END;
CREATE TRIGGER certificate_tags_update BEFORE UPDATE ON certificate_tags
BEGIN
  SELECT RAISE(ABORT, 'tags are only added');
END;
CREATE TRIGGER certificate_tags_delete BEFORE DELETE ON certificate_tags
BEGIN
  SELECT RAISE(ABORT, 'tags are never deleted');
END;

CREATE TRIGGER event_tags_insert BEFORE INSERT ON event_tags
BEGIN
  SELECT RAISE(ROLLBACK, 'tags are only added, each bucket behind the last one, of a run that is whole')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), -1) + 1 FROM event_tags)
       OR (SELECT coalesce(max(id), 0) FROM events) < (NEW.id / 1024 + 1) * 65536 - 1;
END;
CREATE TRIGGER event_tags_update BEFORE UPDATE ON event_tags
BEGIN
  SELECT RAISE(ABORT, 'tags are only added');
END;
CREATE TRIGGER event_tags_delete BEFORE DELETE ON event_tags
BEGIN
  SELECT RAISE(ABORT, 'tags are never deleted');
END;
