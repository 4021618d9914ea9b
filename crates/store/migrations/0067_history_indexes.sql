-- oldest binary: 0.1.0
-- Look-ups whose cost grew with a tenant's whole history: all matches were read, or sorted, for the newest few.
CREATE INDEX deployment_by_service_environment_id ON "deployment" (tenant, service, environment, id);
DROP INDEX IF EXISTS deployment_by_service_environment_commit_sha;
CREATE INDEX deployment_by_connection_id ON "deployment" (tenant, connection, id);
CREATE INDEX outside_check_by_connection_is_over_id ON "outside_check" (tenant, connection, is_over, id);
CREATE INDEX outside_check_by_is_over_id ON "outside_check" (tenant, is_over, id);
CREATE INDEX approval_by_person_state_at ON "approval" (tenant, person, state, at);
DROP INDEX IF EXISTS approval_by_person_state;
CREATE INDEX conflict_by_other_id ON "conflict" (tenant, other, id);
CREATE INDEX drift_finding_by_service_last_seen ON "drift_finding" (tenant, service, last_seen);
CREATE INDEX running_by_active_id ON "running" (tenant, active, id);
CREATE INDEX running_by_service_active_id ON "running" (tenant, service, active, id);
CREATE INDEX action_item_by_owner_settled_at_id ON "action_item" (tenant, owner, settled_at, id);
