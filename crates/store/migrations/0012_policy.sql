-- oldest binary: 0.1.0
-- Policies: configurations and the facts that decisions were made on.

-- A set of policies or a risk table: proposed, in force or replaced.
CREATE TABLE "configuration" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    kind TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    proposed_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX configuration_by_kind_id ON "configuration" (tenant, kind, id);

-- The facts of a change that the policies were given for a decision, once for each digest that decisions name.
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

-- The facts of a person that the policies were given when that person acted on a change or was refused.
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
