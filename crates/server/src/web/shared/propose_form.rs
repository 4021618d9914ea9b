//! Forms of acts that need two people: they have a field for the reason, and with a reason they propose instead of doing the
//! act.

use acts::policy::propose_ownership;
use model::core::body::Body;
use model::directory::two_people;
use pages::{ActForm, Field};
use serde_json::json;

use crate::web::shared::view::View;

/// The same form with a field for the reason, where changes to decision rights need two people: with a reason the act is
/// proposed.
pub(crate) fn with_reason_field(view: &View<'_, '_, '_>, form: ActForm) -> ActForm {
    if !two_people::is_by_two(&view.directory, view.now()) {
        return form;
    }
    let hint = "With a reason it is proposed, and another person puts it in force on the page Policies. Edits that do not \
                affect decisions need no reason.";
    form.field(Field::text("reason", "Why").hint(hint))
}

/// Proposes a row of a list of proposals, if the form gives a reason; else runs `act`.
pub(crate) fn propose_or<T>(
    cx: &mut acts::Context<'_, '_>,
    (list, mut row): (&str, Body),
    act: impl FnOnce(&mut acts::Context<'_, '_>, &Body) -> acts::Result<T>,
) -> acts::Result<()> {
    match row.remove("reason") {
        None => act(cx, &row).map(drop),
        Some(reason) => {
            let mut proposal = Body::new();
            proposal.insert(list.to_owned(), json!([row]));
            proposal.insert("reason".to_owned(), reason);
            propose_ownership::propose_ownership(cx, &proposal).map(drop)
        }
    }
}
