-- oldest binary: 0.1.0
-- The log: events, their texts, tiles, checkpoints, keys and witnesses.

-- An event as canonical JSON. `seq` is its index in the log of the tenant once the sequencer has placed it. `mac` is a code
-- under the master key: it shows that a server wrote a row that is not in the log yet.
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
    mac BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX event_by_subject_table_subject_id_id ON "event" (tenant, subject_table, subject_id, id);
CREATE INDEX event_unsequenced ON "event" (tenant, id) WHERE seq IS NULL;
-- An event is in the index of places only once it has one.
CREATE UNIQUE INDEX event_by_seq ON "event" (tenant, seq) WHERE seq IS NOT NULL;

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

-- A text too long for a leaf, or the facts of a decision, kept beside the event that names its digest.
CREATE TABLE "event_payload" (
    tenant TEXT NOT NULL, -- recorded
    event_id TEXT NOT NULL, -- recorded
    digest TEXT NOT NULL, -- recorded
    bytes BYTEA NOT NULL, -- recorded
    PRIMARY KEY (tenant, event_id, digest)
);
CREATE INDEX event_payload_by_digest ON "event_payload" (tenant, digest);

-- The record versions that an act read or made; they order events in the log. Rows are kept under the first event of the act
-- and removed once it has its place.
CREATE TABLE "act_order" (
    tenant TEXT NOT NULL, -- operational
    event_id TEXT NOT NULL, -- operational
    table_name TEXT NOT NULL, -- operational
    record_id TEXT NOT NULL, -- operational
    version BIGINT NOT NULL, -- operational
    made BOOLEAN NOT NULL, -- operational
    PRIMARY KEY (tenant, event_id, table_name, record_id)
);
CREATE INDEX act_order_by_record_version ON "act_order" (tenant, table_name, record_id, made, version, event_id);

-- The salt and the text behind a commitment. Erasing a text deletes its row. The key begins with the event, which keeps
-- the texts of an act together: commitments are random.
CREATE TABLE "text_salt" (
    tenant TEXT NOT NULL, -- recorded
    event_id TEXT NOT NULL, -- recorded
    commitment TEXT NOT NULL, -- recorded
    salt BYTEA NOT NULL, -- recorded
    body TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, event_id, commitment)
);

-- The size of a tenant's log and its writer. `epoch` fences out a writer whose lease was taken.
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

-- Keys by purpose; the secret half is encrypted.
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

-- Rotations and revocations of signing keys.
CREATE TABLE "key_turn" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    number BIGINT NOT NULL, -- derived
    purpose TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX key_turn_by_number ON "key_turn" (tenant, number);

-- A program outside the organisation that cosigns checkpoints.
CREATE TABLE "witness" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);

-- The newest cosignature of each witness; it proves itself.
CREATE TABLE "cosignature" (
    tenant TEXT NOT NULL, -- operational
    witness TEXT NOT NULL, -- operational
    size BIGINT NOT NULL, -- operational
    time BIGINT NOT NULL, -- operational
    line TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, witness)
);
