-- oldest binary: 0.1.0
-- Witnesses: programs of others that cosign checkpoints.
CREATE TABLE "witness" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);

-- The newest cosignature of each witness. It says by itself whether it is one.
CREATE TABLE "cosignature" (
    tenant TEXT NOT NULL, -- operational
    witness TEXT NOT NULL, -- operational
    size BIGINT NOT NULL, -- operational
    time BIGINT NOT NULL, -- operational
    line TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, witness)
);
