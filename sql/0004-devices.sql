-- 0004-devices.sql - devices that enrol themselves, and the imports that made them known.
--
-- These rows change, unlike those of certificates: they say what a device may do next. What it got
-- is in the ledger.

-- Devices come in many requests, and all of them count from one moment on: when committed_at is
-- set. Until then nobody finds them, and an import that is given up is removed with its devices.
CREATE TABLE device_imports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  principal TEXT NOT NULL,       -- who imports
  begun_at INTEGER NOT NULL,     -- seconds since 1970
  touched_at INTEGER NOT NULL,   -- when its last rows came
  committed_at INTEGER,          -- NULL: it is open
  devices INTEGER NOT NULL,      -- how many it brought
  first_device INTEGER           -- devices.id of its first one; NULL: none yet
) STRICT;
CREATE INDEX device_imports_open ON device_imports (touched_at) WHERE committed_at IS NULL;

CREATE TABLE devices (
  id INTEGER PRIMARY KEY,
  device_serial TEXT NOT NULL,   -- on the nameplate, 1 to 64 octets
  import INTEGER NOT NULL,       -- device_imports.id (no foreign key: a million rows come at once)
  line INTEGER NOT NULL,         -- where it stood in what was imported
  model TEXT,                    -- NULL: the device may say what it wants
  production_order TEXT,         -- NULL: likewise
  names TEXT,                    -- "ip=10.1.1.68 dns=w-1.example": the only ones it may have;
                                 -- NULL: the profile decides
  secret_no INTEGER NOT NULL,    -- counts its enrolment secrets, from 1
  secret_salt BLOB,              -- NULL: the secret is random and long, its hash is SHA-256;
                                 -- otherwise the salt of PBKDF2
  secret_hash BLOB NOT NULL,     -- 32 octets
  wrong_tries INTEGER NOT NULL,  -- since the secret was made or used; from 10 on it is locked
  used_spki_sha256 BLOB,         -- the public key that the secret was used up for; NULL: not yet
  used_at INTEGER                -- seconds since 1970; NULL: likewise
) STRICT;
CREATE UNIQUE INDEX devices_device_serial ON devices (device_serial);

-- Every wrong try, of a device that is known or not: both cost the same write.
CREATE TABLE wrong_tries (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  counted INTEGER NOT NULL
) STRICT;
INSERT INTO wrong_tries VALUES (1, 0);
