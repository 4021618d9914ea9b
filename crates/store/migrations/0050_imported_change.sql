-- oldest binary: 0.1.0
-- Changes of another system's past, imported as reported later. No gate and no figure reads them as changes.
CREATE TABLE "imported_change" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    source TEXT NOT NULL, -- derived
    foreign_key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    ended_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX imported_change_by_key ON "imported_change" (tenant, source, foreign_key);
CREATE INDEX imported_change_by_end ON "imported_change" (tenant, ended_at, service, environment);
