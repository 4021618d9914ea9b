//! Routes and shapes of the facts to see before a decision: the versions of a change, and its warnings.

use model::core::enums::{RatedFact, WarningKind};
use model::core::parse::{LINE, TEXT};

use crate::openapi::Param;
use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, all, any, boolean, integer, objects, shape, text, texts, time, word};

/// The highest number of a version.
const MOST: i64 = 1_000_000_000;

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        may: "read",
        params: &[
            Param::new(
                "from",
                "The older version: its number, or `mine` for the one that you decided about last; unless set that one, else the \
                 version before `to`.",
            ),
            Param::new("to", "The newer version: its number; the newest unless set."),
        ],
        ..get(
            "changes",
            "compare_versions",
            "/changes/{key}/versions",
            "Compare two versions of a change, field by field, with who edited each",
            "VersionComparison",
        )
    },
    get(
        "changes",
        "show_warnings",
        "/changes/{key}/warnings",
        "Show what is to be seen of a change before it is decided: freezes, conflicts, what was passed by, lowered risk",
        "Warnings",
    )
    .may("read"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "VersionComparison",
        "Two versions of a change and what differs.",
        &[
            objects("versions", "ContentVersion", "All versions, the oldest first.").needed(),
            integer("from", 1, MOST, "The number of the older one.").needed(),
            integer("to", 1, MOST, "The number of the newer one.").needed(),
            objects("edits", "VersionEdit", "Each field that differs, at most 200.").needed(),
            objects(
                "questions",
                "VersionQuestion",
                "The questions with which it was returned in between, the oldest first.",
            )
            .needed(),
        ],
    ),
    shape(
        "ContentVersion",
        "A version of what a change says: it begins where the content digest becomes another.",
        &[
            integer("number", 1, MOST, "Counts from 1.").needed(),
            text("digest", LINE, "The content digest, which an approval names.").needed(),
            text("by", LINE, "Who made it: a login.").needed(),
            time("at", "When.").needed(),
            text("event", LINE, "The id of the event that made it.").needed(),
        ],
    ),
    shape(
        "VersionEdit",
        "A field in which two versions differ.",
        &[
            text("field", LINE, "The field's path: `plan[2].title`.").needed(),
            text("covers", LINE, "Which digest covers it: `what` or `when`.").needed(),
            any("old", "Its value in the older version; null where it was absent."),
            any("new", "Its value in the newer version; null where it is absent."),
            text("by", LINE, "Who edited it last: a login.").needed(),
            time("at", "When.").needed(),
        ],
    ),
    shape(
        "VersionQuestion",
        "A question with which a change was returned.",
        &[
            text("by", LINE, "Who returned it: a login.").needed(),
            time("at", "When.").needed(),
            text("reason", TEXT, "The question.").needed(),
        ],
    ),
    shape(
        "Warnings",
        "What is to be seen of a change before it is decided; what is open comes first.",
        &[objects("warnings", "Warning", "At most 100.").needed()],
    ),
    shape(
        "Warning",
        "One thing to see before a decision.",
        &[
            word("kind", all!(WarningKind), "What it is.").needed(),
            text("text", TEXT, "In a sentence.").needed(),
            text(
                "about",
                LINE,
                "The title of the freeze, the key or title of what it conflicts with, the checklist item or the evidence.",
            ),
            text("id", LINE, "The id of the freeze or of the other change."),
            text("by", LINE, "Who used break-glass or accepted the evidence: a login."),
            time("from", "From when."),
            time("to", "Until when."),
            texts("why", LINE, "Of a conflict: each reason."),
            word("fact", all!(RatedFact), "Of lowered risk: which fact."),
            text("stated", LINE, "Of lowered risk: what the change states."),
            text("derived", LINE, "Of lowered risk: what is derived."),
            boolean(
                "is_accepted",
                "Of lowered risk: whether an approver accepted the lower value.",
            ),
            boolean(
                "is_open",
                "Whether it stands in the way, or nobody has answered for it yet.",
            )
            .needed(),
        ],
    ),
];
