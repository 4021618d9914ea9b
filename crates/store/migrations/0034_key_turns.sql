-- oldest binary: 0.1.0
-- What became of signing keys: rotations and revocations.
CREATE TABLE "key_turn" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    number BIGINT NOT NULL, -- derived
    purpose TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX key_turn_by_number ON "key_turn" (tenant, number);
