-- oldest binary: 0.1.0
-- Messages whose mail waits are looked for by their reader.
CREATE INDEX message_held ON "message" (tenant, person) WHERE state = 'held';
