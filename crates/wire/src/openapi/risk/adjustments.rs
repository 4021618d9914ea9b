//! Route and shape of the decision about a quarterly adjustment; the adjustments themselves are on a card.

use model::core::parse::{LINE, TEXT};

use crate::openapi::rows::{Row, post};
use crate::openapi::shapes::{Shape, boolean, shape, text};

/// The route.
pub(crate) const ROUTES: &[Row] = &[post(
    "administration",
    "decide_risk_adjustment",
    "/risk-adjustments/{key}/decisions",
    "Adopt a quarterly adjustment, which proposes its rules, or decline it",
    "RiskAdjustmentDecisionInput",
    "RiskAdjustment",
)
.may("set_policy")];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[shape(
    "RiskAdjustmentDecisionInput",
    "A decision about a quarterly adjustment.",
    &[
        boolean(
            "adopted",
            "true proposes its risk table and its values of parameters, which another person puts in force; false declines it.",
        )
        .needed(),
        text("reason", TEXT, "Why.").needed(),
        text(
            "configuration",
            LINE,
            "The id of a set of policies or a risk table that is adopted in place of the proposed one.",
        ),
    ],
)];
