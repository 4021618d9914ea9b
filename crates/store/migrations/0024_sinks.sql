-- oldest binary: 0.1.0
-- Sinks: the log of a tenant in the formats and over the transports of a SIEM (decision record 0019).
CREATE TABLE "sink" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    name TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);

-- How far a sink is. `position` is the index of the next entry of the log that it has not examined, `sent` the last entry that
-- it delivered; `run_at` holds the sink back while its receiver does not take anything.
CREATE TABLE "sink_state" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    position BIGINT NOT NULL, -- operational
    sent BIGINT, -- operational
    run_at BIGINT NOT NULL, -- operational
    lease_until BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    failing_since BIGINT, -- operational
    last_error TEXT, -- operational
    delivered_at BIGINT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX sink_state_across_by_state_run_at ON "sink_state" (state, run_at); -- across
