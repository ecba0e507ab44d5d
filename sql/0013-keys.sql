-- 0013-keys.sql - keys are indexed in runs of 65,536 certificates.
--
-- A key is found anywhere in an index of all keys: with millions of them each certificate touched a page
-- that none of its neighbours did, which had to be read, logged and written for it alone. Within a run
-- the pages are few, and shared. Whoever looks for a key looks into each run, which is seldom: nearly
-- all keys are known to be new without a look (ledger_known.h).
DROP INDEX certificates_key;
CREATE INDEX certificates_key ON certificates (id >> 16, spki_prefix);
