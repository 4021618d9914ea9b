//! Workloads: the jobs of a pipeline's platform that may sign in, and their sign-in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::change::{change_file, read_content};
use model::core::act;
use model::core::body::Body;
use model::core::enums::Role;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::integration::workload::{self, Workload};
use serde_json::{Map, Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::grounds;
use crate::core::write::{Written, draft};
use crate::guard::impersonation;
use crate::identity::known_ways;
use crate::identity::set_identity_provider::{is_key, is_safe};
use crate::identity::set_token::{new_secret, read_roles};

/// The most workloads of a tenant.
const MOST: i64 = 200;
/// The most claims of one, and the most patterns of a claim.
const MOST_CLAIMS: usize = 50;
/// The scopes that a job may have: none that administers.
pub const SCOPES: &[&str] = &["read", "write", "gate", "audit"];
/// The longest session of a job for one token, in minutes.
const LONGEST_MINUTES: i64 = 60;
/// The default lifetime in minutes.
const USUAL_MINUTES: i64 = 15;

/// The workloads of the tenant in the order of their keys.
///
/// # Errors
/// The store's.
pub fn workloads(cx: &mut Context<'_, '_>) -> Result<Vec<Workload>> {
    let filter = Filter::new().order_by("key").limit(MOST);
    let found = record::find::<Workload>(cx.tx, &filter)?;
    Ok(found.into_iter().map(|stored| stored.record).collect())
}

fn find(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Workload>> {
    let filter = Filter::new().equals("key", key).order_by("id");
    Ok(record::find_one::<Workload>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// A workload by its key.
///
/// # Errors
/// 404, or the store's.
pub fn workload(cx: &mut Context<'_, '_>, key: &str) -> Result<Workload> {
    find(cx, key)?.ok_or_else(|| Refusal::not_found(format!("workload {key}")).into())
}

/// Sets a workload up or changes it (`PUT /workloads/{key}`). Credentials that were issued before follow the new settings.
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_workload(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Workload> {
    cx.allow(act::actions::SET_TOKEN)?;
    let old = find(cx, key)?;
    let mut reading = Reading::new(body, "");
    if !is_key(key) {
        reading.wrong("key", "not_a_key", "A key has lower-case letters, digits and `-`.");
    }
    let mut read = read(cx, &mut reading, key)?;
    reading.repeats_key(key);
    reading.finish()?;
    if old.is_none() && record::count::<Workload>(cx.tx, &Filter::new())? >= MOST {
        let text = format!("A tenant has at most {MOST} workloads.");
        return Err(Refusal::field("key", "too_many", text).into());
    }
    match old {
        Some(old) => (read.id, read.version) = (old.id, old.version),
        None => read.id = RecordId(cx.new_id()?),
    }
    let set = cx.put_estate("workload.set", read, json!({}))?;
    let subject = ("workload", set.id.0.clone());
    let what = "set up or changed a workload whose jobs act for you";
    impersonation::notify_represented(cx, &set.person, "workload.told", subject, what)?;
    Ok(set)
}

fn read(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, key: &str) -> Result<Workload> {
    let directory = cx.directory()?;
    let issuer = reading.needed("issuer", LINE);
    if !issuer.is_empty() && !is_safe(&issuer) {
        let text = "An issuer is an https address, such as https://token.actions.githubusercontent.com, without query.";
        reading.wrong("issuer", "not_an_issuer", text);
    }
    let person = read_content::person(reading, "person", &directory);
    // The error for an unknown login is reported already.
    if person.is_none() && !reading.says_text("person") {
        reading.wrong("person", "missing", "Name in `person` the person its jobs act for.");
    }
    let person = person.unwrap_or_else(|| PersonId(String::new()));
    let active = reading.boolean("active").unwrap_or(true);
    if active {
        read_content::refuse_departed(reading, "person", &person, &directory);
    }
    let roles: Option<BTreeSet<Role>> = read_roles(reading, &directory, &person);
    let own_issuer = reading.boolean("own_issuer").unwrap_or(false);
    if own_issuer && workload::is_public(&issuer) {
        let text = format!(
            "Anyone can get a token of {issuer}, so it does not serve only your organisation. Omit \
                            `own_issuer`."
        );
        reading.wrong("own_issuer", "trusts_anybody", text);
    }
    Ok(Workload {
        id: RecordId(String::new()),
        version: 0,
        key: key.to_owned(),
        name: reading.text("name", LINE).unwrap_or_else(|| key.to_owned()),
        meant_for: reading.needed_technical("meant_for", LINE),
        claims: read_claims(reading, &issuer, own_issuer),
        issuer,
        own_issuer,
        owner: impersonation::maker(&cx.actor, &person),
        person,
        scopes: read_scopes(reading),
        roles,
        minutes: reading.integer("minutes", 1..=LONGEST_MINUTES).unwrap_or(USUAL_MINUTES),
        active,
        doubted_at: None,
    })
}

fn read_scopes(reading: &mut Reading<'_>) -> BTreeSet<String> {
    let scopes: BTreeSet<String> = reading.texts("scopes", LINE).unwrap_or_default().into_iter().collect();
    for scope in scopes.iter().filter(|scope| !SCOPES.contains(&scope.as_str())) {
        let text = format!("`{scope}` is none of: {}.", SCOPES.join(", "));
        reading.wrong("scopes", "unknown_word", text);
    }
    if scopes.is_empty() {
        return ["gate".to_owned()].into();
    }
    scopes
}

fn read_claims(reading: &mut Reading<'_>, issuer: &str, own_issuer: bool) -> BTreeMap<String, BTreeSet<String>> {
    let told = reading.value("claims").cloned();
    let mut claims = BTreeMap::new();
    for (name, value) in told.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let patterns: Option<BTreeSet<String>> = match value {
            Value::String(text) => Some([text.clone()].into()),
            Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        match patterns.filter(|it| !it.is_empty() && it.len() <= MOST_CLAIMS && it.iter().all(|it| it.len() <= LINE)) {
            Some(patterns) => {
                let said = patterns.iter().chain([name]);
                said.for_each(|text| reading.check_technical("claims", text));
                claims.insert(name.clone(), patterns);
            }
            None => reading.wrong(
                "claims",
                "not_patterns",
                format!("`{name}` needs a pattern, or a list of them."),
            ),
        }
    }
    if claims.values().all(workload::is_anybody) || claims.len() > MOST_CLAIMS {
        let text = "Name at least one claim and its required value, such as {\"repository\": [\"acme/booking-api\"]}: anyone \
                    can get a token of a public platform.";
        reading.wrong("claims", "trusts_anybody", text);
    } else if workload::trusts_anybody(issuer, &claims, own_issuer) {
        let mut text = format!(
            "Anyone may be able to get a token of {issuer}. Name a claim that restricts the owner of the job, with the full \
             owner, such as `repository=acme/*` on GitHub or `project_path=acme/*` on GitLab, or the owner's id."
        );
        if !workload::is_public(issuer) {
            text.push_str(" If the issuer serves only your organisation, set `own_issuer`.");
        }
        reading.wrong("claims", "trusts_anybody", text);
    }
    claims
}

/// Ends a workload (`DELETE /workloads/{key}`); its jobs are signed out at once.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_workload(cx: &mut Context<'_, '_>, key: &str) -> Result<Workload> {
    cx.allow(act::actions::SET_TOKEN)?;
    let found = workload(cx, key)?;
    end(cx, found)
}

/// Ends a workload that was found.
pub(crate) fn end(cx: &mut Context<'_, '_>, found: Workload) -> Result<Workload> {
    cx.put_estate("workload.ended", Workload { active: false, ..found }, json!({}))
}

/// The active workloads that trust an issuer, in the order of their keys.
///
/// # Errors
/// The store's.
pub fn trusting(cx: &mut Context<'_, '_>, issuer: &str) -> Result<Vec<Workload>> {
    let mut found = workloads(cx)?;
    found.retain(|it| it.active && it.issuer == issuer);
    Ok(found)
}

/// A job that signed in.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The secret, returned once.
    pub secret: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// By which workload.
    pub workload: Workload,
}

/// The claims of a verified token of a platform.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its claims.
    pub claims: Map<String, Value>,
    /// The token's unique value: its id at its issuer, else everything that was signed. A second use of the same value counts
    /// as a replay.
    pub once: String,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// Signs in a job whose verified token has these claims, once and no longer than the token itself is valid.
///
/// # Errors
/// 403 `not_trusted` or `token_used`; the store's.
pub fn enter(cx: &mut Context<'_, '_>, key: &str, shown: &Shown) -> Result<NewEntry> {
    let told = &shown.claims;
    let found = workload(cx, key)?;
    let directory = cx.directory()?;
    // The creator is the owner of a workload; a workload that was set up on the host has none.
    let is_answered = found.owner == change_file::Actor::system().person || directory.is_active(&found.owner);
    let is_known = is_answered && directory.is_active(&found.person);
    if let Some(claim) = found.misfit(told).filter(|_| found.active && is_known) {
        let text = format!("The workload `{key}` does not accept the token's value of `{claim}`.");
        return Err(Refusal::not_allowed("not_trusted", text).into());
    }
    if !found.active || !is_known || known_ways::is_workload_over(cx, &found) {
        let text = format!("The workload `{key}` accepts no jobs.");
        return Err(Refusal::not_allowed("not_trusted", text).into());
    }
    let once = proof::crypto::digest_text(shown.once.as_bytes());
    if !store::identity::workload::use_once(cx.tx, &once, shown.expires_at)? {
        let text = "The platform's token was already used, and each is valid once. Let the job request a new one.";
        return Err(Refusal::not_allowed("token_used", text).into());
    }
    let secret = new_secret(cx)?;
    let digest = proof::crypto::digest_text(secret.as_bytes());
    let expires_at = (cx.now + SignedDuration::from_mins(found.minutes)).min(shown.expires_at);
    store::identity::workload::insert(cx.tx, &digest, found.id.as_str(), expires_at)?;
    let people = [found.person.clone(), found.owner.clone()];
    let grounds = grounds::of_records(cx, (&people, vec![grounds::named(&found)]), grounds::Shown::default())?;
    // The platform's claims may name people, so the log holds only their digest.
    let subject = told.get("sub").and_then(Value::as_str).unwrap_or_default();
    let event = draft(
        "workload.entered",
        ("workload", found.id.0.clone()),
        cx.now,
        json!({
            "workload": found.key, "person": found.person,
            "subject_digest": proof::crypto::digest_text(subject.as_bytes()), "expires_at": expires_at.to_string(),
            // By its digest a replay detects a credential that was written past the server.
            "secret_digest": digest, "grounds": grounds,
        }),
    );
    cx.emit(vec![event], Written::default())?;
    Ok(NewEntry {
        secret,
        expires_at,
        workload: found,
    })
}
