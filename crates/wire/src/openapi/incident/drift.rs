//! The route and the shape of a trial of drift rules; the nouns of drift have cards.

use crate::openapi::Param;
use crate::openapi::rows::{Row, get};
use crate::openapi::shapes::{Shape, free_or_null, objects, shape, text};

/// The route.
pub(crate) const ROUTES: &[Row] = &[Row {
    may: "set_connection",
    params: &[
        Param::new("connection", "The id of a connection."),
        Param::new("address", "An address as that connection reports it."),
    ],
    ..get(
        "estate",
        "try_drift_rules",
        "/drift-matches",
        "Show which rule maps an address of a drift report, and what is expected there",
        "DriftMatch",
    )
}];

/// The shape.
pub(crate) const SHAPES: &[Shape] = &[shape(
    "DriftMatch",
    "What the rules make of an address.",
    &[
        text("address", 512, "The address.").needed(),
        free_or_null(
            "rule",
            "The first rule that fits, as `DriftRule`; null where none does: then a finding has no service.",
        )
        .needed(),
        objects(
            "baselines",
            "DriftBaseline",
            "The baselines that silence an attribute there now.",
        )
        .needed(),
    ],
)];
