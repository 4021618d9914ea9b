-- oldest binary: 0.1.0
-- The `traceparent` (W3C Trace Context) of the span whose act left work for later: the work goes on with that trace.
ALTER TABLE "job" ADD COLUMN trace TEXT; -- operational
ALTER TABLE "call" ADD COLUMN trace TEXT; -- operational
ALTER TABLE "inbox" ADD COLUMN trace TEXT; -- operational
ALTER TABLE "event" ADD COLUMN trace TEXT; -- operational
ALTER TABLE "webhook_delivery" ADD COLUMN trace TEXT; -- operational
