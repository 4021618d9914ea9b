-- oldest binary: 0.1.0
-- Compliance: compensating controls.

-- A review of the work of a small team by a group outside it.
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
