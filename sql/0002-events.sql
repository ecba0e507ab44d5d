-- 0002-events.sql - what happened: who, from where, what, with which outcome.
--
-- Like certificates, events only grow: triggers refuse UPDATE, DELETE and REPLACE. There is nothing
-- secret in them and no free text of a peer: names, addresses and codes.

CREATE TABLE events (
  id INTEGER PRIMARY KEY,     -- position: 1, 2, 3, ... without gaps
  at INTEGER NOT NULL,        -- milliseconds since 1970
  kind INTEGER,               -- a label: refused, replayed, denied, ...; NULL: issued
  code INTEGER,               -- a label: why it was refused or denied; NULL: it was not
  principal INTEGER,          -- a label: who asked for it; NULL: not known, or the daemon itself
  source BLOB,                -- from which address: 4 or 16 octets; NULL: from within
  request_id ANY,             -- TEXT, or a BLOB of what that is the lower-case hexadecimal of
  device_serial TEXT,         -- the certificate's, when there is one; NULL here and below: none
  profile INTEGER,            -- a label; NULL when there is a certificate, which has it
  production_order INTEGER,   -- a label
  about INTEGER,              -- a label: whatever else has a name, like another principal
  certificate INTEGER REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
  amount INTEGER              -- how many it stands for; NULL: one
) STRICT;

-- Each ends in the event's id: a filter is answered newest first without sorting. What most events
-- are, issued ones with a device_serial, stands in few of them: events of a certificate are found
-- by its device.
CREATE INDEX events_kind ON events (kind) WHERE kind IS NOT NULL;
CREATE INDEX events_code ON events (code) WHERE code IS NOT NULL;
CREATE INDEX events_principal ON events (principal) WHERE principal IS NOT NULL;
CREATE INDEX events_source ON events (source) WHERE source IS NOT NULL;
CREATE INDEX events_device ON events (device_serial) WHERE device_serial IS NOT NULL;
CREATE INDEX events_order ON events (production_order) WHERE production_order IS NOT NULL;
CREATE INDEX events_certificate ON events (certificate)
  WHERE certificate IS NOT NULL AND device_serial IS NULL;
CREATE INDEX events_request ON events (request_id) WHERE code IS NOT NULL;

-- What 128 neighbouring events span in time, as `spans` does for certificates.
CREATE TABLE event_spans (
  id INTEGER PRIMARY KEY,     -- the events' id / 128
  at_min INTEGER NOT NULL,
  at_max INTEGER NOT NULL
) STRICT;

-- How often requests for a certificate ended in one way: counted with each event, so that the yield
-- of a line is a matter of few rows.
CREATE TABLE tallies (
  production_order INTEGER NOT NULL,  -- a label; 0: requests without one
  station INTEGER NOT NULL,           -- a label: the principal
  hour INTEGER NOT NULL,              -- hours since 1970
  outcome INTEGER NOT NULL,           -- a label: issued, replayed, replaced, or why it was refused
  n INTEGER NOT NULL,
  PRIMARY KEY (production_order, station, hour, outcome)
) STRICT, WITHOUT ROWID;

-- ROLLBACK in what watches over inserts, for the sake of speed: see 0001-ledger.sql.
CREATE TRIGGER events_insert BEFORE INSERT ON events
BEGIN
  SELECT RAISE(ROLLBACK, 'events are only added, each behind the last one')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM events);
END;
CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are never changed');
END;
CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are never deleted');
END;

CREATE TRIGGER event_spans_delete BEFORE DELETE ON event_spans
BEGIN
  SELECT RAISE(ABORT, 'spans are never deleted');
END;

CREATE TRIGGER tallies_insert BEFORE INSERT ON tallies
BEGIN
  SELECT RAISE(ROLLBACK, 'tallies only grow')
    WHERE EXISTS (SELECT 1 FROM tallies WHERE production_order = NEW.production_order
                  AND station = NEW.station AND hour = NEW.hour AND outcome = NEW.outcome);
END;
CREATE TRIGGER tallies_update BEFORE UPDATE ON tallies
BEGIN
  SELECT RAISE(ABORT, 'tallies only grow')
    WHERE NEW.n <= OLD.n OR NEW.production_order <> OLD.production_order
       OR NEW.station <> OLD.station OR NEW.hour <> OLD.hour OR NEW.outcome <> OLD.outcome;
END;
CREATE TRIGGER tallies_delete BEFORE DELETE ON tallies
BEGIN
  SELECT RAISE(ABORT, 'tallies are never deleted');
END;
