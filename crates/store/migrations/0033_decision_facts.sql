-- oldest binary: 0.1.0
-- What the policies were told of a change when somebody decided, once for each digest that decisions name.
CREATE TABLE "decision_facts" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX decision_facts_by_change_id_digest ON "decision_facts" (tenant, change_id, digest);
