//! The form by which two people open the gate of a change again that a finding about the log closed.

use model::change::record::Change;
use model::core::enums::Role;
use pages::{ActForm, ActTone, Field};

use crate::web::shared::view::View;

/// The form, where the gate is closed for this change and the reader has one of the roles.
pub(crate) fn acts(view: &View<'_, '_, '_>, change: &Change, change_url: &str) -> Vec<ActForm> {
    let closed = view.cx.services.closed();
    let is_closed = closed.is_closed(&view.cx.tenant(), change.id.as_str());
    let roles = [Role::ChangeManager, Role::Auditor, Role::Security];
    let has_role = roles.iter().any(|role| view.directory.has_role(&view.me, *role));
    if !is_closed || !has_role {
        return Vec::new();
    }
    let waits = change.gate_reopenings.iter().any(|row| row.agreed.is_none());
    let (label, submit) = match waits {
        true => ("Agree to open the gate again", "Agree"),
        false => ("Ask to open the gate again", "Ask"),
    };
    let form = ActForm::new("reopen-gate", label, format!("{change_url}/gate-reopenings"))
        .tone(ActTone::Link)
        .field(
            Field::textarea("text", "What explains the finding")
                .hint("Reopening needs a change manager and a member of security or audit.")
                .required(),
        )
        .submit(submit);
    vec![form]
}
