//! The page behind the link of a letter to a customer: its reader opts out, and back in. The link is the key: there is no session, and
//! fetching it changes nothing.

use acts::Context;
use acts::notify::set_customer_list::{CustomerLetter, find_customer_letter, opt_in, opt_out};
use axum::extract::{Path, State};
use axum::response::Response;
use model::change::change_file::Actor;
use pages::{ActForm, Frame, RecordPage, Rich};
use store::{Lane, Mode};

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::shared::problem::bare_problem;
use crate::web::shared::response::{ASSETS, base, html};

/// The parts of a link: the tenant, the letter and its code.
type Link = (String, String, String);
/// The act of a form of the page.
type Does = fn(&mut Context<'_, '_>, &str, &str) -> acts::Result<()>;

/// The page.
pub(crate) async fn show(State(state): State<AppState>, Path(link): Path<Link>) -> Response {
    answer(&state, link, None).await
}

/// Takes the reader's address off every list. Mail programs send the same request by themselves (RFC 8058), so its body is not read.
pub(crate) async fn leave(State(state): State<AppState>, Path(link): Path<Link>) -> Response {
    answer(&state, link, Some(opt_out)).await
}

/// Puts the reader's address back.
pub(crate) async fn come_back(State(state): State<AppState>, Path(link): Path<Link>) -> Response {
    answer(&state, link, Some(opt_in)).await
}

async fn answer(state: &AppState, (tenant, letter, code): Link, does: Option<Does>) -> Response {
    let absent = || Failure::new(404, "not_found", "There is no such letter.");
    if store::check_tenant(&tenant).is_err() {
        return bare_problem(&absent());
    }
    let page = format!("{}/customer-letters/{letter}/{code}", base(&tenant));
    let (lane, mode) = match does {
        Some(_) => (Lane::Acts, Mode::Write),
        None => (Lane::Pages, Mode::Read),
    };
    let act = move |cx: &mut Context<'_, '_>| {
        if let Some(does) = does {
            does(cx, &letter, &code)?;
        }
        find_customer_letter(cx, &letter, &code)
    };
    match state.act_as(lane, &tenant, Actor::system(), mode, act).await {
        Ok(found) => html(200, rendered(&tenant, &page, found)),
        Err(failure) if matches!(failure.status(), 401 | 403 | 404) => bare_problem(&absent()),
        Err(failure) => bare_problem(&failure),
    }
}

fn rendered(tenant: &str, page: &str, found: CustomerLetter) -> String {
    let (said, form) = match (found.is_told, found.has_left) {
        (true, _) => (
            "You get letters about disruptions of services that you use.",
            ActForm::new("leave", "No more letters", page),
        ),
        // Somebody took them off: they may still say that nobody is to put them back.
        (false, false) => (
            "You are not on any list of recipients at present.",
            ActForm::new("leave", "No more letters", page),
        ),
        (false, true) => (
            "You no longer get letters about disruptions.",
            ActForm::new("come-back", "Get letters again", format!("{page}/return")),
        ),
    };
    let page = RecordPage {
        frame: Frame {
            tenant: found.tenant,
            base: base(tenant),
            assets: ASSETS.to_owned(),
            is_public: true,
            ..Frame::default()
        },
        title: "Letters about disruptions".to_owned(),
        byline: Rich::from(said),
        acts: vec![form],
        ..RecordPage::default()
    };
    page.render()
}
