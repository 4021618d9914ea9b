-- oldest binary: 0.1.0
-- Outgoing webhooks: who is told of events, how far each is, and what is on its way.

-- An address outside that is told of events.
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

-- How far a webhook is. `position` is the index of the next event of the log that it has not looked at; `run_at` holds
-- the whole address back while nobody answers there.
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
