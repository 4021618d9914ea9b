//! Outgoing webhooks: their receivers and events, their state, pending messages and failed ones.

use acts::integration::set_webhook;
use axum::extract::{Path, State};
use axum::response::Response;
use connect::integration::standard_webhooks;
use model::core::act::actions;
use model::core::body::Body;
use model::core::refusal;
use model::integration::webhook::{Webhook, WebhookFormat};
use pages::{
    ActForm, ActTone, Cell, Choice, Column, Fact, Field, Fold, Input, Place, RecordPage, Rich, Section, SectionBody,
    Table, Tone, count,
};
use serde_json::json;
use store::integration::webhook;
use store::record::{self, Filter};

use super::super::shared::form::{Form, lines};
use super::super::shared::form_page::{Back, Made, Sent, send, send_made, sent};
use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::{and, beginning};
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::pick_field;

/// The most webhooks that are listed.
const MOST: i64 = 500;
/// How many deliveries of each state are shown.
const DELIVERIES: i64 = 30;

/// The list.
pub(crate) async fn show_list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Webhooks, |view| list_page(view, None)).await
}

fn list_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let found = record::find::<Webhook>(view.cx.tx, &Filter::new().order_by("id").limit(MOST))?;
    let mut rows = Vec::new();
    for stored in found {
        let webhook = stored.record;
        let state = webhook::state(view.cx.tx, webhook.id.as_str())?;
        let last = state.as_ref().and_then(|it| it.delivered_at);
        rows.push(vec![
            Cell::title(
                webhook.name.as_str(),
                view.url(&format!("/webhooks/{}", escaped(webhook.id.as_str()))),
            ),
            Cell::said(webhook.url.as_str()),
            match webhook.format.is_usual() {
                true => Cell::Text(Rich::new().code(contents_line(&webhook))),
                false => Cell::text(contents_line(&webhook)),
            },
            Cell::Short(last.map(|at| view.reader.moment(at)).unwrap_or_default()),
            Cell::Mark(status_mark(&webhook, state.as_ref())),
        ]);
    }
    let table = Table {
        caption: "Outgoing webhooks".to_owned(),
        columns: vec![
            Column::new("Name", Fold::Never),
            Column::new("Address", Fold::Under),
            Column::new("Told of", Fold::Under).named(),
            Column::new("Last delivered", Fold::Under).named(),
            Column::new("State", Fold::Under),
        ],
        rows,
        ..Table::default()
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Webhooks".to_owned(),
        byline: Rich::from("External addresses that receive signed events in order, retried until they are accepted."),
        sections: vec![
            Section::new("webhooks", "All of them", SectionBody::Table(table))
                .unsaid("None yet. Add one to notify a chat or a dashboard of every approval and outcome."),
        ],
        acts: vec![new_form(view)],
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// The contents of a webhook in a line: for a chat that it gets cards, and of which services.
fn contents_line(webhook: &Webhook) -> String {
    if webhook.format.is_usual() {
        return webhook.kinds.join(", ");
    }
    let services: Vec<String> = webhook.services.iter().map(ToString::to_string).collect();
    match services.is_empty() {
        true => form_of(webhook).to_owned(),
        false => format!("{}, of {}", form_of(webhook), and(&services)),
    }
}

/// The format of a webhook's messages.
fn form_of(webhook: &Webhook) -> &'static str {
    match webhook.format {
        WebhookFormat::Events => "Signed events",
        WebhookFormat::Slack => "Decision cards for Slack",
        WebhookFormat::Teams => "Decision cards for Microsoft Teams",
    }
}

fn status_mark(webhook: &Webhook, state: Option<&webhook::State>) -> pages::Mark {
    match (webhook.active, state) {
        (false, _) => Tone::Plain.mark("Stopped"),
        (true, Some(state)) if state.failing_since.is_some() => Tone::Stop.mark("Failing"),
        (true, _) => Tone::Ok.mark("Told"),
    }
}

fn new_form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("webhook", "Add a webhook", view.url("/webhooks"))
        .field(super::super::shared::idempotent_form::field(view))
        .field(Field::text("name", "Name").required().half())
        .field(
            Field::new("url", "Address", Input::Url)
                .hint("https, and reachable from this server.")
                .required()
                .half(),
        )
        .field(Field::new("format", "Form", Input::Select(forms())))
        .field(Field::textarea("kinds", "Told of").hint(
            "Kinds of event, one a line: change.approved, approval.*, or * for all. A chat's usual ones if empty.",
        ))
        .field(
            pick_field(view, "people", "owner", "Owner")
                .hint("A login; the person who is notified when it fails.")
                .value(view.directory.login(&view.me)),
        )
        .note("Its secret is shown once. Signatures follow Standard Webhooks. A chat's address is kept as a secret.")
        .submit("Add it")
}

/// The formats of webhook messages.
fn forms() -> Vec<Choice> {
    vec![
        Choice::new("events", "Signed events"),
        Choice::new("slack", "Decision cards for Slack"),
        Choice::new("teams", "Decision cards for Microsoft Teams"),
    ]
}

/// Kinds come one a line.
fn gather(body: &Body) -> Body {
    let mut body = body.clone();
    if let Some(text) = body.get("kinds").and_then(|kinds| kinds.as_str().map(str::to_owned)) {
        let kinds: Vec<&str> = lines(&text).flat_map(|line| line.split(',').map(str::trim)).collect();
        body.insert("kinds".to_owned(), json!(kinds));
    }
    body
}

fn made(webhook: &Webhook, secret: &[u8], words: &str) -> Made {
    let title = format!("{} {words}", webhook.name);
    if !webhook.format.is_usual() {
        return Made {
            title,
            text: "Its address is kept as a secret; only its beginning is shown.".to_owned(),
            shown: Vec::new(),
        };
    }
    Made {
        title,
        text: "Copy the secret now: it cannot be shown again.".to_owned(),
        shown: vec![("Secret".to_owned(), standard_webhooks::secret_text(secret))],
    }
}

/// Adds a webhook.
pub(crate) async fn create(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/webhooks".to_owned();
    let sent = sent(form, path.clone(), path, Place::Webhooks);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| {
        let (webhook, secret) = set_webhook::create_webhook(cx, &gather(body))?;
        Ok(made(&webhook, &secret, "is notified from now on"))
    };
    send_made(&state, &visitor, sent, run, list_page).await
}

/// One webhook with its deliveries.
pub(crate) async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Webhooks, move |view| page(view, &id, None)).await
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let webhook = set_webhook::webhook(view.cx, id)?;
    let state = webhook::state(view.cx.tx, id)?;
    let mut sections = Vec::new();
    for (word, title, unsaid) in [
        ("waiting", "On their way", "Nothing waits."),
        ("dead", "Given up", "Nothing was given up."),
        ("delivered", "Delivered", "Nothing was delivered yet."),
    ] {
        let rows = webhook::list(view.cx.tx, id, word, i64::MAX, DELIVERIES)?;
        let table = deliveries(view, title, &rows);
        sections.push(Section::new(word, title, SectionBody::Table(table)).unsaid(unsaid));
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Webhooks".to_owned(), view.url("/webhooks"))],
        title: webhook.name.clone(),
        is_said: true,
        marks: vec![status_mark(&webhook, state.as_ref())],
        byline: Rich::new().code(webhook.url.as_str()),
        sections,
        facts: facts(view, &webhook, state.as_ref()),
        acts: acts_of(view, &webhook),
        ..RecordPage::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// The kinds of events, as they were configured.
fn kinds(webhook: &Webhook) -> Rich {
    let mut rich = Rich::new();
    for (place, kind) in webhook.kinds.iter().enumerate() {
        if place > 0 {
            rich = rich.text(", ");
        }
        rich = rich.code(kind.as_str());
    }
    rich
}

fn facts(view: &View<'_, '_, '_>, webhook: &Webhook, state: Option<&webhook::State>) -> Vec<Fact> {
    let mut facts = vec![
        Fact::people("Owner", vec![view.named(&webhook.owner)]),
        Fact::new("Form", form_of(webhook)),
        Fact::new("Told of", kinds(webhook)),
    ];
    if !webhook.services.is_empty() {
        let services: Vec<String> = webhook.services.iter().map(ToString::to_string).collect();
        facts.push(Fact::new("Of changes to", Rich::new().names(&services, "and")));
    }
    if webhook.both_sign(view.now()) {
        facts.push(Fact::new(
            "Secret",
            "recently replaced: the former one also signs for a day",
        ));
    }
    let Some(state) = state else { return facts };
    facts.push(Fact::new("Next entry", count(state.position.unsigned_abs())));
    if let Some(since) = state.failing_since {
        facts.push(Fact::new(
            "Failing",
            Rich::new().late(format!("since {}", view.reader.moment(since))),
        ));
        facts.push(Fact::new("Next try", view.reader.due(state.run_at)));
    }
    if let Some(error) = &state.last_error {
        facts.push(Fact::new("Last answer", Rich::new().said(beginning(error, 200))));
    }
    facts
}

fn acts_of(view: &View<'_, '_, '_>, webhook: &Webhook) -> Vec<ActForm> {
    let url = |act: &str| view.url(&format!("/webhooks/{}/{act}", escaped(webhook.id.as_str())));
    if !webhook.active {
        return vec![ActForm::new("go-on", "Go on", url("go-on"))];
    }
    let again = ActForm::new("replay", "Send again", url("replay"))
        .field(super::super::shared::idempotent_form::field(view))
        .field(Field::new("from", "From entry", Input::Number).half())
        .field(Field::new("to", "To entry", Input::Number).half())
        .field(Field::new(
            "delivered",
            "Those that were delivered too",
            Input::Checkbox,
        ))
        .submit("Send them again");
    let secret = ActForm::new("secret", "New secret", url("secret"))
        .note("For a day both secrets sign; then the former one ends.")
        .submit("Replace the secret");
    let pause = ActForm::new("pause", "Pause", url("pause"));
    let end = ActForm::new("end", "End it", url("end"))
        .tone(ActTone::Stop)
        .note("Waiting deliveries are dropped, and nothing more is sent.")
        .submit("End this webhook");
    if !webhook.format.is_usual() {
        // A chat verifies no signature; its secret is its address.
        return vec![again, pause, end];
    }
    vec![again, secret, pause, end]
}

fn deliveries(view: &View<'_, '_, '_>, title: &str, rows: &[webhook::Delivery]) -> Table {
    let cells = rows.iter().map(|row| {
        let answer = match (row.last_status, &row.last_error) {
            (_, Some(error)) => Rich::new().said(beginning(error, 120)),
            (Some(status), None) => Rich::from(format!("answered {status}")),
            (None, None) => Rich::new(),
        };
        vec![
            Cell::title(row.kind.as_str(), ""),
            Cell::Short(count(row.seq.unsigned_abs())),
            Cell::Short(view.reader.moment(row.queued_at)),
            Cell::Short(match row.tries {
                0 => "waits".to_owned(),
                1 => "1 try".to_owned(),
                many => format!("{many} tries"),
            }),
            Cell::text(answer),
        ]
    });
    Table {
        caption: title.to_owned(),
        columns: vec![
            Column::new("Event", Fold::Never),
            Column::new("Entry", Fold::Under).number(),
            Column::new("Since", Fold::Under).named(),
            Column::new("Tries", Fold::Under),
            Column::new("Answer", Fold::Under),
        ],
        rows: cells.collect(),
        ..Table::default()
    }
}

/// Ends, pauses or continues a webhook, replaces its secret, or sends again.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let url = format!("/webhooks/{}", escaped(&id));
    let sent = Sent {
        boxes: &[],
        ..sent(form, format!("{url}/{}", escaped(&act)), url, Place::Webhooks)
    };
    let whose = id.clone();
    if act == "secret" {
        let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| {
            let (webhook, secret) = set_webhook::rotate_secret(cx, &whose)?;
            Ok(made(&webhook, &secret, "has a new secret"))
        };
        return send_made(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await;
    }
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| {
        let active = |is: bool| json!({"active": is}).as_object().cloned().unwrap_or_default();
        match act.as_str() {
            "end" => set_webhook::end_webhook(cx, &whose).map(drop),
            "pause" => set_webhook::edit_webhook(cx, &whose, &active(false)).map(drop),
            "go-on" => set_webhook::edit_webhook(cx, &whose, &active(true)).map(drop),
            "replay" => set_webhook::replay_webhook(cx, &whose, body).map(drop),
            _ => Err(refusal::Refusal::not_found("page").into()),
        }
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}
