-- oldest binary: 0.1.0
-- Links between records, reviews of incidents, problems, root causes, and how they moved forecasts.

-- A link between two records. A link that a change holds has the same id here.
CREATE TABLE "record_link" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    from_key TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    to_key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX record_link_by_from_key ON "record_link" (tenant, from_key, active, id);
CREATE INDEX record_link_by_to_key ON "record_link" (tenant, to_key, active, id);

-- The review of an incident.
CREATE TABLE "incident_review" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    incident_key TEXT NOT NULL, -- derived
    cause TEXT, -- derived
    completed_at BIGINT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX incident_review_by_incident_key ON "incident_review" (tenant, incident_key);
CREATE INDEX incident_review_by_completed_at ON "incident_review" (tenant, completed_at);

-- The two answers about a change in the review of an incident.
CREATE TABLE "review_answer" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    incident_key TEXT NOT NULL, -- derived
    change_key TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX review_answer_by_incident_key_change_key ON "review_answer" (tenant, incident_key, change_key);

-- A problem.
CREATE TABLE "problem" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    cause TEXT, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX problem_by_key ON "problem" (tenant, key);
CREATE INDEX problem_by_state ON "problem" (tenant, state, key);

-- A root cause of the taxonomy. A shipped one has a row once somebody changed it.
CREATE TABLE "cause" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);

-- How a reviewed failure moved the forecast of a pending change; written once.
CREATE TABLE "cause_move" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    incident_key TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX cause_move_by_change_id ON "cause_move" (tenant, change_id, id);
CREATE INDEX cause_move_by_incident_key ON "cause_move" (tenant, incident_key, id);
CREATE INDEX review_answer_by_change ON "review_answer" (tenant, change_key, id);
CREATE INDEX cause_in_use ON "cause" (tenant, active, id);
CREATE INDEX incident_review_by_cause ON "incident_review" (tenant, cause, id);
CREATE INDEX problem_by_cause ON "problem" (tenant, cause, id);
