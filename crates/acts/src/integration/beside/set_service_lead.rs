//! The system that leads the changes of a service: moving the lead to a coexisting system needs two people, taking it back
//! needs one.

use model::core::enums::Role;
use model::core::ids::{PersonId, RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::led_elsewhere::LedElsewhere;
use model::directory::snapshot::Service;
use model::integration::foreign_system::ForeignSystem;
use model::integration::service_lead::{MOST, ServiceLead, ServiceLeadInput, check};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::core::write::{Written, draft};
use crate::gate::rejudge::rejudge_service;
use crate::guard::impersonation::{check_voice, check_whole};
use crate::guard::self_grant;
use crate::integration::beside::known_system::in_use;

impl PlainNoun for ServiceLead {
    type Input = ServiceLeadInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: ServiceLeadInput, mut reading: Reading<'_>) -> Result<Self> {
        let system = in_use(cx, input.system.as_str())?;
        check(&mut reading, &input, &*cx.directory()?, system.is_some());
        reading.finish()?;
        let system = system.ok_or_else(|| Refusal::not_found("foreign-system"))?;
        check_voice(cx)?;
        check_whole(cx)?;
        let standing = noun::in_use::<Self>(cx)?;
        if standing.iter().any(|it| it.service == input.service) {
            let text = format!(
                "The lead of {} is already elsewhere, or this is proposed.",
                input.service
            );
            return Err(Refusal::not_now("not_unique", text, "End that first.", Vec::new()).into());
        }
        if standing.len() >= MOST {
            let text = format!("{MOST} services are led elsewhere already.");
            return Err(Refusal::not_now("too_many", text, "Lead some of them here.", Vec::new()).into());
        }
        let lead = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            service: input.service,
            system: system.id.clone(),
            terms: system.lead_digest(),
            reason: input.reason,
            by: cx.actor.person.clone(),
            handed_by: cx.actor.hand().cloned(),
            approved: false,
            approved_by: None,
            approved_at: None,
            closed_by: None,
            ended_at: None,
            active: true,
        };
        save(cx, "service_lead.proposed", lead)
    }

    /// Confirms the lead as proposed.
    fn edit(self, cx: &mut Context<'_, '_>, input: ServiceLeadInput, mut reading: Reading<'_>) -> Result<Self> {
        if reading.errors.is_empty() && !self.is_as_proposed(&input) {
            let text = "A proposal cannot be changed. End it and make another.";
            reading.wrong("approved", "not_as_proposed", text);
        } else if reading.errors.is_empty() && !input.approved {
            reading.wrong("approved", "missing", "Confirm it with `approved: true`, or end it.");
        }
        reading.finish()?;
        if self.approved {
            let text = "This lead is confirmed already.";
            return Err(Refusal::not_now("not_open", text, "End it to lead the service here.", Vec::new()).into());
        }
        check_voice(cx)?;
        check_whole(cx)?;
        check_second(cx, &self)?;
        let system = in_use(cx, self.system.as_str())?.filter(|system| system.lead_digest() == self.terms);
        let Some(system) = system else {
            let text = "The system is no longer read, or its settings changed after this was proposed.";
            return Err(Refusal::not_now(
                "not_as_proposed",
                text,
                "End this proposal and make another.",
                Vec::new(),
            )
            .into());
        };
        let confirmed = Self {
            approved: true,
            approved_by: Some(cx.actor.person.clone()),
            approved_at: Some(cx.now),
            ..self
        };
        let confirmed = save(cx, "service_lead.confirmed", confirmed)?;
        let led = LedElsewhere {
            system: system.id,
            kind: system.kind,
            since: cx.now,
        };
        lead(cx, &confirmed.service, Some(led))?;
        Ok(confirmed)
    }

    /// Takes the lead back, or the proposal.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_voice(cx)?;
        take_back(cx, self)
    }
}

fn save(cx: &mut Context<'_, '_>, kind: &'static str, record: ServiceLead) -> Result<ServiceLead> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, record)?;
    let data: Value = json!({"service": saved.service, "system": saved.system});
    let event = draft(kind, ("service_lead", saved.id.to_string()), cx.now, data);
    cx.emit(vec![event], written)?;
    Ok(saved)
}

/// Records the system that leads a service from now on, and judges its open changes and waiting checks again.
fn lead(cx: &mut Context<'_, '_>, key: &ServiceKey, led: Option<LedElsewhere>) -> Result<()> {
    let found = cx.directory()?.services.get(key).cloned();
    let Some(service) = found else { return Ok(()) };
    let kind = match led {
        Some(_) => "service.led_elsewhere",
        None => "service.led_here",
    };
    cx.put_estate(kind, Service { led_by: led, ..service }, json!({}))?;
    settle_open(cx, |change| {
        let mut targets = change.content.targets.iter();
        targets.any(|target| target.service == *key)
    })?;
    rejudge_service(cx, key.as_str())
}

/// Withdraws the leads in which one of these accounts had a part, and their proposals.
///
/// # Errors
/// The store's.
pub(crate) fn end_of(cx: &mut Context<'_, '_>, accounts: &[PersonId]) -> Result<()> {
    for found in noun::in_use::<ServiceLead>(cx)? {
        let mut people = std::iter::once(&found.by)
            .chain(&found.handed_by)
            .chain(&found.approved_by);
        if people.any(|it| accounts.contains(it)) {
            take_back(cx, found)?;
        }
    }
    Ok(())
}

fn take_back(cx: &mut Context<'_, '_>, found: ServiceLead) -> Result<ServiceLead> {
    let was_led = found.approved;
    let ended = ServiceLead {
        active: false,
        closed_by: Some(cx.actor.person.clone()),
        ended_at: Some(cx.now),
        ..found
    };
    let ended = save(cx, "service_lead.ended", ended)?;
    if was_led {
        lead(cx, &ended.service, None)?;
    }
    Ok(ended)
}

/// Refuses the proposer and accounts that count as the proposer. One of the two is a change manager.
fn check_second(cx: &mut Context<'_, '_>, lead: &ServiceLead) -> Result<()> {
    let directory = cx.directory()?;
    let person = cx.actor.person.clone();
    if self_grant::is_behind(cx, &directory, (&lead.by, lead.handed_by.as_ref())) {
        let text = "This takes two people, and the proposal counts as yours: another administrator or change manager must \
                    confirm it.";
        return Err(Refusal::not_allowed("own_proposal", text).into());
    }
    let is_manager = |person: &PersonId| directory.has_role(person, Role::ChangeManager);
    if !is_manager(&lead.by) && !is_manager(&person) {
        let text = "One of the two people who hand over the lead of a service must be a change manager.";
        return Err(Refusal::not_allowed("not_allowed", text).into());
    }
    Ok(())
}

/// The first of the services that a system leads.
fn first_led(cx: &mut Context<'_, '_>, system: &ForeignSystem) -> Result<Option<ServiceKey>> {
    let filter = Filter::new()
        .equals("active", true)
        .equals("system", system.id.as_str())
        .order_by("id");
    let leads = record::bodies::<ServiceLead>(cx.tx, &filter)?;
    Ok(leads.into_iter().find(|it| it.approved).map(|it| it.service))
}

fn leads_services(text: String) -> Refusal {
    let help = "Have Assent lead them again first (`DELETE /service-leads/{id}`).";
    Refusal::not_now("leads_services", text, help, Vec::new())
}

/// Refuses changes of settings for services that a system leads: the confirmation of its lead included how it is read.
///
/// # Errors
/// 409 `leads_services`, or the store's.
pub(super) fn check_leads_none(cx: &mut Context<'_, '_>, system: &ForeignSystem) -> Result<()> {
    let Some(service) = first_led(cx, system)? else {
        return Ok(());
    };
    let text = format!("This system leads services, {service} among them, so its settings cannot change.");
    Err(leads_services(text).into())
}

/// Refuses another credential for a system that leads services: rows hidden from an account are not read, so a change that is
/// stopped there would go on here.
///
/// # Errors
/// 409 `leads_services`, or the store's.
pub(super) fn check_keeps_credential(cx: &mut Context<'_, '_>, system: &ForeignSystem) -> Result<()> {
    let Some(service) = first_led(cx, system)? else {
        return Ok(());
    };
    let text = format!(
        "This system leads services, {service} among them, and another credential may see fewer changes there, so the \
         credential cannot change."
    );
    Err(leads_services(text).into())
}
