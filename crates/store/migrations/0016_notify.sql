-- oldest binary: 0.1.0
-- Notifications.

-- A message to a person.
CREATE TABLE "message" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT, -- derived
    person TEXT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    dedup TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX message_by_dedup ON "message" (tenant, dedup);
CREATE INDEX message_by_person_id ON "message" (tenant, person, id);
CREATE INDEX message_by_change_id_id ON "message" (tenant, change_id, id);
-- Messages whose mail waits, searched by their reader.
CREATE INDEX message_held ON "message" (tenant, person) WHERE state = 'held';
