-- oldest binary: 0.1.0
-- What the policies were told of somebody when they did something to a change, or tried to and were refused.
CREATE TABLE "act_facts" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX act_facts_by_change_id_id ON "act_facts" (tenant, change_id, id);
