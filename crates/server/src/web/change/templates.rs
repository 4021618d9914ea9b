//! Templates of standard changes.

use acts::change::set_template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::{Act as Verb, actions};
use model::core::body::Body;
use model::core::enums::{Kind, Role, TemplateState};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, StandardTemplate};
use model::directory::two_people;
use model::risk::forecast::words::percent;
use pages::{
    ActForm, ActTone, ChangeFields, Entry, Fact, Field, Notice, Place, PlanStep, RecordPage, Rich, Section,
    SectionBody, TemplateRow, Templates, Tone, minutes,
};
use serde_json::Value;

use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::{custom_fields, edit_fields};
use crate::web::shared::fields::{picks_field, time_field};
use crate::web::shared::form::{AFTER, Form};
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::idempotent_form;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{self, View, Visitor, show};
use crate::web::shared::words::{capital, names, plain};

/// The list.
pub(crate) async fn show_list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Templates, move |view| {
        list_page_of(view, &words, None)
    })
    .await
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    list_page_of(view, &ListQuery::default(), back)
}

fn list_page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let directory = view.directory.clone();
    let (found, told) = words.narrow(directory.templates.values(), |template| {
        vec![template.key.as_str(), template.title.as_str()]
    });
    let rows = found.into_iter().map(|template| row(view, template)).collect();
    let mut page = Templates {
        frame: view.frame.clone(),
        rows,
        ..Templates::default()
    };
    words.put(&mut page, view.url("/templates"), &told, (Vec::new(), &[]));
    if view.may(actions::PROPOSE_TEMPLATE) {
        page.acts.push(propose_form(view));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn row(view: &View<'_, '_, '_>, template: &StandardTemplate) -> TemplateRow {
    TemplateRow {
        key: template.key.clone(),
        href: page_of(view, template),
        title: template.title.clone(),
        state: template.state.as_str().to_owned(),
        version: format!("v{}", template.template_version),
        targets: targets(template),
        review_by: view.reader.day(template.review_by),
        record: String::new(),
        acts: Vec::new(),
    }
}

/// The fields that each change fills in for itself, by the form's labels.
fn free(template: &StandardTemplate) -> Fact {
    let labels = edit_fields::labels(&ChangeFields::default());
    let told = |name: &String| {
        let label = labels.iter().find(|(known, _)| known == name);
        Rich::from(label.map_or_else(|| capital(name), |(_, label)| label.clone()))
    };
    Fact {
        label: "Free fields".to_owned(),
        values: template.free.iter().map(told).collect(),
        ..Fact::default()
    }
}

/// The bounds of each change: beyond them a change is a normal one.
fn bounds(template: &StandardTemplate) -> Fact {
    let bounds = &template.bounds;
    let mut values = vec![
        Rich::from(format!("risk up to {}", bounds.highest_risk)),
        Rich::from(format!("complexity up to {}", bounds.complexity)),
        Rich::from(format!("impact up to {}", bounds.impact.highest())),
    ];
    if !bounds.touches.is_empty() {
        let touches: Vec<String> = bounds.touches.iter().map(|touch| plain(touch.as_str())).collect();
        values.push(Rich::from(format!("may touch {}", touches.join(", "))));
    }
    if let Some(most) = &bounds.disruption {
        let kind = plain(most.kind.as_str());
        values.push(match most.minutes {
            Some(count) => Rich::from(format!(
                "users notice {kind} for {} at most",
                minutes(count.unsigned_abs())
            )),
            None => Rich::from(format!("users notice {kind} at most")),
        });
    }
    if let Some(most) = bounds.highest_probability {
        values.push(Rich::from(format!("forecast of failure up to {} %", percent(most))));
    }
    Fact {
        label: "Bounds".to_owned(),
        values,
        ..Fact::default()
    }
}

/// How many of its changes failed, and at how many it is suspended.
fn failures(template: &StandardTemplate) -> Fact {
    let count = template.failures.len();
    let told = format!("{count} of {}, then it is suspended", template.suspend_after);
    Fact::new("Failed changes", Rich::from(told))
}

/// Where a template's own page is.
pub(crate) fn page_of(view: &View<'_, '_, '_>, template: &StandardTemplate) -> String {
    view.url(&format!("/templates/{}", escaped(&template.key)))
}

fn targets(template: &StandardTemplate) -> Rich {
    let services: Vec<String> = template.services.iter().map(|key| key.0.clone()).collect();
    let places: Vec<String> = template.environments.iter().map(|key| key.0.clone()).collect();
    let services = if services.is_empty() {
        Rich::from("all services")
    } else {
        names(&services)
    };
    if places.is_empty() {
        services
    } else {
        services.text(", ").append(names(&places))
    }
}

fn propose_form(view: &View<'_, '_, '_>) -> ActForm {
    let levels = [("low", "Low"), ("medium", "Medium"), ("high", "High")];
    let form = ActForm::new("template", "Propose a template", view.url("/templates"))
        .field(idempotent_form::field(view))
        .field(Field::text("key", "Key").required().half())
        .field(Field::text("title", "Title").required().half())
        .field(Field::textarea("locked.description", "Description of the work").required())
        .field(Field::textarea(
            "locked.justification",
            "Why it is safe without an approval",
        ))
        .field(Field::select("locked.complexity", "Complexity", &levels).half())
        .field(Field::textarea("steps", "Plan").hint("One step per line.").required())
        .field(
            Field::textarea("steps_back", "Rollback plan")
                .hint("One step per line.")
                .required(),
        );
    own_fields_to_lock(view)
        .into_iter()
        .fold(form, ActForm::field)
        .field(
            picks_field(view, "services", "services", "Services")
                .hint("Keys, separated by commas; empty means all.")
                .half(),
        )
        .field(
            picks_field(view, "environments", "environments", "Environments")
                .hint("Separated by commas; empty means all.")
                .half(),
        )
        .field(
            Field::text("free", "Free fields")
                .hint("Fields that each change may set, separated by commas.")
                .value("title"),
        )
        .field(time_field(view, "review_by", "Review by"))
        .field(
            Field::new(
                "watch_minutes",
                "Minutes of watching before it closes automatically",
                pages::Input::Number,
            )
            .value("60")
            .half(),
        )
        .field(Field::select("bounds.highest_risk", "Highest risk", &levels).half())
        .field(
            Field::new("suspend_after", "Failures that suspend it", pages::Input::Number)
                .value("3")
                .half(),
        )
        .submit("Propose it")
}

/// The tenant's own fields of standard changes: a field with a value is locked.
fn own_fields_to_lock(view: &View<'_, '_, '_>) -> Vec<Field> {
    let is_of_standard = |field: &Field| {
        let mut known = view.directory.custom_fields.values();
        known.any(|it| it.path() == field.name && it.is_of(Kind::Standard))
    };
    let own = custom_fields::own_fields(view, None).into_iter();
    own.filter(is_of_standard)
        .map(|field| Field {
            name: format!("locked.{}", field.name),
            ..field
        })
        .collect()
}

/// Plans have one step a line in the form and are locked fields in the API.
fn gather(body: &Body) -> Body {
    let mut body = body.clone();
    let plans = [("steps", "plan"), ("steps_back", "rollback_plan")];
    for (sent, field) in plans {
        let Some(Value::String(text)) = body.remove(sent) else {
            continue;
        };
        let rows: Value = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::json!({"title": line}))
            .collect();
        let locked = body.entry("locked").or_insert_with(|| Value::Object(Body::new()));
        if let Value::Object(locked) = locked {
            locked.insert(field.to_owned(), rows);
        }
    }
    body
}

/// Proposes a template.
pub(crate) async fn propose(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/templates".to_owned();
    let sent = Sent {
        form,
        boxes: &[],
        path: path.clone(),
        then: path,
        place: Place::Templates,
        done: "",
    };
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| set_template::propose_template(cx, &gather(body)).map(drop);
    send(&state, &visitor, sent, run, list_page).await
}

/// One template.
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Templates, move |view| page(view, &key, None)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let directory = view.directory.clone();
    let Some(template) = directory.templates.get(key) else {
        return Err(Refusal::not_found(format!("template {key}")).into());
    };
    let tone = match template.state {
        TemplateState::Approved => Tone::Ok,
        TemplateState::Proposed => Tone::Wait,
        TemplateState::Suspended => Tone::Stop,
        TemplateState::Retired => Tone::Plain,
    };
    let next = next_of(template);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Templates".to_owned(), view.url("/templates"))],
        key: template.key.clone(),
        title: template.title.clone(),
        marks: vec![tone.mark(capital(template.state.as_str()))],
        byline: Rich::from(format!("proposed by {}", view.name(&template.proposer))),
        sections: std::iter::once(template)
            .chain(next)
            .flat_map(|version| sections_of(view, version, version.template_version != template.template_version))
            .collect(),
        facts: vec![
            Fact::new("Version", Rich::new().said(format!("v{}", template.template_version))),
            Fact::new("Where", targets(template)),
            free(template),
            failures(template),
            Fact::new("Review by", view.reader.day(template.review_by)),
            Fact::new(
                "Closes automatically after",
                pages::minutes(template.watch_minutes.unsigned_abs()),
            ),
        ],
        acts: page_acts(view, template),
        ..RecordPage::default()
    };
    let withheld = withheld(view).filter(|_| template.proposed().is_some());
    if let Some(why) = withheld.filter(|_| view.may(actions::APPROVE_TEMPLATE)) {
        page.notices
            .push(Notice::new(Tone::Wait, why).title("This sign-in does not let you decide"));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// The version that is proposed beside the page's version.
fn next_of(template: &StandardTemplate) -> Option<&StandardTemplate> {
    template
        .proposed()
        .filter(|it| it.template_version != template.template_version)
}

/// A version's content and its approvers; the next version is distinguished by its number.
fn sections_of(view: &View<'_, '_, '_>, version: &StandardTemplate, is_next: bool) -> Vec<Section> {
    let approvals = version.approvals.iter().map(|approval| {
        Entry::new(
            Tone::Ok,
            Rich::new()
                .append(view.person(&approval.person))
                .text(format!(" approved as {}", plain(approval.role.as_str()))),
        )
        .aside(view.ago(approval.at))
    });
    let approvals = approvals.chain(missing(version, &view.directory, view.now()));
    let section = |id: &str, title: &str, body: SectionBody| match is_next {
        true => {
            let title = format!("{title} of v{}", version.template_version);
            Section::new(format!("next-{id}"), title, body)
        }
        false => Section::new(id, title, body),
    };
    let beyond = Fact {
        label: "Failures that suspend it".to_owned(),
        values: vec![Rich::from(version.suspend_after.to_string())],
        ..Fact::default()
    };
    vec![
        section("approvals", "Approvals", SectionBody::Entries(approvals.collect()))
            .unsaid("Approved by an owner and a change manager, never by the person who proposed it."),
        section(
            "locked",
            "Locked fields",
            SectionBody::Facts(locked_beside(view, version, &PLANS)),
        ),
        section(
            "bounds",
            "Bounds of the free fields",
            SectionBody::Facts(vec![bounds(version), beyond]),
        ),
        section("plan", "Plan", SectionBody::Plan(steps(version, PLANS[0]))).unsaid("It locks no plan."),
        section("back", "Rollback plan", SectionBody::Plan(steps(version, PLANS[1])))
            .unsaid("It locks no rollback plan."),
    ]
}

fn page_acts(view: &View<'_, '_, '_>, template: &StandardTemplate) -> Vec<ActForm> {
    let mut acts = Vec::new();
    if template.state == TemplateState::Approved && view.may(Verb::Create.as_str()) {
        let address = format!("/changes/new?{AFTER}={}", escaped(&template.key));
        let link = ActForm::link("New change from this template", view.url(&address));
        // One act is the main one: an act that waits for the reader comes before acts that are always possible.
        let waits = next_of(template).is_some() && view.may(actions::APPROVE_TEMPLATE);
        acts.push(if waits { link } else { link.tone(ActTone::Go) });
    }
    acts.extend(states(view, template));
    let rework = format!("/templates/{}/rework", escaped(&template.key));
    acts.push(ActForm::link("Rework", view.url(&rework)).tone(ActTone::Quiet));
    acts
}

/// Why the reader judges no template by the way in by which they came, if so.
fn withheld(view: &View<'_, '_, '_>) -> Option<String> {
    let heard = two_people::check_voice(&view.directory, &view.cx.actor, view.cx.now, |_| true);
    heard.err().map(|refusal| refusal.text())
}

/// The acts that move the template itself.
fn states(view: &View<'_, '_, '_>, template: &StandardTemplate) -> Vec<ActForm> {
    if !view.may(actions::APPROVE_TEMPLATE) {
        return Vec::new();
    }
    let url = |act: &str| view.url(&format!("/templates/{}/{act}", escaped(&template.key)));
    let end = |id: &str, label: &str| {
        ActForm::new(id, label, url(id))
            .tone(ActTone::Stop)
            .field(Field::textarea("reason", "Why").required())
    };
    let approve = |proposed: &StandardTemplate| {
        // Beside a version in force the label names the approved version.
        let label = match next_of(template) {
            Some(next) => format!("Approve v{}", next.template_version),
            None => "Approve it".to_owned(),
        };
        ActForm::new("approval", label, url("approval"))
            .field(Field::hidden("template_version", proposed.template_version.to_string()))
            .tone(ActTone::Go)
    };
    let mut acts = Vec::new();
    acts.extend(template.proposed().filter(|_| withheld(view).is_none()).map(approve));
    if let Some(next) = next_of(template) {
        let version = Field::hidden("template_version", next.template_version.to_string());
        let drop = ActForm::new("proposal", "Withdraw the proposal", url("retirement"));
        acts.push(drop.field(version).field(Field::textarea("reason", "Why").required()));
    }
    match template.state {
        TemplateState::Proposed | TemplateState::Suspended => acts.push(end("retirement", "Retire it")),
        TemplateState::Approved => acts.extend([end("suspension", "Suspend it"), end("retirement", "Retire it")]),
        TemplateState::Retired => {}
    }
    acts
}

/// The fields with enumerated values; other fields hold text that people wrote.
const CLOSED: [&str; 5] = ["complexity", "category", "impact", "touches", "disruption"];

/// The fields that hold steps.
const PLANS: [&str; 2] = ["plan", "rollback_plan"];

/// The steps that a template locks in a field.
fn steps(template: &StandardTemplate, field: &str) -> Vec<PlanStep> {
    let rows = template.locked.get(field).and_then(Value::as_array);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let step = |row: &Value| PlanStep {
        title: text(row, "title"),
        detail: match text(row, "check") {
            check if check.is_empty() => Rich::new(),
            check => Rich::from("check: ").said(check),
        },
        length: row["minutes"].as_u64().map(minutes).unwrap_or_default(),
    };
    rows.into_iter().flatten().map(step).collect()
}

/// The locked fields with their values, for display.
pub(crate) fn locked(view: &View<'_, '_, '_>, template: &StandardTemplate) -> Vec<Fact> {
    locked_beside(view, template, &[])
}

/// The same without those that are shown elsewhere.
fn locked_beside(view: &View<'_, '_, '_>, template: &StandardTemplate, elsewhere: &[&str]) -> Vec<Fact> {
    let shown = template
        .locked
        .iter()
        .filter(|(name, _)| !elsewhere.contains(&name.as_str()));
    let rows = shown.map(|(name, value)| {
        let told = |value: &Value| match CLOSED.contains(&name.as_str()) {
            true => Rich::from(value_text(value)),
            false => Rich::new().said(value_text(value)),
        };
        let values: Vec<Rich> = match value {
            Value::Array(rows) => rows.iter().map(told).collect(),
            other => vec![told(other)],
        };
        Fact {
            label: capital(name),
            values,
            ..Fact::default()
        }
    });
    let own = template.custom_fields.iter().map(|value| {
        let label = custom_fields::name(&view.directory, &value.key);
        Fact::new(label, Rich::new().said(custom_fields::plain(view, value))).said()
    });
    rows.chain(own).collect()
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // A step is shown by its title.
        Value::Object(map) => match map.get("title") {
            Some(title) => value_text(title),
            None => map.values().map(value_text).collect::<Vec<_>>().join(", "),
        },
        Value::Array(rows) => rows.iter().map(value_text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Approves, suspends or retires a template.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let address = format!("/templates/{}", escaped(&key));
    let known = ["approval", "suspension", "retirement"];
    if !known.contains(&act.as_str()) {
        let failure = Failure::new(404, "not_found", "There is no such act.");
        return view::problem(&state, &visitor, &failure, &format!("{}{address}", visitor.base())).await;
    }
    let sent = Sent {
        form,
        boxes: &[],
        path: format!("{address}/{act}"),
        then: address,
        place: Place::Templates,
        done: "",
    };
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        use acts::change::set_template::{approve_template, end_template};
        let done = match act.as_str() {
            "approval" => approve_template(cx, &whose, body),
            "suspension" => end_template(cx, &whose, body, TemplateState::Suspended),
            _ => end_template(cx, &whose, body, TemplateState::Retired),
        };
        done.map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &key, back)).await
}

/// The missing approvers of a version that has some approvals, which may have become void by now.
fn missing(template: &StandardTemplate, directory: &Directory, now: jiff::Timestamp) -> Vec<Entry> {
    if template.state != TemplateState::Proposed || template.approvals.is_empty() {
        return Vec::new();
    }
    let roles = set_template::waits_for(template, directory, now).into_iter();
    let texts = roles.map(|role| match role {
        Role::ChangeManager => "Waiting for the approval of a change manager.",
        _ => "Waiting for the approval of an owner of all its services.",
    });
    texts.map(|text| Entry::new(Tone::Wait, Rich::from(text))).collect()
}
