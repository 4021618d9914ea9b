-- oldest binary: 0.1.0
-- Segments of the archive in a bucket (decision record 0020): which of them lie there, and which objects nothing names any more.
ALTER TABLE "archive_segment" ADD COLUMN in_bucket BOOLEAN NOT NULL DEFAULT FALSE; -- recorded
ALTER TABLE "archive_garbage" ADD COLUMN in_bucket BOOLEAN NOT NULL DEFAULT FALSE; -- operational
