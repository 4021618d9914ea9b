//! The forensic timeline as a page and as CSV: the actions of or about one person, record, address, session, token or incident.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use acts::audit::find_log::LogFilter;
use acts::audit::find_timeline::{LogView, ShownEvent, find_seal};
use acts::compliance::forensic_timeline::{MOST, Wanted as ReportSpan, whole};
use acts::report::name_record::{RecordName, name_record};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::core::act::actions;
use pages::{ActForm, ActTone, Fact, Field, Place, RecordPage, Rich, Section, SectionBody, count};
use serde_json::Value;
use store::{Lane, Mode};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::audit::log::entries;
use crate::web::change::change_query::Wanted;
use crate::web::change::export::csv_line;
use crate::web::compliance::control_reports;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::view::{View, Visitor, problem, show};

/// The address of the page below the tenant's.
const HERE: &str = "/audit/timeline";
/// The parameters that select the subject of a timeline.
const NAMED: [&str; 6] = ["actor", "about", "address", "session", "token", "incident"];
/// All parameters of an address.
const ASKED: [&str; 9] = [
    "actor", "about", "address", "session", "token", "incident", "kind", "from", "to",
];
/// The columns of the file.
const HEADS: [&str; 14] = [
    "index",
    "event",
    "recorded_at",
    "occurred_at",
    "kind",
    "actor",
    "table",
    "record",
    "name",
    "change",
    "session",
    "token",
    "address_code",
    "data",
];

fn read_query(view: &View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<ReportSpan> {
    let span = control_reports::read_query(view, wanted)?;
    let word = |name: &str| wanted.get(name).map(str::to_owned);
    Ok(ReportSpan {
        filter: LogFilter {
            kind: word("kind"),
            actor: word("actor"),
            about: word("about"),
            from: span.from,
            to: span.to,
            address: word("address"),
            session: word("session"),
            token: word("token"),
        },
        incident: word("incident"),
    })
}

fn is_about_something(wanted: &Wanted) -> bool {
    NAMED.iter().any(|name| wanted.get(name).is_some())
}

/// The page.
pub(crate) async fn timeline(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    show(&state, &visitor, Place::AuditLog, move |view| page(view, &wanted)).await
}

fn page(view: &mut View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<String> {
    view.cx.allow(actions::AUDIT)?;
    let mut page = RecordPage {
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: "Forensic timeline".to_owned(),
        byline: Rich::from(
            "The entries of the log in their order. Name a person, a record, an address, a session, a token or an incident.",
        ),
        acts: vec![form(view, wanted)],
        ..RecordPage::default()
    };
    if is_about_something(wanted) {
        let asked = read_query(view, wanted)?;
        let (found, is_cut) = whole(view.cx, &asked)?;
        page.byline = Rich::from(match is_cut {
            true => format!(
                "The newest {} entries; name a shorter span for older ones.",
                count(MOST.unsigned_abs())
            ),
            false => format!("{} entries, the oldest first.", count(found.len() as u64)),
        });
        let file = view.url(&format!("{HERE}.csv?{}", query(wanted)));
        page.acts
            .push(ActForm::link("Timeline as CSV", file).tone(ActTone::Quiet));
        let seal = find_seal(view.cx)?;
        page.facts = vec![
            Fact::new("Size of the log", Rich::from(count(seal.size.unsigned_abs()))),
            Fact::new("Root", Rich::new().code(seal.root.as_str())),
            Fact::new("Proof of an entry", Rich::new().code("assent audit prove INDEX")),
        ];
        let moments = entries(view, &found)?;
        page.sections
            .push(Section::new("timeline", "Timeline", SectionBody::Timeline(moments)).unsaid("No matching entries."));
    }
    page.frame = view.frame.clone();
    Ok(page.render())
}

/// The same query as part of an address.
fn query(wanted: &Wanted) -> String {
    let parts = ASKED
        .iter()
        .filter_map(|name| Some(format!("{name}={}", escaped(wanted.get(name)?))));
    parts.collect::<Vec<_>>().join("&")
}

fn form(view: &View<'_, '_, '_>, wanted: &Wanted) -> ActForm {
    let said = |name: &str| wanted.get(name).unwrap_or_default().to_owned();
    let text = |name: &'static str, label: &'static str, hint: &'static str| {
        Field::text(name, label).hint(hint).value(said(name)).half()
    };
    let moment = |name, label| time_field(view, name, label).value(said(name));
    ActForm::new("timeline", "What it is about", view.url(HERE))
        .question()
        .field(
            pick_field(view, "actors", "actor", "Who")
                .hint("A login, or system for automatic acts.")
                .value(said("actor"))
                .half(),
        )
        .field(text(
            "about",
            "About",
            "The key of a change, service, environment, group, template or incident, or a login.",
        ))
        .field(text(
            "address",
            "IP address",
            "What was done from it, and refused sign-ins.",
        ))
        .field(text(
            "session",
            "Session",
            "The name of a session, as its sign-in shows it.",
        ))
        .field(text("token", "Token", "The id of a token."))
        .field(
            pick_field(view, "incidents", "incident", "Incident")
                .hint("Its context in the log, from a day before its start.")
                .value(said("incident"))
                .half(),
        )
        .field(moment("from", "From"))
        .field(moment("to", "To"))
        .submit("Show")
}

/// The timeline as CSV (RFC 4180), the oldest entry first.
pub(crate) async fn csv(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    let act = move |cx: &mut acts::Context<'_, '_>| {
        let mut view = View::open(cx, Place::AuditLog)?;
        let asked = read_query(&view, &wanted)?;
        let (found, is_cut) = whole(view.cx, &asked)?;
        let seal = find_seal(view.cx)?;
        let names = names(&mut view, &found)?;
        Ok(file(&view, &seal, (&found, is_cut), &names))
    };
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok(body) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"timeline.csv\""),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, body).into_response()
        }
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}{HERE}", visitor.base())).await,
    }
}

/// The subjects of entries, each looked up once.
fn names(view: &mut View<'_, '_, '_>, found: &[ShownEvent]) -> acts::Result<BTreeMap<(String, String), RecordName>> {
    let mut names = BTreeMap::new();
    for told in found {
        let place = (told.table.clone(), told.subject.clone());
        if let Entry::Vacant(free) = names.entry(place) {
            free.insert(name_record(view.cx, &told.table, &told.subject)?);
        }
    }
    Ok(names)
}

fn file(
    view: &View<'_, '_, '_>,
    seal: &LogView,
    (found, is_cut): (&[ShownEvent], bool),
    names: &BTreeMap<(String, String), RecordName>,
) -> String {
    let is_cut = if is_cut { "yes" } else { "no" };
    let about = [
        ("# Size of the log", seal.size.to_string()),
        ("# Root", seal.root.clone()),
        ("# Older entries are left out", is_cut.to_owned()),
    ];
    let pad = |label: &str, value: &str| {
        let rest = std::iter::repeat_n("", HEADS.len() - 2);
        csv_line([label, value].into_iter().chain(rest))
    };
    let mut body: String = about.iter().map(|(label, value)| pad(label, value)).collect();
    body.push_str(&csv_line(HEADS.into_iter()));
    for told in found {
        let name = names.get(&(told.table.clone(), told.subject.clone()));
        let row = row(view, told, name);
        body.push_str(&csv_line(row.iter().map(String::as_str)));
    }
    body
}

fn row(view: &View<'_, '_, '_>, told: &ShownEvent, name: Option<&RecordName>) -> [String; 14] {
    let via = |name: &str| {
        let via = told.data.get("via").and_then(|via| via.get(name));
        via.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let named = |pick: fn(&RecordName) -> Option<String>| name.and_then(pick).unwrap_or_default();
    [
        told.index.map(|index| index.to_string()).unwrap_or_default(),
        told.id.clone(),
        told.recorded_at.to_string(),
        told.at.to_string(),
        told.kind.clone(),
        view.directory.login(&told.actor),
        told.table.clone(),
        told.subject.clone(),
        named(|name| name.name.clone()),
        named(|name| name.change.clone()),
        via("session"),
        via("token"),
        via("address"),
        Value::Object(told.data.clone()).to_string(),
    ]
}
