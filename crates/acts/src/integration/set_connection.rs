//! Connections to outside systems: a map from their repositories to our services, and a secret shown once.

use std::collections::BTreeMap;

use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::records::LinkRule;
use model::directory::snapshot::{self, Builder, Connection, ConnectionApi, Mapping};
use model::directory::{two_people, unknown_name};
use model::gate::provenance::PLACES;
use serde_json::{Value, json};

use crate::core::connections::{associated, connection, find};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::run_tasks;
use crate::integration::{map_rows, poll_deployments, set_webhook};
use crate::notify::mail_address;
use crate::schedule::push_freezes;

/// Creates a connection (`POST /connections {kind, name, map}`); returns it with its secret, once. Where changes of trust need
/// two people, its deliveries are refused until the connection was proposed and put in force: they count as evidence, as
/// attestations and as running versions.
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_connection(cx: &mut Context<'_, '_>, body: &Body) -> Result<(Connection, String)> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed("kind", LINE);
    if !KINDS.contains(&kind.as_str()) && !kind.is_empty() {
        reading.wrong(
            "kind",
            "unknown_word",
            format!("`kind` is one of {}.", KINDS.join(", ")),
        );
    }
    let name = reading.needed("name", LINE);
    let owner = read_content::person(&mut reading, "owner", &directory).unwrap_or_else(|| cx.actor.person.clone());
    let map = reading
        .objects("map", |inner| read_mapping(inner, &directory))
        .unwrap_or_default();
    let links = reading.objects("links", read_link).unwrap_or_default();
    let api = reading.object("api", |inner| {
        let read = read_api(inner, &kind, true);
        check_base(cx, inner, &read.0);
        read
    });
    let api = api.or_else(|| run_tasks::usual_api(&kind).map(|api| (api, None)));
    let builders = reading.objects("builders", read_builder).unwrap_or_default();
    let reply_to = read_reply_to(&mut reading, &kind);
    let trusted = reading.texts("trusted", LINE).unwrap_or_default();
    map_rows::check(&mut reading, &kind, &map);
    let theirs = read_secret(&mut reading);
    reading.finish()?;
    let id = RecordId(cx.new_id()?);
    let secret = match theirs {
        Some(secret) => secret,
        None => fresh_secret(cx, &kind)?,
    };
    let tools = cx.services.tools();
    let wrapped = tools.master.seal(
        secret.as_bytes(),
        &associated(&cx.tenant(), id.as_str()),
        tools.entropy.as_ref(),
    )?;
    store::identity::secrets::save(cx.tx, id.as_str(), &wrapped, cx.now)?;
    let waits = !cx.actor.is_system && two_people::is_by_two(&directory, cx.now);
    let connection = Connection {
        id,
        version: 0,
        kind,
        name,
        map,
        links,
        api: api.as_ref().map(|(api, _)| api.clone()),
        builders,
        reply_to,
        trusted,
        owner,
        active: !waits,
        waits,
    };
    if let Some((_, Some(credential))) = api {
        let name = crate::core::secrets::credential_name(connection.id.as_str());
        crate::core::secrets::keep(cx, &name, credential.as_bytes())?;
    }
    let connection = cx.put_estate("connection.created", connection, json!({}))?;
    if connection.active {
        begin(cx, &connection)?;
    }
    Ok((connection, secret))
}

/// Starts the automatic work of a trusted connection.
fn begin(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<()> {
    push_freezes::begin(cx, connection)?;
    poll_deployments::begin(cx, connection)
}

/// A connection that waits for two people.
///
/// # Errors
/// 422 where none of this id waits, or the store's.
pub(crate) fn waiting(cx: &mut Context<'_, '_>, id: &str) -> Result<Connection> {
    let found = find(cx, id)?;
    found.filter(|it| it.waits).ok_or_else(|| {
        let text = format!("No connection `{id}` waits to be put in force.");
        Refusal::field("connections", "unknown", text).into()
    })
}

/// Accepts a connection's deliveries from now on; checks no permission.
///
/// # Errors
/// The store's.
pub(crate) fn put_in_force(cx: &mut Context<'_, '_>, connection: Connection) -> Result<Connection> {
    let believed = Connection {
        active: true,
        waits: false,
        ..connection
    };
    let believed = cx.put_estate("connection.activated", believed, json!({}))?;
    begin(cx, &believed)?;
    Ok(believed)
}

fn fresh_secret(cx: &mut Context<'_, '_>, kind: &str) -> Result<String> {
    let mut bytes = [0_u8; 32];
    cx.services.tools().entropy.fill(&mut bytes)?;
    // PagerDuty's senders take a routing key of 32 characters.
    Ok(if kind == "pagerduty" {
        hex::encode(&bytes[..16])
    } else {
        proof::crypto::base64url(&bytes)
    })
}

/// Reads a secret that the sender made, where it takes none of ours (PagerDuty's webhooks, signing tokens of GitLab).
fn read_secret(reading: &mut Reading<'_>) -> Option<String> {
    let secret = reading.text("secret", LINE)?;
    let is_long = SECRET_LETTERS.contains(&secret.len());
    if !is_long || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        let text = format!(
            "`secret` has {} to {} plain characters without spaces. Omit it to have one generated.",
            SECRET_LETTERS.start(),
            SECRET_LETTERS.end()
        );
        reading.wrong("secret", "length", text);
    }
    Some(secret)
}

/// How long a secret may be that a sender made.
const SECRET_LETTERS: std::ops::RangeInclusive<usize> = 24..=200;

/// The kinds of system that deliver here.
const KINDS: &[&str] = &[
    "github",
    "gitlab",
    "cloudevents",
    "cdevents",
    "argocd",
    "jenkins",
    "plain",
    "alertmanager",
    "pagerduty",
    "grafana",
    "opsgenie",
    "servicenow",
    "jira",
    "siem",
    "incident_mail",
    mail_address::KIND,
    "terraform",
    "argocd_drift",
    "aide",
    "kubernetes_audit",
    "flagger",
    "argo_rollouts",
    "statuspage",
    "waves",
    run_tasks::KIND,
];

/// Reads the reply address for letters: a mailbox whose server delivers `name+anything@` to `name@`.
pub(crate) fn read_reply_to(reading: &mut Reading<'_>, kind: &str) -> Option<String> {
    use crate::notify::mail_address::{KIND, LOCAL_MAX};
    if kind != KIND {
        if reading.text("reply_to", LINE).is_some() {
            reading.wrong(
                "reply_to",
                "not_here",
                "Only a connection of the kind `mail` accepts replies.",
            );
        }
        return None;
    }
    let address = reading.needed("reply_to", LINE).to_lowercase();
    let is_plain = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        !part.is_empty() && part.bytes().all(is_letter)
    };
    let is_address = address.split_once('@').is_some_and(|(local, domain)| {
        is_plain(local) && local.len() <= LOCAL_MAX && is_plain(domain) && domain.contains('.')
    });
    if !address.is_empty() && !is_address {
        let text = format!(
            "`reply_to` is an address such as assent@example.org, with at most {LOCAL_MAX} characters before the `@`: the \
             signed part follows after a `+`."
        );
        reading.wrong("reply_to", "not_an_address", text);
    }
    Some(address)
}

/// Reads a rule that finds changes.
pub fn read_link(reading: &mut Reading<'_>) -> LinkRule {
    let from = reading.needed("from", LINE);
    if !from.is_empty() && !PLACES.contains(&from.as_str()) {
        reading.wrong(
            "from",
            "unknown_word",
            format!("`from` is one of {}.", PLACES.join(", ")),
        );
    }
    LinkRule {
        from,
        prefix: reading.text("prefix", LINE),
    }
}

/// How the system is called, with the credential for it, a token or a GitHub App's private key, where one is needed or given.
pub(crate) fn read_api(reading: &mut Reading<'_>, kind: &str, is_needed: bool) -> (ConnectionApi, Option<String>) {
    let base = reading.text("base", LINE).unwrap_or_else(|| {
        let usual = match kind {
            "gitlab" => "https://gitlab.com",
            run_tasks::KIND => run_tasks::USUAL_BASE,
            _ => "https://api.github.com",
        };
        usual.to_owned()
    });
    if !matches!(kind, "github" | "gitlab" | run_tasks::KIND) {
        let text = "Only `github`, `gitlab` and `terraform_task` are answered.";
        reading.wrong("base", "not_here", text);
    }
    if !set_webhook::is_address(&base) {
        reading.wrong(
            "base",
            "not_an_address",
            "`base` is an address such as https://api.github.com.",
        );
    }
    let status = reading
        .text("status", LINE)
        .unwrap_or_else(|| "commit_status".to_owned());
    if !matches!(status.as_str(), "commit_status" | "check_run") {
        reading.wrong("status", "unknown_word", "`status` is `commit_status` or `check_run`.");
    }
    let app = reading.integer("app", 1..=i64::MAX);
    let installation = reading.integer("installation", 1..=i64::MAX);
    if app.is_some() != installation.is_some() {
        reading.wrong(
            "installation",
            "missing",
            "`app` and `installation` must be given together.",
        );
    }
    let (field, most) = if app.is_some() {
        ("private_key", 10_000)
    } else {
        ("token", 1_000)
    };
    let is_told = kind == run_tasks::KIND;
    if is_told && (app.is_some() || reading.value(field).is_some()) {
        let text = "Each run of Terraform brings the token for its own result, so none is set here.";
        reading.wrong(field, "not_here", text);
    }
    let credential = match (is_told, is_needed) {
        (true, _) => None,
        (false, true) => Some(reading.needed(field, most)),
        (false, false) => reading.text(field, most),
    };
    let api = ConnectionApi {
        base: base.trim_end_matches('/').to_owned(),
        status,
        app,
        installation,
    };
    (api, credential)
}

/// Notes the address of another system inside the server's own network. Each call checks the address behind a name as well.
pub(crate) fn check_base(cx: &Context<'_, '_>, reading: &mut Reading<'_>, api: &ConnectionApi) {
    set_webhook::check_reach(reading, ("base", api.base.as_str()), &cx.services.tools().reaches);
}

pub(crate) fn read_builder(reading: &mut Reading<'_>) -> Builder {
    let builder = reading.needed("builder", LINE);
    let public_key = reading.needed("public_key", 2_000);
    if !public_key.is_empty() && !public_key.trim_start().starts_with("-----BEGIN PUBLIC KEY-----") {
        reading.wrong(
            "public_key",
            "not_a_key",
            "`public_key` is PEM and begins with -----BEGIN PUBLIC KEY-----.",
        );
    }
    for line in public_key.lines() {
        reading.check_technical("public_key", line.trim());
    }
    Builder { builder, public_key }
}

pub(crate) fn read_mapping(reading: &mut Reading<'_>, directory: &snapshot::Directory) -> Mapping {
    let repository = reading.needed("repository", LINE).to_lowercase();
    let service = ServiceKey(reading.needed("service", LINE));
    if !service.0.is_empty() && !directory.services.contains_key(&service) {
        reading.wrong("service", "unknown", unknown_name::service(directory, service.as_str()));
    }
    let mut environments = BTreeMap::new();
    match reading.value("environments") {
        Some(Value::Object(map)) => {
            for (theirs, ours) in map {
                let ours = EnvironmentKey::from(ours.as_str().unwrap_or_default());
                if !directory.environments.contains_key(&ours) {
                    reading.wrong(
                        "environments",
                        "unknown",
                        unknown_name::environment(directory, ours.as_str()),
                    );
                }
                reading.check_technical("environments", theirs);
                environments.insert(theirs.clone(), ours);
            }
        }
        Some(_) => reading.wrong(
            "environments",
            "not_an_object",
            "`environments` maps their names to ours.",
        ),
        None => {}
    }
    // The server sets the start and the repository of a row; a client that read them may send them back.
    for field in ["since", "repository_id", "first_named"] {
        reading.ignore(field);
    }
    Mapping {
        repository,
        service,
        environments,
        since: None,
        repository_id: None,
        first_named: None,
    }
}

/// Stops taking a connection's deliveries (`DELETE /connections/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_connection(cx: &mut Context<'_, '_>, id: &str) -> Result<Connection> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = connection(cx, id)?;
    let ended = Connection {
        active: false,
        waits: false,
        ..found
    };
    cx.put_estate("connection.ended", ended, json!({}))
}
