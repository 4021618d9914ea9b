-- oldest binary: 0.1.0
-- Figures count all changes of twelve weeks by state and kind: the index by time holds both, so that no change is read for it.
DROP INDEX change_by_created_at_number;
CREATE INDEX change_by_created_at_number ON "change" (tenant, created_at, number, state, kind);
