-- oldest binary: 0.1.0
-- What a person typed into the form of a new change and has not sent. `form` is the form's address behind the question mark.
-- It decides nothing, so no event tells of it.
CREATE TABLE "form_draft" (
    tenant TEXT NOT NULL, -- operational
    person TEXT NOT NULL, -- operational
    form TEXT NOT NULL, -- operational
    version BIGINT NOT NULL, -- operational
    answers TEXT NOT NULL, -- operational
    saved_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, person, form)
);
CREATE INDEX form_draft_by_person_saved_at ON "form_draft" (tenant, person, saved_at);
-- Those of all tenants that nobody went on with are swept by their age.
CREATE INDEX form_draft_across_by_saved_at ON "form_draft" (saved_at); -- across
