-- oldest binary: 0.1.0
-- Agendas of meetings with their items, forecasts of members, and boards that meet by a rule.
CREATE TABLE "agenda" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    people_group TEXT NOT NULL, -- derived
    starts_at BIGINT NOT NULL, -- derived
    state TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX agenda_by_people_group_starts_at ON "agenda" (tenant, people_group, starts_at);
CREATE INDEX agenda_by_state_starts_at ON "agenda" (tenant, state, starts_at);

CREATE TABLE "agenda_item" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    agenda TEXT NOT NULL, -- derived
    change_key TEXT NOT NULL, -- derived
    place BIGINT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX agenda_item_by_place ON "agenda_item" (tenant, agenda, place);
CREATE INDEX agenda_item_of_change ON "agenda_item" (tenant, change_key, id);
CREATE UNIQUE INDEX agenda_item_by_change ON "agenda_item" (tenant, agenda, change_key);

CREATE TABLE "board_forecast" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    agenda TEXT NOT NULL, -- derived
    people_group TEXT NOT NULL, -- derived
    change_key TEXT NOT NULL, -- derived
    person TEXT NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX board_forecast_by_person ON "board_forecast" (tenant, agenda, change_key, person);
CREATE INDEX board_forecast_of_board ON "board_forecast" (tenant, people_group, id);
CREATE INDEX board_forecast_of_person ON "board_forecast" (tenant, person, id);

CREATE TABLE "meeting_series" (
    tenant TEXT NOT NULL, -- recorded
    id TEXT NOT NULL, -- recorded
    version BIGINT NOT NULL, -- recorded
    active BOOLEAN NOT NULL, -- derived
    body TEXT NOT NULL, -- recorded
    sealed TEXT NOT NULL, -- recorded
    code BYTEA, -- operational
    PRIMARY KEY (tenant, id)
);
CREATE INDEX meeting_series_in_use ON "meeting_series" (tenant, active, id);
