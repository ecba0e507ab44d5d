-- 0009-webhooks.sql - who was told what happened, and which certificates were announced.
--
-- The events themselves are the queue of a webhook: what stands behind last_event, and is of a kind
-- that it wants, is still to be told. So nothing is written for a webhook when something happens,
-- and a webhook that is behind costs nothing but this row.

CREATE TABLE webhooks (
  name TEXT PRIMARY KEY,         -- as in the configuration; a row whose webhook is gone from there
                                 -- stays, and one that comes back goes on where it was
  last_event INTEGER NOT NULL,   -- events.id: this one and those before it need no telling any more
  updated_at INTEGER NOT NULL    -- seconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TRIGGER webhooks_update BEFORE UPDATE ON webhooks
BEGIN
  SELECT RAISE(ROLLBACK, 'a webhook goes forward only')
    WHERE NEW.last_event < OLD.last_event OR NEW.name <> OLD.name;
END;

-- Every certificate of which an event "expiring" was recorded, in the same transaction: so that each
-- has one and no more, whatever becomes of the clock and of the time that is configured.
CREATE TABLE expiring (
  certificate INTEGER PRIMARY KEY REFERENCES certificates (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
