-- oldest binary: 0.1.0
-- Which records of the estate were written at which value of its counter, so that whoever holds the estate in memory reads
-- these alone. A row with an empty noun says that the counter moved and that nothing more is noted. Old rows go.
CREATE TABLE "estate_write" (
    tenant TEXT NOT NULL, -- operational
    generation BIGINT NOT NULL, -- operational
    noun TEXT NOT NULL, -- operational
    id TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, generation, noun, id)
);
