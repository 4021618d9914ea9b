-- oldest binary: 0.1.0
-- Codes of timers and of checkpoints, under a key that is not in the database: a timer that was put off past the server is
-- found, and so is a checkpoint that was edited, or whose predecessor was removed.
ALTER TABLE "timer" ADD COLUMN code BYTEA; -- operational
ALTER TABLE "checkpoint" ADD COLUMN code BYTEA; -- operational
