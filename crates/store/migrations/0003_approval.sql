-- oldest binary: 0.1.0
-- Approvals: decisions, peer reviews, conditions, absences and delegations.

-- The decision of one person.
CREATE TABLE "approval" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX approval_by_change_id_id ON "approval" (tenant, change_id, id);
CREATE INDEX approval_by_person_state ON "approval" (tenant, person, state);
-- At most one decision of a person on a change stands.
CREATE UNIQUE INDEX approval_standing_by_change_id_person ON "approval" (tenant, change_id, person) WHERE state = 'standing';

-- A peer's review of plan and code.
CREATE TABLE "peer_review" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX peer_review_by_change_id_id ON "peer_review" (tenant, change_id, id);

-- A condition of an approval.
CREATE TABLE "condition" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX condition_by_change_id_id ON "condition" (tenant, change_id, id);

-- A time in which a person is away.
CREATE TABLE "absence" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    person TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX absence_by_person_ends_at ON "absence" (tenant, person, ends_at);

-- One person decides for another, for a time.
CREATE TABLE "delegation" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    delegator TEXT NOT NULL, -- derived
    delegate TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX delegation_by_delegator_ends_at ON "delegation" (tenant, delegator, ends_at);
CREATE INDEX delegation_by_delegate_ends_at ON "delegation" (tenant, delegate, ends_at);
