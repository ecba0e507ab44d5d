-- 0001-ledger.sql - the first shape of the ledger.
--
-- Every migration runs in one transaction together with the change of PRAGMA user_version, which
-- is the number of migrations that were run. A migration that was released is never edited.
--
-- Certificates, their names and the labels only grow: triggers refuse UPDATE, DELETE and REPLACE
-- for every connection, a sqlite3 shell included. Whatever is derived (status) is not stored.

-- "Mint": tells a ledger from any other SQLite file.
PRAGMA application_id = 1298755188;

-- Words that recur in many certificates are kept once: stations, orders, models, profiles and
-- authorities.
CREATE TABLE labels (
  id INTEGER PRIMARY KEY,    -- what the rows of certificates hold
  text TEXT NOT NULL UNIQUE  -- 1 to 64 octets
) STRICT;

-- Every certificate that was issued.
CREATE TABLE certificates (
  id INTEGER PRIMARY KEY,        -- position in the ledger: 1, 2, 3, ... without gaps
  serial_number BLOB NOT NULL,   -- 16 octets, positive, in the order of time (nearly)
  device_serial TEXT,            -- on the widget's nameplate; NULL: not given
  profile INTEGER NOT NULL REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,    -- what it was issued under
  station INTEGER NOT NULL REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,    -- the principal who asked
  production_order INTEGER REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,    -- NULL: not given
  model INTEGER REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,               -- NULL: not given
  authority INTEGER NOT NULL REFERENCES labels (id) DEFERRABLE INITIALLY DEFERRED,  -- the issuing CA
  issued_at INTEGER NOT NULL,    -- milliseconds since 1970
  not_before INTEGER NOT NULL,   -- seconds since 1970, as in the certificate
  not_after INTEGER NOT NULL,    -- likewise; the certificate is valid through this second
  replaces INTEGER REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,      -- the one before it of the same device and
                                                      -- profile, which it supersedes; NULL: none
  spki_sha256 BLOB NOT NULL,     -- SHA-256 of the public key (SubjectPublicKeyInfo)
  spki_prefix INTEGER NOT NULL,  -- its first 8 octets as a signed number, most significant first
  request_sha256 BLOB NOT NULL,  -- SHA-256 of the request in canonical form: tells a retry
  der BLOB NOT NULL              -- the certificate itself
) STRICT;

-- Each index ends in the certificate's id, so that a filter is answered newest first without
-- sorting. Serial numbers grow with time, so that this one is appended to.
CREATE UNIQUE INDEX certificates_serial_number ON certificates (serial_number);
-- Eight octets of a digest find the row, the row has all 32: a third of the size.
CREATE INDEX certificates_key ON certificates (spki_prefix);
CREATE INDEX certificates_device ON certificates (device_serial) WHERE device_serial IS NOT NULL;
CREATE INDEX certificates_replaces ON certificates (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX certificates_profile ON certificates (profile);
CREATE INDEX certificates_station ON certificates (station);
CREATE INDEX certificates_order ON certificates (production_order)
  WHERE production_order IS NOT NULL;
CREATE INDEX certificates_model ON certificates (model) WHERE model IS NOT NULL;

-- Every subject alternative name, for searching.
CREATE TABLE names (
  kind INTEGER NOT NULL,         -- 1: IP address, 2: DNS name, 3: URI
  value ANY NOT NULL,            -- 1: BLOB of 4 or 16 octets; 2: TEXT in lower case; 3: TEXT
  certificate INTEGER NOT NULL REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (kind, value, certificate)
) STRICT, WITHOUT ROWID;

-- What 128 neighbouring certificates span in time: lets a search by time step over those that
-- cannot match, without an index over every row. Holds nothing of its own: whoever adds
-- certificates widens it in the same transaction.
CREATE TABLE spans (
  id INTEGER PRIMARY KEY,          -- the certificates' id / 128
  issued_min INTEGER NOT NULL,     -- the least issued_at among them, and so on
  issued_max INTEGER NOT NULL,
  not_after_min INTEGER NOT NULL,
  not_after_max INTEGER NOT NULL
) STRICT;

-- Who may ask.
CREATE TABLE principals (
  name TEXT PRIMARY KEY,         -- A-Z a-z 0-9 - _
  role TEXT NOT NULL,            -- station, device, operator, auditor, admin
  token_sha256 BLOB NOT NULL CHECK (length(token_sha256) = 32),  -- of the token's whole text
  created_at INTEGER NOT NULL    -- seconds since 1970
) STRICT, WITHOUT ROWID;

-- One row that is written over and over, to see whether writing works.
CREATE TABLE probe (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  written INTEGER NOT NULL       -- how many times
) STRICT;
INSERT INTO probe VALUES (1, 0);

-- A REPLACE removes rows without firing DELETE triggers (unless recursive_triggers is on). So
-- inserts are held against what is there before anything happens.
--
-- Speed: a table with a trigger makes SQLite keep a copy of every page that an INSERT touches (a
-- statement journal) as soon as anything in it may end in ABORT. Hence ROLLBACK in what watches
-- over inserts, INSERT OR ROLLBACK in the ledger, foreign keys that are looked at when the
-- transaction ends, and neither function calls in an index nor a CHECK with one.
CREATE TRIGGER certificates_insert BEFORE INSERT ON certificates
BEGIN
  SELECT RAISE(ROLLBACK, 'certificates are only added, each behind the last one')
    WHERE NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM certificates);
  SELECT RAISE(ROLLBACK, 'a certificate with this serial_number was issued before')
    WHERE EXISTS (SELECT 1 FROM certificates WHERE serial_number = NEW.serial_number);
END;
CREATE TRIGGER certificates_update BEFORE UPDATE ON certificates
BEGIN
  SELECT RAISE(ABORT, 'certificates are never changed');
END;
CREATE TRIGGER certificates_delete BEFORE DELETE ON certificates
BEGIN
  SELECT RAISE(ABORT, 'certificates are never deleted');
END;

-- All columns of names are its key, so that a REPLACE could at most put a row in its own place.
CREATE TRIGGER names_insert BEFORE INSERT ON names
BEGIN
  SELECT RAISE(ROLLBACK, 'names are only added, with the certificate that was added last')
    WHERE NEW.certificate IS NOT (SELECT max(id) FROM certificates);
END;
CREATE TRIGGER names_update BEFORE UPDATE ON names
BEGIN
  SELECT RAISE(ABORT, 'names are never changed');
END;
CREATE TRIGGER names_delete BEFORE DELETE ON names
BEGIN
  SELECT RAISE(ABORT, 'names are never deleted');
END;

CREATE TRIGGER labels_insert BEFORE INSERT ON labels
BEGIN
  SELECT RAISE(ABORT, 'labels are only added')
    WHERE EXISTS (SELECT 1 FROM labels WHERE id = NEW.id OR text = NEW.text);
END;
CREATE TRIGGER labels_update BEFORE UPDATE ON labels
BEGIN
  SELECT RAISE(ABORT, 'labels are never changed');
END;
CREATE TRIGGER labels_delete BEFORE DELETE ON labels
BEGIN
  SELECT RAISE(ABORT, 'labels are never deleted');
END;

CREATE TRIGGER spans_delete BEFORE DELETE ON spans
BEGIN
  SELECT RAISE(ABORT, 'spans are never deleted');
END;
