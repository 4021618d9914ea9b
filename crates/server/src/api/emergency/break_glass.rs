//! Break-glasses, work that is told afterwards, and the register of both.

use acts::emergency::{break_glass, verbs};
use model::emergency::records::GlassUse;

use crate::api::shared::change_replies::{act, moved};
use crate::api::shared::records::all;
use crate::http::route::Route;

/// Break-glasses.
pub(crate) const ROUTES: &[Route] = &[
    act!(
        "/changes/{key}/break-glass",
        "Starts without approvals, in the open.",
        break_glass::break_glass
    ),
    act!(
        "/changes/{key}/break-glass/co-signature",
        "Signs a break-glass as the second person.",
        verbs::cosign_break_glass
    ),
    act!(
        "/changes/{key}/break-glass/validation",
        "Validates a break-glass afterwards.",
        verbs::validate_break_glass
    ),
    act!(
        "/changes/{key}/retrospective/confirmation",
        "Confirms or denies work told afterwards.",
        verbs::confirm_retrospective
    ),
    Route::get(
        "/break-glasses",
        "Lists break-glasses, with the budgets of teams.",
        all::<GlassUse>,
    ),
];
