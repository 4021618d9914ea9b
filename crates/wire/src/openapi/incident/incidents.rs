//! Routes and shapes of incidents beside their record: command, freeze, signatures, closing, timeline, situation.

use crate::openapi::rows::{Row, delete, get, list, post};
use crate::openapi::shapes::{
    Shape, boolean, free_or_null, integer, objects, shape, text, text_or_null, texts, time, time_or_null,
};

const LINE: usize = 200;
const TEXT: usize = 20_000;

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    get(
        "estate",
        "show_situation",
        "/incidents/{key}/situation",
        "Show what a commander looks at: the freeze, work under way, what is stopped, contacts",
        "IncidentSituation",
    )
    .may("read"),
    list(
        "estate",
        "show_timeline",
        "/incidents/{key}/timeline",
        "Show the timeline of an incident, the latest entries first",
        "IncidentEntry",
    )
    .may("read"),
    post(
        "estate",
        "command_incident",
        "/incidents/{key}/command",
        "Take command of an incident, or hand it over",
        "CommandInput",
        "Incident",
    )
    .may("set_incident"),
    post(
        "estate",
        "declare_major",
        "/incidents/{key}/major",
        "Declare an incident major: it freezes changes of high risk around it at once",
        "ReasonInput",
        "Incident",
    )
    .may("set_incident"),
    Row {
        may: "set_incident",
        body: Some("ReasonInput"),
        ..delete(
            "estate",
            "stand_down",
            "/incidents/{key}/major",
            "End the freeze of a major incident that goes on; by its commander, with a fresh factor",
            "Incident",
        )
    },
    post(
        "estate",
        "halt_work",
        "/incidents/{key}/halt",
        "Halt work under way around a major incident, or let it go on; by its commander",
        "HaltInput",
        "Incident",
    )
    .may("set_incident"),
    post(
        "estate",
        "sign_exception",
        "/incidents/{key}/signatures",
        "Allow one change during a major incident; by its commander, with a fresh factor",
        "SignatureInput",
        "Incident",
    )
    .may("set_incident"),
    delete(
        "estate",
        "withdraw_signature",
        "/incidents/{key}/signatures/{change}",
        "Take a signature back: the incident stops the change again",
        "Incident",
    )
    .may("set_incident"),
    post(
        "estate",
        "review_signature",
        "/incidents/{key}/signature-reviews",
        "Review a signature afterwards; by another person than the one who signed",
        "SignatureReviewInput",
        "Incident",
    )
    .may("read"),
    post(
        "estate",
        "close_incident",
        "/incidents/{key}/closure",
        "Close an incident that is resolved",
        "IncidentClosureInput",
        "Incident",
    )
    .may("set_incident"),
    post(
        "estate",
        "merge_incident",
        "/incidents/{key}/merge",
        "Close an incident as a duplicate of another one",
        "IncidentMergeInput",
        "Incident",
    )
    .may("set_incident"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "CommandInput",
        "Who commands an incident.",
        &[
            text(
                "commander",
                LINE,
                "A login with the right `commander` or `change_manager`; oneself unless said.",
            ),
            text("reason", TEXT, "Why."),
        ],
    ),
    shape(
        "HaltInput",
        "Whether work under way is halted.",
        &[
            boolean(
                "halt",
                "true unless said; false lets work go on, which takes a fresh factor.",
            ),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "SignatureInput",
        "A commander's signature. Of the change that fixes the incident, by its link, reason and end may be left out.",
        &[
            text("change", LINE, "The change's key.").needed(),
            text("reason", TEXT, "Why it cannot wait."),
            time("until", "Until when the change may start: at most 24 hours ahead."),
        ],
    ),
    shape(
        "SignatureReviewInput",
        "The review of a signature.",
        &[
            text("change", LINE, "The change's key.").needed(),
            boolean("justified", "Whether the change could not have waited.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "IncidentClosureInput",
        "Closes an incident.",
        &[text("reason", TEXT, "Closing note.")],
    ),
    shape(
        "IncidentMergeInput",
        "Merges an incident into the one that it repeats.",
        &[
            text("into", LINE, "The key of the incident that goes on.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "StoodDown",
        "That a commander ended the freeze while the incident went on.",
        &[
            text("reason", TEXT, "Why.").needed(),
            text("by", LINE, "The commander: a login.").needed(),
            time("at", "When.").needed(),
        ],
    ),
    shape(
        "Signature",
        "What a commander let through.",
        &[
            text("change", LINE, "The change's id.").needed(),
            text("change_key", LINE, "The change's key.").needed(),
            text("what_digest", LINE, "The digest *what* of the change as it was signed.").needed(),
            text("reason", TEXT, "Why.").needed(),
            time("until", "Until when the change may start.").needed(),
            boolean("fixes", "Whether the change fixes the incident, by its link."),
            text("by", LINE, "The commander: a login.").needed(),
            time("at", "When.").needed(),
            text("factor", LINE, "The kind of factor that was shown."),
            time("withdrawn_at", "When it was taken back."),
            free_or_null(
                "review",
                "What another person found: `justified`, `reason`, `by`, `at`.",
            ),
        ],
    ),
    shape(
        "IncidentSituation",
        "What a commander looks at.",
        &[
            text("incident", LINE, "The incident's key.").needed(),
            text("state", LINE, "`open`, `mitigated`, `resolved` or `closed`.").needed(),
            boolean("is_major", "Whether it is a major incident now.").needed(),
            text_or_null("commander", "Who commands it: a login; null for nobody.").needed(),
            texts("waiting_on", LINE, "Whom a stopped change waits for: logins.").needed(),
            free_or_null(
                "freeze",
                "The freeze: `id`, `since`, `until`, `halt`; null where none is in force.",
            )
            .needed(),
            texts(
                "services",
                LINE,
                "The services in its scope: its own, what they need, what needs them.",
            )
            .needed(),
            integer(
                "in_flight_count",
                0,
                i64::MAX,
                "How many changes are under way in the scope.",
            )
            .needed(),
            objects("in_flight", "ChangeInScope", "The first 100 of them.").needed(),
            integer(
                "stopped_count",
                0,
                i64::MAX,
                "How many changes of high risk are stopped or signed for.",
            )
            .needed(),
            objects("stopped", "ChangeInScope", "The first 100 of them.").needed(),
            integer("signed_count", 0, i64::MAX, "How many signatures its commanders gave.").needed(),
            integer(
                "unreviewed_count",
                0,
                i64::MAX,
                "How many of them wait for their review.",
            )
            .needed(),
            objects("contacts", "IncidentContact", "Whom to call.").needed(),
            time_or_null("closed_at", "When it was closed."),
        ],
    ),
    shape(
        "ChangeInScope",
        "A change in the scope of an incident.",
        &[
            text("key", LINE, "Its key.").needed(),
            text("title", LINE, "In one line.").needed(),
            text("state", LINE, "Where it stands.").needed(),
            text("risk", LINE, "Its level of risk.").needed(),
            texts("services", LINE, "Its services in the scope.").needed(),
            boolean("signed", "Whether the commander let it through.").needed(),
        ],
    ),
    shape(
        "IncidentContact",
        "Somebody to call.",
        &[
            text("person", LINE, "A login.").needed(),
            text("name", LINE, "The name.").needed(),
            texts(
                "roles",
                LINE,
                "Why: `commander`, `on_call`, `on_duty`, a part in owning, `change_manager`.",
            )
            .needed(),
            texts("services", LINE, "The services for which the person answers.").needed(),
        ],
    ),
];
