-- oldest binary: 0.1.0
-- Tokens of platforms that were exchanged: each is used once, and is known until it ends. Only the digest is kept.
CREATE TABLE "workload_used" (
    tenant TEXT NOT NULL, -- operational
    digest TEXT NOT NULL, -- operational
    expires_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX workload_used_across_by_expires_at ON "workload_used" (expires_at); -- across
