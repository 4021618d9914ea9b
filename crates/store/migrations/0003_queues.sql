-- oldest binary: 0.1.0
-- Queues, the gate's view, search and files.

-- Work to do after a commit.
CREATE TABLE "job" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    kind TEXT NOT NULL, -- operational
    subject TEXT NOT NULL, -- operational
    payload TEXT NOT NULL, -- operational
    run_at BIGINT NOT NULL, -- operational
    lease_until BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    last_error TEXT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX job_by_state_run_at ON "job" (tenant, state, run_at);
CREATE INDEX job_by_kind_subject ON "job" (tenant, kind, subject);
CREATE INDEX job_across_by_state_run_at ON "job" (state, run_at); -- across

-- When to look at a record again.
CREATE TABLE "timer" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    subject_table TEXT NOT NULL, -- operational
    subject_id TEXT NOT NULL, -- operational
    kind TEXT NOT NULL, -- operational
    run_at BIGINT NOT NULL, -- operational
    lease_until BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    last_error TEXT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX timer_by_subject_table_subject_id_kind ON "timer" (tenant, subject_table, subject_id, kind);
CREATE INDEX timer_by_state_run_at ON "timer" (tenant, state, run_at);
CREATE INDEX timer_across_by_state_run_at ON "timer" (state, run_at); -- across

-- Deliveries as they came.
CREATE TABLE "inbox" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    connection TEXT NOT NULL, -- operational
    delivery_id TEXT NOT NULL, -- operational
    body_digest TEXT NOT NULL, -- operational
    event TEXT NOT NULL, -- operational
    received_at BIGINT NOT NULL, -- operational
    body BYTEA NOT NULL, -- operational
    run_at BIGINT NOT NULL, -- operational
    lease_until BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    reason TEXT, -- operational
    result TEXT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX inbox_by_connection_delivery_id ON "inbox" (tenant, connection, delivery_id);
CREATE UNIQUE INDEX inbox_by_connection_body_digest ON "inbox" (tenant, connection, body_digest);
CREATE INDEX inbox_by_state_run_at ON "inbox" (tenant, state, run_at);
CREATE INDEX inbox_by_connection_received_at ON "inbox" (tenant, connection, received_at);
CREATE INDEX inbox_across_by_state_run_at ON "inbox" (state, run_at); -- across

-- Numbers that only grow.
CREATE TABLE "counter" (
    tenant TEXT NOT NULL, -- operational
    name TEXT NOT NULL, -- operational
    value BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, name)
);

-- One row for each target that could open the gate.
CREATE TABLE "gate_view" (
    tenant TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    target_id TEXT NOT NULL, -- derived
    purpose TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    commit_sha TEXT, -- derived
    body TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, change_id, target_id, purpose)
);
CREATE INDEX gate_view_by_service_environment_artifact ON "gate_view" (tenant, service, environment, artifact);
CREATE INDEX gate_view_by_service_environment_commit_sha ON "gate_view" (tenant, service, environment, commit_sha);

-- Which record has which word. Words are bytes (UTF-8), so that both engines order them alike and a beginning is a range.
CREATE TABLE "search_term" (
    tenant TEXT NOT NULL, -- derived
    term BYTEA NOT NULL, -- derived
    record_table TEXT NOT NULL, -- derived
    record_id TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, record_table, term, record_id)
);
CREATE INDEX search_term_by_record_table_record_id ON "search_term" (tenant, record_table, record_id);

-- A file kept in the database.
CREATE TABLE "evidence_blob" (
    tenant TEXT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- recorded
    size BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, digest)
);

-- A part of such a file.
CREATE TABLE "evidence_chunk" (
    tenant TEXT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- recorded
    part BIGINT NOT NULL, -- recorded
    bytes BYTEA NOT NULL, -- recorded
    PRIMARY KEY (tenant, digest, part)
);

-- Servers that are up.
CREATE TABLE "server" (
    id TEXT NOT NULL, -- operational
    started_at BIGINT NOT NULL, -- operational
    beat_at BIGINT NOT NULL, -- operational
    version TEXT NOT NULL, -- operational
    PRIMARY KEY (id)
);
