//! Shapes of the templates of standard changes.

use model::core::enums::{Disruption, Touch};
use model::core::parse::LINE;

use crate::openapi::shapes::{Shape, Words, all, free, integer, object, shape, text, texts, time, word, words};

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES];

/// The most minutes that a field of minutes takes.
const MINUTES: i64 = 100_000;

const BODIES: &[Shape] = &[
    shape(
        "TemplateInput",
        "A pre-approved kind of change, or a new version of one.",
        &[
            text("key", LINE, "`patch-web-tier`.").needed(),
            text("title", LINE, "What it is for."),
            free(
                "locked",
                "Fields of a change that equal these values; in `custom_fields` fields of your own.",
            ),
            texts(
                "free",
                LINE,
                "Names of the fields that each change fills in; the answer adds every other field that is not in `locked`. `touches`, \
                 `impact`, `complexity` and `disruption` are filled in inside of `bounds`.",
            ),
            object(
                "bounds",
                "TemplateBounds",
                "How far each change may go; outside of it a change is a normal one.",
            ),
            texts("services", LINE, "Services it may touch; empty means all."),
            texts("environments", LINE, "Environments it may touch; empty means all."),
            time("review_by", "After this it stops until reviewed."),
            integer(
                "watch_minutes",
                1,
                MINUTES,
                "Minutes until a clean change closes by itself; at least one, so that somebody can see it work.",
            ),
            integer(
                "suspend_after",
                1,
                100,
                "So many changes of this version fail before it is suspended; 3 unless said.",
            ),
        ],
    ),
    shape(
        "TemplateBounds",
        "How far a standard change may go in what its template leaves free.",
        &[
            word(
                "highest_risk",
                Words::These(&["low", "medium", "high"]),
                "The highest risk; unless said, what the risk table makes of the other bounds.",
            ),
            object(
                "impact",
                "Impact",
                "The highest impact on each axis; unless said, what the permitted targets derive, or a higher locked value.",
            ),
            word(
                "complexity",
                Words::These(&["low", "medium", "high"]),
                "The highest complexity; unless said, the locked one or `low`.",
            ),
            words(
                "touches",
                all!(Touch),
                "Sensitive things that a change may touch; unless said, the locked ones.",
            ),
            object(
                "disruption",
                "DisruptionBound",
                "The most that users may notice; unless said, the locked one or nothing.",
            ),
            integer(
                "highest_probability",
                1,
                1_000_000,
                "The highest forecast of failure, in parts per million; an unknown one counts as the upper end of its interval. Unless said, \
                 the forecast decides nothing.",
            ),
        ],
    ),
    shape(
        "DisruptionBound",
        "The most that users may notice.",
        &[
            word("kind", all!(Disruption), "The gravest kind.").needed(),
            integer(
                "minutes",
                0,
                MINUTES,
                "For how many minutes; unless said, for any time.",
            ),
        ],
    ),
];
