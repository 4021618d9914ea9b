-- oldest binary: 0.1.0
-- The root cause that the last review of a change names.
ALTER TABLE "change" ADD COLUMN review_cause TEXT; -- derived
CREATE INDEX change_by_review_cause ON "change" (tenant, review_cause, updated_at) WHERE review_cause IS NOT NULL;
