//! The empty form of a change: from nothing, or after a template.

use axum::extract::{Query, State};
use axum::response::Response;
use model::act::Act as Verb;
use model::words::Kind;
use pages::{NINE, Place};

use super::after_template;
use super::edit::{Back, asked, empty_fields, new_page_of};
use super::own_fields::needed;
use super::view::{View, Visitor, show};
use crate::state::AppState;

/// What the address asks for: the template that the change follows.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Begin {
    after: Option<String>,
}

/// The empty form.
pub(super) async fn new_form(State(state): State<AppState>, visitor: Visitor, Query(begin): Query<Begin>) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        view.room.allow(Verb::Create.as_str())?;
        new_page(view, begin.after.as_deref().unwrap_or_default(), None)
    })
    .await
}

/// The page, empty or as it came back.
pub(super) fn new_page(view: &mut View<'_, '_, '_>, after: &str, back: Option<&Back>) -> acts::Result<String> {
    let directory = view.directory.clone();
    let mut fields = empty_fields(view);
    fields.retrospective = true;
    let Some(template) = after_template::approved(&directory, after) else {
        let usual = NINE.iter().map(|name| (*name).to_owned());
        let usual: Vec<String> = usual.chain(needed(&view.directory, Kind::Normal)).collect();
        fields.asked = asked(back, &usual);
        fields.fits = super::slots::of_new(view, &fields, back)?;
        return Ok(new_page_of(view, fields, back).render());
    };
    after_template::fill(view, template, &mut fields);
    fields.asked = asked(back, &fields.asked);
    fields.fits = super::slots::of_new(view, &fields, back)?;
    let count = fields.asked.len();
    let mut page = new_page_of(view, fields, back);
    after_template::tell(view, template, &mut page, count);
    Ok(page.render())
}
