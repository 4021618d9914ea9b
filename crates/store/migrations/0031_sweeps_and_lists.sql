-- oldest binary: 0.1.0
-- What is over is looked for over all tenants, by when it ended.
CREATE INDEX session_across_by_expires_at ON "session" (expires_at); -- across
CREATE INDEX ceremony_across_by_expires_at ON "ceremony" (expires_at); -- across
CREATE INDEX idempotency_across_by_created_at ON "idempotency" (created_at); -- across

-- Timers that fail again and again are few among all that wait.
CREATE INDEX timer_across_failing ON "timer" (tries) WHERE tries >= 5; -- across

-- Deliveries are kept for ever, and listed by connection and state in the order of ids.
CREATE INDEX inbox_by_connection_state_id ON "inbox" (tenant, connection, state, id);
