//! A printed emergency card, and the page of the acts while no server could be reached.

use acts::core::noun;
use acts::emergency::set_emergency_card::print_card;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::emergency::emergency_use::EmergencyUse;
use pages::{ActForm, Cell, Column, Fold, Place, RecordPage, Rich, Section, SectionBody, Table};
use store::{Lane, Mode};

use crate::api::emergency::cards::drawn;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, problem, show};

/// The drawing, for the printer. Drawing is an act, because the owner of the drawing can use the card.
pub(crate) async fn print(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let draw = move |cx: &mut acts::Context<'_, '_>| {
        let (card, token) = print_card(cx, &id)?;
        drawn(cx, &card, &token)
    };
    match state.act(Lane::Acts, &visitor.caller, Mode::Write, draw).await {
        Ok(svg) => {
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (StatusCode::OK, headers, svg).into_response()
        }
        Err(failure) => {
            let back = format!("{}/emergency-cards", visitor.base());
            if failure.problem.code == "step_up_required" {
                return see(&format!("{}/step-up?next={}", visitor.base(), escaped(&back)));
            }
            problem(&state, &visitor, &failure, &back).await
        }
    }
}

/// The page of uses.
pub(crate) async fn show_uses(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Home, uses).await
}

fn uses(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    let found = noun::list::<EmergencyUse>(view.cx)?;
    let rows = found.iter().map(|used| row(view, used)).collect();
    let table = Table {
        caption: "Offline work".to_owned(),
        columns: vec![
            Column::new("Done", Fold::Never),
            Column::new("Service", Fold::Under).named(),
            Column::new("Environment", Fold::Under).named(),
            Column::new("By", Fold::Under).named(),
            Column::new("Differences", Fold::Under).named(),
        ],
        rows,
        ..Table::default()
    };
    let mut section = Section::new("uses", "Offline work", SectionBody::Table(table));
    section.unsaid = "Nothing was done without the server.".to_owned();
    let mut page = RecordPage {
        title: "Offline work".to_owned(),
        byline: Rich::from(
            "Work done while no server could be reached, reported afterwards with the differences. Each use becomes an action item of the owners of its service.",
        ),
        sections: vec![section],
        ..RecordPage::default()
    };
    page.acts
        .push(ActForm::link("Emergency cards", view.url("/emergency-cards")));
    page.frame = view.frame.clone();
    Ok(page.render())
}

fn row(view: &View<'_, '_, '_>, used: &EmergencyUse) -> Vec<Cell> {
    vec![
        Cell::Text(view.moment(used.done_at)),
        Cell::Text(Rich::new().code(used.service.as_str())),
        Cell::Text(Rich::new().code(used.environment.as_str())),
        Cell::said(used.said_by.as_str()),
        Cell::Text(Rich::new().code(used.differences.join(", "))),
    ]
}
