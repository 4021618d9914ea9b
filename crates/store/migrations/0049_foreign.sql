-- oldest binary: 0.1.0
-- Systems beside this one from which changes are read, and their changes with what the rules here say of them.
CREATE TABLE "foreign_system" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX foreign_system_in_use ON "foreign_system" (tenant, active, id);

CREATE TABLE "foreign_change" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    system TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    service TEXT, -- derived
    difference TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX foreign_change_by_natural_key ON "foreign_change" (tenant, system, natural_key);
CREATE INDEX foreign_change_by_difference ON "foreign_change" (tenant, system, difference, id);
