-- oldest binary: 0.1.0
-- When a letter of a communication came back, by which the page of a change lists the recipients that were not reached.
ALTER TABLE "communication" ADD COLUMN undeliverable_at BIGINT; -- derived
CREATE INDEX communication_undeliverable ON "communication" (tenant, change_key, id) WHERE undeliverable_at IS NOT NULL;
