-- oldest binary: 0.1.0
-- What deliveries ask and tell beside deployments, and calls to their senders.

-- A question of an outside system: may this be merged or deployed?
CREATE TABLE "outside_check" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    commit_sha TEXT NOT NULL, -- derived
    change_id TEXT, -- derived
    is_over BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX outside_check_by_connection_natural_key ON "outside_check" (tenant, connection, natural_key);
CREATE INDEX outside_check_by_service_is_over ON "outside_check" (tenant, service, is_over);

-- Where something comes from: the tree of a commit, the commit of an artifact.
CREATE TABLE "provenance" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    repository TEXT NOT NULL, -- derived
    commit_sha TEXT NOT NULL, -- derived
    tree TEXT, -- derived
    artifact TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX provenance_by_commit_sha ON "provenance" (tenant, commit_sha);
CREATE INDEX provenance_by_tree ON "provenance" (tenant, tree);
CREATE INDEX provenance_by_artifact ON "provenance" (tenant, artifact);

-- A call to somebody else's server that waits for a courier.
CREATE TABLE "call" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    kind TEXT NOT NULL, -- operational
    subject TEXT NOT NULL, -- operational
    payload TEXT NOT NULL, -- operational
    run_at BIGINT NOT NULL, -- operational
    lease_until BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    tries BIGINT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    last_error TEXT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX call_by_state_run_at ON "call" (tenant, state, run_at);
CREATE INDEX call_across_by_state_run_at ON "call" (state, run_at); -- across

-- How often a connection's deliveries were turned away, by reason.
CREATE TABLE "delivery_refusal" (
    tenant TEXT NOT NULL, -- operational
    connection TEXT NOT NULL, -- operational
    code TEXT NOT NULL, -- operational
    text TEXT NOT NULL, -- operational
    count BIGINT NOT NULL, -- operational
    first_at BIGINT NOT NULL, -- operational
    last_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, connection, code)
);
