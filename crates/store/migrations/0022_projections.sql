-- oldest binary: 0.1.0
-- Tables that are computed from the events of the log and the records behind them, each with its own position in the log
-- (decision record 0017).

-- How far into the log a projection has come: the index of the first event that it has not seen.
CREATE TABLE "projection" (
    tenant TEXT NOT NULL, -- operational
    name TEXT NOT NULL, -- operational
    position BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, name)
);

-- A change as figures count it. `moved_at` is the last time that some figure counts it by.
CREATE TABLE "change_outcome" (
    tenant TEXT NOT NULL, -- derived
    change_id TEXT NOT NULL, -- derived
    version BIGINT NOT NULL, -- derived
    number BIGINT NOT NULL, -- derived
    created_at BIGINT NOT NULL, -- derived
    moved_at BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, change_id)
);
CREATE INDEX change_outcome_by_moved_at_number ON "change_outcome" (tenant, moved_at, number);
