-- oldest binary: 0.1.0
-- Fields that a tenant adds to its changes. What a change says in them stands in its body.
CREATE TABLE "custom_field" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX custom_field_by_key ON "custom_field" (tenant, key);
