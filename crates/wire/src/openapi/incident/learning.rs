//! Routes and shapes of links, reviews of incidents and problems, beside those of their cards.

use model::core::enums::RelationEnd;
use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, get, list, post};
use crate::openapi::shapes::{
    Shape, all, boolean, integer, integer_or_null, object, objects, shape, text, text_or_null, texts, time,
    time_or_null, word,
};

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    get(
        "estate",
        "list_links_of",
        "/record-links/of/{key}",
        "List the links of a record, as it shows them",
        "LinksOfRecord",
    )
    .may("read"),
    list(
        "estate",
        "show_link_history",
        "/record-links/{id}/history",
        "List the edits of a link between records, the oldest first",
        "LinkEdit",
    )
    .may("read"),
    get(
        "estate",
        "draft_incident_review",
        "/incident-reviews/{key}/draft",
        "Show the review of an incident with all that is known, also as Markdown",
        "DraftedReview",
    )
    .may("read"),
    list(
        "estate",
        "list_review_actions",
        "/incident-reviews/{key}/actions",
        "List the actions of the review of an incident",
        "ActionItem",
    )
    .may("read"),
    post(
        "estate",
        "add_review_action",
        "/incident-reviews/{key}/actions",
        "Add an action with an owner and a due time to the review of an incident",
        "ReviewActionInput",
        "ActionItem",
    )
    .may("set_incident"),
    post(
        "estate",
        "search_problems",
        "/problem-searches",
        "Look for failures that recur now: problems are proposed, and those in use get further cases",
        "NoBody",
        "FoundProblems",
    )
    .may("set_incident"),
    post(
        "estate",
        "decide_problem",
        "/problems/{key}/decisions",
        "Accept a proposed problem, which drafts its fix, or dismiss a proposed or an open one with a reason",
        "ProblemDecisionInput",
        "ProblemRecord",
    )
    .may("set_incident"),
    post(
        "estate",
        "fix_problem",
        "/problems/{key}/fixes",
        "Draft the change that is to fix an open problem without one",
        "NoBody",
        "ProblemRecord",
    )
    .may("set_incident"),
    post(
        "estate",
        "judge_problem",
        "/problems/{key}/judgements",
        "Judge whether the fix of a problem helped: it is closed, or open again",
        "ProblemJudgementInput",
        "ProblemRecord",
    )
    .may("set_incident"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "LinksOfRecord",
        "The links of a record.",
        &[
            text("key", LINE, "The record's key.").needed(),
            word("kind", all!(RelationEnd), "What kind of record it is.").needed(),
            objects("items", "LinkSeen", "The links that count.").needed(),
        ],
    ),
    shape(
        "LinkSeen",
        "A link as one of its ends shows it.",
        &[
            text(
                "reads",
                LINE,
                "How the record relates to the other, in words: `caused by`.",
            )
            .needed(),
            boolean("leads_away", "Whether the link leads from this record to the other.").needed(),
            object("other", "LinkedRecord", "The record at the other end.").needed(),
            object("link", "RecordLink", "The link.").needed(),
        ],
    ),
    shape(
        "LinkedRecord",
        "A record at an end of a link.",
        &[
            text("key", LINE, "Its key.").needed(),
            word("kind", all!(RelationEnd), "What kind of record it is.").needed(),
        ],
    ),
    shape(
        "LinkEdit",
        "An edit of a link.",
        &[
            text("event", LINE, "The event's id.").needed(),
            integer_or_null("index", "Its index in the log, once it has its place."),
            text(
                "kind",
                LINE,
                "`record_link.added`, `record_link.edited` or `record_link.ended`.",
            )
            .needed(),
            text("by", LINE, "Who: a login; `system` for deliveries.").needed(),
            time("at", "When.").needed(),
            integer_or_null(
                "confidence_ppm_before",
                "How sure the link was before, in parts per million, where the edit moved it.",
            ),
        ],
    ),
    shape(
        "DraftedReview",
        "The review of an incident with all that is known of it.",
        &[
            text("incident_key", LINE, "The incident's key.").needed(),
            text("title", LINE, "The incident's title.").needed(),
            integer("severity", 1, 4, "Its severity.").needed(),
            texts("services", LINE, "Its services.").needed(),
            time("began_at", "When it began.").needed(),
            time_or_null("ended_at", "When it ended."),
            text(
                "summary",
                TEXT,
                "What happened and why: what a person wrote, else a draft from the facts.",
            )
            .needed(),
            boolean("is_written", "Whether a person wrote the summary.").needed(),
            time_or_null("completed_at", "Since when the review is complete."),
            text_or_null("cause", "The root cause."),
            texts("contributing", LINE, "What contributed.").needed(),
            objects("changes", "InvolvedChange", "The changes that were involved.").needed(),
            objects("links", "ReviewLink", "Other linked records.").needed(),
            objects("course", "CourseLine", "What happened when.").needed(),
            objects("moves", "MovedChange", "Pending changes whose forecast moved.").needed(),
            texts("missing", TEXT, "What the review still needs.").needed(),
            text("markdown", 1_000_000, "The review as Markdown (CommonMark).").needed(),
        ],
    ),
    shape(
        "InvolvedChange",
        "A change that was involved in an incident.",
        &[
            text("key", LINE, "Its key.").needed(),
            text("title", LINE, "Its title.").needed(),
            text("role", LINE, "`caused it` or `fixed it`.").needed(),
            text("risk", LINE, "The risk that it was rated with.").needed(),
            text_or_null("forecast_percent", "Its forecast of failure, as a percentage."),
            integer("steps", 0, 1_000, "How many steps its plan has.").needed(),
            texts("decided_by", LINE, "Who decided about it: logins.").needed(),
            integer("permits", 0, 1_000_000, "How many permits it had.").needed(),
            time_or_null("began_at", "When its work began."),
            time_or_null("ended_at", "When its work ended."),
            text_or_null(
                "rating",
                "Whether the risk was rated right: `too_low`, `right` or `too_high`.",
            ),
            boolean(
                "steps_adequate",
                "Whether the steps were adequate; absent while nobody answered.",
            ),
        ],
    ),
    shape(
        "ReviewLink",
        "A linked record.",
        &[
            text("reads", LINE, "How the incident relates to it.").needed(),
            text("key", LINE, "Its key.").needed(),
        ],
    ),
    shape(
        "CourseLine",
        "A moment in the course of an incident.",
        &[time("at", "When.").needed(), text("text", TEXT, "What.").needed()],
    ),
    shape(
        "MovedChange",
        "A pending change whose forecast moved.",
        &[
            text("change", LINE, "Its key.").needed(),
            text("text", TEXT, "From where to where, and why.").needed(),
        ],
    ),
    shape(
        "ReviewActionInput",
        "An action of a review.",
        &[
            text("title", LINE, "What is to be done.").needed(),
            text("owner", LINE, "Who does it: a login.").needed(),
            time("due_at", "Until when.").needed(),
        ],
    ),
    shape(
        "FoundProblems",
        "The problems that a search wrote.",
        &[objects("items", "ProblemRecord", "The problems.").needed()],
    ),
    shape(
        "ProblemDecisionInput",
        "A decision about a problem.",
        &[
            boolean("accepted", "true accepts and drafts the fix, false dismisses.").needed(),
            text("reason", TEXT, "Why; needed where it is dismissed."),
        ],
    ),
    shape(
        "ProblemJudgementInput",
        "A judgement of the fix of a problem.",
        &[
            boolean("helped", "true closes the problem, false opens it again.").needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
];
