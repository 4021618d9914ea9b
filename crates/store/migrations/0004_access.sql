-- oldest binary: 0.1.0
-- Who is at the door: sessions, passwords, repeated requests.

-- Sessions by the digest of their secret.
CREATE TABLE "session" (
    tenant TEXT NOT NULL, -- operational
    token_digest TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    last_seen_at BIGINT NOT NULL, -- operational
    expires_at BIGINT NOT NULL, -- operational
    stepped_up_at BIGINT, -- operational
    PRIMARY KEY (tenant, token_digest)
);
CREATE INDEX session_by_person ON "session" (tenant, person);
CREATE INDEX session_by_expires_at ON "session" (tenant, expires_at);
CREATE INDEX session_across_by_token_digest ON "session" (token_digest); -- across

-- Password hashes, PHC text.
CREATE TABLE "password" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    phc TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, person)
);

-- Answers by the caller's key.
CREATE TABLE "idempotency" (
    tenant TEXT NOT NULL, -- operational
    credential TEXT NOT NULL, -- operational
    method TEXT NOT NULL, -- operational
    path TEXT NOT NULL, -- operational
    key TEXT NOT NULL, -- operational
    body_digest TEXT NOT NULL, -- operational
    status BIGINT NOT NULL, -- operational
    answer TEXT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, credential, method, path, key)
);
CREATE INDEX idempotency_by_created_at ON "idempotency" (tenant, created_at);

-- Secrets of connections, encrypted.
CREATE TABLE "secret" (
    tenant TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    wrapped BYTEA NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, id)
);
