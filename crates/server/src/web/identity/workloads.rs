//! Workloads: which jobs of a pipeline's platform are let in with the platform's own token.

use acts::identity::set_workload;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::refusal::Refusal;
use model::integration::workload::Workload;
use pages::{
    ActForm, ActTone, Cell, Column, Fact, Field, Fold, Input, Mark, Place, RecordPage, Rich, Section, SectionBody,
    Table, Tone,
};
use serde_json::{Map, Value};

use super::super::identity::tokens::{no_scope, scopes_field};
use super::super::shared::form::{Form, lines};
use super::super::shared::form_page::{Back, send, sent};
use super::super::shared::list_filter::ListQuery;
use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::and;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::pick_field;

/// The list.
pub(crate) async fn show_list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Workloads, move |view| {
        list_page_of(view, &words, None)
    })
    .await
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    list_page_of(view, &ListQuery::default(), back)
}

fn list_page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_TOKEN)?;
    let (found, told) = words.cut(set_workload::workloads(view.cx)?);
    let rows = found.iter().map(|workload| {
        vec![
            Cell::title(workload.name.as_str(), view.url(&path(&workload.key))),
            Cell::said(claims(workload)),
            Cell::said(view.name(&workload.person)),
            Cell::said(scopes(workload)),
            Cell::Mark(status_mark(workload)),
        ]
    });
    let table = Table {
        caption: "Workloads".to_owned(),
        columns: vec![
            Column::new("Name", Fold::Never),
            Column::new("What a token must say", Fold::Under),
            Column::new("Acts as", Fold::Under).named(),
            Column::new("It may", Fold::Under).named(),
            Column::new("State", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Workloads".to_owned(),
        byline: Rich::from("Jobs of pipelines that show their platform's own token instead of a stored secret."),
        sections: vec![
            Section::new("workloads", "All of them", SectionBody::Table(table))
                .unsaid("None yet. Add one, and a pipeline's jobs need no stored secret."),
        ],
        acts: vec![form(view, "workload", "Add a workload", None)],
        ..RecordPage::default()
    };
    page.acts.extend(words.page_acts(&view.url("/workloads"), &told));
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn path(key: &str) -> String {
    format!("/workloads/{}", escaped(key))
}

/// The claims that a token needs, in a line: `repository acme/a or acme/b, environment production`.
fn claims(workload: &Workload) -> String {
    let told = workload.claims.iter().map(|(name, patterns)| {
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        format!("{name}={}", patterns.join("|"))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn scopes(workload: &Workload) -> String {
    let scopes: Vec<&str> = workload.scopes.iter().map(String::as_str).collect();
    scopes.join(", ")
}

fn status_mark(workload: &Workload) -> Mark {
    match workload.active {
        true if workload.trusts_anybody() => Tone::Stop.mark("Accepts anyone"),
        true => Tone::Ok.mark("Lets in"),
        false => Tone::Plain.mark("Ended"),
    }
}

/// One workload.
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Workloads, move |view| page(view, &key, None)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_TOKEN)?;
    let workload = set_workload::workload(view.cx, key)?;
    let label = if workload.active {
        "Change it"
    } else {
        "Accept jobs again"
    };
    let mut acts = vec![form(view, "change", label, Some(&workload))];
    if workload.active {
        let end = ActForm::new("end", "End it", view.url(&format!("{}/end", path(key))))
            .tone(ActTone::Stop)
            .note("No job is accepted any more, and running jobs lose their access at once.")
            .submit("End this workload");
        acts.push(end);
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Workloads".to_owned(), view.url("/workloads"))],
        title: workload.name.clone(),
        is_said: true,
        marks: vec![status_mark(&workload)],
        byline: Rich::new().code(workload.key.as_str()),
        sections: vec![Section::new(
            "trust",
            "What a token must say",
            SectionBody::Facts(trusted(&workload)),
        )],
        facts: facts(view, &workload),
        acts,
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// Each claim with its patterns, letter for letter.
fn trusted(workload: &Workload) -> Vec<Fact> {
    let claim = |(name, patterns): (&String, &std::collections::BTreeSet<String>)| {
        let patterns = patterns.iter().enumerate().fold(Rich::new(), |told, (place, pattern)| {
            let told = if place == 0 { told } else { told.text(" or ") };
            told.code(pattern.as_str())
        });
        Fact::new(name.as_str(), patterns).said()
    };
    workload.claims.iter().map(claim).collect()
}

fn facts(view: &View<'_, '_, '_>, workload: &Workload) -> Vec<Fact> {
    let exchange = format!("{}/t/{}/token", view.cx.services.tools().public_url, view.cx.tenant());
    let mut facts = vec![
        Fact::new("Issuer", Rich::new().code(workload.issuer.as_str())),
        Fact::new(
            "Serves only our own jobs",
            if workload.own_issuer { "yes" } else { "no" },
        ),
        Fact::new("Meant for", Rich::new().code(workload.meant_for.as_str())),
        Fact::people("Acts as", vec![view.named(&workload.person)]),
        Fact::new("It may", Rich::new().said(scopes(workload))),
    ];
    if let Some(roles) = &workload.roles {
        let roles: Vec<String> = roles.iter().map(|role| role.as_str().to_owned()).collect();
        facts.push(Fact::new("Narrowed to", and(&roles)));
    }
    facts.extend([
        Fact::new("Minutes inside", workload.minutes.to_string()),
        Fact::people("Owner", vec![view.named(&workload.owner)]),
        Fact::new("Exchanged at", Rich::new().code(exchange)),
    ]);
    facts
}

fn form(view: &View<'_, '_, '_>, id: &str, label: &str, known: Option<&Workload>) -> ActForm {
    let text = |pick: fn(&Workload) -> &str| known.map(pick).unwrap_or_default().to_owned();
    let url = known.map_or_else(|| "/workloads".to_owned(), |workload| path(&workload.key));
    let login = known
        .map(|workload| view.directory.login(&workload.person))
        .unwrap_or_default();
    let meant_for = known.map_or("assent", |workload| workload.meant_for.as_str());
    let minutes = known.map(|workload| workload.minutes.to_string()).unwrap_or_default();
    let own_issuer = known.is_some_and(|workload| workload.own_issuer).to_string();
    let claims = known.map(claim_lines).unwrap_or_default();
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let mut form = ActForm::new(id, label, view.url(&url));
    if known.is_none() {
        let key = Field::text("key", "Key").hint("Used in addresses: lower-case letters, digits and -.");
        form = form.field(key.required().half());
    }
    form.field(Field::text("name", "Name").value(text(|it| &it.name)).half())
        .field(
            Field::new("issuer", "Issuer", Input::Url)
                .hint("GitHub: https://token.actions.githubusercontent.com")
                .value(text(|it| &it.issuer))
                .required(),
        )
        .field(
            Field::new("own_issuer", "This issuer serves only our own jobs", Input::Checkbox)
                .hint("Otherwise a claim below must restrict the owner of the job.")
                .value(own_issuer),
        )
        .field(Field::text("meant_for", "Meant for").value(meant_for).required().half())
        .field(
            pick_field(view, "people", "person", "Acts as")
                .hint("A login.")
                .value(login)
                .required()
                .half(),
        )
        .field(
            Field::textarea("claims", "What a token must say")
                .hint("One a line: repository=acme/booking-api. * stands for anything; of several lines of one claim, one must fit.")
                .value(claims)
                .required(),
        )
        .field(scopes_field(set_workload::SCOPES, scopes_of(known)))
        .field(
            ticked("roles", "Narrowed to", &roles, roles_of(known))
                .hint("None ticked: all roles of the person."),
        )
        .field(
            Field::new("minutes", "Minutes inside", Input::Number)
                .hint("For one token of the platform: 15 unless set, 60 at most.")
                .value(minutes)
                .half(),
        )
        .submit("Keep this workload")
}

fn ticked(name: &str, label: &str, words: &[&str], chosen: Vec<String>) -> Field {
    let choices: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
    let mut field = Field::many(name, label, &choices);
    field.chosen = chosen;
    field
}

fn scopes_of(known: Option<&Workload>) -> Vec<String> {
    known.map(|it| it.scopes.iter().cloned().collect()).unwrap_or_default()
}

fn roles_of(known: Option<&Workload>) -> Vec<String> {
    let roles = known.and_then(|workload| workload.roles.as_ref());
    roles
        .into_iter()
        .flatten()
        .map(|role| role.as_str().to_owned())
        .collect()
}

/// The claims in the form's format, one pattern a line.
fn claim_lines(workload: &Workload) -> String {
    let lines = workload
        .claims
        .iter()
        .flat_map(|(name, patterns)| patterns.iter().map(move |pattern| format!("{name}={pattern}")));
    lines.collect::<Vec<_>>().join("\n")
}

/// Converts the lines of the form into the API's format.
fn gather(body: &Body) -> acts::Result<Body> {
    let mut body = body.clone();
    let written = match body.remove("claims") {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let mut claims: Map<String, Value> = Map::new();
    for line in lines(&written) {
        let Some((name, pattern)) = line.split_once('=') else {
            let text = "Write each claim as name=pattern, such as repository=acme/booking-api.";
            return Err(Refusal::field("claims", "not_patterns", text).into());
        };
        let patterns = claims.entry(name.trim()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(patterns) = patterns {
            patterns.push(Value::String(pattern.trim().to_owned()));
        }
    }
    body.insert("claims".to_owned(), Value::Object(claims));
    match no_scope(&body) {
        Some(error) => Err(Refusal::Invalid(vec![error]).into()),
        None => Ok(body),
    }
}

/// Adds a workload. A key in use is refused: the trust of an existing workload is changed on its own page, not by mistake.
fn add(cx: &mut acts::Context<'_, '_>, body: &Body) -> acts::Result<()> {
    let mut body = gather(body)?;
    let Some(Value::String(key)) = body.remove("key") else {
        return Err(Refusal::field("key", "missing", "`key` is missing.").into());
    };
    if set_workload::workloads(cx)?.iter().any(|it| it.key == key) {
        return Err(Refusal::field("key", "taken", format!("The workload `{key}` exists already.")).into());
    }
    set_workload::set_workload(cx, &key, &body).map(drop)
}

/// Sets a workload up.
pub(crate) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/workloads".to_owned();
    let sent = sent(form, path.clone(), path, Place::Workloads);
    send(&state, &visitor, sent, add, list_page).await
}

/// Changes one.
pub(crate) async fn change(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = path(&key);
    let sent = sent(form, path.clone(), path, Place::Workloads);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        set_workload::workload(cx, &whose)?;
        set_workload::set_workload(cx, &whose, &gather(body)?).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

/// Ends one.
pub(crate) async fn end(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let then = path(&key);
    let sent = sent(form, format!("{then}/end"), then, Place::Workloads);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| set_workload::end_workload(cx, &whose).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}
