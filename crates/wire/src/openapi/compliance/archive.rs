//! Routes and shapes of the archive.

use model::core::parse::LINE;

use crate::openapi::Scope;
use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, boolean, free_or_null, integer, integer_or_null, shape, text, time_or_null};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[ROUTES];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[ANSWERS];

const ROUTES: &[Row] = &[
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..get(
            "administration",
            "show_archive",
            "/archive",
            "Show how much the archive holds and how many changes wait for it",
            "Archive",
        )
    },
    Row {
        may: "audit",
        scope: Scope::Audit,
        ..get(
            "administration",
            "show_archived_change",
            "/changes/{key}/archive",
            "Show which segment of the archive holds a change; the segment is opened and its digest compared",
            "ArchivedChange",
        )
    },
];

const ANSWERS: &[Shape] = &[
    shape(
        "Archive",
        "What the archive holds.",
        &[
            integer_or_null(
                "after_days",
                "After how many days since it was last saved an ended change moves; null while the archive is off.",
            )
            .needed(),
            integer("changes", 0, i64::MAX, "Changes.").needed(),
            integer("segments", 0, i64::MAX, "Segments.").needed(),
            integer("bytes", 0, i64::MAX, "Bytes of the segments.").needed(),
            integer("bytes_opened", 0, i64::MAX, "The same before compression.").needed(),
            time_or_null("moved_at", "When changes last moved.").needed(),
            integer("waiting", 0, i64::MAX, "Changes that are due, counted up to 10,000.").needed(),
            boolean("is_more_waiting", "Whether more are due than were counted.").needed(),
        ],
    ),
    shape(
        "ArchivedChange",
        "Where a change is kept.",
        &[
            text("key", LINE, "The change.").needed(),
            free_or_null(
                "held",
                "The segment that holds it, null while it is in its rows: `segment` (digest of its bytes), `bytes`, \
                 `bytes_opened`, `is_in_file`, `is_in_bucket`, `archived_at`, how many `changes` it holds, and how many `records` and `texts` of \
                 this one.",
            )
            .needed(),
        ],
    ),
];
