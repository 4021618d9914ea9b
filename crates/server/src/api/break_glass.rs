//! Break-glasses, work that is told afterwards, and the register of both.

use model::emergency::GlassUse;

use super::change_replies::{act, moved};
use super::records::all;
use crate::route::Route;

/// Break-glasses.
pub(crate) const ROUTES: &[Route] = &[
    act!(
        "/changes/{key}/break-glass",
        "Starts without approvals, in the open.",
        acts::break_glass::break_glass
    ),
    act!(
        "/changes/{key}/break-glass/co-signature",
        "Signs a break-glass as the second person.",
        acts::emergency_verbs::cosign_break_glass
    ),
    act!(
        "/changes/{key}/break-glass/validation",
        "Validates a break-glass afterwards.",
        acts::emergency_verbs::validate_break_glass
    ),
    act!(
        "/changes/{key}/retrospective/confirmation",
        "Confirms or denies work told afterwards.",
        acts::emergency_verbs::confirm_retrospective
    ),
    Route::get(
        "/break-glasses",
        "Lists break-glasses, with the budgets of teams.",
        all::<GlassUse>,
    ),
];
