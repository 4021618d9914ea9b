-- oldest binary: 0.1.0
-- When people were here last.

-- When somebody signed in last, and since when that is kept of them: a session ends, and what it did may leave no trace.
CREATE TABLE "person_seen" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    first_seen_at BIGINT NOT NULL, -- operational
    last_seen_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, person)
);
