-- oldest binary: 0.1.0
-- Figures look up the changes that moved, however many were only written; each index also has the columns that a count tests.
CREATE INDEX change_outcome_moved ON "change_outcome" (tenant, moved_at, number, created_at)
    WHERE moved_at > created_at OR ended_at IS NOT NULL;
CREATE INDEX change_outcome_by_moved_at_number_created_at ON "change_outcome" (tenant, moved_at, number, created_at);
DROP INDEX IF EXISTS change_outcome_by_moved_at_number;
CREATE INDEX change_by_state_number_created_at ON "change" (tenant, state, number, created_at);
DROP INDEX IF EXISTS change_by_state_number;
CREATE INDEX change_by_requester_number_state ON "change" (tenant, requester, number, state);
DROP INDEX IF EXISTS change_by_requester_number;
CREATE INDEX change_by_planned_start_number_state_risk ON "change" (tenant, planned_start, number, state, risk);
DROP INDEX IF EXISTS change_by_planned_start_number_state;
