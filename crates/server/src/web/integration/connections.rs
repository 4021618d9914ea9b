//! Connections to outside systems: their addresses, the result of each delivery, and refused deliveries.

use acts::audit::find_timeline::find_history;
use acts::core::connections;
use acts::integration::{edit_connection, set_connection, unmatched_deliveries};
use acts::policy::propose_ownership;
use axum::extract::{Path, State};
use axum::response::Response;
use connect::integration::door;
use model::core::act::actions;
use model::core::body::Body;
use model::core::{refusal, typed};
use model::directory::snapshot::{Connection, Directory};
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table,
    Tone, count,
};
use serde_json::{Value, json};
use store::integration::inbox::{self, Delivery};
use store::record::{self, Filter};

use super::super::shared::form::{Form, lines, pairs};
use super::super::shared::form_page::{Back, Made, send, send_made, sent};
use super::super::shared::record_edit_conflict::PresentRecord;
use super::super::shared::view::{View, Visitor, reader_of, show};
use super::super::shared::words::{beginning, capital};
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::integration::read_again;

/// The most connections that are listed.
const MOST: i64 = 500;
/// How many deliveries of one connection are shown.
const DELIVERIES: i64 = 50;
/// The kinds of delivering systems, with their labels.
pub(crate) const KINDS: [(&str, &str); 25] = [
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("argocd", "Argo CD"),
    ("jenkins", "Jenkins"),
    ("cdevents", "CDEvents"),
    ("cloudevents", "CloudEvents"),
    ("plain", "Plain JSON"),
    ("alertmanager", "Alertmanager"),
    ("pagerduty", "PagerDuty"),
    ("grafana", "Grafana"),
    ("opsgenie", "Opsgenie"),
    ("servicenow", "ServiceNow"),
    ("jira", "Jira"),
    ("siem", "SIEM alerts"),
    ("incident_mail", "Incidents by mail"),
    ("mail", "Mail replies"),
    ("terraform", "Terraform plans (drift)"),
    ("argocd_drift", "Argo CD (drift)"),
    ("aide", "AIDE (drift)"),
    ("kubernetes_audit", "Kubernetes audit (drift)"),
    ("flagger", "Flagger"),
    ("argo_rollouts", "Argo Rollouts"),
    ("statuspage", "Statuspage (vendor notices)"),
    ("waves", "Outcomes of members (waves)"),
    ("terraform_task", "Terraform run tasks"),
];

/// The label of a kind of connection.
pub(crate) fn kind_label(kind: &str) -> &str {
    KINDS
        .iter()
        .find(|(word, _)| *word == kind)
        .map_or(kind, |(_, words)| *words)
}

pub(super) fn hook_address(view: &View<'_, '_, '_>, id: &str) -> String {
    format!("{}/hooks/{id}", view.cx.services.tools().public_url)
}

/// The list.
pub(crate) async fn show_list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Connections, |view| list_page(view, None)).await
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let filter = Filter::new().order_by("id").limit(MOST);
    let found = record::find::<Connection>(view.cx.tx, &filter)?;
    let mut rows = Vec::new();
    for stored in found {
        rows.push(row(view, &stored.record)?);
    }
    let table = Table {
        caption: "Connections".to_owned(),
        columns: vec![
            Column::new("Name", Fold::Never),
            Column::new("Kind", Fold::Under),
            Column::new("Owner", Fold::Under).named(),
            Column::new("Last delivery", Fold::Under).named(),
            Column::new("State", Fold::Under),
        ],
        rows,
        ..Table::default()
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Connections".to_owned(),
        byline: Rich::from("Systems that deliver here: what they report becomes changes, deployments and evidence. ")
            .link("External systems", view.url("/foreign-systems"))
            .text(" · ")
            .link("Systems of record", view.url("/service-leads"))
            .text(" · ")
            .link("Imported changes", view.url("/history")),
        sections: vec![
            Section::new("connections", "All of them", SectionBody::Table(table))
                .unsaid("None yet. Connect your source control first: its deliveries create changes automatically."),
        ],
        acts: vec![connect_form(view)],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn row(view: &mut View<'_, '_, '_>, connection: &Connection) -> acts::Result<Vec<Cell>> {
    let id = connection.id.as_str();
    let last = inbox::of_connection(view.cx.tx, id, 1)?;
    let told = last
        .first()
        .map(|row| view.reader.moment(row.received_at))
        .unwrap_or_default();
    let parked = inbox::list_of(view.cx.tx, id, Some("parked"), None, DELIVERIES)?.len();
    let state = match (connection.active, parked) {
        (false, _) if connection.waits => Tone::Wait.mark("Waits for another person"),
        (false, _) => Tone::Plain.mark("Ended"),
        (true, 0) => Tone::Ok.mark("Active"),
        (true, parked) => Tone::Stop.mark(format!("{parked} set aside")),
    };
    Ok(vec![
        Cell::title(
            connection.name.as_str(),
            view.url(&format!("/connections/{}", escaped(id))),
        ),
        Cell::text(kind_label(&connection.kind)),
        Cell::said(view.name(&connection.owner)),
        Cell::Short(told),
        Cell::Mark(state),
    ])
}

fn connect_form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("connect", "Connect a system", view.url("/connections"))
        .field(super::super::shared::idempotent_form::field(view))
        .field(Field::select("kind", "Kind", &KINDS).required().half())
        .field(Field::text("name", "Name").hint("For people: “GitHub of Logistics”.").required().half())
        .field(
            crate::web::shared::fields::pick_field(view, "people", "owner", "Owner")
                .hint("A login; the requester where no sender is known.")
                .value(view.directory.login(&view.me)),
        )
        .field(Field::textarea("map", "What their repositories are here").hint(
            "One a line: their repository, our service, then their environments and ours: halden/booking-api booking-api prod=production",
        ))
        .field(Field::text("reply_to", "For mail: the address that letters are answered to").hint(
            "Such as assent@example.org; its server hands on what comes to assent+anything@example.org.",
        ))
        .note("Its secret is shown once, with the address to deliver to.")
        .submit("Connect it")
}

/// Converts the map from the form's lines into the API's format.
fn gather_map(body: &Body) -> Body {
    let mut body = body.clone();
    let Some(Value::String(text)) = body.remove("map") else {
        return body;
    };
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let (repository, service) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        json!({"repository": repository, "service": service, "environments": pairs(words)})
    };
    body.insert("map".to_owned(), lines(&text).map(row).collect());
    body
}

/// Makes a connection; its address and its secret are shown once.
///
/// # Errors
/// 403, 422, or the store's.
pub(crate) fn connect(cx: &mut acts::Context<'_, '_>, body: &Body) -> acts::Result<Made> {
    let (made, secret) = set_connection::create_connection(cx, &gather_map(body))?;
    let address = format!("{}/hooks/{}", cx.services.tools().public_url, made.id);
    let mut shown = vec![
        ("Deliver to".to_owned(), address),
        ("Secret".to_owned(), secret.clone()),
    ];
    let signing = door::signing_secret(&secret).filter(|_| {
        // These systems sign with the secret in its given form.
        !matches!(made.kind.as_str(), "github" | "pagerduty" | "terraform_task")
    });
    shown.extend(signing.map(|secret| ("Signing secret".to_owned(), secret)));
    Ok(Made {
        title: format!("{} is connected", made.name),
        text: if made.waits {
            "Copy the secret now: it cannot be shown again. Its deliveries are accepted once another person puts it in force: propose that on its page."
        } else {
            "Copy the secret now: it cannot be shown again."
        }
        .to_owned(),
        shown,
    })
}

/// Connects a system.
pub(crate) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/connections".to_owned();
    let sent = sent(form, path.clone(), path, Place::Connections);
    send_made(&state, &visitor, sent, connect, list_page).await
}

/// One connection with its deliveries.
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Connections, move |view| page(view, &id, None)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let connection = connections::connection(view.cx, id)?;
    let deliveries = inbox::of_connection(view.cx.tx, id, DELIVERIES)?;
    let turned = inbox::turned_away(view.cx.tx, id)?;
    let turned: Vec<Entry> = turned.iter().map(|it| turned_entry(view, it)).collect();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Connections".to_owned(), view.url("/connections"))],
        title: connection.name.clone(),
        is_said: true,
        marks: vec![match connection.active {
            true => Tone::Ok.mark("Active"),
            false if connection.waits => Tone::Wait.mark("Waits for another person"),
            false => Tone::Plain.mark("Ended"),
        }],
        byline: Rich::from(kind_label(&connection.kind)),
        sections: vec![
            Section::new(
                "deliveries",
                "Deliveries",
                SectionBody::Table(deliveries_table(view, &deliveries)),
            )
            .note(match deliveries.len() {
                0 => String::new(),
                shown => format!("the last {shown}"),
            })
            .unsaid("Nothing was delivered yet. Send a test from the other side."),
            Section::new("turned-away", "Rejected deliveries", SectionBody::Entries(turned))
                .unsaid("No delivery was rejected."),
            Section::new(
                "map",
                "What their repositories are here",
                SectionBody::Table(map_table(&connection)),
            )
            .unsaid("No repository is mapped: deliveries that name one are set aside."),
        ],
        facts: facts(view, &connection),
        ..RecordPage::default()
    };
    if connection.waits {
        page.acts.push(proposal_form(view, id));
    }
    if connection.active || connection.waits {
        let guide = view.url(&format!("/connections/{}/guide", escaped(id)));
        page.acts
            .push(ActForm::link("Guide to its settings", guide).tone(ActTone::Quiet));
        page.acts.push(repository_form(view, id));
        page.acts.push(edit_form(view, &connection)?);
        let end = ActForm::new(
            "end",
            "Stop taking deliveries",
            view.url(&format!("/connections/{}/end", escaped(id))),
        )
        .tone(ActTone::Stop)
        .note("New deliveries are refused from now on. Signals that were read stay.")
        .submit("Stop taking deliveries");
        page.acts.push(end);
    }
    show_unmatched(view, &mut page, &connection)?;
    if let Some(back) = back {
        put_back(view, &mut page, back, &connection)?;
    }
    Ok(page.render())
}

/// Deliveries that were refused for one reason.
pub(super) fn turned_entry(view: &View<'_, '_, '_>, it: &inbox::Turned) -> Entry {
    Entry::new(Tone::Stop, it.text.as_str())
        .code(it.code.as_str())
        .why(match it.count.unsigned_abs() {
            1 => "once".to_owned(),
            times => format!("{} times, first {}", count(times), view.reader.moment(it.first_at)),
        })
        .aside(view.moment(it.last_at))
}

/// Shows first of all that the latest deliveries match no row of the map.
fn show_unmatched(view: &mut View<'_, '_, '_>, page: &mut RecordPage, connection: &Connection) -> acts::Result<()> {
    let Some(found) = unmatched_deliveries::of_connection(view.cx, connection)? else {
        return Ok(());
    };
    let text = "No row of the map matches its deliveries, so they have no effect.";
    let entry = Entry::new(Tone::Stop, text)
        .code("unmatched")
        .why(found.text)
        .aside(view.moment(found.last_at));
    let section = Section::new(
        "unmatched",
        "Its deliveries match nothing",
        SectionBody::Entries(vec![entry]),
    );
    page.sections.insert(0, section);
    Ok(())
}

/// Shows a returned form: the form over name and owner with another person's edits, any other form as it was sent.
fn put_back(
    view: &mut View<'_, '_, '_>,
    page: &mut RecordPage,
    back: &Back,
    connection: &Connection,
) -> acts::Result<()> {
    if !back.url.ends_with("/edit") {
        back.put(view, &mut page.frame, page.acts.iter_mut());
        return Ok(());
    }
    let history = find_history::<Connection>(view.cx, connection.id.as_str())?;
    let edited = history.iter().find(|told| told.kind == "connection.edited");
    let who = edited.map_or_else(|| "Somebody".to_owned(), |told| view.name(&told.actor));
    let standing = present_record(&view.directory, connection);
    match page.acts.iter_mut().find(|act| act.action_url == back.url) {
        Some(act) => standing.put(view, (&mut page.frame, act), back, (&who, history.first())),
        None => {
            back.put(view, &mut page.frame, std::iter::empty());
            Ok(())
        }
    }
}

/// The present values of a connection in its form.
fn present_record(directory: &Directory, connection: &Connection) -> PresentRecord {
    let now = json!({"name": connection.name, "owner": directory.login(&connection.owner)});
    PresentRecord {
        names: &["name", "owner"],
        now: now.as_object().cloned().unwrap_or_default(),
        version: connection.version,
    }
}

fn edit_form(view: &View<'_, '_, '_>, connection: &Connection) -> acts::Result<ActForm> {
    let standing = present_record(&view.directory, connection);
    let value = |name: &str| standing.value(name, &view.reader);
    let [revision, was] = standing.hidden()?;
    let url = view.url(&format!("/connections/{}/edit", escaped(connection.id.as_str())));
    Ok(ActForm::new("edit", "Change name or owner", url)
        .note("The address and the secret stay.")
        .field(revision)
        .field(was)
        .field(Field::text("name", "Name").value(value("name")).required().half())
        .field(
            crate::web::shared::fields::pick_field(view, "people", "owner", "Owner")
                .hint("A login; the requester where no sender is known.")
                .value(value("owner"))
                .required(),
        )
        .submit("Keep these edits"))
}

pub(super) fn repository_form(view: &View<'_, '_, '_>, id: &str) -> ActForm {
    let url = view.url(&format!("/connections/{}/repository", escaped(id)));
    ActForm::new("repository", "Add a repository", url).field(super::super::shared::idempotent_form::field(view))
        .note("The address and the secret stay. What ran in it before is not checked.")
        .field(
            Field::text("row", "The repository and what it is here")
                .hint("Their repository, our service, then their environments and ours: halden/booking-api booking-api prod=production")
                .required(),
        )
        .submit("Add it")
}

/// The map of a connection with one more row, in the API's format; a repository that is present is replaced.
fn with_row(cx: &mut acts::Context<'_, '_>, id: &str, text: &str) -> acts::Result<Body> {
    let connection = connections::connection(cx, id)?;
    let told = json!({"map": text.lines().next()});
    let mut added = gather_map(told.as_object().unwrap_or(&Body::new()));
    let is_named = |row: &Value, name: &str| {
        row["repository"]
            .as_str()
            .is_some_and(|it| it.eq_ignore_ascii_case(name))
    };
    let mut map = serde_json::to_value(&connection.map)?;
    typed::flatten(&mut map);
    if let (Some(rows), Some(Value::Array(new))) = (map.as_array_mut(), added.remove("map")) {
        rows.retain(|row| {
            !new.iter()
                .any(|it| is_named(row, it["repository"].as_str().unwrap_or_default()))
        });
        rows.extend(new);
    }
    let body = json!({"map": map});
    Ok(body.as_object().cloned().unwrap_or_default())
}

fn proposal_form(view: &View<'_, '_, '_>, id: &str) -> ActForm {
    let url = view.url(&format!("/connections/{}/proposal", escaped(id)));
    ActForm::new("propose", "Propose to take its deliveries", url)
        .field(super::super::shared::idempotent_form::field(view))
        .note("Another person puts it in force, on the page Policies. Until then its deliveries are rejected.")
        .field(Field::text("reason", "Why").required())
        .submit("Propose it")
}

fn facts(view: &View<'_, '_, '_>, connection: &Connection) -> Vec<Fact> {
    let mut facts = vec![
        Fact::people("Owner", vec![view.named(&connection.owner)]),
        Fact::new(
            "Deliver to",
            Rich::new().code(hook_address(view, connection.id.as_str())),
        ),
    ];
    if let Some(api) = &connection.api {
        facts.push(Fact::new("Answers questions at", Rich::new().code(api.base.as_str())));
    }
    if !connection.builders.is_empty() {
        let names: Vec<&str> = connection.builders.iter().map(|it| it.builder.as_str()).collect();
        facts.push(Fact::new("Believes builders", Rich::new().said(names.join(", "))));
    }
    facts
}

fn map_table(connection: &Connection) -> Table {
    let rows = connection.map.iter().map(|row| {
        let places: Vec<String> = row
            .environments
            .iter()
            .map(|(theirs, ours)| format!("{theirs} → {ours}"))
            .collect();
        vec![
            Cell::title(row.repository.as_str(), ""),
            Cell::said(row.service.as_str()),
            Cell::said(places.join(", ")),
        ]
    });
    Table {
        caption: "What their repositories are here".to_owned(),
        columns: vec![
            Column::new("Repository", Fold::Never),
            Column::new("Service", Fold::Under),
            Column::new("Environments", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

fn deliveries_table(view: &View<'_, '_, '_>, deliveries: &[Delivery]) -> Table {
    let rows = deliveries.iter().map(|row| {
        let tone = match row.state.as_str() {
            "done" => Tone::Ok,
            "parked" => Tone::Stop,
            _ => Tone::Wait,
        };
        let word = match row.state.as_str() {
            "parked" => "Set aside".to_owned(),
            "done" => "Read".to_owned(),
            other => capital(other),
        };
        let told = row.reason.as_deref().or(row.result.as_deref()).unwrap_or_default();
        let again = ActForm::new(
            "again",
            "Read again",
            view.url(&format!("/connections/{}/replay", escaped(&row.connection))),
        )
        .tone(ActTone::Link)
        .field(super::super::shared::idempotent_form::field(view))
        .field(Field::hidden("delivery", row.id.as_str()));
        vec![
            Cell::title(row.event.as_str(), ""),
            Cell::Short(view.reader.moment(row.received_at)),
            Cell::Mark(tone.mark(word)),
            Cell::text(beginning(told, 160)),
            Cell::Acts {
                group: format!("delivery-{}", row.id),
                forms: vec![again],
            },
        ]
    });
    Table {
        caption: "Deliveries, the newest first".to_owned(),
        columns: vec![
            Column::new("Event", Fold::Never),
            Column::new("Came", Fold::Under),
            Column::new("State", Fold::Under),
            Column::new("Result", Fold::Under),
            Column::new("", Fold::Never),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

/// Proposes to accept a connection's deliveries, ends it, or reads one of its deliveries again.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let url = format!("/connections/{}", escaped(&id));
    let delivery = form.first("delivery").to_owned();
    let typed = form.clone();
    let sent = sent(form, format!("{url}/{}", escaped(&act)), url, Place::Connections);
    let whose = id.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| match act.as_str() {
        "proposal" => {
            let wanted = json!({"connections": [whose], "reason": body.get("reason")});
            let wanted = wanted.as_object().cloned().unwrap_or_default();
            propose_ownership::propose_ownership(cx, &wanted).map(drop)
        }
        "repository" => {
            let row = body.get("row").and_then(Value::as_str).unwrap_or_default();
            let map = with_row(cx, &whose, row)?;
            edit_connection::edit_connection(cx, &whose, &map).map(drop)
        }
        "edit" => {
            cx.allow(actions::SET_CONNECTION)?;
            let connection = connections::connection(cx, &whose)?;
            let directory = cx.directory()?;
            let reader = reader_of(cx, &directory);
            let patch = present_record(&directory, &connection).patch(&typed, body, &reader)?;
            edit_connection::edit_connection(cx, &whose, &patch).map(drop)
        }
        "end" => set_connection::end_connection(cx, &whose).map(drop),
        "replay" => read_again::read_again(cx, &delivery).map(drop),
        _ => Err(refusal::Refusal::not_found("page").into()),
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}
