//! Templates of standard changes.

use acts::change::set_template;
use model::core::enums::TemplateState;
use wire::views;

use crate::api::shared::records::{keyed, known, new_one, one, set, tagged};
use crate::http::route::Route;
use model::core::refusal::Refusal;

/// Templates.
pub(crate) const ROUTES: &[Route] = &[
    known!("/templates", "Lists standard templates.", |it| {
        it.templates
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    set!(
        "/templates",
        "Proposes a template, or a new version.",
        set_template::propose_template
    ),
    one!(
        "/templates/{key}",
        "Shows a standard template.",
        "template",
        |it, key| it.templates.get(key)
    ),
    Route::post(
        "/templates/{key}/approvals",
        "Approves the proposed version.",
        |cx, ask| {
            let made = set_template::approve_template(cx, ask.place(0), &ask.body)?;
            new_one(cx, &made)
        },
    ),
    Route::post("/templates/{key}/suspension", "Suspends a template.", |cx, ask| {
        let made = set_template::end_template(cx, ask.place(0), &ask.body, TemplateState::Suspended)?;
        new_one(cx, &made)
    }),
    Route::post("/templates/{key}/retirement", "Retires a template.", |cx, ask| {
        let made = set_template::end_template(cx, ask.place(0), &ask.body, TemplateState::Retired)?;
        new_one(cx, &made)
    }),
];
