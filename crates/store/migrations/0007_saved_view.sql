-- oldest binary: 0.1.0
-- Lists as people want them: filters and columns under a name of their own.

CREATE TABLE "saved_view" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    list TEXT NOT NULL, -- operational
    name TEXT NOT NULL, -- operational
    query TEXT NOT NULL, -- operational
    created_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, person, list, name)
);
