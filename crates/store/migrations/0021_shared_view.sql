-- oldest binary: 0.1.0
-- A view that its owner shares is shown to everybody in the tenant; its version is what an edit is held against.
ALTER TABLE "saved_view" ADD COLUMN shared BOOLEAN NOT NULL DEFAULT FALSE; -- operational
ALTER TABLE "saved_view" ADD COLUMN version BIGINT NOT NULL DEFAULT 1; -- operational
CREATE INDEX saved_view_shared ON "saved_view" (tenant, list, shared);
