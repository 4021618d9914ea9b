-- oldest binary: 0.1.0
-- Reviews of access.

-- One manager's part of a review of everybody's rights.
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
