-- oldest binary: 0.1.0
-- Which change brought an artifact or a commit is asked without knowing where it went.
CREATE INDEX change_target_by_artifact ON "change_target" (tenant, artifact);
CREATE INDEX change_target_by_commit_sha ON "change_target" (tenant, commit_sha);
