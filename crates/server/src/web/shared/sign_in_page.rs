//! The page on which people sign in to a tenant.

use acts::identity::set_passkey;
use model::change::change_file::Actor;
use pages::{ActForm, Field, Notice, SignIn, Tone};
use store::{Lane, Mode};

use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::identity::providers::ways_in;
use crate::web::shared::response::{ASSETS, base};

/// The tenant's name for the sign-in page; its key when there is no such tenant, so that the page does not reveal which tenants
/// exist.
async fn tenant_name(state: &AppState, tenant: &str) -> String {
    if store::check_tenant(tenant).is_err() {
        return tenant.to_owned();
    }
    let find = |cx: &mut acts::Context<'_, '_>| Ok(cx.directory()?.tenant.as_ref().map(|found| found.name.clone()));
    let found = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, find)
        .await;
    found.ok().flatten().unwrap_or_else(|| tenant.to_owned())
}

/// The field for the time zone of a browser: the script fills it in, because no request contains it.
pub(crate) fn zone_field() -> Field {
    Field::hidden("zone", "")
}

/// The sign-in page of a tenant, which remembers the requested page.
pub(crate) async fn door(state: &AppState, tenant: &str, next: &str) -> SignIn {
    let name = tenant_name(state, tenant).await;
    let mut page = SignIn::new(name, format!("{}/sign-in", base(tenant)), ASSETS);
    if !next.is_empty() {
        page.on_the_way = "You are then redirected to the page you requested.".to_owned();
        page.fields.push(Field::hidden("next", next));
    }
    page.fields.push(zone_field());
    page.other_ways = other_ways(state, tenant, next).await;
    if set_passkey::is_offered(state.public_url()) {
        page.passkey_url = with_next(format!("{}/passkey", base(tenant)), next);
    }
    page
}

/// An address that remembers where the reader was going.
pub(crate) fn with_next(url: String, next: &str) -> String {
    if next.is_empty() {
        return url;
    }
    format!("{url}?next={}", escaped(next))
}

/// A link for each identity provider.
async fn other_ways(state: &AppState, tenant: &str, next: &str) -> Vec<ActForm> {
    let ways = ways_in(state, tenant).await.into_iter();
    ways.map(|(key, name)| {
        let url = with_next(format!("{}/sign-in/{key}", base(tenant)), next);
        ActForm::new(&key, format!("Continue with {name}"), url)
    })
    .collect()
}

/// The sign-in page again, with the reason of the failure.
pub(crate) async fn door_with(state: &AppState, tenant: &str, failure: &Failure) -> SignIn {
    let mut page = door(state, tenant, "").await;
    page.notices
        .push(Notice::new(Tone::Stop, failure.problem.detail.clone()));
    page
}
