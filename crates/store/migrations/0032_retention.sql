-- oldest binary: 0.1.0
-- Changes that ended and whose texts are still there, in the order in which a retention takes them.
ALTER TABLE "change" ADD COLUMN is_kept BOOLEAN NOT NULL DEFAULT FALSE; -- derived
CREATE INDEX change_to_erase ON "change" (tenant, updated_at, id) WHERE state IN ('closed', 'cancelled') AND NOT is_kept;

-- Deliveries that were worked off and still have their raw body.
CREATE INDEX inbox_with_body ON "inbox" (tenant, received_at, id) WHERE state = 'done' AND length(body) > 0;
