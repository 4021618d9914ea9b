//! Coexisting systems: the source of their changes, and the credential.

use jiff::{SignedDuration, Timestamp};
use model::core::act::actions::SET_CONNECTION;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::integration::foreign_change::ForeignChange;
use model::integration::foreign_system::{ForeignSystem, ForeignSystemInput, MOST, USUAL_DAYS, check};
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::secrets;
use crate::integration::beside::known_system::{credential_name, in_use};
use crate::integration::beside::read_foreign;
use crate::integration::beside::set_service_lead::{check_keeps_credential, check_leads_none};
use crate::integration::set_webhook::check_reach;

impl PlainNoun for ForeignSystem {
    type Input = ForeignSystemInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn page(&self) -> Option<String> {
        Some(format!("/beside/{}", self.id))
    }

    fn add(cx: &mut Context<'_, '_>, input: ForeignSystemInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input, &*cx.directory()?);
        check_reach(&mut reading, ("url", input.url.as_str()), &cx.services.tools().reaches);
        check_since(&mut reading, &input, cx.now);
        reading.finish()?;
        if Self::listed(cx)?.len() >= MOST {
            let text = format!("{MOST} systems are read already.");
            return Err(Refusal::not_now("too_many", text, "End one that nobody needs.", Vec::new()).into());
        }
        let usual = cx
            .now
            .checked_sub(SignedDuration::from_hours(24 * USUAL_DAYS))
            .unwrap_or(cx.now);
        let system = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            name: input.name,
            kind: input.kind,
            url: input.url,
            has_credential: false,
            credential_at: None,
            environment: input.environment,
            every_minutes: input.every_minutes,
            read_since: input.read_since.unwrap_or(usual),
            narrowed_by: input.narrowed_by,
            service_map: input.service_map,
            state_map: input.state_map,
            field_map: input.field_map,
            mirrors: input.mirrors,
            copies_into: input.copies_into,
            read_until: None,
            read_at: None,
            whole_at: None,
            read_problem: None,
            active: true,
        };
        let added = cx.put_estate("foreign_system.added", system, json!({}))?;
        read_foreign::queue_reading(cx, &added)?;
        Ok(added)
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: ForeignSystemInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input, &*cx.directory()?);
        check_reach(&mut reading, ("url", input.url.as_str()), &cx.services.tools().reaches);
        check_since(&mut reading, &input, cx.now);
        reading.finish()?;
        let is_moved = (&input.url, input.kind) != (&self.url, self.kind);
        let edited = Self {
            name: input.name,
            kind: input.kind,
            url: input.url,
            // A credential is meant for the address that it was given for.
            has_credential: self.has_credential && !is_moved,
            credential_at: self.credential_at.filter(|_| !is_moved),
            environment: input.environment,
            every_minutes: input.every_minutes,
            read_since: input.read_since.unwrap_or(self.read_since),
            narrowed_by: input.narrowed_by,
            service_map: input.service_map,
            state_map: input.state_map,
            field_map: input.field_map,
            mirrors: input.mirrors,
            copies_into: input.copies_into,
            // Everything is read again under the new terms; unchanged rows write nothing.
            read_until: None,
            // No reading has shown a repair yet: a gate that is closed for the system stays closed until then.
            read_problem: self.read_problem.clone().filter(|_| !is_moved),
            ..self.clone()
        };
        if edited.terms_digest() != self.terms_digest() || edited.reads_less_than(&self) {
            check_leads_none(cx, &self)?;
        }
        let edited = cx.put_estate("foreign_system.edited", edited, json!({}))?;
        read_foreign::queue_reading(cx, &edited)?;
        Ok(edited)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_leads_none(cx, &self)?;
        let ended = Self { active: false, ..self };
        cx.put_estate("foreign_system.ended", ended, json!({}))
    }
}

/// Refuses a future day: until then nothing would be read, and earlier rows would stay unchanged.
fn check_since(reading: &mut Reading<'_>, input: &ForeignSystemInput, now: Timestamp) {
    if input.read_since.is_some_and(|since| since > now) {
        let text = "`read_since` is in the future: use a day up to today.";
        reading.wrong("read_since", "out_of_range", text);
    }
}

/// Keeps the credential of a system (`POST /foreign-systems/{id}/credentials`): a login with its password, or a token; and has it read.
///
/// # Errors
/// 403, 404, 422; 409 `leads_services` while it leads services; or the store's.
pub fn keep_credential(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<ForeignSystem> {
    cx.allow(SET_CONNECTION)?;
    let Some(system) = in_use(cx, id)? else {
        return Err(Refusal::not_found("foreign-system").into());
    };
    let mut reading = Reading::new(body, "");
    let login = reading.text("login", LINE).unwrap_or_default();
    let secret = reading.needed("secret", 4_000);
    if login.contains(':') {
        reading.wrong("login", "not_allowed", "`login` has no colon (RFC 7617).");
    }
    if login.is_empty() && secret.contains(':') {
        reading.wrong(
            "secret",
            "not_allowed",
            "A token must not contain a colon; a password needs a `login`.",
        );
    }
    let is_header = secret.bytes().all(|b| (0x20..0x7f).contains(&b));
    if login.is_empty() && !is_header {
        reading.wrong("secret", "not_allowed", "A token has printable ASCII characters only.");
    }
    reading.finish()?;
    check_keeps_credential(cx, &system)?;
    let kept = if login.is_empty() {
        secret
    } else {
        format!("{login}:{secret}")
    };
    secrets::keep(cx, &credential_name(id), kept.as_bytes())?;
    let next = ForeignSystem {
        has_credential: true,
        credential_at: Some(cx.now),
        // Another credential sees other changes, so that everything is read again.
        read_until: None,
        ..system
    };
    let saved = cx.put_estate("foreign_system.edited", next, json!({"credential": true}))?;
    read_foreign::queue_reading(cx, &saved)?;
    Ok(saved)
}

impl PlainNoun for ForeignChange {
    type Input = model::core::card::NoInput;
    const IS_HISTORY: bool = true;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = record::Filter::new().order_by("id").limit(MOST_LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("foreign-change").into())
    }
}

/// The most rows listed when no page is requested.
const MOST_LISTED: i64 = 200;
