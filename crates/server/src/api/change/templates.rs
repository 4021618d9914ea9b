//! Templates of standard changes.

use acts::change::set_template;
use model::core::enums::TemplateState;
use wire::views;

use crate::api::shared::records::{keyed, known, new_one, one, set, tagged};
use crate::http::route::Route;
use model::core::refusal::Refusal;

/// Templates.
pub(crate) const ROUTES: &[Route] = &[
    known!("list_templates", |it| {
        it.templates
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    set!("propose_template", set_template::propose_template),
    one!("show_template", "template", |it, key| it.templates.get(key)),
    Route::writes("approve_template", |cx, ask| {
        let made = set_template::approve_template(cx, ask.place(0), &ask.body)?;
        new_one(cx, &made)
    }),
    Route::writes("suspend_template", |cx, ask| {
        let made = set_template::end_template(cx, ask.place(0), &ask.body, TemplateState::Suspended)?;
        new_one(cx, &made)
    }),
    Route::writes("retire_template", |cx, ask| {
        let made = set_template::end_template(cx, ask.place(0), &ask.body, TemplateState::Retired)?;
        new_one(cx, &made)
    }),
];
