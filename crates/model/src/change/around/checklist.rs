//! Work on the items of a checklist by people and probes: tick, waive, request, respond.

use jiff::Timestamp;
use serde_json::json;

use crate::change::change_file::Case;
use crate::change::content::plan_digest;
use crate::change::duties::evidence;
use crate::change::duties::items::Item;
use crate::change::next_step::check_state;
use crate::change::related_records::{ChecklistItem, Evidence, MetCondition};
use crate::change::settle::settle;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{Aspect, EvidenceKind, EvidenceResult, ItemKind, Role};
use crate::core::ids::RecordId;
use crate::core::parse::{Reading, TEXT};
use crate::core::refusal::Refusal;
use crate::directory::snapshot::logins;

/// How many characters of a probe's response are kept.
const KEPT: usize = 2_000;

fn line(case: &Case<'_>, item: &RecordId) -> Result<ChecklistItem, Refusal> {
    let found = case.file.checklist.iter().find(|row| &row.id == item);
    found.cloned().ok_or_else(|| Refusal::not_found("such checklist item"))
}

/// Ticks a checklist item.
///
/// # Errors
/// 403, also for an author where the rule wants another; 404, 422, 409.
pub fn tick(case: &mut Case<'_>, item: &RecordId, body: &Body) -> Result<(), Refusal> {
    let known = line(case, item)?;
    case.allow(Act::TickChecklist)?;
    check_ticker(case, &known)?;
    let mut reading = Reading::new(body, "");
    let text = reading.text("text", TEXT);
    reading.finish()?;
    check_state(case, Act::TickChecklist)?;
    let (by, at) = (case.person(), case.now);
    for row in case.file.checklist.iter_mut().filter(|row| &row.id == item) {
        row.done = Some(MetCondition {
            by: by.clone(),
            at,
            text: text.clone(),
        });
    }
    case.emit("checklist.ticked", json!({"item": item, "by": by}));
    settle(case);
    Ok(())
}

/// Evidence and probes are ticked by nobody, some manual items by no author, and one with owners by these alone.
fn check_ticker(case: &Case<'_>, known: &ChecklistItem) -> Result<(), Refusal> {
    if matches!(known.kind, Some(ItemKind::Evidence | ItemKind::Probe)) {
        let text = "This item is met by evidence or a probe, so it cannot be ticked.";
        let satisfy = "Add its evidence, query its probe, or get a waiver from an owner and security.";
        return Err(Refusal::not_now("not_manual", text, satisfy, Vec::new()));
    }
    let Some(item) = Item::of_line(&case.file, known) else {
        return Ok(());
    };
    if item.wants_another_than_authors() && case.file.wrote_by_hand(case.actor.speaker()) {
        let others = logins(&case.directory, &item.owners(&case.file, &case.directory, case.now));
        let text = "An author of the change cannot tick this item.";
        return Err(Refusal::not_allowed("own_work", text).with_others(others));
    }
    check_owner(case, &item)
}

/// An item with owners is ticked by one of them, never by a machine.
fn check_owner(case: &Case<'_>, item: &Item<'_>) -> Result<(), Refusal> {
    let owners = item.named_owners(&case.file, &case.directory, case.now);
    if owners.is_empty() {
        return Ok(());
    }
    let names = logins(&case.directory, &owners);
    let person = &case.actor.person;
    let is_agent = case.directory.people.get(person).is_some_and(|it| it.is_agent);
    let is_pipeline = case.actor.by_token && case.directory.has_role(person, Role::Pipeline);
    if is_agent || is_pipeline {
        let text = format!(
            "This item must be ticked by a person, not by a token: {}.",
            names.join(", ")
        );
        return Err(Refusal::not_allowed("not_a_person", text).with_others(names));
    }
    if !owners.contains(person) || !case.actor.speaks_as(item.owner) {
        let text = format!("Only one of its owners can tick this item: {}.", names.join(", "));
        return Err(Refusal::not_allowed("not_its_owner", text).with_others(names));
    }
    Ok(())
}

/// Agrees that a change may go without an item, as an owner, as security, or as both; both needs a second person.
///
/// # Errors
/// 403, 404, 422, 409.
pub fn waive(case: &mut Case<'_>, item: &RecordId, body: &Body) -> Result<(), Refusal> {
    let known = line(case, item)?;
    case.allow(Act::AcceptEvidence)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::AcceptEvidence)?;
    if known.kind.is_none() {
        let text = "This item is ticked by a person; only items checked by evidence or a probe can be waived.";
        return Err(Refusal::not_now("not_waivable", text, "Tick the item.", Vec::new()));
    }
    let by = case.person();
    if case.file.wrote_by_hand(case.actor.speaker()) {
        return Err(Refusal::not_allowed(
            "own_work",
            "An author of the change cannot waive its items.",
        ));
    }
    let agreed = evidence::agreements(&case.file, &case.directory, &by, &reason, case.now);
    if agreed.is_empty() {
        let text = "A waiver needs the approval of an owner of the target and of security, and you are neither.";
        return Err(Refusal::not_allowed("not_asked", text));
    }
    let what = case.change().digests.what.clone();
    for row in case.file.checklist.iter_mut().filter(|row| &row.id == item) {
        // Agreement to another content does not count for this one.
        if row.agreed_what.as_ref() != Some(&what) {
            row.agreed.clear();
        }
        row.agreed_what = Some(what.clone());
        row.agreed.retain(|it| it.by != by);
        row.agreed.extend(agreed.iter().cloned());
    }
    case.emit("checklist.waived", json!({"item": item, "by": by}));
    settle(case);
    Ok(())
}

/// Checks that a person may run a probe at once; returns its rule.
///
/// # Errors
/// 403, 404, 409 for an item that is no probe.
pub fn check_probe_request(case: &mut Case<'_>, item: &RecordId) -> Result<String, Refusal> {
    let known = line(case, item)?;
    case.allow(Act::TickChecklist)?;
    check_state(case, Act::TickChecklist)?;
    let names_one = |item: Item<'_>| item.check.probe().is_some();
    let is_other = || Item::of_line(&case.file, &known).is_some_and(names_one);
    if known.kind != Some(ItemKind::Probe) && !is_other() {
        let text = "This item has no probe.";
        return Err(Refusal::not_now(
            "no_probe",
            text,
            "Tick the item, or add its evidence.",
            Vec::new(),
        ));
    }
    Ok(known.rule)
}

/// The response of a probe, or the reason why no response counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeResult {
    /// The probe's key.
    pub probe: String,
    /// The probed place, as `service/environment`.
    pub place: String,
    /// When what it reports was so, or why there is no such time.
    pub found: Result<Timestamp, String>,
    /// The beginning of the response.
    pub body: String,
    /// The digest of the whole response.
    pub digest: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its media type; empty without a response.
    pub media_type: String,
}

/// Keeps the response of a probe as evidence.
pub fn take_probe_result(case: &mut Case<'_>, answer: ProbeResult) {
    let (result, text) = match &answer.found {
        Ok(at) => (EvidenceResult::Passed, format!("It reports {at}. {}", answer.body)),
        Err(why) => (EvidenceResult::Unknown, format!("{why} {}", answer.body)),
    };
    let evidence = Evidence {
        id: case.new_id(),
        version: 0,
        change: case.change_id(),
        kind: EvidenceKind::Probe,
        aspect: Aspect::Other,
        result,
        name: answer.probe,
        environment: None,
        artifact: None,
        plan_digest: Some(plan_digest(&case.change().content)),
        text: Some(text.trim().chars().take(KEPT).collect()),
        file_digest: answer.digest,
        size: answer.size,
        media_type: answer.media_type,
        by: case.person(),
        at: case.now,
        accepted: None,
        findings: Vec::new(),
        suites: Vec::new(),
        agreed: Vec::new(),
        file_erased_at: None,
        measured_at: answer.found.ok(),
        place: Some(answer.place),
    };
    let data = json!({
        "evidence": evidence.id, "kind": evidence.kind, "aspect": evidence.aspect, "result": result,
        "file_digest": evidence.file_digest,
    });
    case.emit("evidence.added", data);
    case.file.evidence.push(evidence);
    settle(case);
}
