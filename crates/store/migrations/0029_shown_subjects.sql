-- oldest binary: 0.1.0
-- Who an identity provider proved somebody to be, where a session began at one: by this, and by nothing that a tenant says of
-- its people, they learn in which other tenants they are known.
ALTER TABLE "session" ADD COLUMN subject TEXT; -- operational
CREATE INDEX person_identity_across_by_subject ON "person_identity" (value, tenant, person) WHERE kind = 'subject'; -- across
