//! The route and the shapes of the search.

use model::core::parse::{LINE, TEXT};

use crate::openapi::Param;
use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, objects, shape, text, texts};

const TAG: &str = "reports";

/// The route.
pub(crate) const ROUTES: &[Row] = &[Row {
    may: "read",
    params: &[Param::new(
        "q",
        "Words, and operators that narrow changes: `outcome:failed service:wms`; at most 200 characters.",
    )],
    ..get(
        TAG,
        "search_records",
        "/search",
        "Search changes, people, services, incidents, freezes, templates, pages, settings, and acts on a change",
        "SearchResult",
    )
}];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "SearchHit",
        "Something that a search found.",
        &[
            text(
                "kind",
                LINE,
                "`act`, `change`, `person`, `service`, `incident`, `freeze`, `template`, `page` or `setting`.",
            )
            .needed(),
            text(
                "key",
                LINE,
                "An act with the key of its change, a record's key, login or id; empty for a page and a setting.",
            )
            .needed(),
            text("title", TEXT, "Its title or name.").needed(),
            text("state", LINE, "Its state; empty where it has none.").needed(),
            text(
                "outcome",
                LINE,
                "Of a closed change that did not plainly succeed: its outcome.",
            ),
            text("path", TEXT, "The path of its page, below the tenant's address.").needed(),
        ],
    ),
    shape(
        "SearchResult",
        "What a search found: at most 10 records of a kind.",
        &[
            objects("items", "SearchHit", "What was found.").needed(),
            texts(
                "completions",
                TEXT,
                "Searches that go on with the last word, at most 8.",
            )
            .needed(),
        ],
    ),
];
