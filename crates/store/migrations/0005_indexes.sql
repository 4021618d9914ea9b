-- oldest binary: 0.1.0
-- Indexes for what is asked often over many changes.

-- A target is also found by what runs again after a rollback; without this each new change would walk through all others
-- of its service and environment.
CREATE INDEX change_target_by_service_environment_rollback_to ON "change_target" (tenant, service, environment, rollback_to);

-- Whether a record has a word, or one that begins so, is one look-up; before it took one for each word of the record.
DROP INDEX search_term_by_record_table_record_id;
CREATE INDEX search_term_by_record_table_record_id_term ON "search_term" (tenant, record_table, record_id, term);
