//! The confirmation of a mandate of an auditor.

use acts::directory::set_audit_mandate;
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[Route::writes("confirm_audit_mandate", |cx, ask| {
    let given = set_audit_mandate::confirm_audit_mandate(cx, ask.place(0))?;
    Ok(Reply::created(views::shown(&given, &*cx.directory()?)))
})
.scope(Scope::Admin)];
