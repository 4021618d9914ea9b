-- oldest binary: 0.1.0
-- Services that a system beside this one leads, copies of changes there, and the changes there by their service.
CREATE TABLE "service_lead" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT NOT NULL, -- derived
    system TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX service_lead_in_use ON "service_lead" (tenant, active, id);
CREATE INDEX service_lead_by_system ON "service_lead" (tenant, system, active, id);
CREATE INDEX foreign_change_by_service ON "foreign_change" (tenant, system, service, id);

CREATE TABLE "foreign_mirror" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    system TEXT NOT NULL, -- derived
    change_key TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX foreign_mirror_by_change ON "foreign_mirror" (tenant, system, change_key);
