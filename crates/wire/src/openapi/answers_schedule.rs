//! The responses about windows, freezes, incidents, and the watch over a change.

use model::core::enums::{ChangeRelation, FreezeFate, FreezeReach, FreezeStage, IncidentState, Level, State};
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
    .based_on(&["Span", "Repetition", "Occurrences", "Stored"]),
    shape(
        "Occurrence",
        "One time of several.",
        &[
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
        ],
    ),
    shape(
        "Occurrences",
        "The times that follow from a rule.",
        &[
            objects("occurrences", "Occurrence", "The times, in order; of one that repeats."),
            time(
                "expanded_until",
                "Until when they are worked out; the list is continued before.",
            ),
        ],
    ),
    shape(
        "FreezeStep",
        "A signed step of a freeze.",
        &[
            word("step", all!(FreezeStage), "Which.").needed(),
            text("by", LINE, "Who signed it: a login.").needed(),
            time("at", "When.").needed(),
            text("reason", TEXT, "Why.").needed(),
            texts("hits", LINE, "Keys of the changes that an announcement hit."),
        ],
    ),
    shape(
        "FreezeHit",
        "A change that a freeze hits.",
        &[
            text("key", LINE, "Its key.").needed(),
            text("title", LINE, "Its title.").needed(),
            word("risk", all!(Level), "Its risk.").needed(),
            word("state", all!(State), "Its state.").needed(),
            text("owner", LINE, "Its owner: a login.").needed(),
            time("planned_start", "Its planned start."),
            time("planned_end", "Its planned end."),
            boolean("is_let_through", "Whether it passes, by its risk or an exception.").needed(),
            texts("free_starts", LINE, "Starts at which it would be free, in order.").needed(),
        ],
    ),
    shape(
        "FreezePreview",
        "What a freeze hits.",
        &[
            objects("occurrences", "Occurrence", "Its times that are not over.").needed(),
            objects("hits", "FreezeHit", "The changes that it hits, at most 500.").needed(),
            integer("hit_count", 0, i64::MAX, "How many it hits.").needed(),
            integer("open_count", 0, i64::MAX, "How many open changes have planned times.").needed(),
            integer("thaw_changes", 0, i64::MAX, "How many pass by their risk.").needed(),
            text(
                "thaw_expected_failures",
                LINE,
                "How many of those are expected to fail, by the last year.",
            )
            .needed(),
        ],
    ),
    shape(
        "FreezeReported",
        "A change in the report of a freeze.",
        &[
            text("key", LINE, "Its key.").needed(),
            text("title", LINE, "Its title.").needed(),
            word("risk", all!(Level), "Its risk.").needed(),
            word("state", all!(State), "Its state.").needed(),
            word("fate", all!(FreezeFate), "What the freeze did to it.").needed(),
            text("reason", TEXT, "Why it was excepted."),
            text("excepted_by", LINE, "Who excepted it: a login."),
            time("excepted_at", "When it was excepted."),
            time(
                "withdrawn_at",
                "When the exception was withdrawn or lapsed before the change started under it.",
            ),
            boolean("succeeded", "Whether it succeeded; absent before its work ended."),
        ],
    ),
    shape(
        "FreezeTimeReported",
        "One time of a freeze in its report.",
        &[
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            integer("excepted", 0, i64::MAX, "How many changes in it were excepted.").needed(),
            integer("excepted_failed", 0, i64::MAX, "How many of those failed.").needed(),
            integer("let_through", 0, i64::MAX, "How many passed by their risk.").needed(),
            integer("let_through_failed", 0, i64::MAX, "How many of those failed.").needed(),
            integer(
                "expected_changes",
                0,
                i64::MAX,
                "How many were expected to pass by their risk when it began; absent where nothing was stated then.",
            ),
            text("expected_failures", LINE, "How many of those were expected to fail."),
            objects(
                "exceptions",
                "FreezeTimeException",
                "The exceptions that were signed for it, also of changes that moved out of it since.",
            )
            .needed(),
        ],
    ),
    shape(
        "FreezeTimeException",
        "An exception that was signed for one time of a freeze.",
        &[
            text("change", LINE, "The change's key.").needed(),
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "Who excepted it: a login.").needed(),
            time("at", "When.").needed(),
            time("ended_at", "When it was withdrawn or lapsed."),
        ],
    ),
    shape(
        "FreezeReport",
        "What a freeze did.",
        &[
            text("id", LINE, "The freeze's id.").needed(),
            text("title", LINE, "Its name.").needed(),
            word("stage", all!(FreezeStage), "Where it stands.").needed(),
            objects("past", "Occurrence", "The times that began so far.").needed(),
            objects("ahead", "Occurrence", "The times that lie ahead.").needed(),
            integer("hit", 0, i64::MAX, "How many changes it hit.").needed(),
            integer("stopped", 0, i64::MAX, "How many still wait in it.").needed(),
            integer("moved", 0, i64::MAX, "How many got another time or were cancelled.").needed(),
            integer("excepted", 0, i64::MAX, "How many were excepted.").needed(),
            integer(
                "excepted_withdrawn",
                0,
                i64::MAX,
                "How many were excepted no more before they started.",
            )
            .needed(),
            integer("let_through", 0, i64::MAX, "How many passed by their risk.").needed(),
            integer("let_through_failed", 0, i64::MAX, "How many of those failed.").needed(),
            integer("excepted_failed", 0, i64::MAX, "How many of those excepted failed.").needed(),
            integer(
                "expected_changes",
                0,
                i64::MAX,
                "How many were expected to pass by their risk.",
            ),
            text("expected_failures", LINE, "How many of those were expected to fail."),
            objects(
                "times",
                "FreezeTimeReported",
                "The latest times that began, at most 100, each with what it was expected to let through and what passed; and those ahead for \
                 which an exception was signed.",
            )
            .needed(),
            objects("changes", "FreezeReported", "The changes.").needed(),
            boolean("is_cut", "Whether there are more than are looked at.").needed(),
        ],
    ),
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
            boolean("halt", "Whether it also stops what is under way."),
            word(
                "reach",
                all!(FreezeReach),
                "`dependants`: it also stops the services that need those named, near and far.",
            ),
            text("reason", TEXT, "Why."),
            text(
                "major_incident",
                LINE,
                "The key of the major incident that it follows from; nobody edits such a freeze.",
            ),
            text("business_owner", LINE, "Who agrees for the business: a login."),
            objects("steps", "FreezeStep", "The signed steps, in order."),
            objects(
                "past_exceptions",
                "PastException",
                "Exceptions that were withdrawn or lapsed, in that order.",
            ),
            objects(
                "past_thaws",
                "PastThaw",
                "Bounds of risk that held before the present one, in order.",
            ),
            objects(
                "thaw_times",
                "ThawTime",
                "What its latest times were expected to let through, each stated when it began: at most 100.",
            ),
            word("thaw_risk", all!(Level), "Changes of this risk or less pass."),
            integer("thaw_changes", 0, i64::MAX, "How many that was when the bound was set."),
            text(
                "thaw_expected_failures",
                LINE,
                "How many of those were expected to fail.",
            ),
        ],
    )
    .based_on(&["Span", "Repetition", "Occurrences", "Stored"]),
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
            word("thaw_risk", all!(Level), "Changes of this risk or less pass."),
        ],
    )
    .based_on(&["Repetition", "Occurrences"]),
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
            text("by", LINE, "The person who proposed it: a login.").needed(),
            time("at", "When.").needed(),
            text("confirmed_by", LINE, "The person who confirmed it: a login.").needed(),
            time("confirmed_at", "When.").needed(),
            object("before", "FreezeTerms", "What it covered before.").needed(),
            object("after", "FreezeTerms", "What it covered then; absent where it ended."),
        ],
    ),
    shape(
        "PastException",
        "An exception from a freeze that no longer lets its change pass.",
        &[
            text("change", LINE, "The change's id.").needed(),
            text("change_key", LINE, "Its key.").needed(),
            text("reason", TEXT, "Why it was excepted.").needed(),
            text("by", LINE, "Who excepted it: a login.").needed(),
            time("at", "When.").needed(),
            text("removed_by", LINE, "Who ended it: a login; absent where it ended by itself."),
            time("ended_at", "When it ended.").needed(),
            object("time", "Occurrence", "The time of the freeze that it was for; absent where it was for all times."),
        ],
    ),
    shape(
        "PastThaw",
        "A bound of risk of a freeze that another one took the place of.",
        &[
            word("thaw_risk", all!(Level), "Changes of this risk or less passed."),
            text("by", LINE, "Who set another one: a login.").needed(),
            time("at", "When.").needed(),
        ],
    ),
    shape(
        "ThawTime",
        "What one time of a freeze was expected to let through by its bound of risk, stated when it began.",
        &[
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end, as it was then.").needed(),
            word("thaw_risk", all!(Level), "Changes of this risk or less passed.").needed(),
            integer("thaw_changes", 0, i64::MAX, "How many that were when it began.").needed(),
            text("thaw_expected_failures", LINE, "How many of those were expected to fail.").needed(),
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
            time("until", "Until when the change may start, where a commander signed for it."),
            object(
                "time",
                "Occurrence",
                "The time of the freeze that it is for; absent where it is for all times, as in older records.",
            ),
        ],
    ),
    shape(
        "Incident",
        "An incident.",
        &[
            frees("cause_verdicts", "What people said of changes that may have led to it, in order: `change_key`, `confirmed`, `reason`, `by`, `at`, `rank` with what the ranking said, and `is_own` where the person stands behind the change."),
            text("key", LINE, "`INC-12`."),
            frees(
                "changes",
                "The changes that name it: `key` and `state`; told where one incident is asked for.",
            ),
            text("connection", LINE, "The connection that delivered it."),
            word("state", all!(IncidentState), "Where it stands, by its times."),
            word(
                "change_related",
                all!(ChangeRelation),
                "Whether it is related to a change: suspected by its candidates, confirmed by a link or a person, or cleared by people; \
                 absent where no candidate is known.",
            ),
            text("commander", LINE, "Who leads the work on it: a login."),
            text("opened_by", LINE, "Who opened it by hand: a login."),
            text("closed_by", LINE, "Who closed it: a login."),
            time("closed_at", "When it was closed."),
            text("duplicate_of", LINE, "The key of the incident that it repeats."),
            boolean("has_own_title", "Whether a person gave it another title than its source, whose later titles are not taken then."),
            integer("source_severity", 1, 4, "The severity that its source names, where it is less grave than its own."),
            time("source_over_at", "In an older record the last end that its source reported."),
            time("source_open_at", "In an older record the last reopening that its source reported."),
            frees(
                "source_reports",
                "The states of its record at a source that reports states, by the source's times: `at`, `number`, `is_over`, `ended_at` \
                 and `severity`.",
            ),
            texts(
                "source_starts",
                LINE,
                "The times at which its source says that it, or parts of it, began; told by sources whose alerts are placed by their times.",
            ),
            time("major_since", "Since when it is a major incident; absent where it is none."),
            time(
                "withheld_at",
                "Since when its severity would make it a major incident, had its reporter not just declared one of the same services \
                 whose freeze a commander ended. Another person who may command declares it.",
            ),
            text("raised_by", LINE, "Who made it major by hand: a login."),
            boolean("halted", "Whether its commander halts work under way."),
            object("stood_down", "StoodDown", "That its commander ended the freeze before it ended."),
            objects("signatures", "Signature", "What its commanders let through, in order."),
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
            text("by", LINE, "The person who confirmed it: a login.").needed(),
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
            word(
                "kind",
                Words::These(&["change", "undo", "freeze", "window"]),
                "What it is; an undo is that of a change, planned for after its window.",
            )
            .needed(),
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
            text("key", LINE, "The change's key, also of an undo."),
            word("state", all!(State), "Where the change stands."),
            word("risk", all!(Level), "The change's risk."),
            boolean("on_hold", "Whether the change pauses."),
            text("reason", TEXT, "Why there is a freeze."),
            text("title", LINE, "What it is called.").needed(),
            time("starts_at", "Its start.").needed(),
            time("ends_at", "Its end.").needed(),
            texts("services", LINE, "Services' keys."),
            texts("environments", LINE, "Environments' keys."),
            word("reach", all!(FreezeReach), "Whether a freeze also stops the services that need those named."),
            text("major_incident", LINE, "The key of the major incident that a freeze follows from."),
            text("business_owner", LINE, "Who agrees to a freeze for the business: a login."),
            objects("steps", "FreezeStep", "The signed steps of a freeze, in order."),
            boolean("halt", "Whether a freeze also stops what is under way."),
            boolean("ended", "Whether it was taken back."),
            objects("exceptions", "FreezeException", "Changes that a freeze lets pass."),
            objects("past_exceptions", "PastException", "Exceptions from a freeze that were withdrawn or lapsed."),
            object("loosening", "Loosening", "A proposal to end a freeze or to change what it covers."),
            objects("loosened", "Loosened", "How a freeze came to cover less."),
            objects("past_thaws", "PastThaw", "Bounds of risk of a freeze that held before the present one."),
            objects("thaw_times", "ThawTime", "What the latest times of a freeze were expected to let through."),
            word("thaw_risk", all!(Level), "Changes of this risk or less pass a freeze."),
            integer("thaw_changes", 0, i64::MAX, "How many that was when the bound was set."),
            text(
                "thaw_expected_failures",
                LINE,
                "How many of those were expected to fail.",
            ),
        ],
    )
    .based_on(&["Repetition", "Occurrences"]),
];
