-- oldest binary: 0.1.0
-- Changes are listed by what they were changed last, and by their planned start. With the state at its end, an index also
-- says which of them are open, so that the closed ones are passed over without a look at their rows.
CREATE INDEX change_by_updated_at_number_state ON "change" (tenant, updated_at, number, state);
CREATE INDEX change_by_planned_start_number_state ON "change" (tenant, planned_start, number, state);
DROP INDEX change_by_planned_start_number;
