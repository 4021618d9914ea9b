-- oldest binary: 0.1.0
-- What tokens were used for.

-- The last use of each scope of a token that has several, as far as a minute. Since when it is kept says from when on a
-- scope without a row was not used.
CREATE TABLE "token_scope_use" (
    tenant TEXT NOT NULL, -- operational
    token TEXT NOT NULL, -- operational
    scope TEXT NOT NULL, -- operational
    first_used_at BIGINT NOT NULL, -- operational
    last_used_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, token, scope)
);
