-- oldest binary: 0.1.0
-- When a file in the database was kept last: what no record names a day later is removed.
ALTER TABLE "evidence_blob" ADD COLUMN kept_at BIGINT; -- operational
ALTER TABLE "evidence_chunk" ADD COLUMN kept_at BIGINT; -- operational
