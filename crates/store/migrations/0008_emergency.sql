-- oldest binary: 0.1.0
-- Break-glass.

-- One use of break-glass, counted against the budget of its team.
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
-- Uses are also counted over all teams: a service keeps its own when its team changes.
CREATE INDEX glass_use_by_at ON "glass_use" (tenant, at);
