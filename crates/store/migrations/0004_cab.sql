-- oldest binary: 0.1.0
-- Change advisory boards: meetings, on-call and training.

-- A meeting of a CAB or ECAB, with attendance and declared conflicts of interest.
CREATE TABLE "meeting" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    people_group TEXT NOT NULL, -- derived
    starts_at BIGINT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX meeting_by_people_group_starts_at ON "meeting" (tenant, people_group, starts_at);

-- A time in which a member of a board is on call.
CREATE TABLE "on_call" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    people_group TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX on_call_by_people_group_ends_at ON "on_call" (tenant, people_group, ends_at);

-- A training that a person has passed.
CREATE TABLE "training" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    person TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX training_by_person_ends_at ON "training" (tenant, person, ends_at);
