-- oldest binary: 0.1.0
-- The outcome of a whole change, by which lists filter and sort; and when a change ended, in its row for figures.
ALTER TABLE "change" ADD COLUMN outcome TEXT; -- derived
CREATE INDEX change_by_outcome_number ON "change" (tenant, outcome, number);
-- What `outcome_of_targets` computes, for the changes that are there already.
UPDATE "change" SET outcome = (
    SELECT CASE
        WHEN count(*) = 0 OR sum(CASE WHEN t.state = 'open' THEN 1 ELSE 0 END) > 0 THEN NULL
        WHEN min(t.state) = max(t.state) THEN min(t.state)
        WHEN sum(CASE WHEN t.state IN ('succeeded', 'succeeded_with_issues', 'partially_implemented') THEN 1 ELSE 0 END) > 0
            THEN 'partially_implemented'
        WHEN sum(CASE WHEN t.state = 'rollback_failed' THEN 1 ELSE 0 END) > 0 THEN 'rollback_failed'
        WHEN sum(CASE WHEN t.state = 'failed' THEN 1 ELSE 0 END) > 0 THEN 'failed'
        ELSE 'rolled_back'
    END
    FROM change_target AS t WHERE t.tenant = "change".tenant AND t.change_id = "change".id
);
-- Lists filtered by the outcome of one target.
DROP INDEX IF EXISTS change_target_by_state_number;
-- The rows are computed again when a server starts.
ALTER TABLE "change_outcome" ADD COLUMN ended_at BIGINT; -- derived
CREATE INDEX change_outcome_by_ended_at ON "change_outcome" (tenant, ended_at, change_id);
