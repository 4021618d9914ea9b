-- oldest binary: 0.1.0
-- Openings of the glass are counted over all teams: a service takes its own along when it changes its team.
CREATE INDEX glass_use_by_at ON "glass_use" (tenant, at);
