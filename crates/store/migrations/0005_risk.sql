-- oldest binary: 0.1.0
-- Risk: checklists. The risk table is part of the configuration.

-- A manual item of a checklist.
CREATE TABLE "checklist_item" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    change_id TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    PRIMARY KEY (tenant, id)
);
CREATE INDEX checklist_item_by_change_id_id ON "checklist_item" (tenant, change_id, id);
