-- oldest binary: 0.1.0
-- Emergency cards, and what was done without the server, reported afterwards: one row for each digest of a line.
CREATE TABLE "emergency_card" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    ends_at BIGINT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX emergency_card_in_use ON "emergency_card" (tenant, active, id);
CREATE INDEX emergency_card_by_end ON "emergency_card" (tenant, active, ends_at);

CREATE TABLE "emergency_use" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- derived
    place TEXT NOT NULL, -- derived
    card TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX emergency_use_by_digest ON "emergency_use" (tenant, digest);
CREATE INDEX emergency_use_by_place ON "emergency_use" (tenant, place);
CREATE INDEX emergency_use_by_card ON "emergency_use" (tenant, card, id);

CREATE TABLE "emergency_report" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    named TEXT NOT NULL, -- derived
    lines BIGINT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX emergency_report_by_name ON "emergency_report" (tenant, named, lines);
