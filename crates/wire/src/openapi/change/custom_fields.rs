//! Routes and shapes of the fields that a tenant adds to its changes.

use model::core::enums::{FieldKind, Kind};
use model::core::parse::LINE;

use crate::openapi::rows::{Row, delete, get, list, post};
use crate::openapi::shapes::{Shape, all, boolean, shape, text, texts, time, word, words};

/// Every table of this file.
pub(crate) const TABLES: &[&[Row]] = &[FIELDS];

/// Every shape of this file.
pub(crate) const SHAPES: &[&[Shape]] = &[BODIES];

const FIELDS: &[Row] = &[
    list(
        "directory",
        "list_custom_fields",
        "/custom-fields",
        "List the fields that the tenant added to its changes",
        "CustomField",
    ),
    post(
        "directory",
        "set_custom_field",
        "/custom-fields",
        "Add a field to changes, or change one",
        "CustomFieldInput",
        "CustomField",
    ),
    get(
        "directory",
        "show_custom_field",
        "/custom-fields/{key}",
        "Show a field",
        "CustomField",
    ),
    delete(
        "directory",
        "end_custom_field",
        "/custom-fields/{key}",
        "Take a field out of use; what changes say in it stays",
        "CustomField",
    ),
];

const BODIES: &[Shape] = &[
    shape(
        "CustomFieldBasics",
        "What both requests and answers tell of a field.",
        &[
            text("key", 40, "By what `custom_fields` of a change names it.").needed(),
            text("name", 60, "The words above it.").needed(),
            text("description", LINE, "One sentence that helps to fill it in."),
            word("holds", all!(FieldKind), "What it holds; never changes.").needed(),
            texts("choices", 60, "For a choice: 2 to 50 to choose from."),
            words(
                "kinds",
                all!(Kind),
                "The kinds of change that have it; all unless said.",
            ),
        ],
    ),
    shape(
        "CustomFieldInput",
        "A field of changes. At most 20 are in use, and at most 3 are needed of one kind of change.",
        &[boolean(
            "is_needed",
            "Whether changes that are written from now on cannot be submitted without it.",
        )],
    )
    .based_on(&["CustomFieldBasics"]),
    shape(
        "CustomField",
        "A field of changes.",
        &[
            time("needed_since", "Since when changes cannot be submitted without it."),
            boolean("is_over", "Whether it is out of use."),
        ],
    )
    .based_on(&["CustomFieldBasics", "Stored"]),
];
