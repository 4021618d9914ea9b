//! Shapes of checklists and of planned undos.

use model::core::enums::ItemKind;
use model::core::parse::{LINE, TEXT};

use crate::openapi::shapes::{Shape, Words, all, boolean, free, frees, shape, text, texts, time, word};

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "ChecklistItem",
        "An item of the checklist.",
        &[
            text("title", LINE, "What to check.").needed(),
            text("rule", LINE, "The rule that brought it."),
            free("done", "Who ticked it: `by`, `at`, `text`. Absent until then."),
            word("kind", all!(ItemKind), "How it is checked; absent for a plain line that is ticked."),
            word(
                "state",
                Words::These(&["met", "waived", "open", "not_asked"]),
                "Of a typed item in the list: how it stands.",
            ),
            texts("owners", LINE, "Logins of who has it."),
            text("reason", TEXT, "Why its rule asks it."),
            text("lacks", TEXT, "What it still asks, in words."),
            frees(
                "agreed",
                "Who agreed that the change may go without it, as `part` `owner` or `security`, with `places`, `by`, `at` and `reason`.",
            ),
            text("agreed_what", LINE, "The digest of the content for which they agreed."),
        ],
    )
    .based_on(&["Item"]),
    shape(
        "UndoRecord",
        "How a planned undo ended.",
        &[
            boolean("done", "Whether it was done; otherwise it was called off.").needed(),
            time("occurred_at", "When.").needed(),
            boolean("late", "Whether that was after its time."),
            text("text", TEXT, "What was seen, or why it was called off."),
            text("by", LINE, "Who recorded it: a login.").needed(),
            time("at", "When it was recorded.").needed(),
        ],
    ),
];
