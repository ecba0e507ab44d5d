-- 0005-principals.sql - principals that show a certificate, and principals that are disabled.

-- What a principal shows when it asks:
--   token        proof_sha256 is over the token's whole text
--   certificate  over the public key (SubjectPublicKeyInfo) of a certificate that this authority
--                issued to it under the profile "station"
--   trust        over the name of the trust whose authority issued its certificate
ALTER TABLE principals RENAME COLUMN token_sha256 TO proof_sha256;
ALTER TABLE principals ADD COLUMN proof TEXT NOT NULL DEFAULT 'token';
-- Seconds since 1970; NULL: it may ask.
ALTER TABLE principals ADD COLUMN disabled_at INTEGER;
