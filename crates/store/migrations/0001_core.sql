-- oldest binary: 0.1.0
-- Tables that every area uses: queues, timers, counters, answers to repeated requests, secrets and search.
--
-- How the schema is written. Both engines run the same text, so it uses portable types only. A table of records has the
-- record as JSON in `body` and the same record with its free texts replaced by commitments in `sealed`; its other columns
-- are computed from the record and stand before the body, so that a list reads them without reading long bodies. Each
-- column is tagged: `recorded` is proven by the log, `derived` is computed from recorded data, `operational` is neither.
-- Every key and index begins with the tenant. An index that does not is marked `across`: a query over all tenants uses it.
-- On PostgreSQL row-level security is forced on every table with a tenant as soon as its file has run.

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

-- When to examine a record again.
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
-- Timers that fail again and again are few among all that wait.
CREATE INDEX timer_across_failing ON "timer" (tries) WHERE tries >= 5; -- across

-- Numbers that only grow.
CREATE TABLE "counter" (
    tenant TEXT NOT NULL, -- operational
    name TEXT NOT NULL, -- operational
    value BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, name)
);

-- Servers that are running. They belong to no tenant.
CREATE TABLE "server" (
    id TEXT NOT NULL, -- operational
    started_at BIGINT NOT NULL, -- operational
    beat_at BIGINT NOT NULL, -- operational
    version TEXT NOT NULL, -- operational
    PRIMARY KEY (id)
);

-- Answers to requests that carried an idempotency key.
CREATE TABLE "idempotency" (
    tenant TEXT NOT NULL, -- operational
    credential TEXT NOT NULL, -- operational
    method TEXT NOT NULL, -- operational
    path TEXT NOT NULL, -- operational
    key TEXT NOT NULL, -- operational
    body_digest TEXT NOT NULL, -- operational
    status BIGINT NOT NULL, -- operational
    answer TEXT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, credential, method, path, key)
);
CREATE INDEX idempotency_by_created_at ON "idempotency" (tenant, created_at);
CREATE INDEX idempotency_across_by_created_at ON "idempotency" (created_at); -- across

-- Encrypted secrets of connections, webhooks and identity providers.
CREATE TABLE "secret" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    wrapped BYTEA NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, id)
);

-- Which records of the directory were written at which value of its counter, so that a server with the directory in
-- memory reads only these. A row with an empty noun means that the counter moved and nothing else is noted. Old rows
-- are removed.
CREATE TABLE "estate_write" (
    tenant TEXT NOT NULL, -- operational
    generation BIGINT NOT NULL, -- operational
    noun TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, generation, noun, id)
);

-- Which record has which word. Words are bytes (UTF-8), so that both engines order them alike and a prefix is a range.
CREATE TABLE "search_term" (
    tenant TEXT NOT NULL, -- derived
    term BYTEA NOT NULL, -- derived
    record_table TEXT NOT NULL, -- derived
    record_id TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, record_table, term, record_id)
);
-- Whether a record has a word, or one with a given prefix, is one look-up.
CREATE INDEX search_term_by_record_table_record_id_term ON "search_term" (tenant, record_table, record_id, term);
