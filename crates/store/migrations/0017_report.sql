-- oldest binary: 0.1.0
-- Reports and lists.

-- A list as a person wants it: filters and columns under a name. A shared view is shown to everybody in the tenant; edits
-- are checked against its version.
CREATE TABLE "saved_view" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    list TEXT NOT NULL, -- operational
    name TEXT NOT NULL, -- operational
    query TEXT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    shared BOOLEAN NOT NULL DEFAULT FALSE, -- operational
    version BIGINT NOT NULL DEFAULT 1, -- operational
    PRIMARY KEY (tenant, person, list, name)
);
CREATE INDEX saved_view_shared ON "saved_view" (tenant, list, shared);
