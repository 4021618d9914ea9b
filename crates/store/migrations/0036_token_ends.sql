-- oldest binary: 0.1.0
-- Tokens that end soon are looked for once in a while.
CREATE INDEX token_by_end ON "token" (tenant, expires_at);
