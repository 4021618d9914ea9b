-- oldest binary: 0.1.0
-- Configurations that move decisions: sets of policies and risk tables, whole.

-- A set of policies or a risk table, proposed, in force or replaced.
CREATE TABLE "configuration" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    kind TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    proposed_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX configuration_by_kind_id ON "configuration" (tenant, kind, id);

-- Whose connection a delivery is for is asked before its tenant is known.
CREATE INDEX connection_across_by_id ON "connection" (id); -- across
CREATE INDEX inbox_by_connection_id ON "inbox" (tenant, connection, id);
