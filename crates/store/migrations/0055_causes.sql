-- oldest binary: 0.1.0
-- Fits of how likely candidates led to incidents.
CREATE TABLE "cause_model" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    fitted_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX cause_model_by_fitted_at ON "cause_model" (tenant, fitted_at);

-- How far back candidates of a service are looked for.
CREATE TABLE "cause_window" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX cause_window_by_service ON "cause_window" (tenant, service);

-- What people decided about drift, also about findings that opened again.
CREATE TABLE "drift_decision" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    finding TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX drift_decision_by_finding ON "drift_decision" (tenant, finding, id);

-- Duplicates of incidents are looked up by their kind alone.
CREATE INDEX record_link_by_kind ON "record_link" (tenant, kind, active, id);

-- The adjustments that wait for a configuration of theirs are looked for by their state.
CREATE INDEX risk_adjustment_by_state_quarter ON "risk_adjustment" (tenant, state, quarter);
