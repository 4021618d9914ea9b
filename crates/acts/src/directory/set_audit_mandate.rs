//! Mandates of auditors: one person proposes and another confirms, as for other rights that need two people.

use std::collections::BTreeSet;

use model::core::act::actions;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::audit_mandate::{AuditMandate, AuditMandateInput, MOST};
use model::directory::audit_mandate_rules::check;
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::guard::other_setters::{has_lost_another, others_who_set};
use crate::guard::self_grant::{is_behind, is_one};

impl PlainNoun for AuditMandate {
    type Input = AuditMandateInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("active", true).order_by("id");
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn page(&self) -> Option<String> {
        Some(format!("/audit-mandates/{}/page", self.id))
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: AuditMandateInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        let person = check(&mut reading, &input, &directory, cx.now);
        reading.finish()?;
        if directory.audit_mandates.len() >= MOST {
            let text = format!("A tenant has at most {MOST} mandates, including those that have ended.");
            let satisfy = "Give a token of narrower scope to an account without a mandate.";
            return Err(Refusal::not_now("too_many", text, satisfy, Vec::new()).into());
        }
        let mandate = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            person,
            reason: input.reason,
            services: input.services,
            span_from: input.span_from,
            span_to: input.span_to,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            by: cx.actor.person.clone(),
            handed_by: cx.actor.hand().cloned(),
            at: cx.now,
            confirmed_by: None,
            confirmed_at: None,
            active: true,
        };
        let by = cx.actor.person.clone();
        let proposed = cx.put_estate("audit_mandate.proposed", mandate, json!({}))?;
        // If nobody else could confirm it, now or yesterday, one person gives it, as with other rights.
        if others_who_set(cx, &by)?.is_empty() && !has_lost_another(cx)? {
            return confirmed(cx, proposed);
        }
        Ok(proposed)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let data = json!({"was_given": self.binds()});
        cx.put_estate("audit_mandate.ended", Self { active: false, ..self }, data)
    }
}

/// Confirms a mandate that another person proposed (`POST /audit-mandates/{id}/confirmation`).
///
/// # Errors
/// 403, 404; 409 `second_person_needed`, `confirmed` or `over`; the store's.
pub fn confirm_audit_mandate(cx: &mut Context<'_, '_>, id: &str) -> Result<AuditMandate> {
    cx.allow(actions::SET_POLICY)?;
    let found = AuditMandate::found(cx, id)?.ok_or_else(|| Refusal::not_found("audit mandate"))?;
    if !found.active || found.binds() || found.ends_at <= cx.now {
        let text = "The mandate is confirmed already, was taken back, or is over.";
        return Err(Refusal::not_now("not_open", text, "Propose another one.", Vec::new()).into());
    }
    let directory = cx.directory()?;
    let is_theirs = is_behind(cx, &directory, (&found.by, found.handed_by.as_ref()));
    if is_theirs || is_one(cx, &directory, &found.person) {
        let text = "The proposer and the auditor of a mandate cannot confirm it.";
        let me = cx.actor.person.clone();
        let others = others_who_set(cx, &me)?;
        let satisfy = "Another person who may set policies must confirm it.";
        return Err(Refusal::not_now("second_person_needed", text, satisfy, others).into());
    }
    check_still(cx, &found)?;
    confirmed(cx, found)
}

/// Refuses a mandate of a person who got another right, or was deactivated, since the proposal.
fn check_still(cx: &mut Context<'_, '_>, mandate: &AuditMandate) -> Result<()> {
    let directory = cx.directory()?;
    let person = directory.people.get(&mandate.person).filter(|person| person.active);
    let is_auditor =
        |roles: &BTreeSet<model::core::enums::Role>| *roles == BTreeSet::from([model::core::enums::Role::Auditor]);
    if person.is_some_and(|person| is_auditor(&person.roles)) {
        return Ok(());
    }
    let text = "The account of the auditor is deactivated or has another right by now.";
    let satisfy = "Remove all its rights except `auditor`, or propose a mandate of another account.";
    Err(Refusal::not_now("other_rights", text, satisfy, Vec::new()).into())
}

fn confirmed(cx: &mut Context<'_, '_>, mandate: AuditMandate) -> Result<AuditMandate> {
    let given = AuditMandate {
        confirmed_by: Some(cx.actor.person.clone()),
        confirmed_at: Some(cx.now),
        ..mandate
    };
    cx.put_estate("audit_mandate.confirmed", given, json!({}))
}
