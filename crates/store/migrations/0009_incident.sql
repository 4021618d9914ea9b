-- oldest binary: 0.1.0
-- Incidents.

-- An incident.
CREATE TABLE "incident" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    started_at BIGINT NOT NULL, -- derived
    resolved_at BIGINT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX incident_by_key ON "incident" (tenant, key);
CREATE INDEX incident_by_started_at ON "incident" (tenant, started_at);
