-- oldest binary: 0.1.0
-- What somebody has to do about a record, until when, and what came of it. One row for each natural key.
CREATE TABLE "action_item" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    about_kind TEXT NOT NULL, -- derived
    about TEXT NOT NULL, -- derived
    owner TEXT, -- derived
    people_group TEXT, -- derived
    state TEXT NOT NULL, -- derived
    opened_by TEXT NOT NULL, -- derived
    opened_at BIGINT NOT NULL, -- derived
    due_at BIGINT NOT NULL, -- derived
    settled_at BIGINT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX action_item_by_key ON "action_item" (tenant, key);
CREATE UNIQUE INDEX action_item_by_natural_key ON "action_item" (tenant, natural_key);
CREATE INDEX action_item_by_state_due_at ON "action_item" (tenant, state, due_at);
CREATE INDEX action_item_by_owner_state_due_at ON "action_item" (tenant, owner, state, due_at);
CREATE INDEX action_item_by_people_group_state_due_at ON "action_item" (tenant, people_group, state, due_at);
CREATE INDEX action_item_by_about ON "action_item" (tenant, about_kind, about);
CREATE INDEX action_item_by_opened_by_state ON "action_item" (tenant, opened_by, state);
CREATE INDEX action_item_by_kind_opened_at ON "action_item" (tenant, kind, opened_at);
CREATE INDEX action_item_by_kind_settled_at ON "action_item" (tenant, kind, settled_at);
