-- oldest binary: 0.1.0
-- The directory: tenants, people, groups, services, config items, environments, dependencies, ownership and access reviews.

-- The settings of a tenant; its id is the tenant's own.
CREATE TABLE "tenant_info" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    name TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX tenant_info_across_by_tenant ON "tenant_info" (tenant); -- across

-- A person or the identity of a pipeline.
CREATE TABLE "person" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    login TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX person_by_login ON "person" (tenant, login);

-- A group of people.
CREATE TABLE "people_group" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    name TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX people_group_by_key ON "people_group" (tenant, key);

-- Who belongs to which group, by the id of the group.
CREATE TABLE "group_member" (
    tenant TEXT NOT NULL, -- derived
    people_group TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    PRIMARY KEY (tenant, people_group, person)
);
CREATE INDEX group_member_by_person ON "group_member" (tenant, person, people_group);

-- A service.
CREATE TABLE "service" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    team TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX service_by_key ON "service" (tenant, key);

-- A config item of a service.
CREATE TABLE "config_item" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    service TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX config_item_by_key ON "config_item" (tenant, key);
CREATE INDEX config_item_by_service_key ON "config_item" (tenant, service, key);

-- An environment.
CREATE TABLE "environment" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    key TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX environment_by_key ON "environment" (tenant, key);

-- One service or config item needs another.
CREATE TABLE "dependency" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    from_service TEXT NOT NULL, -- derived
    to_service TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX dependency_by_to_service ON "dependency" (tenant, to_service);
-- Not unique: a service and a config item may have equal keys, and the kinds of both ends are no columns. The act that
-- saves a dependency keeps one between two ends.
CREATE INDEX dependency_by_ends ON "dependency" (tenant, from_service, to_service);

-- A role in owning a service or an environment.
CREATE TABLE "ownership" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    service TEXT, -- derived
    environment TEXT, -- derived
    role TEXT NOT NULL, -- derived
    person TEXT, -- derived
    people_group TEXT, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ownership_by_service_environment_role ON "ownership" (tenant, service, environment, role);

-- The part of one manager in a review of all rights.
CREATE TABLE "access_review" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    manager TEXT NOT NULL, -- derived
    is_open BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX access_review_by_manager ON "access_review" (tenant, manager, id);
CREATE INDEX access_review_by_is_open ON "access_review" (tenant, is_open, id);
