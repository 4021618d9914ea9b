//! Routes and shapes of “what changed?”.

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{
    Shape, boolean, free, free_or_null, integer, integer_or_null, objects, shape, text, text_or_null, texts, time,
    time_or_null,
};

const LINE: usize = 200;

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        may: "read",
        params: &[
            Param::new("service", "A service's key."),
            Param::new(
                "item",
                "Or a config item's key, its name, or one of its host names and IP addresses.",
            ),
            Param::time("before", "Before this time; now unless set."),
            Param::new("hours", "How many hours are looked back, 1 to 2208; 24 unless set."),
        ],
        ..get(
            "estate",
            "show_what_changed",
            "/what-changed",
            "Show what changed on a service or config item, and on what it depends on, before a time",
            "WhatChanged",
        )
    },
    Row {
        may: "read",
        params: &[
            Param::new("service", "A service's key."),
            Param::new("item", "Or a config item's key or name."),
            Param::new(
                "from",
                "RFC 3339 or milliseconds since 1970; a day before `to` unless set.",
            ),
            Param::new("to", "RFC 3339 or milliseconds since 1970; now unless set."),
        ],
        ..get(
            "estate",
            "show_change_annotations",
            "/what-changed/annotations",
            "Show the same between two times, as annotations for a dashboard",
            "ChangeAnnotations",
        )
    },
    Row {
        may: "read",
        params: &[Param::new(
            "hours",
            "How many hours before the incident are looked at; 4 unless set.",
        )],
        ..get(
            "estate",
            "show_candidates",
            "/incidents/{key}/candidates",
            "Show changes that may have led to an incident, ranked",
            "Candidates",
        )
    },
    post(
        "estate",
        "judge_candidate",
        "/incidents/{key}/candidates",
        "Confirm or clear a candidate, with a reason",
        "CandidateVerdictInput",
        "Candidates",
    )
    .may("set_incident"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "WhatChanged",
        "What changed before a time, the nearest first.",
        &[
            free(
                "of",
                "What was asked about: `kind` (`service` or `config_item`) and `key`.",
            )
            .needed(),
            time("from", "From when on.").needed(),
            time("before", "Before when.").needed(),
            integer("things", 1, 300, "How many services and config items were looked at.").needed(),
            boolean("more", "Whether there was more than is shown.").needed(),
            objects("items", "Changed", "What changed, at most 100.").needed(),
        ],
    ),
    shape(
        "Changed",
        "A change, or a deployment without one, in the ranking.",
        &[
            text_or_null(
                "change",
                "The change's key; null for a deployment that no change names.",
            ),
            text_or_null("deployment", "The deployment's id, where no change names it."),
            text("title", LINE, "In one line."),
            text("service", LINE, "The nearest service that it changed."),
            integer("distance", 0, 300, "How many dependencies away that is."),
            text_or_null("kind", "How the change was governed."),
            text_or_null("risk", "The level of risk."),
            text_or_null("state", "Where the change stands."),
            time("began_at", "When the work began."),
            time_or_null("ended_at", "When the work ended; null while it goes on."),
            boolean("failed", "Whether it did not succeed."),
            integer("score", 0, 100, "Its points: distance, time, type, risk, outcome."),
            texts("reasons", LINE, "The same in words."),
        ],
    ),
    shape(
        "Candidates",
        "Changes that may have led to an incident.",
        &[
            integer("hours", 1, 2_208, "How many hours before the incident were looked at.").needed(),
            boolean(
                "sure",
                "Whether the first is far enough ahead to be named as the likeliest; otherwise: not sure.",
            )
            .needed(),
            objects(
                "items",
                "Candidate",
                "The candidates; those that were cleared come last.",
            )
            .needed(),
        ],
    ),
    shape(
        "Candidate",
        "A candidate, with what a person said of it last.",
        &[free_or_null(
            "verdict",
            "`confirmed`, `reason`, `by` and `at`; null while nobody said anything.",
        )],
    )
    .based_on(&["Changed"]),
    shape(
        "CandidateVerdictInput",
        "What a person says of a candidate.",
        &[
            text("change", LINE, "The change's key.").needed(),
            boolean(
                "confirmed",
                "true: it led to the incident, and is linked as `caused`; false: it is cleared.",
            )
            .needed(),
            text("reason", 20_000, "Why.").needed(),
        ],
    ),
    shape(
        "ChangeAnnotations",
        "Annotations for a dashboard such as Grafana.",
        &[objects("items", "ChangeAnnotation", "The annotations.").needed()],
    ),
    shape(
        "ChangeAnnotation",
        "One annotation.",
        &[
            integer("time", i64::MIN, i64::MAX, "Milliseconds since 1970."),
            integer_or_null("timeEnd", "When it ended; null while it goes on."),
            text("title", 300, "The change's key and title."),
            text("text", 1_000, "Why it is here."),
            texts("tags", LINE, "Service, kind, risk."),
            text_or_null("url", "The change's page."),
        ],
    ),
];
