-- oldest binary: 0.1.0
-- Message authentication codes under the master key: by them a server knows what it wrote itself and no event tells of (yet).
-- Sessions that have none would open nothing, so they end here, and everybody signs in once more.
ALTER TABLE "event" ADD COLUMN mac BYTEA; -- operational
ALTER TABLE "inbox" ADD COLUMN mac BYTEA; -- operational
ALTER TABLE "session" ADD COLUMN mac BYTEA; -- operational
DELETE FROM "session";
