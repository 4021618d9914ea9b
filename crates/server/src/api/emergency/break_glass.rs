//! Break-glass, work that is recorded afterwards, and the register of both.

use acts::emergency::{break_glass, verbs};
use model::emergency::records::BreakGlassUse;

use crate::api::shared::change_replies::{act, moved};
use crate::api::shared::records::all;
use crate::http::route::Route;

/// Break-glasses.
pub(crate) const ROUTES: &[Route] = &[
    act!("break_glass", break_glass::break_glass),
    act!("cosign_break_glass", verbs::cosign_break_glass),
    act!("validate_break_glass", verbs::validate_break_glass),
    act!("confirm_retrospective", verbs::confirm_retrospective),
    Route::reads("list_break_glasses", all::<BreakGlassUse>),
];
