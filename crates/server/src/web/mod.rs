//! The pages for people: everything under `/t/{tenant}/`, rendered on the server.
//!
//! A page is one act in `Mode::Read` on the pages' lane; a form is the same act as the API's, with its fields read into
//! the same JSON object. What a person may do is asked from `acts`; this folder draws the answer.

mod access_reviews;
mod account;
mod act;
mod acts_open;
mod admin;
mod affected;
mod after_template;
mod assets;
mod audit;
mod away;
mod back;
mod begin;
mod boards;
mod brief;
mod bulk;
mod by_two;
mod calendar;
mod change;
mod change_query;
mod changes;
mod collide;
mod conflict;
mod copy;
mod counts;
mod deliveries;
mod door;
mod edit;
mod edit_fields;
mod estate;
mod evidence;
mod evidence_list;
mod export;
mod factor_sections;
mod factors;
mod feed;
mod fields;
mod form;
mod gate;
mod gateways;
mod held;
mod help;
mod home;
mod home_board;
mod home_roles;
mod incidents;
mod labels;
mod languages;
mod live;
mod log_entry;
mod log_filter;
pub(crate) mod mail;
mod messages;
mod moments;
mod narrow;
mod once;
mod orders;
mod own_fields;
mod passkeys;
mod people;
mod permit_file;
mod phrases;
mod plan_steps;
mod policies;
mod problem;
mod propose;
mod proposed;
mod providers;
mod refused;
mod response;
mod retention;
mod review_draft;
mod rights;
mod runbook;
mod sample;
mod saved;
mod sections;
mod session;
mod slots;
mod spans;
mod step_up;
mod success;
mod telling;
mod templates;
mod times;
mod tokens;
mod told;
mod trial;
mod two_edits;
mod unread;
mod view;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};

use crate::body::FORM_LIMIT;
use crate::plain::{get, plain, post};
use crate::state::AppState;

/// The routes of all pages.
pub fn routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/", get(session::front))
        .route("/sign-in", get(session::front_form).post(plain(session::front_go)))
        .route("/assets/{name}", get(assets::serve))
        .merge(session_routes())
        .merge(change_routes())
        .merge(estate_routes())
        .merge(other_routes())
        .merge(admin_routes())
        .method_not_allowed_fallback(help::form_alone)
        .layer(DefaultBodyLimit::max(FORM_LIMIT as usize))
        .layer(from_fn_with_state(state.clone(), held::hold))
        .layer(from_fn(unread::refuse))
        .layer(from_fn_with_state(state.clone(), languages::speak))
}

fn session_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/sign-in", get(session::form).post(plain(session::go)))
        .route("/t/{tenant}/sign-in/{provider}", get(providers::out))
        .route("/t/{tenant}/sign-in/{provider}/callback", get(providers::back))
        .route("/t/{tenant}/sign-out", post(session::out))
        .route("/t/{tenant}/step-up/{provider}", get(providers::step_up))
        .route("/t/{tenant}/step-up", get(step_up::form).post(plain(step_up::go)))
        .route("/t/{tenant}/account", get(account::show_account))
        .route("/t/{tenant}/away", get(away::show_away))
        .route("/t/{tenant}/away/absences", post(away::set_absence))
        .route("/t/{tenant}/away/absences/{id}/end", post(away::end_absence))
        .route("/t/{tenant}/away/delegations", post(away::set_delegation))
        .route("/t/{tenant}/away/delegations/{id}/end", post(away::end_delegation))
        .route(
            "/t/{tenant}/telling",
            get(telling::show_telling).post(plain(telling::set_telling)),
        )
        .route("/t/{tenant}/account/password", post(account::set_password))
        .route("/t/{tenant}/account/sessions/others", post(factors::end_others))
        .route("/t/{tenant}/account/factors", post(factors::begin))
        .route("/t/{tenant}/account/factors/{id}/confirmation", post(factors::confirm))
        .route("/t/{tenant}/account/factors/{id}/removal", post(factors::remove))
        .route("/t/{tenant}/account/recovery-codes", post(factors::renew))
        .route("/t/{tenant}/account/passkeys", post(passkeys::begin))
        .route("/t/{tenant}/account/passkeys/confirmation", post(passkeys::confirm))
        .route("/t/{tenant}/passkey", get(passkeys::door).post(plain(passkeys::enter)))
        .route(
            "/t/{tenant}/passkey/step-up",
            get(passkeys::ask).post(plain(passkeys::step_up)),
        )
}

fn change_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}", get(home::short))
        .route("/t/{tenant}/", get(home::show_home))
        .route(
            "/t/{tenant}/changes",
            get(changes::show_list).post(plain(begin::create)),
        )
        .route("/t/{tenant}/changes.csv", get(export::csv))
        .route("/t/{tenant}/changes.xlsx", get(export::xlsx))
        .route("/t/{tenant}/changes/bulk", get(bulk::ask).post(plain(bulk::act)))
        .route("/t/{tenant}/views", post(saved::save))
        .route("/t/{tenant}/views/removal", post(saved::remove))
        .route("/t/{tenant}/views/sharing", post(saved::share))
        .route("/t/{tenant}/changes/new", get(begin::new_form))
        .route("/t/{tenant}/changes/{key}", get(change::show))
        .route(
            "/t/{tenant}/changes/{key}/edit",
            get(edit::edit_form).post(plain(edit::edit)),
        )
        .route("/t/{tenant}/changes/{key}/clone", get(copy::clone_form))
        .route("/t/{tenant}/changes/{key}/affected", get(affected::show_affected))
        .route("/t/{tenant}/changes/{key}/runbook", get(runbook::show_runbook))
        .route(
            "/t/{tenant}/changes/{key}/evidence",
            post(act::evidence).layer(DefaultBodyLimit::disable()),
        )
        .route("/t/{tenant}/changes/{key}/permit-file", post(permit_file::fetch))
        .route("/t/{tenant}/changes/{key}/{*act}", get(act::away).post(plain(act::act)))
}

fn estate_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/calendar", get(calendar::calendar))
        .route("/t/{tenant}/calendar/propose", get(propose::propose))
        .route(
            "/t/{tenant}/calendar/feed",
            get(feed::show_feeds).post(plain(feed::make)),
        )
        .route("/t/{tenant}/calendar/feed/{id}/revocation", post(feed::revoke))
        .route("/t/{tenant}/feed/{name}", get(feed::calendar))
        .route(
            "/t/{tenant}/windows",
            get(times::calendar).post(plain(times::set_window)),
        )
        .route(
            "/t/{tenant}/windows/{id}",
            get(spans::window).post(plain(spans::edit_window)),
        )
        .route("/t/{tenant}/windows/{id}/end", post(times::end_window))
        .route(
            "/t/{tenant}/freezes",
            get(times::freezes).post(plain(times::set_freeze)),
        )
        .route(
            "/t/{tenant}/freezes/{id}",
            get(spans::freeze).post(plain(spans::edit_freeze)),
        )
        .route("/t/{tenant}/freezes/{id}/end", post(times::end_freeze))
        .route("/t/{tenant}/freezes/{id}/exceptions", post(times::except))
        .route(
            "/t/{tenant}/freezes/{id}/exceptions/{change}/end",
            post(times::withdraw_exception),
        )
        .route(
            "/t/{tenant}/services",
            get(estate::services).post(plain(estate::set_service)),
        )
        .route("/t/{tenant}/services/{key}", get(estate::service))
        .route("/t/{tenant}/services/{key}/watchers", post(estate::watch))
        .route("/t/{tenant}/services/{key}/watchers/end", post(estate::unwatch))
        .route("/t/{tenant}/services/{key}/ownerships", post(estate::set_ownership))
        .route(
            "/t/{tenant}/incidents",
            get(incidents::incidents).post(plain(incidents::open_incident)),
        )
        .route(
            "/t/{tenant}/incidents/{key}",
            get(incidents::incident).post(plain(incidents::edit_incident)),
        )
        .route(
            "/t/{tenant}/templates",
            get(templates::show_list).post(plain(templates::propose)),
        )
        .route("/t/{tenant}/templates/{key}", get(templates::one))
        .route("/t/{tenant}/templates/{key}/{act}", post(templates::act))
}

fn other_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/gate-checks", get(gate::list))
        .route("/t/{tenant}/gate-checks/{id}", get(gate::one))
        .route("/t/{tenant}/audit", get(audit::log))
        .route("/t/{tenant}/audit/events/{id}", get(log_entry::show_entry))
        .route("/t/{tenant}/audit/sample", get(sample::sample))
        .route("/t/{tenant}/audit/verify/{key}", get(sample::verify))
        .route("/t/{tenant}/deliveries", get(deliveries::deliveries))
        .route("/t/{tenant}/figures/ended", get(success::show_ended))
        .route("/t/{tenant}/gateways", get(gateways::gateways))
        .route("/t/{tenant}/messages", get(messages::messages))
        .route(
            "/t/{tenant}/people",
            get(people::show_people).post(plain(people::create)),
        )
        .route("/t/{tenant}/people/{login}/{act}", post(people::act))
        .route(
            "/t/{tenant}/access-reviews",
            get(access_reviews::show_list).post(plain(access_reviews::begin)),
        )
        .route("/t/{tenant}/access-reviews/{id}", get(access_reviews::one))
        .route("/t/{tenant}/access-reviews/{id}/signature", post(access_reviews::sign))
        .route("/t/{tenant}/rights", get(rights::show_rights))
        .route(
            "/t/{tenant}/tokens",
            get(tokens::tokens).post(plain(tokens::create_token)),
        )
        .route("/t/{tenant}/tokens/{id}/revocation", post(tokens::revoke_token))
        .route("/t/{tenant}/live", get(live::stream))
        .route("/t/{tenant}/policies", get(policies::show_policies))
        .route("/t/{tenant}/policies/trial", post(trial::try_set))
        .route("/t/{tenant}/policies/proposal", post(trial::propose))
        .route("/t/{tenant}/policies/{id}/{act}", post(policies::act))
        .route("/t/{tenant}/help", get(help::show_help))
        .route("/t/{tenant}/components", get(help::components))
        .route("/t/{tenant}/{*rest}", get(help::nothing))
}

fn admin_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/connections",
            get(admin::connections::show_list).post(plain(admin::connections::create)),
        )
        .route("/t/{tenant}/connections/{id}", get(admin::connections::one))
        .route("/t/{tenant}/connections/{id}/{act}", post(admin::connections::act))
        .route(
            "/t/{tenant}/workloads",
            get(admin::workloads::show_list).post(plain(admin::workloads::create)),
        )
        .route(
            "/t/{tenant}/workloads/{key}",
            get(admin::workloads::one).post(plain(admin::workloads::change)),
        )
        .route("/t/{tenant}/workloads/{key}/end", post(admin::workloads::end))
        .route(
            "/t/{tenant}/webhooks",
            get(admin::webhooks::show_list).post(plain(admin::webhooks::create)),
        )
        .route("/t/{tenant}/webhooks/{id}", get(admin::webhooks::one))
        .route("/t/{tenant}/webhooks/{id}/{act}", post(admin::webhooks::act))
        .route(
            "/t/{tenant}/identity-providers",
            get(admin::providers::show_list).post(plain(admin::providers::set)),
        )
        .route("/t/{tenant}/identity-providers/{key}/end", post(admin::providers::end))
        .route(
            "/t/{tenant}/ownership",
            get(admin::ownership::show_matrix).post(plain(admin::ownership::name)),
        )
        .route("/t/{tenant}/ownership/{id}/end", post(admin::ownership::end))
        .route(
            "/t/{tenant}/hours",
            get(admin::hours::show_hours).post(plain(admin::hours::set)),
        )
        .route(
            "/t/{tenant}/fields",
            get(admin::fields::show_fields).post(plain(admin::fields::set)),
        )
        .route("/t/{tenant}/fields/{key}/end", post(admin::fields::end))
        .route("/t/{tenant}/keys", get(admin::keys::show_keys))
}
