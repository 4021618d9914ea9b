-- oldest binary: 0.1.0
-- What is watched more closely while a change is watched.
CREATE TABLE "monitor" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX monitor_in_use ON "monitor" (tenant, active, key, id);

-- For which changes monitors were raised.
CREATE TABLE "raised_monitor" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change TEXT NOT NULL, -- derived
    monitor TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX raised_monitor_in_use ON "raised_monitor" (tenant, active, id);
CREATE INDEX raised_monitor_by_change ON "raised_monitor" (tenant, change, id);

-- Bounds that services keep.
CREATE TABLE "objective" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX objective_in_use ON "objective" (tenant, active, key, id);

-- What objectives came to while changes were watched.
CREATE TABLE "objective_measure" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX objective_measure_by_natural_key ON "objective_measure" (tenant, natural_key);
CREATE INDEX objective_measure_by_change ON "objective_measure" (tenant, change, id);
