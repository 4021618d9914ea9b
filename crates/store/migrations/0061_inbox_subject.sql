-- oldest binary: 0.1.0
-- What a delivery is about: deliveries about one subject are worked in the order in which they came.
ALTER TABLE "inbox" ADD COLUMN subject TEXT NOT NULL DEFAULT ''; -- operational
-- Deliveries that are worked, or wait for another try: later ones about the same subject wait for them.
CREATE INDEX inbox_begun ON "inbox" (tenant, connection, subject, received_at, id) WHERE state = 'waiting' AND tries > 0;
-- Deliveries about several subjects: all of their connection are worked in order while one waits.
CREATE INDEX inbox_several ON "inbox" (tenant, connection, received_at, id) WHERE state = 'waiting' AND subject = '*';
