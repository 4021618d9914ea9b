-- oldest binary: 0.1.0
-- Meetings of boards, who is on call for them, and how often the glass was broken.

-- A sitting of a CAB or ECAB: who was there, who declared a conflict of interest.
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

-- One opening of the glass, counted against the budget of its team.
CREATE TABLE "glass_use" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    team TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX glass_use_by_team_at ON "glass_use" (tenant, team, at);
