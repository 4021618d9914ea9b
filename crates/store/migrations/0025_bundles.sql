-- oldest binary: 0.1.0
-- Full entry bundles of a log, compressed with Zstandard (RFC 8878). A bundle holds the bytes of 256 events; their rows hold
-- none once the bundle is here (decision record 0020).
CREATE TABLE "log_bundle" (
    tenant TEXT NOT NULL, -- recorded
    number BIGINT NOT NULL, -- recorded
    bytes BYTEA NOT NULL, -- recorded
    PRIMARY KEY (tenant, number)
);
