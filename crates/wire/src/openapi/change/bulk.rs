//! Routes and shapes around the list of changes: acts on several of them, and saved views.

use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, at, delete, get, list, post};
use crate::openapi::shapes::{Shape, Words, boolean, integer, object, objects, shape, text, word};
use crate::openapi::{Answer, Param};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROWS];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES];

/// Which list a view is of.
const OF_LIST: &[Param] = &[Param::new("list", "Of which list: `changes`, unless said.")];

const ACTS: Words = Words::These(&["approve", "acknowledge", "watch", "hold", "cancel"]);

const ROWS: &[Row] = &[
    Row {
        may: "read @write",
        status: 200,
        ..post(
            "changes",
            "act_on_changes",
            "/changes/bulk",
            "Do one act to several changes, or say what each will answer",
            "BulkInput",
            "BulkAnswer",
        )
    },
    Row {
        may: "read",
        params: OF_LIST,
        ..list(
            "changes",
            "list_views",
            "/views",
            "List one's own views and those that others share",
            "View",
        )
    },
    post(
        "changes",
        "create_view",
        "/views",
        "Keep the filters of a list as a view",
        "ViewInput",
        "View",
    )
    .may("read"),
    Row {
        may: "read",
        params: OF_LIST,
        ..get(
            "changes",
            "show_view",
            "/views/{name}",
            "Show one of one's own views",
            "View",
        )
    },
    Row {
        may: "read",
        body: Some("ViewPatch"),
        answer: Answer::Json("View"),
        params: OF_LIST,
        ..at(
            "PATCH",
            "changes",
            "edit_view",
            "/views/{name}",
            "Rename or change a view, share it or keep it to oneself",
        )
    },
    Row {
        may: "read",
        params: OF_LIST,
        ..delete("changes", "remove_view", "/views/{name}", "Remove a view", "View")
    },
];

const BODIES: &[Shape] = &[
    shape(
        "BulkRow",
        "One of the changes.",
        &[
            text("key", LINE, "The change's key.").needed(),
            text(
                "content_digest",
                LINE,
                "What was seen; needed to approve, and left out to learn it from a trial.",
            ),
        ],
    ),
    shape(
        "BulkInput",
        "One act on several changes. Each is done, or refused, by itself; with a key of idempotency, none is done twice.",
        &[
            word("act", ACTS, "The act.").needed(),
            objects("changes", "BulkRow", "The changes, at most 50.").needed(),
            text("comment", TEXT, "Of an approval, the comment."),
            text("reason", TEXT, "Why, for hold and cancel."),
            boolean("dry_run", "Only say what each will answer; nothing is written."),
        ],
    ),
    shape(
        "BulkResult",
        "What became of one.",
        &[
            text("key", LINE, "The change's key.").needed(),
            word(
                "result",
                Words::These(&["done", "able", "refused"]),
                "`able` says that it would be done.",
            )
            .needed(),
            text("title", LINE, "Its title."),
            text("state", LINE, "Where it stands now."),
            text("content_digest", LINE, "What an approval names."),
            object(
                "problem",
                "Problem",
                "Why it was refused, as the act's own route says it.",
            ),
        ],
    ),
    shape(
        "BulkAnswer",
        "What became of each.",
        &[
            word("act", ACTS, "The act.").needed(),
            boolean("dry_run", "Whether it was only tried.").needed(),
            integer("done", 0, 50, "How many were done.").needed(),
            integer("able", 0, 50, "How many would be done.").needed(),
            integer("refused", 0, 50, "How many were refused, or would be.").needed(),
            objects("items", "BulkResult", "One by one, in the order of the request.").needed(),
        ],
    ),
    shape(
        "ViewPatch",
        "What may be changed of a view.",
        &[
            text("name", 60, "Its name, unique among one's own."),
            text(
                "query",
                2_000,
                "Filters and columns: what stands behind the question mark on the page.",
            ),
            boolean("is_shared", "Whether others in the tenant see it, too."),
        ],
    ),
    shape(
        "ViewInput",
        "A view to be kept.",
        &[word("list", Words::These(&["changes"]), "Of which list.")],
    )
    .based_on(&["ViewPatch"]),
    shape(
        "View",
        "A saved view of a list.",
        &[
            text("owner", LINE, "Whose it is: a login.").needed(),
            boolean("is_own", "Whether it is one's own.").needed(),
            integer("version", 1, i64::MAX, "Grows with every change of it.").needed(),
            text("page", 3_000, "The page that shows it.").needed(),
        ],
    )
    .based_on(&["ViewInput"]),
];
