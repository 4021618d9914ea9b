-- oldest binary: 0.1.0
-- Which fresh factors are more than a password, and from when a new one counts where a rule wants that.
ALTER TABLE "session" ADD COLUMN is_second_factor BOOLEAN; -- operational
ALTER TABLE "second_factor" ADD COLUMN counts_from BIGINT; -- operational
