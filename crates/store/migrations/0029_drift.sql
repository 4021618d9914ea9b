-- oldest binary: 0.1.0
-- Rules that map the addresses of a source of drift to services.
CREATE TABLE "drift_rule" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX drift_rule_by_connection ON "drift_rule" (tenant, connection, active, id);

-- Expected drift: one attribute, silenced until it ends.
CREATE TABLE "drift_baseline" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    approved BOOLEAN NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX drift_baseline_in_use ON "drift_baseline" (tenant, active, id);
CREATE INDEX drift_baseline_by_connection ON "drift_baseline" (tenant, connection, active, id);

-- What a connection looks at for drift, and its last report.
CREATE TABLE "drift_source" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    scope TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX drift_source_by_connection ON "drift_source" (tenant, connection, scope, id);

-- Differences that no change explains, or that one explained.
CREATE TABLE "drift_finding" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    source TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    service TEXT, -- derived
    state TEXT NOT NULL, -- derived
    is_there BOOLEAN NOT NULL, -- derived
    last_seen BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX drift_finding_by_natural_key ON "drift_finding" (tenant, source, natural_key);
CREATE INDEX drift_finding_by_source ON "drift_finding" (tenant, source, is_there, id);
CREATE INDEX drift_finding_by_state ON "drift_finding" (tenant, state, id);

-- What systems that compare a new version with the old one say while a change is watched.
CREATE TABLE "watch_verdict" (
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
CREATE INDEX watch_verdict_by_change ON "watch_verdict" (tenant, change, id);
CREATE UNIQUE INDEX watch_verdict_by_natural_key ON "watch_verdict" (tenant, natural_key);
