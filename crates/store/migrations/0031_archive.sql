-- oldest binary: 0.1.0
-- The archive: the bodies and texts of changes that ended long ago, in compressed segments (decision record 0020). A row whose body
-- was moved holds the name of its change instead; its other columns stay, so that lists, filters and search find it as before.

-- A segment. Its id is the SHA-256 of its bytes in hexadecimal digits. On SQLite the bytes are a file of that name in the folder
-- `archive`, unless what is left of a segment was written anew.
CREATE TABLE "archive_segment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    in_folder BOOLEAN NOT NULL, -- recorded
    size BIGINT NOT NULL, -- operational
    plain BIGINT NOT NULL, -- operational
    bytes BYTEA, -- recorded
    PRIMARY KEY (tenant, id)
);

-- Which segment holds a change.
CREATE TABLE "archived_change" (
    tenant TEXT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- recorded
    segment TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, change_id)
);

-- How much a tenant's archive holds.
CREATE TABLE "archive_state" (
    tenant TEXT NOT NULL, -- operational
    changes BIGINT NOT NULL, -- operational
    segments BIGINT NOT NULL, -- operational
    size BIGINT NOT NULL, -- operational
    plain BIGINT NOT NULL, -- operational
    moved_at BIGINT, -- operational
    PRIMARY KEY (tenant)
);

-- Files that are announced and not yet named by a segment, or named no more. They are removed a while after `noticed_at`.
CREATE TABLE "archive_garbage" (
    tenant TEXT NOT NULL, -- operational
    file TEXT NOT NULL, -- operational
    noticed_at BIGINT, -- operational
    PRIMARY KEY (tenant, file)
);

-- Changes that have ended and whose bodies are in their rows, in the order in which the archive takes them. A body that was moved
-- begins with a letter.
CREATE INDEX change_to_archive ON "change" (tenant, updated_at, id)
    WHERE state IN ('closed', 'cancelled') AND substr(body, 1, 1) = '{';
