-- oldest binary: 0.1.0
-- When tokens were used last.

-- The last use of a token, as far as a minute.
CREATE TABLE "token_use" (
    tenant TEXT NOT NULL, -- operational
    token TEXT NOT NULL, -- operational
    last_used_at BIGINT NOT NULL, -- operational
    PRIMARY KEY (tenant, token)
);
