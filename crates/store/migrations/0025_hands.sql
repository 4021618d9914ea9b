-- oldest binary: 0.1.0
-- Whose hand stands behind a way in: who set a password for another, and for whom a session that began by it speaks too.
ALTER TABLE "password" ADD COLUMN set_by TEXT; -- operational
ALTER TABLE "password" ADD COLUMN set_at BIGINT; -- operational
ALTER TABLE "session" ADD COLUMN handed_by TEXT; -- operational
