-- oldest binary: 0.1.0
-- Saved dashboards, the dashboards that are mailed, and what operations missed in templates.
CREATE TABLE "dashboard" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    owner TEXT, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX dashboard_in_use ON "dashboard" (tenant, active, id);
CREATE INDEX dashboard_by_owner ON "dashboard" (tenant, active, owner, id);

CREATE TABLE "dashboard_subscription" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    owner TEXT, -- derived
    next_at BIGINT, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX dashboard_subscription_by_owner ON "dashboard_subscription" (tenant, active, owner, id);
CREATE INDEX dashboard_subscription_due ON "dashboard_subscription" (tenant, active, next_at, id);

CREATE TABLE "template_feedback" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_key TEXT NOT NULL, -- derived
    template TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX template_feedback_by_change ON "template_feedback" (tenant, change_key);
CREATE INDEX template_feedback_by_template ON "template_feedback" (tenant, template, id);

CREATE TABLE "template_trial" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    template TEXT NOT NULL, -- derived
    variant TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX template_trial_by_template ON "template_trial" (tenant, active, template, id);
CREATE INDEX template_trial_by_variant ON "template_trial" (tenant, active, variant, id);
