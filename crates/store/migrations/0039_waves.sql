-- oldest binary: 0.1.0
-- Members of the targets of changes that go in waves: content-addressed lists in buckets, and how each member stands.
CREATE TABLE "member_list" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);

CREATE TABLE "member_bucket" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);

CREATE TABLE "member_outcome" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    member TEXT NOT NULL, -- derived
    wave BIGINT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX member_outcome_of_change ON "member_outcome" (tenant, change_id, id);
CREATE INDEX member_outcome_by_state ON "member_outcome" (tenant, change_id, state, id);
CREATE INDEX member_outcome_by_wave ON "member_outcome" (tenant, change_id, wave, id);

-- Changes that share a window, an order and a common go or no-go.
CREATE TABLE "joint_maintenance" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX joint_maintenance_in_use ON "joint_maintenance" (tenant, active, id);
