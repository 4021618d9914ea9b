-- oldest binary: 0.1.0
-- Duty rotas: who of a group is on duty, turn by turn.
CREATE TABLE "duty_rota" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    people_group TEXT NOT NULL, -- derived
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX duty_rota_by_group ON "duty_rota" (tenant, people_group);
