//! Break-glasses, work that is told afterwards, and the register of both.

use model::glass::GlassUse;

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
        acts::cosign_break_glass::cosign_break_glass
    ),
    act!(
        "/changes/{key}/break-glass/validation",
        "Validates a break-glass afterwards.",
        acts::validate_break_glass::validate_break_glass
    ),
    act!(
        "/changes/{key}/retrospective/confirmation",
        "Confirms or denies work told afterwards.",
        acts::confirm_retrospective::confirm_retrospective
    ),
    Route::get(
        "/break-glasses",
        "Lists break-glasses, with the budgets of teams.",
        all::<GlassUse>,
    ),
];
