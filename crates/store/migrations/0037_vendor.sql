-- oldest binary: 0.1.0
-- Organisations that operate services, and what they announce of their own maintenance.
CREATE TABLE "vendor" (
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
CREATE UNIQUE INDEX vendor_by_key ON "vendor" (tenant, key);

CREATE TABLE "vendor_notice" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    natural_key TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX vendor_notice_by_natural_key ON "vendor_notice" (tenant, natural_key);
CREATE INDEX vendor_notice_by_state ON "vendor_notice" (tenant, state, ends_at);
CREATE INDEX vendor_in_use ON "vendor" (tenant, active, key, id);
