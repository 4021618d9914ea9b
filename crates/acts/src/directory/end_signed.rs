//! Ends records with a part of a compromised account that need two people outside of changes: emergency cards, audit
//! mandates, the leading system of a service, expected drift, exceptions from freezes, proposals to loosen these and
//! proposed configurations. Records that are still needed are proposed anew.

use std::collections::BTreeSet;

use model::core::ids::{ChangeId, PersonId};
use model::directory::audit_mandate::AuditMandate;
use model::emergency::emergency_card::EmergencyCard;
use model::incident::drift::baseline::DriftBaseline;
use model::schedule::freeze::Freeze;
use serde_json::json;

use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun;
use crate::emergency::set_emergency_card::save;
use crate::integration::beside::set_service_lead;
use crate::policy::configurations;

/// Ends the records that one of these accounts proposed, set up or signed.
///
/// # Errors
/// The store's.
pub(crate) fn end_signed(cx: &mut Context<'_, '_>, accounts: &[PersonId]) -> Result<()> {
    let has_part = |people: [Option<&PersonId>; 3]| people.into_iter().flatten().any(|it| accounts.contains(it));
    let now = cx.now;
    for card in noun::in_use::<EmergencyCard>(cx)? {
        if has_part([Some(&card.by), card.handed_by.as_ref(), card.approved_by.as_ref()]) {
            let revoked = EmergencyCard {
                active: false,
                revoked_at: Some(now),
                ..card
            };
            save(cx, "emergency_card.revoked", revoked, json!({}))?;
        }
    }
    for baseline in noun::in_use::<DriftBaseline>(cx)? {
        if has_part([
            Some(&baseline.by),
            baseline.handed_by.as_ref(),
            baseline.approved_by.as_ref(),
        ]) {
            let ended = DriftBaseline {
                active: false,
                ..baseline
            };
            save(cx, "drift_baseline.ended", ended, json!({}))?;
        }
    }
    for mandate in noun::in_use::<AuditMandate>(cx)? {
        if has_part([
            Some(&mandate.by),
            mandate.handed_by.as_ref(),
            mandate.confirmed_by.as_ref(),
        ]) {
            let data = json!({"was_given": mandate.binds()});
            let ended = AuditMandate {
                active: false,
                ..mandate
            };
            cx.put_estate("audit_mandate.ended", ended, data)?;
        }
    }
    set_service_lead::end_of(cx, accounts)?;
    configurations::withdraw_of(cx, accounts)?;
    end_in_freezes(cx, accounts)
}

/// Withdraws these accounts' exceptions from a freeze, and their proposals to end or shorten one.
fn end_in_freezes(cx: &mut Context<'_, '_>, accounts: &[PersonId]) -> Result<()> {
    let (directory, by, now) = (cx.directory()?, cx.actor.person.clone(), cx.now);
    let mut stopped: BTreeSet<ChangeId> = BTreeSet::new();
    for freeze in directory.freezes.iter().filter(|freeze| !freeze.is_over(now)) {
        let is_theirs = freeze.loosening.as_ref().is_some_and(|proposal| {
            let mut people = std::iter::once(&proposal.by).chain(&proposal.handed_by);
            people.any(|it| accounts.contains(it))
        });
        if is_theirs {
            let kept = load(cx, freeze)?;
            cx.put_estate(
                "freeze.edited",
                Freeze {
                    loosening: None,
                    ..kept
                },
                json!({}),
            )?;
        }
        for row in freeze.exceptions.iter().filter(|row| accounts.contains(&row.by)) {
            let mut kept = load(cx, freeze)?;
            kept.end_exceptions(|it| it.change == row.change && it.by == row.by, Some(&by), now);
            cx.put_estate("freeze.exception_withdrawn", kept, json!({"change": row.change_key}))?;
            stopped.insert(row.change.clone());
        }
    }
    if stopped.is_empty() {
        return Ok(());
    }
    settle_open(cx, |change| stopped.contains(&change.id))
}

/// A freeze in its present state.
fn load(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<Freeze> {
    let directory = cx.directory()?;
    let mut freezes = directory.freezes.iter();
    Ok(freezes.find(|it| it.id == freeze.id).unwrap_or(freeze).clone())
}
