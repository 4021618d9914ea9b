-- oldest binary: 0.1.0
-- What clients of other systems told of their deployments, builds, artifacts and packages, by names of their own.
CREATE TABLE "outside_run" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    change_key TEXT, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX outside_run_by_key ON "outside_run" (tenant, key);
CREATE INDEX outside_run_by_change ON "outside_run" (tenant, change_key, id);
