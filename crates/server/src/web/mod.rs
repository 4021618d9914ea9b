//! The pages for people: everything under `/t/{tenant}/`, rendered on the server.
//!
//! A page is one act in `Mode::Read` on the pages' lane; a form is the same act as the API's, with its fields read into the
//! same JSON object. The crate `acts` decides about permissions; this folder renders the result.

mod approval;
pub(crate) mod audit;
pub(crate) mod cab;
pub(crate) mod change;
mod compliance;
pub(crate) mod directory;
mod gate;
pub(crate) mod identity;
mod incident;
pub(crate) mod integration;
pub(crate) mod notify;
mod policy;
pub(crate) mod report;
mod risk;
pub(crate) mod schedule;
mod shared;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};

use crate::http::body::FORM_LIMIT;
use crate::http::handler::{get, plain, post};
use crate::http::state::AppState;

/// The routes of all pages.
pub fn routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/", get(identity::sign_in::front))
        .route(
            "/sign-in",
            get(identity::sign_in::front_form).post(plain(identity::sign_in::front_go)),
        )
        .route("/assets/{name}", get(shared::assets::serve))
        .merge(session_routes())
        .merge(change_routes())
        .merge(estate_routes())
        .merge(audit_routes())
        .merge(report_routes())
        .merge(board_routes())
        .merge(other_routes())
        .merge(emergency_routes())
        .merge(admin_routes())
        .merge(shared::noun_page::router())
        .method_not_allowed_fallback(shared::help::form_alone)
        .layer(DefaultBodyLimit::max(FORM_LIMIT as usize))
        .layer(from_fn_with_state(state.clone(), shared::resumed_form::hold))
        .layer(from_fn(shared::bad_address::refuse))
        .layer(from_fn_with_state(state.clone(), shared::languages::translate))
}

fn session_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/sign-in",
            get(identity::sign_in::form).post(plain(identity::sign_in::go)),
        )
        .route("/t/{tenant}/sign-in/{provider}", get(identity::provider_sign_in::out))
        .route(
            "/t/{tenant}/sign-in/{provider}/callback",
            get(identity::provider_sign_in::back),
        )
        .route(
            "/t/{tenant}/welcome",
            get(identity::welcome::form).post(plain(identity::welcome::go)),
        )
        .route("/t/{tenant}/sign-out", post(identity::sign_in::out))
        .route(
            "/t/{tenant}/step-up/{provider}",
            get(identity::provider_sign_in::step_up),
        )
        .route(
            "/t/{tenant}/step-up",
            get(shared::step_up::form).post(plain(shared::step_up::go)),
        )
        .route("/t/{tenant}/account", get(identity::account::show_account))
        .route("/t/{tenant}/away", get(approval::absences::show_away))
        .route("/t/{tenant}/away/absences", post(approval::absences::set_absence))
        .route(
            "/t/{tenant}/away/absences/{id}/end",
            post(approval::absences::end_absence),
        )
        .route("/t/{tenant}/away/delegations", post(approval::absences::set_delegation))
        .route(
            "/t/{tenant}/away/delegations/{id}/end",
            post(approval::absences::end_delegation),
        )
        .route(
            "/t/{tenant}/telling",
            get(notify::preferences::show_telling).post(plain(notify::preferences::set_telling)),
        )
        .route("/t/{tenant}/account/password", post(identity::account::set_password))
        .route(
            "/t/{tenant}/account/sessions/others",
            post(identity::factors::end_others),
        )
        .route("/t/{tenant}/account/factors", post(identity::factors::begin))
        .route(
            "/t/{tenant}/account/factors/{id}/confirmation",
            post(identity::factors::confirm),
        )
        .route(
            "/t/{tenant}/account/factors/{id}/removal",
            post(identity::factors::remove),
        )
        .route("/t/{tenant}/account/recovery-codes", post(identity::factors::renew))
        .route("/t/{tenant}/account/passkeys", post(identity::passkeys::begin))
        .route(
            "/t/{tenant}/account/passkeys/confirmation",
            post(identity::passkeys::confirm),
        )
        .route(
            "/t/{tenant}/passkey",
            get(identity::passkeys::door).post(plain(identity::passkeys::enter)),
        )
        .route(
            "/t/{tenant}/passkey/step-up",
            get(identity::passkeys::ask).post(plain(identity::passkeys::step_up)),
        )
}

fn change_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}", get(approval::home::short))
        .route("/t/{tenant}/", get(approval::home::show_home))
        .route(
            "/t/{tenant}/changes",
            get(change::list::show_list).post(plain(change::new_form::create)),
        )
        .route("/t/{tenant}/changes.csv", get(change::export::csv))
        .route("/t/{tenant}/changes.xlsx", get(change::export::xlsx))
        .route(
            "/t/{tenant}/changes/bulk",
            get(change::bulk::ask).post(plain(change::bulk::act)),
        )
        .route("/t/{tenant}/views", post(report::saved_views::save))
        .route("/t/{tenant}/views/removal", post(report::saved_views::remove))
        .route("/t/{tenant}/views/sharing", post(report::saved_views::share))
        .route("/t/{tenant}/picks/{kind}", get(shared::picks::find))
        .route("/t/{tenant}/changes/new", get(change::new_form::new_form))
        .route("/t/{tenant}/changes/new/draft", post(change::form_draft::save))
        .route(
            "/t/{tenant}/changes/new/draft/removal",
            post(change::form_draft::discard),
        )
        .route("/t/{tenant}/changes/{key}", get(change::page::show))
        .route(
            "/t/{tenant}/changes/{key}/edit",
            get(change::edit::edit_form).post(plain(change::edit::edit)),
        )
        .route("/t/{tenant}/changes/{key}/clone", get(change::copy::clone_form))
        .route("/t/{tenant}/changes/{key}/affected", get(risk::affected::show_affected))
        .route(
            "/t/{tenant}/changes/{key}/versions",
            get(approval::versions::show_versions),
        )
        .route("/t/{tenant}/changes/{key}/waves", get(change::waves::show_waves))
        .route("/t/{tenant}/changes/{key}/waves/{act}", post(change::waves::act))
        .route("/t/{tenant}/changes/{key}/runbook", get(change::runbook::show_runbook))
        .route(
            "/t/{tenant}/changes/{key}/evidence",
            post(change::acts::evidence).layer(DefaultBodyLimit::disable()),
        )
        .route("/t/{tenant}/changes/{key}/permit-file", post(gate::permit_file::fetch))
        .route(
            "/t/{tenant}/changes/{key}/{*act}",
            get(change::acts::away).post(plain(change::acts::act)),
        )
}

fn estate_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/calendar", get(schedule::calendar::calendar))
        .route("/t/{tenant}/calendar/propose", get(schedule::reschedule::propose))
        .route("/t/{tenant}/conflicts", get(schedule::conflict_list::conflicts))
        .route("/t/{tenant}/conflicts/{id}", post(schedule::conflict_list::decide))
        .route(
            "/t/{tenant}/calendar/feed",
            get(notify::calendar_feed::show_feeds).post(plain(notify::calendar_feed::make)),
        )
        .route(
            "/t/{tenant}/calendar/feed/{id}/revocation",
            post(notify::calendar_feed::revoke),
        )
        .route("/t/{tenant}/feed/{name}", get(notify::calendar_feed::calendar))
        .route(
            "/t/{tenant}/windows",
            get(schedule::list::calendar).post(plain(schedule::list::set_window)),
        )
        .route(
            "/t/{tenant}/windows/{id}",
            get(schedule::freeze_and_window::window).post(plain(schedule::freeze_and_window::edit_window)),
        )
        .route("/t/{tenant}/windows/{id}/end", post(schedule::list::end_window))
        .merge(freeze_routes())
        .route(
            "/t/{tenant}/services",
            get(directory::services::services).post(plain(directory::services::set_service)),
        )
        .route("/t/{tenant}/services/{key}", get(directory::services::service))
        .route("/t/{tenant}/services/{key}/watchers", post(directory::services::watch))
        .route(
            "/t/{tenant}/services/{key}/watchers/end",
            post(directory::services::unwatch),
        )
        .route(
            "/t/{tenant}/services/{key}/ownerships",
            post(directory::services::set_ownership),
        )
        .merge(drift_routes())
        .route(
            "/t/{tenant}/what-changed",
            get(incident::what_changed::show_what_changed),
        )
        .route(
            "/t/{tenant}/incidents",
            get(incident::incidents::incidents).post(plain(incident::incidents::open_incident)),
        )
        .route(
            "/t/{tenant}/incidents/{key}",
            get(incident::incidents::incident).post(plain(incident::incidents::edit_incident)),
        )
        .route(
            "/t/{tenant}/incidents/{key}/candidates",
            post(incident::incidents::judge_candidate),
        )
        .merge(learning_routes())
        .route(
            "/t/{tenant}/incidents/{key}/{act}",
            post(plain(incident::commander::act)),
        )
        .route(
            "/t/{tenant}/templates",
            get(change::templates::show_list).post(plain(change::templates::propose)),
        )
        .route("/t/{tenant}/templates/{key}", get(change::templates::one))
        .route("/t/{tenant}/templates/{key}/{act}", post(change::templates::act))
}

/// Findings of drift with their links, and the trial of its rules.
fn drift_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/drift", get(incident::drift::show_findings))
        .route(
            "/t/{tenant}/drift/{id}",
            get(incident::drift::show_finding).post(plain(incident::drift::decide)),
        )
        .route("/t/{tenant}/drift/{id}/links", post(incident::link_forms::link_drift))
        .route(
            "/t/{tenant}/drift/{id}/links/{link}/end",
            post(incident::link_forms::unlink_drift),
        )
        .route("/t/{tenant}/drift-test", get(incident::drift::show_test))
}

/// Links, reviews of incidents, and problems.
fn learning_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/incidents/{key}/links",
            post(incident::link_forms::link_incident),
        )
        .route(
            "/t/{tenant}/incidents/{key}/links/{id}/end",
            post(incident::link_forms::unlink_incident),
        )
        .route(
            "/t/{tenant}/incidents/{key}/review",
            get(incident::review::show_review).post(plain(incident::review::write_review)),
        )
        .route("/t/{tenant}/incidents/{key}/review.md", get(incident::review::markdown))
        .route("/t/{tenant}/incidents/{key}/review.pdf", get(incident::review::pdf))
        .route(
            "/t/{tenant}/incidents/{key}/review/answers",
            post(incident::review::answer_review),
        )
        .route(
            "/t/{tenant}/incidents/{key}/review/actions",
            post(incident::review::add_action),
        )
        .route(
            "/t/{tenant}/problems",
            get(incident::problems::show_problems).post(plain(incident::problems::record_problem)),
        )
        .route("/t/{tenant}/problem-searches", post(incident::problems::search))
        .route(
            "/t/{tenant}/vendors/{id}/notice-address",
            post(directory::vendors::mail_address),
        )
        .route("/t/{tenant}/vendors/{id}/parity", get(directory::vendors::show_parity))
        .route(
            "/t/{tenant}/vendor-notices/{id}/change",
            get(directory::vendor_notices::show_notice).post(directory::vendor_notices::take_up),
        )
        .route("/t/{tenant}/problems/{key}", get(incident::problems::show_one))
        .route(
            "/t/{tenant}/problems/{key}/links",
            post(incident::link_forms::link_problem),
        )
        .route(
            "/t/{tenant}/problems/{key}/links/{id}/end",
            post(incident::link_forms::unlink_problem),
        )
        .route("/t/{tenant}/problems/{key}/{act}", post(incident::problems::act))
}

fn freeze_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/freezes",
            get(schedule::list::freezes).post(plain(schedule::list::set_freeze)),
        )
        .route(
            "/t/{tenant}/freezes/{id}",
            get(schedule::freeze_and_window::freeze).post(plain(schedule::freeze_and_window::edit_freeze)),
        )
        .route("/t/{tenant}/freezes/{id}/end", post(schedule::list::end_freeze))
        .route(
            "/t/{tenant}/freezes/{id}/confirmation",
            post(schedule::list::confirm_loosening),
        )
        .route(
            "/t/{tenant}/freezes/{id}/agreement",
            post(schedule::freeze_steps::answer),
        )
        .route(
            "/t/{tenant}/freezes/{id}/announcement",
            post(schedule::freeze_steps::announce),
        )
        .route("/t/{tenant}/freezes/{id}/report", get(schedule::freeze_steps::report))
        .route("/t/{tenant}/freezes/{id}/exceptions", post(schedule::list::except))
        .route(
            "/t/{tenant}/freezes/{id}/exceptions/{change}/end",
            post(schedule::list::withdraw_exception),
        )
}

fn audit_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/audit", get(audit::log::log))
        .route("/t/{tenant}/audit/events/{id}", get(audit::log_entry::show_entry))
        .route("/t/{tenant}/audit/timeline", get(audit::forensics::timeline))
        .route("/t/{tenant}/audit/timeline.csv", get(audit::forensics::csv))
        .route("/t/{tenant}/audit/sample", get(audit::audit_sample::sample))
        .route("/t/{tenant}/audit/verify/{key}", get(audit::audit_sample::verify))
        .route("/t/{tenant}/audit-samples/{id}/paper", get(audit::audit_paper::paper))
        .route(
            "/t/{tenant}/hold-orders/{id}/page",
            get(compliance::hold_order::show_order),
        )
        .route(
            "/t/{tenant}/hold-orders/{id}/lifting",
            post(compliance::hold_order::lift),
        )
        .route(
            "/t/{tenant}/person-erasures/{id}/page",
            get(compliance::person_erasure::show_erasure),
        )
        .route(
            "/t/{tenant}/person-erasures/{id}/confirmation",
            post(compliance::person_erasure::confirm),
        )
        .route(
            "/t/{tenant}/audit-mandates/{id}/page",
            get(audit::mandate::show_mandate),
        )
        .route(
            "/t/{tenant}/audit-mandates/{id}/confirmation",
            post(audit::mandate::confirm),
        )
        .route(
            "/t/{tenant}/audit-samples/{id}/conclusions",
            post(audit::audit_paper::conclude),
        )
        .route(
            "/t/{tenant}/audit-samples/{id}/reviews/{conclusion}",
            post(audit::audit_paper::review),
        )
        .route(
            "/t/{tenant}/audit-samples/{id}/signature",
            post(audit::audit_paper::sign),
        )
}

fn report_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/audit/reports", get(compliance::control_reports::list))
        .route(
            "/t/{tenant}/audit/reports/{framework}",
            get(compliance::control_reports::show_report),
        )
        .route(
            "/t/{tenant}/audit/reports/{framework}/exceptions.csv",
            get(compliance::control_reports::exceptions),
        )
        .route(
            "/t/{tenant}/audit/reports/{framework}/rows",
            get(compliance::control_report_rows::show_rows),
        )
        .route(
            "/t/{tenant}/audit/reconciliation",
            get(compliance::reconciliation::show_page),
        )
        .route(
            "/t/{tenant}/audit/reconciliation.csv",
            get(compliance::reconciliation::csv),
        )
        .route(
            "/t/{tenant}/retention/preview",
            get(compliance::retention_preview::show_page),
        )
        .route(
            "/t/{tenant}/audit/reports/{framework}/file/{format}",
            get(compliance::control_reports::file),
        )
}

fn board_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/boards", get(cab::boards::show_boards))
        .route("/t/{tenant}/boards/{key}", get(cab::boards::show_board))
        .route("/t/{tenant}/boards/{key}/meetings", post(cab::boards::plan_meeting))
        .route("/t/{tenant}/boards/{key}/series", post(cab::boards::plan_series))
        .route(
            "/t/{tenant}/boards/{key}/series/{id}/end",
            post(cab::boards::end_series),
        )
        .route("/t/{tenant}/board-packs/{month}", get(cab::board_pack::show_pack))
        .route("/t/{tenant}/board-packs/{month}/pack.pdf", get(cab::board_pack::file))
        .route("/t/{tenant}/meetings/{id}/pack.pdf", get(cab::meeting_page::file))
        .route("/t/{tenant}/meetings/{id}", get(cab::meeting_page::show_meeting))
        .route("/t/{tenant}/meetings/{id}/{act}", post(cab::meeting_acts::act))
}

/// Metrics, dashboards, and the rework of templates.
fn figure_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/search", get(report::search::show_search))
        .route("/t/{tenant}/metrics", get(report::metrics::show_metrics))
        .route("/t/{tenant}/metrics/event-log.xes", get(report::metrics::xes))
        .route("/t/{tenant}/metrics/event-log.csv", get(report::metrics::csv))
        .route(
            "/t/{tenant}/metrics/process-map",
            get(report::metric_parts::show_process_map),
        )
        .route("/t/{tenant}/metrics/{id}", get(report::metric::show_metric))
        .route("/t/{tenant}/dashboard", get(report::dashboards::show_list))
        .route("/t/{tenant}/dashboard/{id}", get(report::dashboards::show_dashboard))
        .route(
            "/t/{tenant}/dashboard/{id}/dashboard.pdf",
            get(report::dashboards::file),
        )
        .route("/t/{tenant}/dashboard/{id}/rows", get(report::dashboards::show_rows))
        .route(
            "/t/{tenant}/templates/{key}/rework",
            get(report::template_rework::show_rework),
        )
        .route(
            "/t/{tenant}/templates/{key}/variant",
            post(plain(report::template_rework::propose)),
        )
}

/// The pages of work without the server.
fn emergency_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/emergency-cards/{id}/print",
            post(gate::emergency_cards::print),
        )
        .route("/t/{tenant}/emergency-uses", get(gate::emergency_cards::show_uses))
}

/// People, their rights, and their tokens.
fn people_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/people",
            get(directory::people::show_people).post(plain(directory::people::create)),
        )
        .route("/t/{tenant}/people/{login}", get(directory::person_page::show_person))
        .route("/t/{tenant}/people/{login}/{act}", post(directory::people::act))
        .route(
            "/t/{tenant}/access-reviews",
            get(directory::access_reviews::show_list).post(plain(directory::access_reviews::begin)),
        )
        .route("/t/{tenant}/access-reviews/{id}", get(directory::access_reviews::one))
        .route(
            "/t/{tenant}/access-reviews/{id}/signature",
            post(directory::access_reviews::sign),
        )
        .route("/t/{tenant}/rights", get(directory::rights::show_rights))
        .route(
            "/t/{tenant}/tokens",
            get(identity::tokens::tokens).post(plain(identity::tokens::create_token)),
        )
        .route(
            "/t/{tenant}/tokens/{id}/revocation",
            post(identity::tokens::revoke_token),
        )
}

fn other_routes() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/lessons", get(cab::lessons::show_lessons))
        .route("/t/{tenant}/lessons/{id}", get(cab::lessons::show_lesson))
        .route("/t/{tenant}/lessons/{id}/attempts", post(cab::lessons::begin))
        .route(
            "/t/{tenant}/lessons/{id}/attempts/{attempt}",
            post(cab::lessons::answer),
        )
        .route("/t/{tenant}/lesson-assignments", post(cab::lessons::assign))
        .route("/t/{tenant}/lesson-assignments/{id}/end", post(cab::lessons::unassign))
        .route("/t/{tenant}/status", get(notify::status::show_status))
        .route("/t/{tenant}/status.atom", get(notify::status::feed))
        .route(
            "/t/{tenant}/customer-letters/{id}/{code}",
            get(notify::customer_letters::show).post(plain(notify::customer_letters::leave)),
        )
        .route(
            "/t/{tenant}/customer-letters/{id}/{code}/return",
            post(notify::customer_letters::come_back),
        )
        .route("/t/{tenant}/status/public", get(notify::status::show_public))
        .route("/t/{tenant}/status/public.atom", get(notify::status::public_feed))
        .route(
            "/t/{tenant}/calendar/feed/status",
            post(plain(notify::calendar_feed::make_status)),
        )
        .route("/t/{tenant}/status/publication", post(notify::status::publish))
        .route("/t/{tenant}/status/publication/end", post(notify::status::close))
        .route("/t/{tenant}/gate-checks", get(gate::checks::list))
        .route("/t/{tenant}/gate-checks/{id}", get(gate::checks::one))
        .route("/t/{tenant}/deliveries", get(integration::deliveries::deliveries))
        .route("/t/{tenant}/figures/ended", get(report::success_rate::show_ended))
        .merge(figure_routes())
        .route("/t/{tenant}/gateways", get(gate::gateways::gateways))
        .route("/t/{tenant}/messages", get(notify::messages::messages))
        .route(
            "/t/{tenant}/inbox",
            get(notify::inbox::show_inbox).post(plain(notify::inbox::open_item)),
        )
        .route("/t/{tenant}/inbox/{key}", get(notify::inbox::show_item))
        .route("/t/{tenant}/inbox/{key}/{act}", post(notify::inbox::act))
        .merge(people_routes())
        .route("/t/{tenant}/live", get(shared::live::stream))
        .route("/t/{tenant}/failure-models", get(risk::failure_models::show_models))
        .route(
            "/t/{tenant}/risk-adjustments/{id}/comparison",
            get(risk::adjustments::show_one),
        )
        .route(
            "/t/{tenant}/risk-adjustments/{id}/decisions",
            post(risk::adjustments::decide),
        )
        .route("/t/{tenant}/policies", get(policy::policies::show_policies))
        .route(
            "/t/{tenant}/policies/document",
            get(policy::policy_document::show_document),
        )
        .route("/t/{tenant}/policies/like-this", get(policy::like_this::show_like_this))
        .route("/t/{tenant}/policies/trial", post(policy::try_policies::try_set))
        .route("/t/{tenant}/policies/proposal", post(policy::try_policies::propose))
        .route(
            "/t/{tenant}/policy-parameters",
            post(policy::policies::propose_parameter),
        )
        .route("/t/{tenant}/policies/{id}/{act}", post(policy::policies::act))
        .route("/t/{tenant}/help", get(shared::help::show_help))
        .route("/t/{tenant}/components", get(shared::help::components))
        .route("/t/{tenant}/{*rest}", get(shared::help::nothing))
}

fn admin_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/t/{tenant}/connections",
            get(integration::connections::show_list).post(plain(integration::connections::create)),
        )
        .route("/t/{tenant}/setup", get(directory::setup::show_setup))
        .route("/t/{tenant}/setup/{step}", post(directory::setup::act))
        .route("/t/{tenant}/connections/{id}", get(integration::connections::one))
        .route(
            "/t/{tenant}/connections/{id}/guide",
            get(integration::connection_guide::show_guide),
        )
        .route(
            "/t/{tenant}/connections/{id}/{act}",
            post(integration::connections::act),
        )
        .route(
            "/t/{tenant}/workloads",
            get(identity::workloads::show_list).post(plain(identity::workloads::create)),
        )
        .route(
            "/t/{tenant}/workloads/{key}",
            get(identity::workloads::one).post(plain(identity::workloads::change)),
        )
        .route("/t/{tenant}/workloads/{key}/end", post(identity::workloads::end))
        .route(
            "/t/{tenant}/webhooks",
            get(integration::webhooks::show_list).post(plain(integration::webhooks::create)),
        )
        .route("/t/{tenant}/webhooks/{id}", get(integration::webhooks::one))
        .route("/t/{tenant}/webhooks/{id}/{act}", post(integration::webhooks::act))
        .route(
            "/t/{tenant}/sinks",
            get(integration::sinks::show_list).post(plain(integration::sinks::create)),
        )
        .route("/t/{tenant}/sinks/{id}", get(integration::sinks::one))
        .route(
            "/t/{tenant}/history",
            get(integration::history::show_list).post(plain(integration::history::import)),
        )
        .route("/t/{tenant}/beside/{id}", get(integration::beside::show_system))
        .route("/t/{tenant}/beside/{id}/credential", post(integration::beside::keep))
        .route("/t/{tenant}/sinks/{id}/{act}", post(integration::sinks::act))
        .route(
            "/t/{tenant}/identity-providers",
            get(identity::identity_providers::show_list).post(plain(identity::identity_providers::set)),
        )
        .route(
            "/t/{tenant}/identity-providers/{key}/end",
            post(identity::identity_providers::end),
        )
        .route(
            "/t/{tenant}/ownership",
            get(directory::ownership::show_matrix).post(plain(directory::ownership::name)),
        )
        .route("/t/{tenant}/ownership/{id}/end", post(directory::ownership::end))
        .route(
            "/t/{tenant}/hours",
            get(schedule::business_hours::show_hours).post(plain(schedule::business_hours::set)),
        )
        .route(
            "/t/{tenant}/fields",
            get(change::field_definitions::show_fields).post(plain(change::field_definitions::set)),
        )
        .route("/t/{tenant}/fields/{key}/end", post(change::field_definitions::end))
        .route("/t/{tenant}/keys", get(audit::keys::show_keys))
}
