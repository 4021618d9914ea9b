//! Identity providers: set up, changed, ended. The right to set connections includes providers.

use std::collections::BTreeMap;

use model::core::act;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::ids::{GroupKey, RecordId};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::identity::provider::{IdentityProvider, USUAL_DAYS};
use serde_json::{Value, json};
use store::identity::{secrets, session};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::providers::{MOST, associated, provider, provider_secret};
use crate::guard::{session_end, two_people};

/// The longest time that a provider's rights last after a sign-in, in days.
const MOST_DAYS: i64 = 730;
/// The scopes requested besides `openid` by default.
const SCOPES: &[&str] = &["profile", "email"];

/// Sets a provider up or changes it (`PUT /identity-providers/{key}`). The secret is kept encrypted and never shown; left
/// out, the present one stays.
///
/// # Errors
/// 403, 409 when the change needs two people, 422, or the store's.
pub fn set_identity_provider(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<IdentityProvider> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let (old, read, secret) = read_provider(cx, key, body)?;
    let moves = two_people::moves_provider(old.as_ref(), &read);
    two_people::check(cx, moves, two_people::PROVIDERS)?;
    keep_provider(cx, (old, read, secret))
}

/// The stored provider, the provider in the request, and the secret in the request.
pub(crate) type ProviderRequest = (Option<IdentityProvider>, IdentityProvider, Option<String>);

/// Reads a provider from a request; checks no permission.
///
/// # Errors
/// 422, or the store's.
pub(crate) fn read_provider(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<ProviderRequest> {
    let directory = cx.directory()?;
    let old = record::find_one::<IdentityProvider>(cx.tx, &Filter::new().equals("key", key).order_by("id"))?;
    let old = old.map(|stored| stored.record);
    let mut reading = Reading::new(body, "");
    if !is_key(key) {
        reading.wrong("key", "not_a_key", "A key has lower-case letters, digits and `-`.");
    }
    let secret = reading.text("client_secret", LINE);
    let mut read = read(&mut reading, key, &directory);
    reading.repeats_key(key);
    reading.finish()?;
    if old.is_none() && record::count::<IdentityProvider>(cx.tx, &Filter::new())? >= MOST {
        let text = format!("A tenant has at most {MOST} identity providers.");
        return Err(Refusal::field("key", "too_many", text).into());
    }
    if let Some(old) = &old {
        read.id = old.id.clone();
        read.version = old.version;
        read.has_secret = old.has_secret;
    } else {
        read.id = RecordId(cx.new_id()?);
    }
    Ok((old, read, secret))
}

/// Stores a provider; checks no permission. When the provider is switched off, the sessions that began there end.
///
/// # Errors
/// The store's, or a fault of the keys.
pub(crate) fn keep_provider(
    cx: &mut Context<'_, '_>,
    (old, mut read, secret): ProviderRequest,
) -> Result<IdentityProvider> {
    (read.set_by, read.set_at) = match old.as_ref().filter(|old| trust_settings(old) == trust_settings(&read)) {
        Some(old) => (old.set_by.clone(), old.set_at),
        None => (Some(cx.actor.speaker().clone()), Some(cx.now)),
    };
    let mut data = json!({});
    if let Some(secret) = secret {
        // The event does not contain the secret, only the fact that it changed.
        if read.has_secret && provider_secret(cx, &read)?.as_ref() != Some(&secret) {
            data["secret_replaced"] = json!(true);
        }
        read.has_secret = true;
        keep_secret(cx, &read.id, &secret)?;
    }
    if !read.active {
        end_sessions(cx, &read.key)?;
    }
    cx.put_estate("identity_provider.set", read, data)
}

/// The settings that decide which identities are trusted: a person who changes them could sign in as anybody.
fn trust_settings(provider: &IdentityProvider) -> (&str, &str, bool, bool) {
    let IdentityProvider {
        issuer,
        client_id,
        trusts_mail,
        active,
        ..
    } = provider;
    (issuer, client_id, *trusts_mail, *active)
}

/// Whether a text may be used as a key in an address.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=40).contains(&key.len())
        && key
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
        && key != "callback"
}

fn keep_secret(cx: &mut Context<'_, '_>, id: &RecordId, secret: &str) -> Result<()> {
    let tools = cx.services.tools();
    let bound = associated(&cx.tenant(), id.as_str());
    let wrapped = tools.master.seal(secret.as_bytes(), &bound, tools.entropy.as_ref())?;
    secrets::save(cx.tx, id.as_str(), &wrapped, cx.now)?;
    Ok(())
}

fn read(reading: &mut Reading<'_>, key: &str, directory: &Directory) -> IdentityProvider {
    let issuer = reading.needed("issuer", LINE);
    if !issuer.is_empty() && !is_safe(&issuer) {
        let text = "An issuer is an https address, such as https://login.example.org, without query.";
        reading.wrong("issuer", "not_an_issuer", text);
    }
    let mut groups: BTreeMap<String, GroupKey> = BTreeMap::new();
    for (theirs, ours) in pairs(reading, "groups") {
        let ours = GroupKey::from(ours.as_str());
        if !directory.groups.contains_key(&ours) {
            let text = format!(
                "There is no group `{ours}` for `{theirs}`. Create it first (`PUT /groups/{ours}`), or name an existing one \
                 such as {{\"{theirs}\": \"security\"}}."
            );
            reading.wrong("groups", "unknown", text);
        }
        reading.check_technical("groups", &theirs);
        groups.insert(theirs, ours);
    }
    let mut roles: BTreeMap<String, Role> = BTreeMap::new();
    for (theirs, ours) in pairs(reading, "roles") {
        match Role::ALL.iter().find(|role| role.as_str() == ours) {
            Some(role) => {
                reading.check_technical("roles", &theirs);
                roles.insert(theirs, *role);
            }
            None => reading.wrong("roles", "unknown_word", no_right(&theirs, &ours)),
        }
    }
    let groups_claim = reading.technical("groups_claim", LINE);
    if groups_claim.is_none() && !(groups.is_empty() && roles.is_empty()) {
        reading.wrong("groups_claim", "missing", "Name the claim that lists the groups.");
    }
    let scopes = reading.technicals("scopes", LINE);
    IdentityProvider {
        id: RecordId(String::new()),
        version: 0,
        key: key.to_owned(),
        name: reading.text("name", LINE).unwrap_or_else(|| key.to_owned()),
        issuer,
        client_id: reading.needed_technical("client_id", LINE),
        has_secret: false,
        scopes: scopes.unwrap_or_else(|| SCOPES.iter().map(|scope| (*scope).to_owned()).collect()),
        login_claim: reading
            .technical("login_claim", LINE)
            .unwrap_or_else(|| "preferred_username".to_owned()),
        groups_claim,
        groups,
        roles,
        rights_last_days: read_days(reading),
        creates_people: reading.boolean("creates_people").unwrap_or(false),
        trusts_mail: reading.boolean("trusts_mail").unwrap_or(false),
        active: reading.boolean("active").unwrap_or(true),
        set_by: None,
        set_at: None,
    }
}

fn no_right(theirs: &str, ours: &str) -> String {
    let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    format!(
        "There is no right `{ours}` for `{theirs}`. Rights are {}, for example {{\"{theirs}\": \"implementer\"}}.",
        known.join(", ")
    )
}

/// How long the provider's rights last after a sign-in.
fn read_days(reading: &mut Reading<'_>) -> i64 {
    let days = reading.integer("rights_last_days", 1..=MOST_DAYS);
    days.unwrap_or(USUAL_DAYS)
}

/// An https address; plain http for this machine alone, where nobody listens in between.
pub(crate) fn is_safe(issuer: &str) -> bool {
    let plain = !issuer.contains(['?', '#', '@', ' ']);
    let rest = issuer.strip_prefix("http://").unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    plain && (issuer.starts_with("https://") || host == "127.0.0.1" || host == "localhost")
}

/// A field that maps texts to texts.
fn pairs(reading: &mut Reading<'_>, field: &'static str) -> Vec<(String, String)> {
    match reading.value(field) {
        None => Vec::new(),
        Some(Value::Object(map)) if map.values().all(Value::is_string) => map
            .iter()
            .map(|(theirs, ours)| (theirs.clone(), ours.as_str().unwrap_or_default().to_owned()))
            .collect(),
        Some(_) => {
            reading.wrong(field, "not_an_object", format!("`{field}` maps their names to ours."));
            Vec::new()
        }
    }
}

/// Lets nobody sign in at a provider any more (`DELETE /identity-providers/{key}`); sessions that began there end.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_identity_provider(cx: &mut Context<'_, '_>, key: &str) -> Result<IdentityProvider> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = provider(cx, key)?;
    end_sessions(cx, key)?;
    let ended = IdentityProvider { active: false, ..found };
    cx.put_estate("identity_provider.ended", ended, json!({}))
}

/// Ends the sessions that began at a provider.
fn end_sessions(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let ended = session::delete_of_method(cx.tx, &format!("provider:{key}"))?;
    session_end::note_ended(cx, &ended)
}
