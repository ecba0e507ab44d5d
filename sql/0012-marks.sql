-- 0012-marks.sql - which rows have a label, in the place of an index over each column of labels.
--
-- A label is nearly always one of few (a station, an order), so that neighbouring rows share it. One
-- row of marks tells of 64 neighbours: written once for them in a transaction, where an index has an
-- entry, and a page to write, for each of them.
CREATE TABLE marks (
  kind INTEGER NOT NULL,   -- of certificates: 1 profile, 2 station, 3 production_order, 4 model;
                           -- of events: 5 kind, 6 code, 7 principal, 8 production_order
  label INTEGER NOT NULL,  -- labels.id
  span INTEGER NOT NULL,   -- the rows' id / 64
  bits INTEGER NOT NULL,   -- bit id % 64 is set: that row has the label
  PRIMARY KEY (kind, label, span)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER marks_update BEFORE UPDATE ON marks
BEGIN
  SELECT RAISE(ROLLBACK, 'marks are only added')
    WHERE OLD.bits & ~NEW.bits <> 0 OR NEW.kind <> OLD.kind OR NEW.label <> OLD.label
       OR NEW.span <> OLD.span;
END;
CREATE TRIGGER marks_delete BEFORE DELETE ON marks
BEGIN
  SELECT RAISE(ABORT, 'marks are never deleted');
END;

-- 0 to 63: what a row of marks is joined with.
CREATE TABLE bits (n INTEGER PRIMARY KEY) STRICT;
INSERT INTO bits (n) WITH RECURSIVE c (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 63)
  SELECT n FROM c;

INSERT INTO marks (kind, label, span, bits)
  SELECT 1, profile, id / 64, sum(1 << id % 64) FROM certificates GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 2, station, id / 64, sum(1 << id % 64) FROM certificates GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 3, production_order, id / 64, sum(1 << id % 64) FROM certificates
  WHERE production_order IS NOT NULL GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 4, model, id / 64, sum(1 << id % 64) FROM certificates WHERE model IS NOT NULL GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 5, kind, id / 64, sum(1 << id % 64) FROM events WHERE kind IS NOT NULL GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 6, code, id / 64, sum(1 << id % 64) FROM events WHERE code IS NOT NULL GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 7, principal, id / 64, sum(1 << id % 64) FROM events
  WHERE principal IS NOT NULL GROUP BY 2, 3;
INSERT INTO marks (kind, label, span, bits)
  SELECT 8, production_order, id / 64, sum(1 << id % 64) FROM events
  WHERE production_order IS NOT NULL GROUP BY 2, 3;

DROP INDEX certificates_profile;
DROP INDEX certificates_station;
DROP INDEX certificates_order;
DROP INDEX certificates_model;
DROP INDEX events_kind;
DROP INDEX events_code;
DROP INDEX events_principal;
DROP INDEX events_order;
