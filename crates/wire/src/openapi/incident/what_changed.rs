//! Routes and shapes of “what changed?”.

use model::core::enums::WindowOrigin;

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{
    Shape, all, boolean, free, free_or_null, integer, integer_or_null, objects, shape, text, text_or_null, texts, time,
    time_or_null, word,
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
        "A change, a deployment without one, a difference that no change explains, or a vendor's maintenance, in the ranking.",
        &[
            text_or_null(
                "change",
                "The change's key; null for what no change names.",
            ),
            text_or_null("deployment", "The deployment's id, where no change names it."),
            text_or_null("drift", "The id of a finding of drift that no change explains."),
            text_or_null("vendor_notice", "The id of a vendor's notice, whose maintenance began."),
            text("title", LINE, "In one line."),
            text("service", LINE, "The nearest service that it changed."),
            integer("distance", 0, 300, "How many dependencies away that is."),
            text_or_null("kind", "How the change was governed."),
            text_or_null("risk", "The level of risk."),
            text_or_null("state", "Where the change stands."),
            text_or_null("outcome", "The outcome of the whole change; null while a target has none."),
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
            integer(
                "hours",
                1,
                2_208,
                "How many hours before the incident were looked at, for the service that looks back farthest.",
            )
            .needed(),
            objects(
                "windows",
                "CandidateWindow",
                "How far back each service looks; empty where `hours` was asked for.",
            )
            .needed(),
            text_or_null(
                "change_related",
                "`suspected`, `confirmed` or `cleared`; null where no change is known that may have led to it.",
            ),
            text_or_null(
                "model",
                "The digest of the fit that gave the probabilities, of `GET /cause-models`; null before the first.",
            ),
            integer("verdicts", 0, i64::MAX, "How many judged candidates that fit learned from.").needed(),
            text_or_null(
                "gap",
                "Why no probability is given: `too_few` verdicts, `one_sided` ones, or a fit that is `not_better` than the bare share \
                 of confirmed candidates; null where one is given.",
            ),
            boolean(
                "sure",
                "Whether the first is named as the likeliest: by a probability of one half and more, above every other; without \
                 probabilities by its points. Otherwise: not sure.",
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
        &[
            integer_or_null(
                "probability_ppm",
                "How likely it led to the incident, in parts per million; null where no probability is given.",
            ),
            free_or_null(
                "verdict",
                "`confirmed`, `reason`, `by` and `at`; null while nobody said anything.",
            ),
        ],
    )
    .based_on(&["Changed"]),
    shape(
        "CandidateWindow",
        "How far back candidates of a service are looked for.",
        &[
            text("service", LINE, "The service.").needed(),
            integer("hours", 1, 2_208, "How many hours before the incident.").needed(),
            word(
                "origin",
                all!(WindowOrigin),
                "Whether they are the usual ones, learned from earlier causes of the service, or set by a person.",
            )
            .needed(),
        ],
    ),
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
