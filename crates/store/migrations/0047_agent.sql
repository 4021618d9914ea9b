-- oldest binary: 0.1.0
-- Agents: accounts of programs that a model drives, with sponsors and limits. One that was ended stays, as its account stays bound.
CREATE TABLE "agent" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX agent_in_use ON "agent" (tenant, active, id);
