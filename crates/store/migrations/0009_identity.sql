-- oldest binary: 0.1.0
-- Identity: who people are elsewhere, identity providers, second factors, what a session was begun with.

-- An identity provider at which people of this tenant sign in.
CREATE TABLE "identity_provider" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX identity_provider_by_key ON "identity_provider" (tenant, key);

-- By what a person is known outside: mail address, subject at a provider, id in the provisioning directory.
CREATE TABLE "person_identity" (
    tenant TEXT NOT NULL, -- derived
    kind TEXT NOT NULL, -- derived
    value TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, kind, value, person)
);
CREATE INDEX person_identity_by_person ON "person_identity" (tenant, person);

-- Who belongs to which group, by the group's id.
CREATE TABLE "group_member" (
    tenant TEXT NOT NULL, -- derived
    people_group TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, people_group, person)
);
CREATE INDEX group_member_by_person ON "group_member" (tenant, person, people_group);

-- Second factors: a TOTP secret or a passkey, encrypted; a recovery code by its digest.
CREATE TABLE "second_factor" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    kind TEXT NOT NULL, -- operational
    name TEXT NOT NULL, -- operational
    secret BYTEA NOT NULL, -- operational
    is_confirmed BOOLEAN NOT NULL, -- operational
    last_step BIGINT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    last_used_at BIGINT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX second_factor_by_person ON "second_factor" (tenant, person, id);

-- What the server remembers between the two halves of a ceremony; each is used once.
CREATE TABLE "ceremony" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    kind TEXT NOT NULL, -- operational
    state TEXT NOT NULL, -- operational
    expires_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ceremony_by_expires_at ON "ceremony" (tenant, expires_at);

-- Sessions can be told apart, listed and ended.
ALTER TABLE "session" ADD COLUMN id TEXT;
ALTER TABLE "session" ADD COLUMN method TEXT;
ALTER TABLE "session" ADD COLUMN factor TEXT;
ALTER TABLE "session" ADD COLUMN source TEXT;
ALTER TABLE "session" ADD COLUMN agent TEXT;
