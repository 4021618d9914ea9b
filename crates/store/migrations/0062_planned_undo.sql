-- oldest binary: 0.1.0
-- Whether a change declares a planned undo, by which calendars and conflicts find the undos of a time. It is `declared` or nothing.
ALTER TABLE "change" ADD COLUMN planned_undo TEXT; -- derived
-- A text inside of a body has its quotes escaped, so that only the field itself is found.
UPDATE "change" SET planned_undo = 'declared' WHERE body LIKE '%"planned_undo":{%';
CREATE INDEX change_with_undo ON "change" (tenant, planned_start) WHERE planned_undo IS NOT NULL;
