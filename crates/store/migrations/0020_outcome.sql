-- oldest binary: 0.1.0
-- Which changes ended with an outcome, newest first: lists filter by it.
CREATE INDEX change_target_by_state_number ON "change_target" (tenant, state, number);
