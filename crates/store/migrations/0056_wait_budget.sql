-- oldest binary: 0.1.0
-- Budgets of waiting time that are agreed with teams.
CREATE TABLE "wait_budget" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX wait_budget_in_use ON "wait_budget" (tenant, active, id);
