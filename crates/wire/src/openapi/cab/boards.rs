//! Routes and shapes of boards: the steps of an agenda, forecasts beside outcomes, the board pack. Agendas, their items, forecasts
//! and series are on cards.

use model::core::parse::{LINE, TEXT};

use crate::openapi::Answer;
use crate::openapi::rows::{Row, at, get, list, post};
use crate::openapi::shapes::{Shape, integer, objects, shape, text, time};

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    post(
        "boards",
        "freeze_agenda",
        "/agendas/{id}/freeze",
        "Freeze an agenda before its time",
        "AgendaStepInput",
        "Agenda",
    )
    .may("set_meeting"),
    post(
        "boards",
        "sign_minutes",
        "/agendas/{id}/signature",
        "End a meeting and sign its minutes, as its chair; they are sent to the members",
        "AgendaStepInput",
        "Agenda",
    )
    .may("read"),
    post(
        "boards",
        "object_to_vote",
        "/agenda-items/{id}/objections",
        "Object to a decision by vote, as a member: the item is discussed at the meeting",
        "ObjectionInput",
        "AgendaItem",
    )
    .may("read"),
    post(
        "boards",
        "take_turn",
        "/agenda-items/{id}/turns",
        "Bring an item before the board, or give it more time, as the chair",
        "TurnInput",
        "AgendaItem",
    )
    .may("read"),
    list(
        "boards",
        "list_boards",
        "/boards",
        "List the groups that decide at meetings",
        "Board",
    )
    .may("read"),
    list(
        "boards",
        "list_forecast_scores",
        "/boards/{key}/forecast-scores",
        "List how the forecasts of a board's members compare with what came of the changes",
        "ForecastScore",
    )
    .may("read"),
    get(
        "boards",
        "show_board_pack",
        "/board-packs/{month}",
        "Show the board pack of a month, such as 2026-10",
        "BoardPack",
    )
    .may("read"),
    Row {
        answer: Answer::Bytes("application/pdf"),
        ..at(
            "GET",
            "boards",
            "export_board_pack",
            "/board-packs/{month}/file",
            "Export the board pack of a month as a PDF",
        )
    }
    .may("read @read"),
    Row {
        answer: Answer::Bytes("application/pdf"),
        ..at(
            "GET",
            "boards",
            "export_agenda_pack",
            "/agendas/{id}/file",
            "Export the pack of a meeting as a PDF: its agenda with the risk and the conflicts of each change, and the month that it reviews",
        )
    }
    .may("read @read"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape("AgendaStepInput", "Nothing: the address says it.", &[]),
    shape(
        "ObjectionInput",
        "Why an item is to be discussed.",
        &[text("reason", TEXT, "Why it is to be discussed at the meeting.").needed()],
    ),
    shape(
        "TurnInput",
        "An item that comes before the board, or more time for it.",
        &[integer(
            "minutes",
            1,
            30,
            "Where it is before the board already: how many minutes more it gets.",
        )],
    ),
    shape(
        "Board",
        "A group that decides at meetings.",
        &[
            text("key", LINE, "The group's key.").needed(),
            text("name", LINE, "Its name.").needed(),
            integer("members", 0, i64::MAX, "How many of its members take part here.").needed(),
            time("next_at", "When its next meeting begins."),
        ],
    ),
    shape(
        "ForecastScore",
        "The forecasts of a member beside what came of the changes. Below five with an outcome the means are absent.",
        &[
            text("person", LINE, "The member: a login.").needed(),
            integer("given", 0, i64::MAX, "How many forecasts they gave.").needed(),
            integer("compared", 0, i64::MAX, "How many of them have an outcome.").needed(),
            integer("succeeded", 0, i64::MAX, "Of these, how many changes succeeded.").needed(),
            integer("expected", 0, 100, "The mean of these forecasts, in percent."),
            integer(
                "brier",
                0,
                1_000_000,
                "The mean squared distance of forecast and outcome (Brier 1950), in parts per million: 0 is best.",
            ),
        ],
    ),
    shape(
        "BoardPack",
        "The board pack of a month; days are those of UTC.",
        &[
            text("month", LINE, "The month.").needed(),
            time("from", "Its first instant.").needed(),
            time("to", "The first instant behind it.").needed(),
            text(
                "digest",
                LINE,
                "SHA-256 of the pack without this field, as canonical JSON (RFC 8785).",
            )
            .needed(),
            objects("figures", "PackFigure", "Its figures.").needed(),
            objects("failures", "PackRow", "The deployments that failed, at most 100.").needed(),
            objects("emergencies", "PackRow", "The emergencies, at most 100.").needed(),
            objects("reviewed", "PackReview", "What boards decided, from signed minutes.").needed(),
            objects(
                "upcoming",
                "PackUpcoming",
                "Changes of high risk that are planned for the next 31 days, at most 100.",
            )
            .needed(),
        ],
    ),
    shape(
        "PackFigure",
        "A figure of the month.",
        &[
            text("metric", LINE, "The metric.").needed(),
            integer(
                "value",
                i64::MIN,
                i64::MAX,
                "Its value in the unit of the metric; absent where there is not enough data.",
            ),
            integer("hits", 0, i64::MAX, "How many are hits.").needed(),
            integer("of", 0, i64::MAX, "How many were counted.").needed(),
            text(
                "rows",
                TEXT,
                "The page with the rows behind it, below the tenant's address.",
            )
            .needed(),
        ],
    ),
    shape(
        "PackRow",
        "A deployment or a change of a list.",
        &[
            text("change_key", LINE, "The change's key.").needed(),
            text("service", LINE, "The service; empty where changes are counted.").needed(),
            time("at", "When it counts.").needed(),
        ],
    ),
    shape(
        "PackReview",
        "What a board decided about an item.",
        &[
            text("meeting", LINE, "The meeting: its id.").needed(),
            text("change_key", LINE, "The change's key.").needed(),
            text(
                "outcome",
                LINE,
                "approved, approved_with_conditions, returned, rejected or deferred.",
            ),
            integer("yes", 0, i64::MAX, "The votes for it.").needed(),
            integer("no", 0, i64::MAX, "The votes against it.").needed(),
        ],
    ),
    shape(
        "PackUpcoming",
        "A change of high risk that is ahead.",
        &[
            text("change_key", LINE, "The change's key.").needed(),
            time("starts_at", "When it is planned.").needed(),
        ],
    ),
];
