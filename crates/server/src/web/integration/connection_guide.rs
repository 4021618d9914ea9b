//! The guide to one connection: the settings in the other system, the arrival of the first delivery, and refused deliveries.

use acts::core::connections;
use acts::integration::unmatched_deliveries;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::refusal::Refusal;
use model::directory::snapshot::Connection;
use pages::{ActForm, ActTone, Entry, Fact, Place, RecordPage, Rich, Section, SectionBody, Tone};
use store::integration::inbox;
use store::record::{self, Filter};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::integration::connections::{hook_address, kind_label, repository_form, turned_entry};
use crate::web::shared::view::{View, Visitor, show};

/// How many deliveries are shown.
const DELIVERIES: i64 = 5;

/// The events to select in the other system, each with its effect here.
type Events = &'static [(&'static str, &'static str)];

const GITHUB: Events = &[
    ("Deployments", "become gate checks"),
    ("Deployment statuses", "become outcomes"),
    ("Workflow runs", "become test evidence"),
    ("Pull requests", "become draft changes"),
    ("Pull request reviews", "become peer approvals"),
    ("Pushes", "reveal deployments without a change"),
];
const GITLAB: Events = &[
    ("Deployment events", "become gate checks and outcomes"),
    ("Pipeline events", "become test evidence"),
    ("Merge request events", "become draft changes"),
    ("Push events", "reveal deployments without a change"),
];
const RUN_TASKS: Events = &[
    ("Pre-apply", "holds each run back until the gate opens"),
    ("Post-plan", "holds it back before anybody reads the plan"),
    ("Pre-plan", "holds it back before it plans"),
    ("Post-apply", "reports the decision of the gate on what was applied"),
];
const INCIDENTS: Events = &[("Alerts and incidents", "become incidents, and close with them")];

fn events(kind: &str) -> Events {
    match kind {
        "github" => GITHUB,
        "gitlab" => GITLAB,
        "terraform_task" => RUN_TASKS,
        "alertmanager" | "pagerduty" | "grafana" | "opsgenie" | "servicenow" | "jira" | "siem" => INCIDENTS,
        _ => &[],
    }
}

/// Where the address is entered in the other system.
fn place_of(kind: &str) -> &'static str {
    match kind {
        "github" => "In GitHub open the settings of the organisation or the repository, then Webhooks, Add webhook.",
        "gitlab" => "In GitLab open the settings of the group or the project, then Webhooks, Add new webhook.",
        "alertmanager" => "In the configuration of Alertmanager add a webhook receiver.",
        "pagerduty" => "In PagerDuty open Integrations, Generic Webhooks (v3), New webhook.",
        "terraform_task" => {
            "In Terraform open the settings of the organisation, then Run tasks, Create run task, and enter the secret as the HMAC key."
        }
        "grafana" => "In Grafana open Alerting, Contact points, Add contact point, Webhook.",
        _ => "In the other system add a webhook with this address.",
    }
}

/// How the reason of a refused delivery is put right.
fn remedy(code: &str) -> &'static str {
    match code {
        "signature_mismatch" | "bad_signature" => {
            "Enter the secret again in the other system, save, and deliver once more."
        }
        "too_large" => "Choose fewer events: the size of a delivery is limited.",
        _ => "Compare address, content type and secret with those above, and deliver once more.",
    }
}

/// The guide to a connection.
pub(crate) async fn show_guide(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Connections, move |view| {
        view.cx.allow(actions::SET_CONNECTION)?;
        let connection = connections::connection(view.cx, &id)?;
        page(view, &connection)
    })
    .await
}

/// The guide to the connection that was made last.
///
/// # Errors
/// 403, 404 where there is none, or the store's.
pub(crate) fn newest(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let found = record::find::<Connection>(view.cx.tx, &Filter::new().descending_by("id").limit(1))?;
    let connection = found.into_iter().next().map(|stored| stored.record);
    let connection = connection.ok_or_else(|| Refusal::not_found("connection"))?;
    page(view, &connection)
}

fn page(view: &mut View<'_, '_, '_>, connection: &Connection) -> acts::Result<String> {
    let id = connection.id.as_str();
    let deliveries = inbox::of_connection(view.cx.tx, id, DELIVERIES)?;
    let turned = inbox::turned_away(view.cx.tx, id)?;
    let unmatched = unmatched_deliveries::of_connection(view.cx, connection)?;
    let kind = kind_label(&connection.kind);
    let mut sections = vec![webhook(view, connection), arrivals(view, kind, &deliveries, &turned)];
    let ticked: Vec<Entry> = events(&connection.kind)
        .iter()
        // Chosen in the other system: here nobody knows yet whether it is done.
        .map(|(event, meaning)| Entry::new(Tone::Plain, *event).icon("right").why(*meaning))
        .collect();
    if !ticked.is_empty() {
        sections.insert(
            1,
            Section::new("events", "Events to choose", SectionBody::Entries(ticked)),
        );
    }
    let words = match (&unmatched, connection.map.len()) {
        (Some(found), _) => {
            Rich::from("A delivery contained a name that is not mapped here: ").said(found.text.as_str())
        }
        (None, 0) => Rich::from(
            "No repository is mapped to a service yet. A delivery names its repository: map it here, or before it comes.",
        ),
        (None, many) => Rich::from(format!("Repositories with a service: {many}.")),
    };
    let repositories = Section::new("repositories", "Repositories and services", SectionBody::Words(words));
    sections.push(repositories.acts(vec![repository_form(view, id)]));
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Set up Assent".to_owned(), view.url("/setup"))],
        title: match deliveries.is_empty() {
            true => format!("Waiting for the first delivery from {kind}"),
            false => format!("Deliveries from {kind} arrive"),
        },
        byline: Rich::new().said(connection.name.as_str()),
        acts: vec![
            ActForm::link("Look again", view.url(&format!("/connections/{}/guide", escaped(id)))).tone(ActTone::Plain),
            ActForm::link("The connection", view.url(&format!("/connections/{}", escaped(id)))).tone(ActTone::Quiet),
            ActForm::link("Continue the set-up", view.url("/setup")).tone(ActTone::Quiet),
        ],
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn webhook(view: &View<'_, '_, '_>, connection: &Connection) -> Section {
    let secret = "It was shown when the connection was made, and is not shown again. With a lost one, end this connection and make another.";
    let facts = vec![
        Fact::new("Address", Rich::new().code(hook_address(view, connection.id.as_str()))),
        Fact::new("Content type", Rich::new().code("application/json")),
        Fact::new("Secret", secret),
    ];
    Section::new("webhook", "Settings in the other system", SectionBody::Facts(facts)).lede(place_of(&connection.kind))
}

/// The arrived deliveries, or a note that there are none: the script reloads the page while this section waits.
fn arrivals(view: &View<'_, '_, '_>, kind: &str, deliveries: &[inbox::Delivery], turned: &[inbox::Turned]) -> Section {
    let taken = deliveries.iter().map(|row| {
        let told = row
            .reason
            .as_deref()
            .or(row.result.as_deref())
            .unwrap_or("It is being read.");
        let tone = if row.state == "parked" { Tone::Stop } else { Tone::Ok };
        Entry::new(tone, Rich::new().said(row.event.as_str()))
            .why(Rich::new().said(told))
            .aside(view.moment(row.received_at))
    });
    let refused = turned.iter().map(|it| {
        let mut entry = turned_entry(view, it);
        entry.sub = entry.sub.line().text(remedy(&it.code));
        entry
    });
    let entries: Vec<Entry> = taken.chain(refused).collect();
    let id = if deliveries.is_empty() {
        "waiting-delivery"
    } else {
        "arrived"
    };
    let title = if deliveries.is_empty() {
        "Waiting for the first delivery"
    } else {
        "The latest deliveries"
    };
    let words = match (deliveries.is_empty(), kind) {
        (true, "GitHub") => "GitHub sends a ping when the webhook is saved. To test again, choose Redeliver there.",
        (true, _) => "Save the webhook and send a test from the other system. This page refreshes automatically.",
        (false, _) => "",
    };
    Section::new(id, title, SectionBody::Entries(entries))
        .lede(words)
        .unsaid(words)
}
