-- oldest binary: 0.1.0
-- People who are away, people who speak for others, business calendars.

-- A time in which a person is away.
CREATE TABLE "absence" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    person TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX absence_by_person_ends_at ON "absence" (tenant, person, ends_at);

-- One person speaks for another, for a time.
CREATE TABLE "delegation" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    delegator TEXT NOT NULL, -- derived
    delegate TEXT NOT NULL, -- derived
    ends_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX delegation_by_delegator_ends_at ON "delegation" (tenant, delegator, ends_at);
CREATE INDEX delegation_by_delegate_ends_at ON "delegation" (tenant, delegate, ends_at);

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
