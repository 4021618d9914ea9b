-- oldest binary: 0.1.0
-- The log: events, their texts, tiles, checkpoints and keys.

-- An event as canonical JSON. `seq` is its index in the tenant's log once the sequencer has placed it.
CREATE TABLE "event" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    seq BIGINT, -- recorded
    act TEXT NOT NULL, -- recorded
    kind TEXT NOT NULL, -- recorded
    subject_table TEXT NOT NULL, -- recorded
    subject_id TEXT NOT NULL, -- recorded
    occurred_at BIGINT NOT NULL, -- recorded
    recorded_at BIGINT NOT NULL, -- recorded
    bytes BYTEA NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX event_by_seq ON "event" (tenant, seq);
CREATE INDEX event_by_subject_table_subject_id_id ON "event" (tenant, subject_table, subject_id, id);
CREATE INDEX event_by_act_id ON "event" (tenant, act, id);
CREATE INDEX event_unsequenced ON "event" (tenant, id) WHERE seq IS NULL;

-- Which version of which record an event made.
CREATE TABLE "event_record" (
    tenant TEXT NOT NULL, -- derived
    event_id TEXT NOT NULL, -- derived
    table_name TEXT NOT NULL, -- derived
    record_id TEXT NOT NULL, -- derived
    version BIGINT NOT NULL, -- derived
    PRIMARY KEY (tenant, event_id, table_name, record_id)
);
CREATE UNIQUE INDEX event_record_by_table_name_record_id_version ON "event_record" (tenant, table_name, record_id, version);

-- A text too long for a leaf, or a decision's facts, kept beside the event that names its digest.
CREATE TABLE "event_payload" (
    tenant TEXT NOT NULL, -- recorded
    event_id TEXT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- recorded
    bytes BYTEA NOT NULL, -- recorded
    PRIMARY KEY (tenant, event_id, digest)
);
CREATE INDEX event_payload_by_digest ON "event_payload" (tenant, digest);

-- The salt and the words behind a commitment. Erasing a text deletes its row.
CREATE TABLE "text_salt" (
    tenant TEXT NOT NULL, -- recorded
    commitment TEXT NOT NULL, -- recorded
    salt BYTEA NOT NULL, -- recorded
    body TEXT NOT NULL, -- recorded
    event_id TEXT, -- recorded
    PRIMARY KEY (tenant, commitment)
);
CREATE INDEX text_salt_by_event_id ON "text_salt" (tenant, event_id);

-- How far a tenant's log is, and who holds the pen. `epoch` fences out a holder whose lease was taken.
CREATE TABLE "log_state" (
    tenant TEXT NOT NULL, -- operational
    size BIGINT NOT NULL, -- recorded
    root TEXT NOT NULL, -- recorded
    checkpoint TEXT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- operational
    holder TEXT NOT NULL, -- operational
    lease_until BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant)
);

-- Tiles by their C2SP path.
CREATE TABLE "log_tile" (
    tenant TEXT NOT NULL, -- derived
    path TEXT NOT NULL, -- derived
    bytes BYTEA NOT NULL, -- derived
    PRIMARY KEY (tenant, path)
);

-- Signed checkpoints, cosignatures included.
CREATE TABLE "checkpoint" (
    tenant TEXT NOT NULL, -- recorded
    size BIGINT NOT NULL, -- recorded
    note TEXT NOT NULL, -- recorded
    at BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, size)
);

-- Keys by purpose; the secret half rests encrypted.
CREATE TABLE "signing_key" (
    tenant TEXT NOT NULL, -- recorded
    kid TEXT NOT NULL, -- recorded
    purpose TEXT NOT NULL, -- recorded
    public TEXT NOT NULL, -- recorded
    wrapped BYTEA NOT NULL, -- operational
    state TEXT NOT NULL, -- recorded
    created_at BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, kid)
);
CREATE INDEX signing_key_by_purpose_state ON "signing_key" (tenant, purpose, state);

-- The epoch of a tenant's revocation list, and the list as it was signed last.
CREATE TABLE "revocation_state" (
    tenant TEXT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- recorded
    signed TEXT NOT NULL, -- operational
    signed_epoch BIGINT NOT NULL, -- operational
    signed_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant)
);

-- Revoked permits, kept until they would have ended.
CREATE TABLE "revoked" (
    tenant TEXT NOT NULL, -- recorded
    jti TEXT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- recorded
    at BIGINT NOT NULL, -- recorded
    expires_at BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, jti)
);
CREATE INDEX revoked_by_epoch ON "revoked" (tenant, epoch);
CREATE INDEX revoked_by_expires_at ON "revoked" (tenant, expires_at);

-- Permits issued before `iat` for these are void: a halting freeze.
CREATE TABLE "not_before" (
    tenant TEXT NOT NULL, -- recorded
    service TEXT NOT NULL, -- recorded
    environment TEXT NOT NULL, -- recorded
    iat BIGINT NOT NULL, -- recorded
    epoch BIGINT NOT NULL, -- recorded
    PRIMARY KEY (tenant, service, environment)
);
