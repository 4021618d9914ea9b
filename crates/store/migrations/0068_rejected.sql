-- oldest binary: 0.1.0
-- Each change is compared with the rejected ones. In an index of all states their few rows share pages with the newest drafts, and
-- PostgreSQL lets acts conflict that read and write one page.
CREATE INDEX change_by_number_rejected ON "change" (tenant, number) WHERE state = 'rejected';
