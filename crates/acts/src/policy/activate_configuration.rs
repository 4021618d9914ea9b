//! Puts a proposed configuration in force: by a second person, or by an approved change that names its digest. After any
//! failure the configuration in force stays.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::Coverage;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, ConfigurationState, State};
use model::core::ids::PersonId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Tenant;
use model::incident::major::USUAL_BOUND;
use model::policy::configuration::{Configuration, InForce};
use serde_json::json;
use store::record::{self, Filter};

use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::guard::impersonation;
use crate::guard::other_setters::others_who_set;
use crate::policy::configurations::{How, configuration, notify_people, present, take_back};
use crate::policy::propose_configuration::checked;
use crate::policy::{propose_ownership, search_histories};
use crate::risk::adjustment_items::settle_activated;

/// Puts a proposal in force (`POST /configurations/{id}/activation {change?}`) and judges every open change again, in one
/// transaction.
///
/// # Errors
/// 403 for its proposer without an approved change, 404, 409, 422 when the set no longer passes, or the store's.
pub fn activate_configuration(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let proposal = configuration(cx, id)?;
    let mut reading = Reading::new(body, "");
    let change = reading.text("change", LINE);
    reading.finish()?;
    if proposal.state != ConfigurationState::Proposed {
        let text = format!("This configuration is {}.", proposal.state);
        return Err(Refusal::not_now("not_in_state", text, "Propose it again.", Vec::new()).into());
    }
    let change_key = match change {
        Some(key) => Some(approved_change(cx, &key, &proposal)?.key),
        None => {
            second_person(cx, &proposal)?;
            None
        }
    };
    if proposal.kind == ConfigurationKind::Ownership {
        return propose_ownership::put_in_force(cx, proposal, change_key);
    }
    check_again(cx, &proposal)?;
    put_in_force(cx, proposal, change_key)
}

/// Withdraws a proposal (`DELETE /configurations/{id}`).
///
/// # Errors
/// 403, 404, 409, or the store's.
pub fn withdraw_configuration(cx: &mut Context<'_, '_>, id: &str) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let proposal = configuration(cx, id)?;
    if proposal.state != ConfigurationState::Proposed {
        let text = format!("This configuration is {}.", proposal.state);
        return Err(Refusal::not_now("not_in_state", text, "Only a proposal can be withdrawn.", Vec::new()).into());
    }
    take_back(cx, proposal)
}

/// The logins of those who may put a person's proposal in force: nobody where that person alone sets policies.
///
/// # Errors
/// The store's.
pub fn who_activates(cx: &mut Context<'_, '_>, proposer: &PersonId) -> Result<Vec<String>> {
    others_who_set(cx, proposer)
}

fn second_person(cx: &mut Context<'_, '_>, proposal: &Configuration) -> Result<()> {
    let is_another = proposal.proposer != cx.actor.person;
    if is_another && !impersonation::is_same_person(cx, proposal)? {
        return Ok(());
    }
    let text = if is_another {
        "The proposer of this configuration created your credential, so both of you count as one person."
    } else {
        "The proposer of a configuration cannot put it in force alone."
    };
    let mut others = others_who_set(cx, &proposal.proposer)?;
    // The refused person is not among the people for whom the proposal waits, even with the right to set policies.
    let refused = cx.directory()?.login(&cx.actor.person);
    others.retain(|login| *login != refused);
    let satisfy = format!(
        "Another person who may set policies must activate it, or name in `change` an approved change with a target that has \
         the artifact {}.",
        proposal.digest
    );
    Err(Refusal::not_now("second_person_needed", text, satisfy, others).into())
}

/// The change that replaces the second person: its approvals on *what* are complete, it is not on hold, one of its targets
/// names the digest as its artifact, and a person other than the proposer approved it, so that another person decided about
/// this very content. A change without approvers, such as one from a template, does not count. The change counts once: an
/// approval to put a configuration in force is no approval to restore it at any later time.
fn approved_change(cx: &mut Context<'_, '_>, key: &str, proposal: &Configuration) -> Result<Change> {
    let change = cx.change(key)?;
    let names_it = change
        .content
        .targets
        .iter()
        .any(|target| target.artifact.as_deref() == Some(proposal.digest.as_str()));
    if !names_it {
        let text = format!("No target of {} has the artifact {}.", change.key, proposal.digest);
        let satisfy = "Name a change whose approvers decided about this digest.";
        return Err(Refusal::not_now("change_names_another", text, satisfy, Vec::new()).into());
    }
    let is_approved = matches!(change.state, State::Approved | State::Scheduled | State::Implementing);
    if !is_approved || change.is_on_hold() || change.break_glass.is_some() {
        let text = format!("{} is not an approved change that may proceed.", change.key);
        let satisfy = "Have it approved, or have a second person activate the configuration.";
        return Err(Refusal::not_now("change_not_approved", text, satisfy, Vec::new()).into());
    }
    check_window(&change, cx.now)?;
    check_unused(cx, &change, proposal)?;
    if !is_approved_by_another(cx, key, proposal)? {
        let text = format!(
            "Only the proposer of the configuration has approved {}, so no second person has reviewed it.",
            change.key
        );
        let satisfy =
            "Name a normal change that somebody else approved, or have a second person activate the configuration.";
        return Err(Refusal::not_now("change_not_approved", text, satisfy, Vec::new()).into());
    }
    Ok(change)
}

/// Refuses a change after its window: it was approved for other times than now. Before its window the change is valid, because
/// its approvers saw exactly this set of policies.
fn check_window(change: &Change, now: Timestamp) -> std::result::Result<(), Refusal> {
    let is_over = change.planned_end.is_some_and(|end| end <= now);
    if !is_over && !change.window_missed {
        return Ok(());
    }
    let text = format!("The window of {} is over.", change.key);
    let satisfy = "Plan new times and have them approved, or have a second person activate the configuration.";
    Err(Refusal::not_now("change_window_over", text, satisfy, Vec::new()))
}

/// Refuses a change by which the same content was put in force before. Transactions write the configuration in force one after
/// another, so if two name the same change at once, the later one sees the earlier.
fn check_unused(cx: &mut Context<'_, '_>, change: &Change, proposal: &Configuration) -> Result<()> {
    let filter = Filter::new().equals("digest", proposal.digest.as_str()).order_by("id");
    let rows = record::find::<Configuration>(cx.tx, &filter)?;
    let by_it = |row: &Configuration| row.change_key.as_ref() == Some(&change.key) && row.activated_at.is_some();
    let Some(used) = rows.into_iter().map(|stored| stored.record).find(by_it) else {
        return Ok(());
    };
    let at = used.activated_at.map(|at| at.to_string()).unwrap_or_default();
    let text = format!(
        "{} has already put {} in force, at {at}: its approvals are valid only once.",
        change.key, proposal.digest
    );
    let satisfy = "Have another change approved for it, or have a second person activate the configuration.";
    Err(Refusal::not_now("change_used", text, satisfy, Vec::new()).into())
}

fn is_approved_by_another(cx: &mut Context<'_, '_>, key: &str, proposal: &Configuration) -> Result<bool> {
    let file = cx.file(key)?;
    for approval in file.standing() {
        let says_yes = approval.is_yes() && approval.what == Coverage::Standing;
        let is_another = approval.person != proposal.proposer;
        let hand = (approval.speaker(), &approval.person);
        if says_yes && is_another && !impersonation::is_controlled_by_same(cx, hand, proposal)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The estate may have moved since the proposal: names and cases must still hold.
fn check_again(cx: &mut Context<'_, '_>, proposal: &Configuration) -> Result<()> {
    if proposal.kind != ConfigurationKind::Policies {
        return Ok(());
    }
    let set = checked(cx, &proposal.files, &proposal.cases, &proposal.parameters)?;
    search_histories::check_histories(&set)?;
    if set.digest() != proposal.digest {
        let text = "The program that proposed this configuration had another schema.";
        return Err(Refusal::not_now("schema_moved", text, "Propose it again.", Vec::new()).into());
    }
    Ok(())
}

fn put_in_force(
    cx: &mut Context<'_, '_>,
    proposal: Configuration,
    change_key: Option<String>,
) -> Result<Configuration> {
    let (tenant, before) = present(cx, proposal.kind)?;
    let replaced = match &before.0 {
        Some(id) => Some(configuration(cx, id.as_str())?),
        None => None,
    };
    // The proposal lacks changes that went in force after it was made, so activating it undoes them.
    let proposed_over = proposal.before.clone().filter(|digest| *digest != before.1);
    let active = Configuration {
        state: ConfigurationState::Active,
        activated_by: Some(cx.actor.person.clone()),
        activation_handed_by: cx.actor.hand().cloned(),
        activated_at: Some(cx.now),
        change_key,
        before: Some(before.1),
        replaces: before.0,
        ..proposal
    };
    let active = save(cx, tenant, active, replaced, &How::Activated { proposed_over })?;
    settle_activated(cx, &active)?;
    Ok(active)
}

/// Points the tenant at a configuration, marks the one before as replaced, writes one event and judges open changes.
fn save(
    cx: &mut Context<'_, '_>,
    mut tenant: Tenant,
    active: Configuration,
    replaced: Option<Configuration>,
    how: &How,
) -> Result<Configuration> {
    let in_force = Some(InForce {
        id: active.id.clone(),
        digest: active.digest.clone(),
    });
    match active.kind {
        ConfigurationKind::Policies => tenant.policies = in_force,
        ConfigurationKind::RiskTable => {
            tenant.risk_table_from = in_force;
            tenant.risk_table = active.table.clone().unwrap_or_default();
            tenant.risk_terms = active.terms.clone().unwrap_or_default();
        }
        ConfigurationKind::Mapping => {
            tenant.mapping_from = in_force;
            tenant.mapping.clone_from(&active.rules);
        }
        ConfigurationKind::SlaTable => {
            tenant.sla_table_from = in_force;
            tenant.sla_table = active.slas.unwrap_or_default();
        }
        ConfigurationKind::WatchTable => {
            tenant.watch_table_from = in_force;
            tenant.watch_table = active.watches.unwrap_or_default();
        }
        ConfigurationKind::MajorSeverity => {
            tenant.major_severity_from = in_force;
            tenant.major_severity = active.major_severity.unwrap_or(USUAL_BOUND);
        }
        ConfigurationKind::Retention => {
            tenant.retention_from = in_force;
            tenant.retention = active.retention.unwrap_or_default();
        }
        ConfigurationKind::Ownership => {}
    }
    let mut written = Written::default();
    let active = cx.put(&mut written, active)?;
    cx.put(&mut written, tenant)?;
    if let Some(replaced) = replaced {
        let replaced = Configuration {
            state: ConfigurationState::Replaced,
            ..replaced
        };
        cx.put(&mut written, replaced)?;
    }
    let kind = match (active.kind, how) {
        (ConfigurationKind::Policies, How::Activated { .. }) => "policies.activated",
        (ConfigurationKind::Policies, How::Recovered) => "policies.recovered",
        (ConfigurationKind::RiskTable, _) => "risk_table.activated",
        (ConfigurationKind::Mapping, _) => "mapping.activated",
        (ConfigurationKind::SlaTable, _) => "sla_table.activated",
        (ConfigurationKind::WatchTable, _) => "watch_table.activated",
        (ConfigurationKind::MajorSeverity, _) => "major_severity.activated",
        (ConfigurationKind::Retention, _) => "retention.activated",
        (ConfigurationKind::Ownership, _) => "ownership.activated",
    };
    let data = json!({"before": active.before, "after": active.digest, "change": active.change_key});
    notify_people(cx, &mut written, &active, how)?;
    let subject = ("configuration", active.id.0.clone());
    cx.emit(vec![draft(kind, subject, cx.now, data)], written)?;
    cx.touch_directory()?;
    settle_open(cx, |_| true)?;
    Ok(active)
}

/// The result of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Digest of the configuration before.
    pub before: String,
    /// Digest of the configuration now.
    pub after: String,
}

/// Brings back, on the host, the policies that were in force before the present ones. It needs no right, because a person with
/// access to the host has the data anyway; it writes an event and notifies administrators and change managers.
///
/// # Errors
/// 409 when the present policies came with the program, or the store's.
pub fn recover_policies(cx: &mut Context<'_, '_>) -> Result<Recovered> {
    let (mut tenant, (id, before)) = present(cx, ConfigurationKind::Policies)?;
    let Some(id) = id else {
        let text = "The policies in force are those that come with the program.";
        return Err(Refusal::not_now("nothing_to_recover", text, "There is nothing before them.", Vec::new()).into());
    };
    let present = configuration(cx, id.as_str())?;
    if let Some(previous) = &present.replaces {
        let previous = configuration(cx, previous.as_str())?;
        let after = previous.digest.clone();
        let active = Configuration {
            state: ConfigurationState::Active,
            activated_by: Some(cx.actor.person.clone()),
            activation_handed_by: cx.actor.hand().cloned(),
            activated_at: Some(cx.now),
            before: Some(before.clone()),
            ..previous
        };
        save(cx, tenant, active, Some(present), &How::Recovered)?;
        return Ok(Recovered { before, after });
    }
    // Nothing was activated before: the tenant goes back to the program's own set.
    tenant.policies = None;
    let after = cx.services.tools().shipped(Some(&tenant)).digest().to_owned();
    let mut written = Written::default();
    cx.put(&mut written, tenant)?;
    let told = Configuration {
        before: Some(before.clone()),
        digest: after.clone(),
        ..present.clone()
    };
    let present = cx.put(
        &mut written,
        Configuration {
            state: ConfigurationState::Replaced,
            ..present
        },
    )?;
    let data = json!({"before": before, "after": after});
    let subject = ("configuration", present.id.0);
    notify_people(cx, &mut written, &told, &How::Recovered)?;
    cx.emit(vec![draft("policies.recovered", subject, cx.now, data)], written)?;
    cx.touch_directory()?;
    settle_open(cx, |_| true)?;
    Ok(Recovered { before, after })
}
