-- oldest binary: 0.1.0
-- Targets are found by a build or by what runs again after a rollback, never by the absence of one. An index of all targets of a
-- place in which nearly all say nothing is small, so that PostgreSQL read whole places through it, and let acts conflict for that.
DROP INDEX IF EXISTS change_target_by_service_environment_artifact;
CREATE INDEX change_target_by_service_environment_artifact ON "change_target" (tenant, service, environment, artifact)
    WHERE artifact IS NOT NULL;
DROP INDEX IF EXISTS change_target_by_service_environment_commit_sha;
CREATE INDEX change_target_by_service_environment_commit_sha ON "change_target" (tenant, service, environment, commit_sha)
    WHERE commit_sha IS NOT NULL;
DROP INDEX IF EXISTS change_target_by_service_environment_rollback_to;
CREATE INDEX change_target_by_service_environment_rollback_to ON "change_target" (tenant, service, environment, rollback_to)
    WHERE rollback_to IS NOT NULL;
DROP INDEX IF EXISTS change_target_by_artifact;
CREATE INDEX change_target_by_artifact ON "change_target" (tenant, artifact) WHERE artifact IS NOT NULL;
DROP INDEX IF EXISTS change_target_by_commit_sha;
CREATE INDEX change_target_by_commit_sha ON "change_target" (tenant, commit_sha) WHERE commit_sha IS NOT NULL;
