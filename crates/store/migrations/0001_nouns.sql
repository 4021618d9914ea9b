-- oldest binary: 0.1.0
-- Nouns: one row each with its whole body. The derived columns stand before the body, so that a list reads them
-- without following a long body to its end. `recorded` is what the log tells, `derived` is computed from it,
-- `operational` is neither.

-- A change.
CREATE TABLE "change" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    number BIGINT NOT NULL, -- derived
    title TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    risk TEXT NOT NULL, -- derived
    on_hold BOOLEAN NOT NULL, -- derived
    requester TEXT NOT NULL, -- derived
    owner TEXT NOT NULL, -- derived
    team TEXT, -- derived
    created_at BIGINT NOT NULL, -- derived
    planned_start BIGINT, -- derived
    planned_end BIGINT, -- derived
    expedited BOOLEAN NOT NULL, -- derived
    updated_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX change_by_key ON "change" (tenant, key);
CREATE UNIQUE INDEX change_by_number ON "change" (tenant, number);
CREATE INDEX change_by_state_number ON "change" (tenant, state, number);
CREATE INDEX change_by_kind_number ON "change" (tenant, kind, number);
CREATE INDEX change_by_risk_number ON "change" (tenant, risk, number);
CREATE INDEX change_by_owner_number ON "change" (tenant, owner, number);
CREATE INDEX change_by_requester_number ON "change" (tenant, requester, number);
CREATE INDEX change_by_team_number ON "change" (tenant, team, number);
CREATE INDEX change_by_planned_start_number ON "change" (tenant, planned_start, number);
CREATE INDEX change_by_created_at_number ON "change" (tenant, created_at, number);

-- The targets of a change, rewritten with it.
CREATE TABLE change_target (
    tenant TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    target_id TEXT NOT NULL, -- derived
    number BIGINT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    commit_sha TEXT, -- derived
    rollback_to TEXT, -- derived
    state TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, change_id, target_id)
);
CREATE INDEX change_target_by_service_environment_number ON "change_target" (tenant, service, environment, number);
CREATE INDEX change_target_by_environment_number ON "change_target" (tenant, environment, number);
CREATE INDEX change_target_by_service_environment_artifact ON "change_target" (tenant, service, environment, artifact);
CREATE INDEX change_target_by_service_environment_commit_sha ON "change_target" (tenant, service, environment, commit_sha);

-- One person's decision.
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
CREATE UNIQUE INDEX approval_standing_by_change_id_person ON "approval" (tenant, change_id, person) WHERE state = 'standing';

-- A peer's word on plan and code.
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

-- A piece of evidence.
CREATE TABLE "evidence" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    aspect TEXT NOT NULL, -- derived
    artifact TEXT, -- derived
    file_digest TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX evidence_by_change_id_id ON "evidence" (tenant, change_id, id);
CREATE INDEX evidence_by_file_digest ON "evidence" (tenant, file_digest);

-- A line in the log of actions.
CREATE TABLE "entry" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    occurred_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX entry_by_change_id_id ON "entry" (tenant, change_id, id);

-- Work given to somebody.
CREATE TABLE "task" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    assignee TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX task_by_change_id_id ON "task" (tenant, change_id, id);
CREATE INDEX task_by_assignee_state ON "task" (tenant, assignee, state);

-- A comment.
CREATE TABLE "comment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX comment_by_change_id_id ON "comment" (tenant, change_id, id);

-- A condition under which somebody approved.
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

-- A manual item of a checklist.
CREATE TABLE "checklist_item" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX checklist_item_by_change_id_id ON "checklist_item" (tenant, change_id, id);

-- A link from a change to another or to an incident.
CREATE TABLE "link" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    from_change TEXT NOT NULL, -- derived
    to_change TEXT, -- derived
    kind TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX link_by_from_change_id ON "link" (tenant, from_change, id);
CREATE INDEX link_by_to_change_id ON "link" (tenant, to_change, id);

-- A permit that was given out; its id is the `jti`.
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

-- A recorded question to the gate and its answer.
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
CREATE INDEX gate_check_by_state_service_environment ON "gate_check" (tenant, state, service, environment);
CREATE INDEX gate_check_by_state_wait_until ON "gate_check" (tenant, state, wait_until);
CREATE INDEX gate_check_by_change_key_id ON "gate_check" (tenant, change_key, id);

-- A person or a pipeline's identity.
CREATE TABLE "person" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    login TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX person_by_login ON "person" (tenant, login);

-- A group of people.
CREATE TABLE "people_group" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    name TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX people_group_by_key ON "people_group" (tenant, key);

-- A service.
CREATE TABLE "service" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    team TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX service_by_key ON "service" (tenant, key);

-- A config item inside a service.
CREATE TABLE "config_item" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX config_item_by_key ON "config_item" (tenant, key);
CREATE INDEX config_item_by_service_key ON "config_item" (tenant, service, key);

-- An environment.
CREATE TABLE "environment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX environment_by_key ON "environment" (tenant, key);

-- One service needs another.
CREATE TABLE "dependency" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    from_service TEXT NOT NULL, -- derived
    to_service TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX dependency_by_from_service_to_service ON "dependency" (tenant, from_service, to_service);
CREATE INDEX dependency_by_to_service ON "dependency" (tenant, to_service);

-- A part in owning services.
CREATE TABLE "ownership" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT, -- derived
    environment TEXT, -- derived
    role TEXT NOT NULL, -- derived
    person TEXT, -- derived
    people_group TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ownership_by_service_environment_role ON "ownership" (tenant, service, environment, role);

-- A pre-approved kind of change.
CREATE TABLE "template" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    template_version BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX template_by_key ON "template" (tenant, key);

-- A time in which work is welcome.
CREATE TABLE "maintenance_window" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    starts_at BIGINT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX maintenance_window_by_ends_at_starts_at ON "maintenance_window" (tenant, ends_at, starts_at);

-- A time in which no change begins.
CREATE TABLE "freeze" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    starts_at BIGINT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX freeze_by_ends_at_starts_at ON "freeze" (tenant, ends_at, starts_at);

-- An incident.
CREATE TABLE "incident" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    started_at BIGINT NOT NULL, -- derived
    resolved_at BIGINT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX incident_by_key ON "incident" (tenant, key);
CREATE INDEX incident_by_started_at ON "incident" (tenant, started_at);

-- A connection to an outside system.
CREATE TABLE "connection" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    kind TEXT NOT NULL, -- derived
    name TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX connection_by_kind_name ON "connection" (tenant, kind, name);

-- An API token; only its digest is kept.
CREATE TABLE "token" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    person TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    expires_at BIGINT, -- derived
    revoked BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX token_by_digest ON "token" (tenant, digest);
CREATE INDEX token_by_person_id ON "token" (tenant, person, id);
CREATE INDEX token_across_by_digest ON "token" (digest); -- across

-- A set of policies with its parameters.
CREATE TABLE "policy_set" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    state TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX policy_set_by_state_id ON "policy_set" (tenant, state, id);
CREATE INDEX policy_set_by_digest ON "policy_set" (tenant, digest);

-- A deployment that a delivery told of.
CREATE TABLE "deployment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    connection TEXT NOT NULL, -- derived
    natural_key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    environment TEXT NOT NULL, -- derived
    commit_sha TEXT NOT NULL, -- derived
    change_id TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX deployment_by_connection_natural_key ON "deployment" (tenant, connection, natural_key);
CREATE INDEX deployment_by_service_environment_commit_sha ON "deployment" (tenant, service, environment, commit_sha);
CREATE INDEX deployment_by_change_id_id ON "deployment" (tenant, change_id, id);

-- A message to a person.
CREATE TABLE "message" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT, -- derived
    person TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    dedup TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX message_by_dedup ON "message" (tenant, dedup);
CREATE INDEX message_by_person_id ON "message" (tenant, person, id);
CREATE INDEX message_by_change_id_id ON "message" (tenant, change_id, id);

-- A tenant's settings; its id is the tenant's own.
CREATE TABLE "tenant_info" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    name TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX tenant_info_across_by_tenant ON "tenant_info" (tenant); -- across
