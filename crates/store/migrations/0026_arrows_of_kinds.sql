-- oldest binary: 0.1.0
-- A service and a config item may have equal keys, so two arrows may have equal keys at their ends and differ in kinds, which
-- are no columns. The act that sets an arrow sees to it that there is one between two ends.
DROP INDEX dependency_by_from_service_to_service;
CREATE INDEX dependency_by_ends ON "dependency" (tenant, from_service, to_service);
