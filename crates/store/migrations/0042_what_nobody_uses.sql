-- oldest binary: 0.1.0
-- What nobody uses. Sets of policies stand in "configuration"; this table of the first version was never written or read.
DROP TABLE "policy_set";

-- A connection's deliveries are found by their ids, which grow with time: by when they came was the same order once more, and
-- every delivery that is accepted paid for it.
DROP INDEX inbox_by_connection_received_at;
