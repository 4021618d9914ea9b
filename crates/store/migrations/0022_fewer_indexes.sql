-- oldest binary: 0.1.0
-- Indexes that no question needs cost every act its time: events are never looked for by their act, nor checks by the end of
-- their wait, and a check that no change answered is never looked for by its change.
DROP INDEX event_by_act_id;
DROP INDEX gate_check_by_state_wait_until;
DROP INDEX gate_check_by_change_key_id;
CREATE INDEX gate_check_by_change_key_id ON "gate_check" (tenant, change_key, id) WHERE change_key IS NOT NULL;
