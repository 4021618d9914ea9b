//! Routes and shapes of systems beside this one.

use model::core::parse::LINE;

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, post};
use crate::openapi::shapes::{Shape, boolean, integer, objects, shape, text, time};

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        status: 200,
        ..post(
            "administration",
            "set_foreign_credential",
            "/foreign-systems/{id}/credentials",
            "Keep the credential of a system beside this one, and have it read",
            "ForeignCredentialInput",
            "ForeignSystem",
        )
        .may("set_connection")
    },
    Row {
        params: &[
            Param::new("difference", "Which changes are listed: would_stop unless set."),
            Param::new("after", "The id behind which the list goes on."),
            Param::new("limit", "How many changes are listed."),
        ],
        ..get(
            "administration",
            "show_foreign_differences",
            "/foreign-systems/{id}/differences",
            "Compare the decisions of a system beside this one with the rules here",
            "ForeignDifferences",
        )
        .may("set_connection | set_freeze | audit")
    },
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "ForeignCredentialInput",
        "By what a system beside this one is read: a login with its password, or a token alone.",
        &[
            text("login", LINE, "The login; absent for a token."),
            text(
                "secret",
                4_000,
                "The password or token; it is kept sealed and never shown.",
            )
            .needed(),
        ],
    ),
    shape(
        "ForeignDifferences",
        "How the decisions of a system beside this one compare with the rules here.",
        &[
            text("system", LINE, "The id of the system.").needed(),
            text("name", LINE, "What it is called.").needed(),
            time("read_until", "Up to which edit there everything was read."),
            integer("same", 0, i64::MAX, "How many decisions are the same.").needed(),
            integer(
                "would_stop",
                0,
                i64::MAX,
                "How many they let go that the rules here would have stopped.",
            )
            .needed(),
            integer(
                "would_let_go",
                0,
                i64::MAX,
                "How many they stopped that the rules here would have let go.",
            )
            .needed(),
            integer("not_judged", 0, i64::MAX, "How many could not be judged.").needed(),
            integer("undecided", 0, i64::MAX, "How many they have not decided.").needed(),
            objects(
                "rules",
                "ForeignCount",
                "The rules that would have stopped what they let go.",
            )
            .needed(),
            objects("services", "ForeignCount", "The services that this concerns.").needed(),
            boolean("is_whole", "Whether all of them were counted for rules and services.").needed(),
            objects("changes", "ForeignChange", "The changes of the kind that was asked.").needed(),
            text("next", LINE, "The id behind which the list goes on; absent at its end."),
        ],
    ),
    shape(
        "ForeignCount",
        "How many changes a rule would have stopped, or of how many a service was.",
        &[
            text("key", LINE, "The rule, the condition or the service.").needed(),
            integer("count", 1, i64::MAX, "How many changes.").needed(),
        ],
    ),
    shape(
        "CopiedComment",
        "A comment that was copied, in either direction.",
        &[
            text("here", LINE, "The id of the comment here.").needed(),
            text(
                "there",
                LINE,
                "The id of a comment that was written there; absent for one of Assent.",
            ),
            time(
                "at",
                "When it was edited there; for one of Assent, when it was written there.",
            )
            .needed(),
            boolean("is_open", "Whether a server is writing it there."),
        ],
    ),
];
