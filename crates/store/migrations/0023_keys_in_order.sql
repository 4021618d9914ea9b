-- oldest binary: 0.1.0
-- Checks that wait are few among all that were asked, and have an index of their own; how often and when a gate was asked
-- last is looked up by its place.
DROP INDEX gate_check_by_state_service_environment;
CREATE INDEX gate_check_waiting ON "gate_check" (tenant, state, service, environment) WHERE wait_until IS NOT NULL;
CREATE INDEX gate_check_by_service_environment_id ON "gate_check" (tenant, service, environment, id);

-- An event has no place at first: it stands in the index of places only once it has one.
DROP INDEX event_by_seq;
CREATE UNIQUE INDEX event_by_seq ON "event" (tenant, seq) WHERE seq IS NOT NULL;

-- Texts are kept in the order of the events that brought them. Commitments are random: under a key that began with them each
-- text that an act wrote touched another page.
ALTER TABLE "text_salt" RENAME TO text_salt_before;
CREATE TABLE "text_salt" (
    tenant TEXT NOT NULL, -- recorded
    event_id TEXT NOT NULL, -- recorded
    commitment TEXT NOT NULL, -- recorded
    salt BYTEA NOT NULL, -- recorded
    body TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, event_id, commitment)
);
INSERT INTO "text_salt" (tenant, event_id, commitment, salt, body)
SELECT tenant, COALESCE(event_id, ''), commitment, salt, body FROM text_salt_before;
DROP TABLE text_salt_before;
