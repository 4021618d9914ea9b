//! Routes and shapes of communications beside their cards: the preview of a plan, and the status of a tenant.

use model::core::enums::{CommunicationStage, Disruption, LetterLanguage, State};
use model::core::parse::LINE;
use model::notify::communication::MOST_RECIPIENTS;
use model::notify::communication_plan::TEXT;

use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{Shape, Words, all, boolean, integer, objects, shape, text, texts, time, word};

/// The content of a feed.
const FEEDS: Words = Words::These(&["calendar", "status"]);

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        status: 200,
        ..post(
            "estate",
            "preview_communication",
            "/communication-plans/{id}/previews",
            "Show what a plan would tell of a change; nothing is written or sent",
            "CommunicationPreviewInput",
            "CommunicationPreview",
        )
        .may("read")
    },
    get(
        "estate",
        "show_status",
        "/status",
        "Show disruptive changes under way and in the next 30 days, and open incidents",
        "Status",
    )
    .may("read"),
    post(
        "estate",
        "publish_status",
        "/status/publication",
        "Open the status page to everybody: services and times, without titles, keys or people. Needs a fresh factor",
        "ReasonInput",
        "StatusPublication",
    )
    .may("set_connection"),
    post(
        "estate",
        "close_status",
        "/status/publication/end",
        "Close the status page to the public again. Needs a fresh factor",
        "ReasonInput",
        "StatusPublication",
    )
    .may("set_connection"),
    get(
        "estate",
        "list_feeds",
        "/feeds",
        "List your feeds: addresses with a secret for programs that cannot sign in",
        "Feeds",
    )
    .may("own"),
    post(
        "estate",
        "make_feed",
        "/feeds",
        "Make a feed of your calendar or of the status; its address is shown once. Revoke it with DELETE /tokens/{id}",
        "FeedInput",
        "Feed",
    )
    .may("read"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "CommunicationPreviewInput",
        "Of which change the words of a plan are shown.",
        &[
            text("change", LINE, "The change.").needed(),
            word("stage", all!(CommunicationStage), "The stage; `announced` unless set."),
            word("language", all!(LetterLanguage), "The language; `en` unless set."),
        ],
    ),
    shape(
        "CommunicationPreview",
        "What a plan would tell of a change.",
        &[
            text("subject", TEXT, "The subject.").needed(),
            text("text", TEXT * 4, "The text.").needed(),
            boolean("is_covered", "Whether the plan is about changes like this one.").needed(),
            integer(
                "recipient_count",
                0,
                MOST_RECIPIENTS as i64,
                "How many people and mail addresses it would reach.",
            )
            .needed(),
            integer(
                "asked_count",
                0,
                MOST_RECIPIENTS as i64,
                "How many of these are asked to acknowledge.",
            )
            .needed(),
        ],
    ),
    shape(
        "Status",
        "What users notice now and soon.",
        &[
            objects("current", "StatusChange", "Disruptive changes under way.").needed(),
            objects("coming", "StatusChange", "Disruptive changes of the next 30 days.").needed(),
            objects("incidents", "Incident", "Open incidents.").needed(),
        ],
    ),
    shape(
        "StatusPublication",
        "Whether everybody reads the status page.",
        &[
            boolean("status_is_public", "Whether it is read without signing in.").needed(),
            text("by", LINE, "Who said so last: a login."),
            time("at", "When."),
            text("reason", model::core::parse::TEXT, "Why."),
        ],
    ),
    shape(
        "FeedInput",
        "A feed to make.",
        &[word("kind", FEEDS, "Your calendar as iCalendar, or the status as Atom.").needed()],
    ),
    shape(
        "Feeds",
        "Your feeds that are not revoked.",
        &[objects("feeds", "Feed", "The feeds.").needed()],
    ),
    shape(
        "Feed",
        "An address with a secret for a program that cannot sign in.",
        &[
            text("id", LINE, "Its id, which is that of its token.").needed(),
            word("kind", FEEDS, "What it tells.").needed(),
            text("prefix", LINE, "How its secret begins.").needed(),
            time("created_at", "When it was made.").needed(),
            text("address", LINE * 5, "The address; only in the answer that makes it."),
        ],
    ),
    shape(
        "StatusChange",
        "A change that users will notice.",
        &[
            text("key", LINE, "The change.").needed(),
            text("title", LINE, "Its title.").needed(),
            word("state", all!(State), "Its state.").needed(),
            texts("services", LINE, "The services of its targets.").needed(),
            boolean("is_on_hold", "Whether it is on hold.").needed(),
            word("disruption", all!(Disruption), "What users will notice."),
            time("planned_start", "Its start."),
            time("planned_end", "Its end."),
        ],
    ),
];
