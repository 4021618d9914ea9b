-- oldest binary: 0.1.0
-- Up to which value of the counter of the directory the open changes of a tenant have to be judged again, and how far that is.
CREATE TABLE "unsettled" (
    tenant TEXT NOT NULL, -- operational
    generation BIGINT NOT NULL, -- operational
    since BIGINT NOT NULL, -- operational
    urgent BIGINT NOT NULL, -- operational
    pass BIGINT NOT NULL, -- operational
    mark BIGINT NOT NULL, -- operational
    left_out BIGINT NOT NULL, -- operational
    code BYTEA, -- operational
    PRIMARY KEY (tenant)
);
-- The changes that were judged since, and at which value of the counter.
CREATE TABLE "settled" (
    tenant TEXT NOT NULL, -- operational
    change_id TEXT NOT NULL, -- operational
    generation BIGINT NOT NULL, -- operational
    code BYTEA, -- operational
    PRIMARY KEY (tenant, change_id)
);
-- Lists of checks by service, and of those that wait or waited by state, newest first.
CREATE INDEX gate_check_by_service_id ON "gate_check" (tenant, service, id);
CREATE INDEX gate_check_by_state_id ON "gate_check" (tenant, state, id) WHERE wait_until IS NOT NULL;
