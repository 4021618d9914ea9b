-- oldest binary: 0.1.0
-- Integrations: connections, deliveries, deployments, outside checks, outgoing calls and webhooks.

-- A connection to an outside system.
CREATE TABLE "connection" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    kind TEXT NOT NULL, -- derived
    name TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX connection_by_kind_name ON "connection" (tenant, kind, name);
-- The connection of a delivery is looked up before its tenant is known.
CREATE INDEX connection_across_by_id ON "connection" (id); -- across

-- Deliveries as they arrived. `mac` is a code under the master key.
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
    mac BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX inbox_by_connection_delivery_id ON "inbox" (tenant, connection, delivery_id);
CREATE UNIQUE INDEX inbox_by_connection_body_digest ON "inbox" (tenant, connection, body_digest);
CREATE INDEX inbox_by_state_run_at ON "inbox" (tenant, state, run_at);
CREATE INDEX inbox_across_by_state_run_at ON "inbox" (state, run_at); -- across
CREATE INDEX inbox_by_connection_id ON "inbox" (tenant, connection, id);
-- Deliveries are kept, and listed by connection and state in the order of ids.
CREATE INDEX inbox_by_connection_state_id ON "inbox" (tenant, connection, state, id);
-- Finished deliveries that still have their raw body, in the order in which retention takes them.
CREATE INDEX inbox_with_body ON "inbox" (tenant, received_at, id) WHERE state = 'done' AND length(body) > 0;

-- How often deliveries of a connection were refused, by reason.
CREATE TABLE "delivery_refusal" (
    tenant TEXT NOT NULL, -- operational
    connection TEXT NOT NULL, -- operational
    code TEXT NOT NULL, -- operational
    text TEXT NOT NULL, -- operational
    count BIGINT NOT NULL, -- operational
    first_at BIGINT NOT NULL, -- operational
    last_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, connection, code)
);

-- A deployment that a delivery reported.
CREATE TABLE "deployment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    commit_sha TEXT NOT NULL, -- derived
    change_id TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX deployment_by_connection_natural_key ON "deployment" (tenant, connection, natural_key);
CREATE INDEX deployment_by_service_environment_commit_sha ON "deployment" (tenant, service, environment, commit_sha);
CREATE INDEX deployment_by_change_id_id ON "deployment" (tenant, change_id, id);

-- A question of an outside system: may this be merged or deployed?
CREATE TABLE "outside_check" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    commit_sha TEXT NOT NULL, -- derived
    change_id TEXT, -- derived
    is_over BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX outside_check_by_connection_natural_key ON "outside_check" (tenant, connection, natural_key);
CREATE INDEX outside_check_by_service_is_over ON "outside_check" (tenant, service, is_over);

-- A call to an outside server that waits to be sent.
CREATE TABLE "call" (
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
CREATE INDEX call_by_state_run_at ON "call" (tenant, state, run_at);
CREATE INDEX call_across_by_state_run_at ON "call" (state, run_at); -- across

-- An outside address that is notified of events.
CREATE TABLE "webhook" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    name TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);

-- How far a webhook is. `position` is the index of the next event of the log that it has not examined; `run_at` holds
-- back the whole address while it does not answer.
CREATE TABLE "webhook_state" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    position BIGINT NOT NULL, -- operational
    run_at BIGINT NOT NULL, -- operational
    retry_at BIGINT, -- operational
    lease_until BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    failing_since BIGINT, -- operational
    last_status BIGINT, -- operational
    last_error TEXT, -- operational
    delivered_at BIGINT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX webhook_state_across_by_state_run_at ON "webhook_state" (state, run_at); -- across

-- One event on its way to one webhook.
CREATE TABLE "webhook_delivery" (
    tenant TEXT NOT NULL, -- operational
    webhook TEXT NOT NULL, -- operational
    seq BIGINT NOT NULL, -- operational
    event_id TEXT NOT NULL, -- operational
    kind TEXT NOT NULL, -- operational
    subject TEXT NOT NULL, -- operational
    queued_at BIGINT NOT NULL, -- operational
    run_at BIGINT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    last_status BIGINT, -- operational
    last_error TEXT, -- operational
    ended_at BIGINT, -- operational
    PRIMARY KEY (tenant, webhook, seq)
);
CREATE INDEX webhook_delivery_by_webhook_state_seq ON "webhook_delivery" (tenant, webhook, state, seq);
CREATE INDEX webhook_delivery_by_webhook_state_subject_seq ON "webhook_delivery" (tenant, webhook, state, subject, seq);
CREATE INDEX webhook_delivery_across_by_state_ended_at ON "webhook_delivery" (state, ended_at); -- across
