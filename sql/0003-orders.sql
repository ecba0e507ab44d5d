-- 0003-orders.sql - production orders: what may be issued under them, and how much of it was.
--
-- The counters are kept in the transaction that adds the certificate. That an order never overruns
-- is held three times: the ledger looks first, the CHECKs refuse, and the trigger refuses what a
-- CHECK cannot see.

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,        -- the later the larger
  name TEXT NOT NULL UNIQUE,     -- A-Z a-z 0-9 - _; also the label that its certificates have
  profile TEXT NOT NULL,         -- the one that may be issued
  model TEXT,                    -- NULL: any
  stations TEXT,                 -- who may issue, names with a space between them; NULL: any station
  ip_ranges TEXT,                -- every address is in one of them, likewise; NULL: as the profile says
  open_from INTEGER,             -- seconds since 1970; NULL: at once
  open_until INTEGER,            -- likewise, itself not included; NULL: until it is closed
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  issued INTEGER NOT NULL CHECK (issued >= 0 AND issued <= quantity),
  replacements INTEGER NOT NULL CHECK (replacements >= 0),  -- for rework, besides the quantity
  replaced INTEGER NOT NULL CHECK (replaced >= 0 AND replaced <= replacements),
  created_at INTEGER NOT NULL,   -- seconds since 1970
  closed_at INTEGER              -- likewise; NULL: it was not closed
) STRICT;

CREATE TRIGGER orders_insert BEFORE INSERT ON orders
BEGIN
  SELECT RAISE(ABORT, 'there is an order of this name')
    WHERE EXISTS (SELECT 1 FROM orders WHERE id = NEW.id OR name = NEW.name);
  SELECT RAISE(ABORT, 'an order begins with nothing issued')
    WHERE NEW.issued <> 0 OR NEW.replaced <> 0 OR NEW.closed_at IS NOT NULL;
END;

-- ROLLBACK, for the reason that 0001-ledger.sql gives: counting is on the way of every certificate.
CREATE TRIGGER orders_update BEFORE UPDATE ON orders
BEGIN
  SELECT RAISE(ROLLBACK, 'what an order is for never changes')
    WHERE NEW.id IS NOT OLD.id OR NEW.name IS NOT OLD.name OR NEW.profile IS NOT OLD.profile
      OR NEW.model IS NOT OLD.model OR NEW.stations IS NOT OLD.stations
      OR NEW.ip_ranges IS NOT OLD.ip_ranges OR NEW.open_from IS NOT OLD.open_from
      OR NEW.created_at IS NOT OLD.created_at;
  SELECT RAISE(ROLLBACK, 'an order only grows')
    WHERE NEW.quantity < OLD.quantity OR NEW.replacements < OLD.replacements
      OR NEW.issued < OLD.issued OR NEW.replaced < OLD.replaced;
  SELECT RAISE(ROLLBACK, 'a closed order stays as it is') WHERE OLD.closed_at IS NOT NULL;
END;
CREATE TRIGGER orders_delete BEFORE DELETE ON orders
BEGIN
  SELECT RAISE(ABORT, 'orders are never deleted');
END;
