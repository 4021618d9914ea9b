//! The route and shapes of the import of another system's past.

use model::core::parse::LINE;
use model::integration::imported_change::{MOST_ROWS, MOST_TEXT};

use crate::openapi::rows::{Row, post};
use crate::openapi::shapes::{Shape, boolean, integer, objects, shape, text};

const MOST: i64 = MOST_ROWS as i64;

/// The route.
pub(crate) const ROUTES: &[Row] = &[Row {
    status: 200,
    ..post(
        "administration",
        "import_history",
        "/history-imports",
        "Import changes of another system's past as reported later, or try to",
        "HistoryImportInput",
        "HistoryImport",
    )
    .may("set_connection")
}];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "HistoryImportInput",
        "Changes of another system's past.",
        &[
            text("source", 64, "The system that they come from, such as servicenow.").needed(),
            text("format", 10, "csv or json; csv unless set."),
            text(
                "text",
                MOST_TEXT,
                "The table or the list of objects, with at most 2,000 rows.",
            )
            .needed(),
            boolean("dry_run", "Whether nothing is written and only told what is wrong."),
        ],
    ),
    shape(
        "HistoryImport",
        "What an import came to, or would come to.",
        &[
            integer("added", 0, MOST, "How many rows are new.").needed(),
            integer("known", 0, MOST, "How many were imported before.").needed(),
            objects("problems", "HistoryProblem", "What is wrong; only of a dry run.").needed(),
        ],
    ),
    shape(
        "HistoryProblem",
        "What is wrong with a row.",
        &[
            integer(
                "line",
                1,
                i64::MAX,
                "The line on which it begins, or its number in a list.",
            )
            .needed(),
            text("field", LINE, "The field.").needed(),
            text("code", LINE, "A stable code.").needed(),
            text("text", 1_000, "What is wrong, and how it is mended.").needed(),
        ],
    ),
];
