-- oldest binary: 0.1.0
-- Who has learned what, and who looked from outside at a small team's work.

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

-- A look from outside at what a small team did.
CREATE TABLE "outside_look" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    people_group TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX outside_look_by_people_group_at ON "outside_look" (tenant, people_group, at);
