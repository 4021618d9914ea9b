//! Routes and shapes of action items beside those of their card: the list with its filters, and the acts of people on one.

use model::core::parse::LINE;
use model::notify::action_item::TEXT;

use crate::openapi::Param;
use crate::openapi::rows::{Row, list, post};
use crate::openapi::shapes::{Shape, Words, shape, text, word};

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        may: "read",
        params: &[
            Param::new(
                "whose",
                "`mine`, `team` (of your groups) or `unowned` (the change managers'); everybody's unless set.",
            ),
            Param::new("owner", "Only of this owner: a login."),
            Param::new("group", "Only of this group: its key."),
            Param::new("state", "Only in this state."),
            Param::new("open", "`true`: only what is still to be done."),
            Param::new("kind", "Only of this kind."),
            Param::new("about_kind", "Only about records of this kind."),
            Param::new("about", "Only about the record with this key."),
            Param::new("overdue", "`true`: only what is overdue."),
        ],
        ..list(
            "action items",
            "list_action_items",
            "/action-items",
            "List action items, the oldest first",
            "ActionItem",
        )
    },
    post(
        "action items",
        "acknowledge_action_item",
        "/action-items/{key}/acknowledgement",
        "Acknowledge an action item: its owner has seen it",
        "ActionItemAcknowledgement",
        "ActionItem",
    )
    .may("read"),
    post(
        "action items",
        "assign_action_item",
        "/action-items/{key}/assignment",
        "Give an action item another owner",
        "ActionItemAssignment",
        "ActionItem",
    )
    .may("read"),
    post(
        "action items",
        "settle_action_item",
        "/action-items/{key}/settlement",
        "Settle an action item with a reason. One with a condition is settled by that alone",
        "ActionItemSettlement",
        "ActionItem",
    )
    .may("read"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape("ActionItemAcknowledgement", "Nothing is stated with it.", &[]),
    shape(
        "ActionItemAssignment",
        "The new owner: a person or a group.",
        &[
            text("owner", LINE, "Who has to do it: a login."),
            text("group", LINE, "Or the key of the group that has to do it."),
        ],
    ),
    shape(
        "ActionItemSettlement",
        "What came of it.",
        &[
            word(
                "state",
                Words::These(&["done", "dismissed"]),
                "`done`, or `dismissed` where nothing is to be done.",
            )
            .needed(),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
];
