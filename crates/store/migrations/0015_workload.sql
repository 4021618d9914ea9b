-- oldest binary: 0.1.0
-- Workloads: jobs of pipelines that show a token of their platform.

-- Which jobs of a platform are let in.
CREATE TABLE "workload" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX workload_by_key ON "workload" (tenant, key);

-- What jobs were let in with; only its digest is kept.
CREATE TABLE "workload_token" (
    tenant TEXT NOT NULL, -- operational
    digest TEXT NOT NULL, -- operational
    workload TEXT NOT NULL, -- operational
    expires_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX workload_token_across_by_digest ON "workload_token" (digest); -- across
CREATE INDEX workload_token_across_by_expires_at ON "workload_token" (expires_at); -- across
