//! What answers bring of windows, freezes, incidents, and the watch over a change.

use model::core::enums::{FreezeReach, Level, State};
use model::core::parse::{LINE, TEXT};

use crate::openapi::shapes::{
    Shape, Words, all, boolean, free, frees, integer, object, objects, shape, text, texts, time, time_or_null, word,
};

/// The shapes.
pub(crate) const SPANS: &[Shape] = &[
    shape(
        "Window",
        "A time in which work is welcome.",
        &[boolean("ended", "Whether it was taken back.")],
    )
    .based_on(&["WindowInput", "Stored"]),
    shape(
        "Freeze",
        "A time in which no change begins.",
        &[
            boolean("ended", "Whether it was taken back."),
            objects("exceptions", "FreezeException", "Changes that it lets pass."),
            text("set_by", LINE, "Who set it: a login."),
            time("set_at", "When that was."),
            time(
                "corrected_at",
                "When it was recorded, where that was after its start: it counts from then on.",
            ),
            object(
                "loosening",
                "Loosening",
                "A proposal to end it or to let it cover less, until it is confirmed.",
            ),
            objects("loosened", "Loosened", "How it came to cover less, or ended."),
        ],
    )
    .based_on(&["FreezeInput", "Stored"]),
    shape(
        "Retrospective",
        "Work that was done before it was recorded, and its confirmation.",
        &[
            time("confirm_by", "By when its approver confirms it."),
            free("confirmation", "What its approver said: `confirmed`, `text`, `at`."),
        ],
    )
    .based_on(&["RetrospectiveInput"]),
    shape(
        "FreezeTerms",
        "What a freeze covers, and when.",
        &[
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            texts("services", LINE, "Services' keys; absent means all."),
            texts("environments", LINE, "Environments' keys; absent means all."),
            boolean("halt", "Whether it also stops what is under way."),
            word(
                "reach",
                all!(FreezeReach),
                "Whether it also stops the services that need those that it names.",
            ),
        ],
    ),
    shape(
        "Loosening",
        "A proposal to end a freeze or to let it cover less.",
        &[
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "Who proposes it: a login.").needed(),
            text(
                "handed_by",
                LINE,
                "Who handed the proposer their way in, where that was another person: a login.",
            ),
            time("at", "When.").needed(),
            object(
                "terms",
                "FreezeTerms",
                "What it is to cover; absent where it is to end.",
            ),
        ],
    ),
    shape(
        "Loosened",
        "A step by which a freeze ended or covers less.",
        &[
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "Who proposed it: a login.").needed(),
            time("at", "When.").needed(),
            text("confirmed_by", LINE, "Who confirmed it: a login.").needed(),
            time("confirmed_at", "When.").needed(),
            object("before", "FreezeTerms", "What it covered before.").needed(),
            object("after", "FreezeTerms", "What it covered then; absent where it ended."),
        ],
    ),
    shape(
        "FreezeException",
        "A change that a freeze lets pass.",
        &[
            text("change", LINE, "The change's id.").needed(),
            text("change_key", LINE, "Its key.").needed(),
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "Who lets it pass: a login.").needed(),
            time("at", "Since when.").needed(),
            text(
                "what_digest",
                LINE,
                "The digest *what* of the change that was excepted; an edit of it ends the exception.",
            ),
        ],
    ),
    shape(
        "Incident",
        "An incident.",
        &[
            frees("cause_verdicts", "What people said of changes that may have led to it, in order: `change_key`, `confirmed`, `reason`, `by`, `at`."),
            text("key", LINE, "`INC-12`."),
            frees(
                "changes",
                "The changes that name it: `key` and `state`; told where one incident is asked for.",
            ),
            text("connection", LINE, "The connection that delivered it."),
        ],
    )
    .based_on(&["IncidentInput", "Stored"]),
    shape(
        "WatchSpan",
        "From when to when a change is watched.",
        &[
            time("from", "The start of the work.").needed(),
            time_or_null("until", "The end; null while the work is under way."),
        ],
    ),
    shape(
        "CausedIncident",
        "An incident that a change caused.",
        &[
            text("incident", LINE, "Its key here, or its outside reference.").needed(),
            text("by", LINE, "Who confirmed it: a login.").needed(),
            time("at", "When.").needed(),
        ],
    ),
    shape(
        "WatchIncident",
        "An incident of the watch window.",
        &[
            text("incident", LINE, "Its key.").needed(),
            time("at", "When the change took note of it.").needed(),
        ],
    ),
    shape(
        "CalendarEntry",
        "Something in the calendar.",
        &[
            word("kind", Words::These(&["change", "freeze", "window"]), "What it is.").needed(),
            text("set_by", LINE, "Who set a freeze: a login."),
            time("set_at", "When a freeze was set."),
            time(
                "corrected_at",
                "When it was recorded, where that was after its start: it counts from then on.",
            ),
            text("id", LINE, "The record's id, of a freeze or a window."),
            integer(
                "version",
                1,
                i64::MAX,
                "Grows with every save, of a freeze or a window.",
            ),
            text("key", LINE, "The change's key."),
            word("state", all!(State), "Where the change stands."),
            word("risk", all!(Level), "The change's risk."),
            boolean("on_hold", "Whether the change pauses."),
            text("reason", TEXT, "Why there is a freeze."),
            text("title", LINE, "What it is called.").needed(),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            texts("services", LINE, "Services' keys."),
            texts("environments", LINE, "Environments' keys."),
        ],
    ),
];
