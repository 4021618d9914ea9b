-- oldest binary: 0.1.0
-- What runs where, and how often gates were asked.

-- An artifact that an outcome brought into a place.
CREATE TABLE "running" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    ended_by TEXT, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX running_by_service_environment_active_artifact ON "running" (tenant, service, environment, active, artifact);
CREATE INDEX running_by_ended_by ON "running" (tenant, ended_by);

-- How often and when each gate was asked about a place; a refused question has a code and what it named.
CREATE TABLE "gate_use" (
    tenant TEXT NOT NULL, -- operational
    door TEXT NOT NULL, -- operational
    service TEXT NOT NULL, -- operational
    environment TEXT NOT NULL, -- operational
    code TEXT NOT NULL, -- operational
    subject TEXT NOT NULL, -- operational
    text TEXT NOT NULL, -- operational
    asked BIGINT NOT NULL, -- operational
    first_at BIGINT NOT NULL, -- operational
    last_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, door, service, environment, code, subject)
);
CREATE INDEX gate_use_by_code_last_at ON "gate_use" (tenant, code, last_at);
CREATE INDEX gate_use_by_service_environment_last_at ON "gate_use" (tenant, service, environment, last_at);
