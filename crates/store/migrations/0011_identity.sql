-- oldest binary: 0.1.0
-- Identity: identity providers, credentials, sessions and workloads.

-- An identity provider at which the people of this tenant sign in.
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
-- In which other tenants the holder of a proven subject is known.
CREATE INDEX person_identity_across_by_subject ON "person_identity" (value, tenant, person) WHERE kind = 'subject'; -- across

-- When a person last signed in, and since when that is kept: a session ends, and its work may leave no trace.
CREATE TABLE "person_seen" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    first_seen_at BIGINT NOT NULL, -- operational
    last_seen_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, person)
);

-- Password hashes, PHC text. `set_by` is the person who set the password of another.
CREATE TABLE "password" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    phc TEXT NOT NULL, -- operational
    set_by TEXT, -- operational
    set_at BIGINT, -- operational
    PRIMARY KEY (tenant, person)
);

-- Second factors: a TOTP secret or a passkey, encrypted; a recovery code by its digest. A new one counts from
-- `counts_from` where a rule requires that.
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
    counts_from BIGINT, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX second_factor_by_person ON "second_factor" (tenant, person, id);

-- What the server remembers between the two halves of a ceremony; each row is used once.
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
CREATE INDEX ceremony_across_by_expires_at ON "ceremony" (expires_at); -- across

-- Sessions by the digest of their secret. `handed_by` is the person who set the password with which the session began,
-- `subject` the subject that an identity provider proved, `mac` a code under the master key.
CREATE TABLE "session" (
    tenant TEXT NOT NULL, -- operational
    token_digest TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    last_seen_at BIGINT NOT NULL, -- operational
    expires_at BIGINT NOT NULL, -- operational
    stepped_up_at BIGINT, -- operational
    id TEXT, -- operational
    method TEXT, -- operational
    factor TEXT, -- operational
    source TEXT, -- operational
    agent TEXT, -- operational
    handed_by TEXT, -- operational
    subject TEXT, -- operational
    is_second_factor BOOLEAN, -- operational
    mac BYTEA, -- operational
    PRIMARY KEY (tenant, token_digest)
);
CREATE INDEX session_by_person ON "session" (tenant, person);
CREATE INDEX session_by_expires_at ON "session" (tenant, expires_at);
CREATE INDEX session_across_by_token_digest ON "session" (token_digest); -- across
-- Expired rows are swept over all tenants.
CREATE INDEX session_across_by_expires_at ON "session" (expires_at); -- across

-- An API token; only its digest is kept.
CREATE TABLE "token" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    person TEXT NOT NULL, -- derived
    digest TEXT NOT NULL, -- derived
    expires_at BIGINT, -- derived
    revoked BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX token_by_digest ON "token" (tenant, digest);
CREATE INDEX token_by_person_id ON "token" (tenant, person, id);
CREATE INDEX token_across_by_digest ON "token" (digest); -- across
-- Tokens that expire soon are searched regularly.
CREATE INDEX token_by_end ON "token" (tenant, expires_at);

-- The last use of a token, to the minute.
CREATE TABLE "token_use" (
    tenant TEXT NOT NULL, -- operational
    token TEXT NOT NULL, -- operational
    last_used_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, token)
);

-- The last use of each scope of a token that has several, to the minute. `first_used_at` shows since when uses
-- are kept, and so since when a scope without a row is unused.
CREATE TABLE "token_scope_use" (
    tenant TEXT NOT NULL, -- operational
    token TEXT NOT NULL, -- operational
    scope TEXT NOT NULL, -- operational
    first_used_at BIGINT NOT NULL, -- operational
    last_used_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, token, scope)
);

-- Which jobs of a platform are accepted.
CREATE TABLE "workload" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX workload_by_key ON "workload" (tenant, key);

-- Tokens with which jobs were accepted; only the digest is kept.
CREATE TABLE "workload_token" (
    tenant TEXT NOT NULL, -- operational
    digest TEXT NOT NULL, -- operational
    workload TEXT NOT NULL, -- operational
    expires_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX workload_token_across_by_digest ON "workload_token" (digest); -- across
CREATE INDEX workload_token_across_by_expires_at ON "workload_token" (expires_at); -- across
