-- oldest binary: 0.1.0
-- The comparison of rules and outcomes of a quarter; the id is the quarter.
CREATE TABLE "risk_adjustment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    quarter TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX risk_adjustment_by_quarter ON "risk_adjustment" (tenant, quarter);
