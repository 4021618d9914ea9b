-- oldest binary: 0.1.0
-- Models of failure: each is written once, by the job that fits it (decision record 0018).

-- A fitted model: the outcomes by group and the coefficients, in whole numbers.
CREATE TABLE "failure_model" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    fitted_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX failure_model_by_fitted_at ON "failure_model" (tenant, fitted_at);
CREATE INDEX failure_model_by_digest ON "failure_model" (tenant, digest);
