-- oldest binary: 0.1.0
-- Control reports that are made on each span that ends.
CREATE TABLE "report_schedule" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX report_schedule_in_use ON "report_schedule" (tenant, active, id);

-- Logs of others that this tenant witnesses.
CREATE TABLE "watched_log" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX watched_log_in_use ON "watched_log" (tenant, active, id);

-- The last checkpoint of each log of others that was cosigned, by its origin: it stays when the log is watched no longer.
CREATE TABLE "watched_checkpoint" (
    tenant TEXT NOT NULL, -- operational
    origin TEXT NOT NULL, -- operational
    size BIGINT NOT NULL, -- operational
    root TEXT NOT NULL, -- operational
    time BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, origin)
);

-- Time-stamping authorities (RFC 3161).
CREATE TABLE "time_authority" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX time_authority_in_use ON "time_authority" (tenant, active, id);

-- Time stamps over checkpoints; each proves itself. `authority` is the id of the authority that gave it.
CREATE TABLE "time_stamp" (
    tenant TEXT NOT NULL, -- operational
    size BIGINT NOT NULL, -- operational
    authority TEXT NOT NULL, -- operational
    time BIGINT NOT NULL, -- operational
    token TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, size, authority)
);
CREATE INDEX time_stamp_by_authority ON "time_stamp" (tenant, authority, size);
