-- oldest binary: 0.1.0
-- Changes: the record, its targets, evidence, tasks, comments and templates.

-- A change. `is_kept` stands behind the body, because only its index reads it.
CREATE TABLE "change" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    number BIGINT NOT NULL, -- derived
    title TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    risk TEXT NOT NULL, -- derived
    on_hold BOOLEAN NOT NULL, -- derived
    requester TEXT NOT NULL, -- derived
    owner TEXT NOT NULL, -- derived
    team TEXT, -- derived
    created_at BIGINT NOT NULL, -- derived
    planned_start BIGINT, -- derived
    planned_end BIGINT, -- derived
    expedited BOOLEAN NOT NULL, -- derived
    updated_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    is_kept BOOLEAN NOT NULL DEFAULT FALSE, -- derived
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX change_by_key ON "change" (tenant, key);
CREATE UNIQUE INDEX change_by_number ON "change" (tenant, number);
CREATE INDEX change_by_state_number ON "change" (tenant, state, number);
CREATE INDEX change_by_kind_number ON "change" (tenant, kind, number);
CREATE INDEX change_by_risk_number ON "change" (tenant, risk, number);
CREATE INDEX change_by_owner_number ON "change" (tenant, owner, number);
CREATE INDEX change_by_requester_number ON "change" (tenant, requester, number);
CREATE INDEX change_by_team_number ON "change" (tenant, team, number);
CREATE INDEX change_by_planned_start_number_state ON "change" (tenant, planned_start, number, state);
-- Figures count the changes of twelve weeks by state and kind from this index alone.
CREATE INDEX change_by_created_at_number ON "change" (tenant, created_at, number, state, kind);
-- With the state at its end, an index also shows which changes are open: closed ones are skipped without reading rows.
CREATE INDEX change_by_updated_at_number_state ON "change" (tenant, updated_at, number, state);
-- Changes that have ended and still have their texts, in the order in which retention takes them.
CREATE INDEX change_to_erase ON "change" (tenant, updated_at, id) WHERE state IN ('closed', 'cancelled') AND NOT is_kept;

-- The targets of a change, rewritten with it.
CREATE TABLE "change_target" (
    tenant TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    target_id TEXT NOT NULL, -- derived
    number BIGINT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    commit_sha TEXT, -- derived
    rollback_to TEXT, -- derived
    state TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, change_id, target_id)
);
CREATE INDEX change_target_by_service_environment_number ON "change_target" (tenant, service, environment, number);
CREATE INDEX change_target_by_environment_number ON "change_target" (tenant, environment, number);
CREATE INDEX change_target_by_service_environment_artifact ON "change_target" (tenant, service, environment, artifact);
CREATE INDEX change_target_by_service_environment_commit_sha ON "change_target" (tenant, service, environment, commit_sha);
-- A target is also found by what runs again after a rollback.
CREATE INDEX change_target_by_service_environment_rollback_to ON "change_target" (tenant, service, environment, rollback_to);
-- Which change brought an artifact or a commit, wherever it went.
CREATE INDEX change_target_by_artifact ON "change_target" (tenant, artifact);
CREATE INDEX change_target_by_commit_sha ON "change_target" (tenant, commit_sha);

-- A line in the log of actions.
CREATE TABLE "entry" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    occurred_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX entry_by_change_id_id ON "entry" (tenant, change_id, id);

-- A piece of evidence.
CREATE TABLE "evidence" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    aspect TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    file_digest TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX evidence_by_change_id_id ON "evidence" (tenant, change_id, id);
CREATE INDEX evidence_by_file_digest ON "evidence" (tenant, file_digest);

-- A file that is kept in the database. `kept_at` is when it was last stored: a file that no record names a day later is
-- removed.
CREATE TABLE "evidence_blob" (
    tenant TEXT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- recorded
    size BIGINT NOT NULL, -- recorded
    kept_at BIGINT, -- operational
    PRIMARY KEY (tenant, digest)
);

-- A part of such a file.
CREATE TABLE "evidence_chunk" (
    tenant TEXT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- recorded
    part BIGINT NOT NULL, -- recorded
    bytes BYTEA NOT NULL, -- recorded
    kept_at BIGINT, -- operational
    PRIMARY KEY (tenant, digest, part)
);

-- A task of a person.
CREATE TABLE "task" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    assignee TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX task_by_change_id_id ON "task" (tenant, change_id, id);
CREATE INDEX task_by_assignee_state ON "task" (tenant, assignee, state);

-- A comment.
CREATE TABLE "comment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX comment_by_change_id_id ON "comment" (tenant, change_id, id);

-- A link from a change to another change or to an incident.
CREATE TABLE "link" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    from_change TEXT NOT NULL, -- derived
    to_change TEXT, -- derived
    kind TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX link_by_from_change_id ON "link" (tenant, from_change, id);
CREATE INDEX link_by_to_change_id ON "link" (tenant, to_change, id);

-- A field that a tenant adds to its changes. Its values are part of the body of each change.
CREATE TABLE "custom_field" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX custom_field_by_key ON "custom_field" (tenant, key);

-- A pre-approved kind of change.
CREATE TABLE "template" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    template_version BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX template_by_key ON "template" (tenant, key);
