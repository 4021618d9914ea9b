-- oldest binary: 0.1.0
-- The gate: its view of the changes, checks, permits with their revocation, and what runs where.

-- One row for each target that could open the gate.
CREATE TABLE "gate_view" (
    tenant TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    target_id TEXT NOT NULL, -- derived
    purpose TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    commit_sha TEXT, -- derived
    body TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, change_id, target_id, purpose)
);
CREATE INDEX gate_view_by_service_environment_artifact ON "gate_view" (tenant, service, environment, artifact);
CREATE INDEX gate_view_by_service_environment_commit_sha ON "gate_view" (tenant, service, environment, commit_sha);

-- A recorded question to the gate with its answer.
CREATE TABLE "gate_check" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    commit_sha TEXT, -- derived
    change_key TEXT, -- derived
    decision TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    asked_at BIGINT NOT NULL, -- derived
    wait_until BIGINT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
-- Checks that wait are few among all that were asked.
CREATE INDEX gate_check_waiting ON "gate_check" (tenant, state, service, environment) WHERE wait_until IS NOT NULL;
-- How often and when the gate was last asked about a place.
CREATE INDEX gate_check_by_service_environment_id ON "gate_check" (tenant, service, environment, id);
-- Checks that no change answered are never searched by change.
CREATE INDEX gate_check_by_change_key_id ON "gate_check" (tenant, change_key, id) WHERE change_key IS NOT NULL;

-- How often and when each door of the gate was asked about a place; a refused question has a code and what it named.
CREATE TABLE "gate_use" (
    tenant TEXT NOT NULL, -- operational
    door TEXT NOT NULL, -- operational
    service TEXT NOT NULL, -- operational
    environment TEXT NOT NULL, -- operational
    code TEXT NOT NULL, -- operational
    subject TEXT NOT NULL, -- operational
    text TEXT NOT NULL, -- operational
    asked BIGINT NOT NULL, -- operational
    first_at BIGINT NOT NULL, -- operational
    last_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, door, service, environment, code, subject)
);
CREATE INDEX gate_use_by_code_last_at ON "gate_use" (tenant, code, last_at);
CREATE INDEX gate_use_by_service_environment_last_at ON "gate_use" (tenant, service, environment, last_at);

-- An issued permit; its id is the `jti`.
CREATE TABLE "permit" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    expires_at BIGINT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX permit_by_change_id_id ON "permit" (tenant, change_id, id);
CREATE INDEX permit_by_state_expires_at ON "permit" (tenant, state, expires_at);
CREATE INDEX permit_by_service_environment_expires_at ON "permit" (tenant, service, environment, expires_at);

-- The epoch of a tenant's revocation list, and the last signed list.
CREATE TABLE "revocation_state" (
    tenant TEXT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- recorded
    signed TEXT NOT NULL, -- operational
    signed_epoch BIGINT NOT NULL, -- operational
    signed_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant)
);

-- Revoked permits, kept until they would have expired.
CREATE TABLE "revoked" (
    tenant TEXT NOT NULL, -- recorded
    jti TEXT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- recorded
    at BIGINT NOT NULL, -- recorded
    expires_at BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, jti)
);
CREATE INDEX revoked_by_epoch ON "revoked" (tenant, epoch);
CREATE INDEX revoked_by_expires_at ON "revoked" (tenant, expires_at);

-- Permits for this place with an earlier `iat` are void: a halting freeze.
CREATE TABLE "not_before" (
    tenant TEXT NOT NULL, -- recorded
    service TEXT NOT NULL, -- recorded
    environment TEXT NOT NULL, -- recorded
    iat BIGINT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, service, environment)
);

-- An artifact that an outcome brought to a place.
CREATE TABLE "running" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    ended_by TEXT, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX running_by_service_environment_active_artifact ON "running" (tenant, service, environment, active, artifact);
CREATE INDEX running_by_ended_by ON "running" (tenant, ended_by);

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
