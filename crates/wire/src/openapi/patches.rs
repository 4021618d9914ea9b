//! Changes of existing records: routes and shapes of merge patches (RFC 7396) to the estate and to connections.

use model::core::enums::FreezeReach;
use model::core::parse::{LINE, TEXT};

use crate::openapi::Answer;
use crate::openapi::rows::{Row, at};
use crate::openapi::shapes::{Shape, Words, all, boolean, object, objects, shape, text, texts, time, word};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[PATCHES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES];

/// A change in part; it names the version that was read.
const fn patch(
    tag: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    of: &'static str,
) -> Row {
    Row {
        body: Some(body),
        answer: Answer::Json(of),
        ..at("PATCH", tag, operation, path, summary)
    }
}

const PATCHES: &[Row] = &[
    patch(
        "estate",
        "edit_environment",
        "/environments/{key}",
        "Change an environment",
        "EnvironmentPatch",
        "Environment",
    )
    .may("set_service"),
    patch(
        "estate",
        "edit_config_item",
        "/config-items/{key}",
        "Change a config item",
        "ConfigItemPatch",
        "ConfigItem",
    )
    .may("set_service"),
    patch(
        "directory",
        "edit_business_calendar",
        "/calendars/{key}",
        "Change a business calendar",
        "BusinessCalendarPatch",
        "BusinessCalendar",
    )
    .may("set_service"),
    patch(
        "estate",
        "edit_window",
        "/windows/{id}",
        "Change a maintenance window",
        "WindowPatch",
        "Window",
    )
    .may("set_window"),
    patch(
        "estate",
        "edit_freeze",
        "/freezes/{id}",
        "Change a freeze; its exceptions stay",
        "FreezePatch",
        "Freeze",
    )
    .may("set_freeze"),
    patch(
        "administration",
        "edit_connection",
        "/connections/{id}",
        "Change a connection; its address and its secret stay",
        "ConnectionPatch",
        "Connection",
    )
    .may("set_connection"),
];

const BODIES: &[Shape] = &[
    shape(
        "EnvironmentPatch",
        "What changes of an environment.",
        &[
            text("name", LINE, "A name for people."),
            boolean("is_production", "Whether customers depend on it."),
        ],
    ),
    shape(
        "ConfigItemPatch",
        "What changes of a config item.",
        &[
            text("name", LINE, "A name for people."),
            text("service", LINE, "The service it belongs to."),
            text("kind", LINE, "What kind of thing it is, such as `database`."),
            texts("addresses", 253, "Its host names and IP addresses."),
        ],
    ),
    shape(
        "BusinessCalendarPatch",
        "What changes of a business calendar.",
        &[
            text("name", LINE, "A name for people."),
            text("zone", LINE, "IANA zone, such as `Europe/Zurich`."),
            objects("hours", "WorkingHours", "All working hours as they are to be."),
            objects("holidays", "Holiday", "All holidays as they are to be."),
        ],
    ),
    shape(
        "WindowPatch",
        "What changes of a maintenance window.",
        &[
            text("title", LINE, "What it is called."),
            time("starts_at", "Its start."),
            time("ends_at", "Its end; it lies after the start."),
            texts("services", LINE, "Services' keys; empty means all."),
            texts("environments", LINE, "Environments' keys; empty means all."),
        ],
    )
    .based_on(&["Repetition", "RepetitionWord"]),
    shape(
        "FreezePatch",
        "What changes of a freeze.",
        &[
            word(
                "thaw_risk",
                Words::These(&["none", "low", "medium"]),
                "Changes of this risk or less pass.",
            ),
            boolean("halt", "Whether it also stops what is under way."),
            word("reach", all!(FreezeReach), "Whether it also stops the services that need those named."),
            boolean(
                "correction",
                "Whether it notes what began before it is recorded; it counts from now on, and for nothing decided before.",
            ),
            text("reason", TEXT, "Why."),
            text(
                "edit_reason",
                TEXT,
                "Why it may cover less: needed for a later start, an earlier end, fewer places or no halt. Another person confirms.",
            ),
        ],
    )
    .based_on(&["WindowPatch"]),
    shape(
        "ConnectionPatch",
        "What changes of a connection.",
        &[
            text("name", LINE, "A name for people."),
            objects(
                "map",
                "RepositoryMap",
                "Which repository is which service: the whole list as it is to be.",
            ),
            text("owner", LINE, "Who stands for drafts of unknown senders: a login."),
            objects(
                "links",
                "LinkRule",
                "Where a change's key is looked for: the whole list as it is to be.",
            ),
            object(
                "api",
                "ConnectionApi",
                "How its questions are answered. `base` stays: another address is another system.",
            ),
            text("reply_to", LINE, "For mail: the address that letters are answered to."),
            texts(
                "trusted",
                LINE,
                "Accounts and repositories outside of the map whose requests may write their commit into a change.",
            ),
            objects(
                "builders",
                "Builder",
                "Whose attestations tie an artifact to a commit: the whole list as it is to be.",
            ),
        ],
    ),
    shape(
        "ProposedConnection",
        "A connection as it is to be, by its id; what is not named stays. Its `api` comes without a credential, which is set once it \
         is in force.",
        &[text("id", LINE, "The connection's id.").needed()],
    )
    .based_on(&["ConnectionPatch"]),
];
