//! Identity providers: where people sign in besides the password here.

use acts::core::providers;
use acts::identity::set_identity_provider;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::refusal::Refusal;
use model::identity::provider::{IdentityProvider, USUAL_DAYS};
use pages::{ActForm, ActTone, Fact, Field, Input, Place, RecordPage, Rich, Section, SectionBody};
use serde_json::Value;

use super::super::shared::form::{Form, lines, pairs};
use super::super::shared::form_page::{Back, Sent, send, sent};
use super::super::shared::propose_form::{propose_or, with_reason_field};
use super::super::shared::view::{View, Visitor, show};
use crate::http::percent::escaped;
use crate::http::state::AppState;

/// The list.
pub(crate) async fn show_list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Providers, |view| page(view, None)).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let found = providers::providers(view.cx)?;
    let mut sections: Vec<Section> = found.iter().map(|provider| section(view, provider)).collect();
    if sections.is_empty() {
        sections.push(
            Section::new("none", "None yet", SectionBody::Entries(Vec::new())).unsaid(
                "People sign in with a password here. With a provider they use the account of your organisation.",
            ),
        );
    }
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Identity providers".to_owned(),
        byline: Rich::from("OpenID Connect: where people sign in, and how its groups map to ours."),
        acts: vec![form("provider", "Add a provider", view, None)],
        sections,
        ..RecordPage::default()
    };
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn section(view: &View<'_, '_, '_>, provider: &IdentityProvider) -> Section {
    let yes = |is: bool, yes: &str, no: &str| if is { yes.to_owned() } else { no.to_owned() };
    let way_back = format!(
        "{}/t/{}/sign-in/{}/callback",
        view.cx.services.tools().public_url,
        view.cx.tenant(),
        provider.key
    );
    let mut facts = vec![
        Fact::new(
            "State",
            yes(provider.active, "people may sign in", "nobody may sign in"),
        ),
        Fact::new("Issuer", Rich::new().code(provider.issuer.as_str())),
        Fact::new("Client", Rich::new().code(provider.client_id.as_str())),
        Fact::new("Way back", Rich::new().code(way_back)),
        Fact::new("Client secret", yes(provider.has_secret, "kept, encrypted", "none")),
        Fact::new("Login from", Rich::new().code(provider.login_claim.as_str())),
        Fact::new(
            "People who are new",
            yes(
                provider.creates_people,
                "are created at their first sign-in",
                "are refused",
            ),
        ),
        lasting(provider),
    ];
    let words = |pairs: Vec<(String, String)>| {
        let mut told = Rich::new();
        for (place, (theirs, ours)) in pairs.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            told = told.text(comma).said(theirs).text(" is ").said(ours);
        }
        told
    };
    let groups = provider
        .groups
        .iter()
        .map(|(theirs, ours)| (theirs.clone(), ours.0.clone()))
        .collect();
    let roles = provider
        .roles
        .iter()
        .map(|(theirs, ours)| (theirs.clone(), ours.to_string()))
        .collect();
    for (label, told) in [("Groups", words(groups)), ("Rights", words(roles))] {
        if !told.is_empty() {
            facts.push(Fact::new(label, told));
        }
    }
    let mut acts =
        vec![form(&format!("change-{}", provider.key), "Change it", view, Some(provider)).tone(ActTone::Link)];
    if provider.active {
        let url = view.url(&format!("/identity-providers/{}/end", escaped(&provider.key)));
        let end = ActForm::new(format!("end-{}", provider.key), "End it", url)
            .tone(ActTone::Link)
            .note("People can no longer sign in there, and sessions that began there end.")
            .submit("End this provider");
        acts.push(end);
    }
    Section::new(
        format!("provider-{}", provider.key),
        provider.name.as_str(),
        SectionBody::Facts(facts),
    )
    .said()
    .acts(acts)
}

/// The lifetime of the rights that a provider gives.
fn lasting(provider: &IdentityProvider) -> Fact {
    let days = format!("{} days after a sign-in", provider.rights_last_days);
    Fact::new("What it gives lasts", days)
}

fn form(id: &str, label: &str, view: &View<'_, '_, '_>, known: Option<&IdentityProvider>) -> ActForm {
    let text = |pick: fn(&IdentityProvider) -> String| known.map(pick).unwrap_or_default();
    let flag = |is: bool| if is { "true" } else { "" };
    let key = match known {
        Some(provider) => Field::hidden("key", provider.key.as_str()),
        None => Field::text("key", "Key")
            .hint("Used in addresses: lower-case letters, digits and -.")
            .required()
            .half(),
    };
    let secret = if known.is_some() {
        "Empty keeps the present one."
    } else {
        "Empty for a public client."
    };
    let form = ActForm::new(id, label, view.url("/identity-providers"))
        .field(key)
        .field(Field::text("name", "Name").value(text(|it| it.name.clone())).half())
        .field(
            Field::new("issuer", "Issuer", Input::Url)
                .value(text(|it| it.issuer.clone()))
                .required(),
        )
        .field(
            Field::text("client_id", "Client id")
                .value(text(|it| it.client_id.clone()))
                .required()
                .half(),
        )
        .field(
            Field::new("client_secret", "Client secret", Input::Password)
                .hint(secret)
                .half(),
        )
        .field(
            Field::text("login_claim", "Claim with the login")
                .hint("Usual: preferred_username.")
                .value(text(|it| it.login_claim.clone()))
                .half(),
        )
        .field(
            Field::text("groups_claim", "Claim with the groups")
                .value(text(|it| it.groups_claim.clone().unwrap_or_default()))
                .half(),
        )
        .field(theirs("groups", "Their groups that are ours", known))
        .field(theirs("roles", "Their groups that give rights", known))
        .field(
            Field::new("rights_last_days", "Days that what it gives lasts", Input::Number)
                .hint("After a sign-in there: 730 at most.")
                .value(known.map_or(USUAL_DAYS, |it| it.rights_last_days).to_string())
                .required()
                .half(),
        )
        .field(
            Field::new("creates_people", "Makes people at their first sign-in", Input::Checkbox)
                .value(flag(known.is_some_and(|it| it.creates_people))),
        )
        .field(
            Field::new(
                "trusts_mail",
                "Its mail addresses are trusted without its own verification",
                Input::Checkbox,
            )
            .value(flag(known.is_some_and(|it| it.trusts_mail))),
        );
    with_reason_field(view, form).submit("Keep this provider")
}

/// The field that maps the provider's groups to ours or to rights, one a line.
fn theirs(name: &str, label: &str, known: Option<&IdentityProvider>) -> Field {
    let lines: Vec<String> = match (name, known) {
        (_, None) => Vec::new(),
        ("groups", Some(it)) => it
            .groups
            .iter()
            .map(|(theirs, ours)| format!("{theirs}={ours}"))
            .collect(),
        (_, Some(it)) => it
            .roles
            .iter()
            .map(|(theirs, ours)| format!("{theirs}={ours}"))
            .collect(),
    };
    Field::textarea(name, label)
        .hint("One a line: theirs=ours.")
        .value(lines.join("\n"))
}

/// Converts the lines of the form into the API's format.
fn gather(body: &Body) -> Body {
    let mut body = body.clone();
    for name in ["groups", "roles"] {
        let map = match body.remove(name) {
            Some(Value::String(text)) => pairs(lines(&text)),
            Some(Value::Array(rows)) => pairs(rows.iter().filter_map(Value::as_str)),
            _ => continue,
        };
        body.insert(name.to_owned(), Value::Object(map));
    }
    for name in ["creates_people", "trusts_mail"] {
        if body.get(name).and_then(Value::as_str) == Some("true") {
            body.insert(name.to_owned(), Value::Bool(true));
        }
    }
    body
}

/// Sets a provider up, or changes it.
pub(crate) async fn set(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let path = "/identity-providers".to_owned();
    let sent: Sent = sent(form, path.clone(), path, Place::Providers);
    let run = |cx: &mut acts::Context<'_, '_>, body: &Body| {
        propose_or(cx, ("identity_providers", gather(body)), |cx, body| {
            let mut body = body.clone();
            let Some(Value::String(key)) = body.remove("key") else {
                return Err(Refusal::field("key", "missing", "`key` is missing.").into());
            };
            set_identity_provider::set_identity_provider(cx, &key, &body)
        })
    };
    send(&state, &visitor, sent, run, page).await
}

/// Ends a provider.
pub(crate) async fn end(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    form: Form,
) -> Response {
    let then = "/identity-providers".to_owned();
    let sent = sent(form, format!("{then}/{}/end", escaped(&key)), then, Place::Providers);
    let run = move |cx: &mut acts::Context<'_, '_>, _: &Body| {
        set_identity_provider::end_identity_provider(cx, &key).map(drop)
    };
    send(&state, &visitor, sent, run, page).await
}
