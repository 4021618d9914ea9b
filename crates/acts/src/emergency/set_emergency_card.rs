//! Emergency cards: one person proposes, another signs, and a person who may sign prints.

use model::core::act::actions::SET_WINDOW;
use model::core::enums::Role;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use model::emergency::emergency_card::{self, EmergencyCard, EmergencyCardInput, MOST};
use proof::emergency::{self, Card};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun::{self, PlainNoun};
use crate::core::signing_keys::{PERMIT, signing_key};
use crate::core::write::{Versioned, Written, draft};
use crate::guard::impersonation::{check_voice, check_whole};
use crate::guard::self_grant;
use crate::identity::set_second_factor::check_fresh;

/// The most revoked cards in a list of revocations: a tenant revokes few cards within the longest validity of a card.
const MOST_REVOKED: i64 = 1_000;

/// Saves a record with its event.
pub(crate) fn save<R: Versioned>(cx: &mut Context<'_, '_>, kind: &'static str, record: R, data: Value) -> Result<R> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, record)?;
    let event = draft(kind, (R::TABLE, saved.id().to_owned()), cx.now, data);
    cx.emit(vec![event], written)?;
    Ok(saved)
}

impl PlainNoun for EmergencyCard {
    type Input = EmergencyCardInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn print(&self) -> Option<String> {
        self.approved.then(|| format!("/emergency-cards/{}/print", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: EmergencyCardInput, mut reading: Reading<'_>) -> Result<Self> {
        emergency_card::check(&mut reading, &input, cx.now);
        let directory = cx.directory()?;
        if !input.environment.0.is_empty() && !directory.environments.contains_key(&input.environment) {
            let text = unknown_name::environment(&directory, input.environment.as_str());
            reading.wrong("environment", "unknown", text);
        }
        reading.finish()?;
        check_may_sign(cx)?;
        let in_use = noun::in_use::<Self>(cx)?
            .into_iter()
            .filter(|card| card.ends_at > cx.now);
        if in_use.count() >= MOST {
            let text = format!("{MOST} emergency cards are in use, which is the limit.");
            return Err(Refusal::not_now("too_many", text, "Revoke one that nobody needs.", Vec::new()).into());
        }
        let card = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            services: input.services,
            environment: input.environment,
            uses: input.uses,
            ends_at: input.ends_at,
            reason: input.reason,
            by: cx.actor.person.clone(),
            handed_by: cx.actor.hand().cloned(),
            approved: false,
            approved_by: None,
            approved_at: None,
            revoked_at: None,
            active: true,
        };
        save(cx, "emergency_card.proposed", card, json!({}))
    }

    /// Signs it as proposed.
    fn edit(self, cx: &mut Context<'_, '_>, input: EmergencyCardInput, mut reading: Reading<'_>) -> Result<Self> {
        if reading.errors.is_empty() && !self.is_as_proposed(&input) {
            let text = "A proposed card cannot be changed. Revoke it and propose another.";
            reading.wrong("approved", "not_as_proposed", text);
        } else if reading.errors.is_empty() && !input.approved {
            reading.wrong("approved", "missing", "Sign it with `approved: true`, or revoke it.");
        }
        reading.finish()?;
        if self.approved || self.ends_at <= cx.now {
            let text = match self.approved {
                true => "This card is signed already.",
                false => "This card has expired.",
            };
            return Err(Refusal::not_now("not_open", text, "Propose another if it is needed.", Vec::new()).into());
        }
        check_may_sign(cx)?;
        check_second(cx, &self)?;
        let signed = Self {
            approved: true,
            approved_by: Some(cx.actor.person.clone()),
            approved_at: Some(cx.now),
            ..self
        };
        // A card that does not fit into its printed code is refused here and not at the printer.
        token(cx, &signed)?;
        let terms = json!({
            "services": signed.services, "environment": signed.environment, "uses": signed.uses,
            "ends_at": signed.ends_at.to_string(), "by": signed.by, "approved_by": signed.approved_by,
        });
        save(cx, "emergency_card.signed", signed, json!({"terms": terms}))
    }

    /// Revokes the card: hosts with a list of revocations refuse it from then on, and a later use is a difference.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_voice(cx)?;
        let revoked = Self {
            active: false,
            revoked_at: Some(cx.now),
            ..self
        };
        save(cx, "emergency_card.revoked", revoked, json!({}))
    }
}

/// A token, an old session or a delegate cannot sign a card, because a card opens everything; nor is the administrator
/// role alone enough.
fn check_may_sign(cx: &mut Context<'_, '_>) -> Result<()> {
    check_fresh(cx)?;
    check_voice(cx)?;
    check_whole(cx)?;
    let directory = cx.directory()?;
    let person = directory.people.get(&cx.actor.person);
    if person.is_some_and(|person| person.roles.iter().all(|role| *role == Role::Admin)) {
        let text = "The administrator role alone is not enough to sign an emergency card.";
        return Err(Refusal::not_allowed("not_allowed", text).into());
    }
    Ok(())
}

/// Refuses the proposer and anybody who counts as one with the proposer.
fn check_second(cx: &mut Context<'_, '_>, card: &EmergencyCard) -> Result<()> {
    let directory = cx.directory()?;
    let person = cx.actor.person.clone();
    if self_grant::is_behind(cx, &directory, (&card.by, card.handed_by.as_ref())) {
        let text =
            "A card needs two people, and the proposal counts as yours: another owner or change manager must sign it.";
        return Err(Refusal::not_allowed("own_proposal", text).into());
    }
    let is_manager = |person: &PersonId| directory.has_role(person, Role::ChangeManager);
    if !is_manager(&card.by) && !is_manager(&person) {
        let text = "One of the two signers of an emergency card must be a change manager.";
        return Err(Refusal::not_allowed("not_allowed", text).into());
    }
    Ok(())
}

/// The card in printed form: a token that anybody with the paper can use. Each printing is recorded in the log.
///
/// # Errors
/// 403, also without a fresh factor; 404; 409 before the second signature, after the end and after a revocation; the store's.
pub fn print_card(cx: &mut Context<'_, '_>, id: &str) -> Result<(EmergencyCard, String)> {
    cx.allow(SET_WINDOW)?;
    let found = record::load::<EmergencyCard>(cx.tx, id)?.map(|stored| stored.record);
    let card = found.ok_or_else(|| Refusal::not_found("emergency-card"))?;
    let person = cx.actor.person.clone();
    let is_signer = card.by == person || card.approved_by.as_ref() == Some(&person);
    if !is_signer && !cx.directory()?.has_role(&person, Role::ChangeManager) {
        let text = "Only its two signers and change managers can print an emergency card.";
        return Err(Refusal::not_allowed("not_allowed", text).into());
    }
    if !card.approved || !card.active || card.ends_at <= cx.now {
        let text = "Only a card that two people signed and that has neither expired nor been revoked can be printed.";
        return Err(Refusal::not_now("not_open", text, "A second person must sign it first.", Vec::new()).into());
    }
    check_fresh(cx)?;
    check_voice(cx)?;
    let token = token(cx, &card)?;
    let subject = ("emergency_card", card.id.0.clone());
    let event = draft("emergency_card.printed", subject, cx.now, json!({}));
    cx.emit(vec![event], Written::default())?;
    Ok((card, token))
}

fn token(cx: &mut Context<'_, '_>, card: &EmergencyCard) -> Result<String> {
    let directory = cx.directory()?;
    let people = [Some(&card.by), card.approved_by.as_ref()];
    let signed_at = card.approved_at.unwrap_or(cx.now).as_second();
    let claims = Card {
        jti: card.id.0.clone(),
        tenant: cx.tenant(),
        iat: signed_at,
        nbf: signed_at,
        exp: card.ends_at.as_second(),
        services: card.services.iter().map(|it| it.0.clone()).collect(),
        environment: card.environment.0.clone(),
        uses: card.uses,
        signers: people.into_iter().flatten().map(|it| directory.login(it)).collect(),
    };
    let key = signing_key(cx, PERMIT)?;
    emergency::sign(&claims, &key).map_err(|error| match error {
        proof::Error::TooLarge { .. } => {
            let text = "The card does not fit into one code. Name fewer services.";
            Error::from(Refusal::field("services", "too_long", text))
        }
        other => other.into(),
    })
}

/// The ids of revoked cards that have not expired, for the list of revocations.
///
/// # Errors
/// The store's.
pub(crate) fn revoked_cards(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let filter = Filter::new()
        .equals("active", false)
        .more("ends_at", cx.now)
        .order_by("ends_at")
        .limit(MOST_REVOKED);
    let cards = record::bodies::<EmergencyCard>(cx.tx, &filter)?;
    Ok(cards
        .iter()
        .filter(|card| card.approved)
        .map(|card| card.id.0.clone())
        .collect())
}
