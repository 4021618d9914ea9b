-- oldest binary: 0.1.0
-- How an act that waits for its place in the log stands to others beyond the records that it wrote: the versions of changes
-- that it read, the value of the estate's counter that it read or made. By its first event. Rows of placed acts go.
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
