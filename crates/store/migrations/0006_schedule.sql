-- oldest binary: 0.1.0
-- The calendar: maintenance windows, freezes and working hours.

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

-- Working hours and holidays.
CREATE TABLE "calendar" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX calendar_by_key ON "calendar" (tenant, key);
