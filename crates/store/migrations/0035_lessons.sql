-- oldest binary: 0.1.0
-- Tests that people take of lessons, and lessons that they are asked to pass.
CREATE TABLE "lesson_attempt" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    lesson TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    begun_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX lesson_attempt_of_person ON "lesson_attempt" (tenant, person, lesson, begun_at);
CREATE INDEX lesson_attempt_of_lesson ON "lesson_attempt" (tenant, lesson, id);

CREATE TABLE "lesson_assignment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    lesson TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX lesson_assignment_in_use ON "lesson_assignment" (tenant, active, id);
