//! How the rules here judge a change of another system. The change is hypothetical: only the comparison is written.
//!
//! The people who approved there are compared with the approvers that the rules here require. The comparison is no approval:
//! only the record of the other system's change has it, and no change here reads it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::approval::authority::{able, approvers_name, most_counted, targets_of};
use model::approval::obligation::{ApprovalRule, Duty, TargetObligation};
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::change::requirement::{before_approved, before_scheduled, before_start};
use model::core::enums::{ForeignKind, Kind, Level, TemplateState};
use model::core::ids::{PersonId, ServiceKey};
use model::core::unmet::Unmet;
use model::directory::snapshot::Directory;
use model::gate::led::LED_ELSEWHERE;
use model::integration::foreign_change::ForeignChange;
use serde_json::json;

use crate::case::judge;
use crate::core::context::Context;
use crate::core::error::Result;

/// The unmet requirements of the rules, each rule or condition with a sentence.
pub(crate) type Lacking = Vec<(String, String)>;

/// Judges a change at the moment of their decision.
///
/// # Errors
/// The store's.
pub(crate) fn lacking(
    cx: &mut Context<'_, '_>,
    kind: ForeignKind,
    change: &ForeignChange,
    service: &ServiceKey,
) -> Result<Lacking> {
    let (whole, policies, tenant) = (cx.directory()?, cx.policies()?, cx.tenant());
    let directory: &Directory = &whole;
    let at = change.decided_at(cx.now);
    let mut file = imagined(directory, kind, change, (service, at))?;
    let requirements = judge::judge(&policies, &tenant, (directory, cx.now), &file);
    let people: BTreeSet<PersonId> = change
        .told_approvers
        .iter()
        .filter_map(|name| person(directory, kind, name))
        .collect();
    let rows = requirements.obligations.clone();
    file.requirements = requirements;
    file.requirements.obligations.clear();
    let base = unmet(&file, directory, at);
    let mut found: Lacking = base.iter().map(|row| (row.code.clone(), row.text.clone())).collect();
    found.extend(template_missing(directory, change, service, at));
    for row in rows {
        if let Duty::Approval(rule) = &row.obligation.duty {
            let short = approvals_short((&file, directory, at), &row, rule, &people);
            found.extend(short.map(|text| (row.obligation.id.clone(), text)));
            if rule.lead_time.is_none() {
                continue;
            }
        }
        found.extend(
            of_rule((&mut file, directory, at), &row, &base)
                .into_iter()
                .map(|text| (row.obligation.id.clone(), text)),
        );
    }
    Ok(found)
}

/// The unmet requirements that one rule adds.
fn of_rule(
    (file, directory, at): (&mut ChangeFile, &Directory, Timestamp),
    row: &TargetObligation,
    base: &[Unmet],
) -> Vec<String> {
    file.requirements.obligations = vec![row.clone()];
    let mut rows = unmet(file, directory, at);
    file.requirements.obligations.clear();
    let is_approval = matches!(row.obligation.duty, Duty::Approval(_));
    // Approvals are compared by their people; of such a rule the time ahead is left.
    rows.retain(|it| !base.contains(it) && (!is_approval || it.code == "lead_time"));
    rows.into_iter().map(|it| it.text).collect()
}

fn unmet(file: &ChangeFile, directory: &Directory, at: Timestamp) -> Vec<Unmet> {
    let mut rows = before_approved(file, directory, at);
    rows.extend(before_scheduled(file, directory, at));
    rows.extend(before_start(file, directory, at));
    // The result is the one that the rules would give if Assent led.
    rows.retain(|row| row.code != LED_ELSEWHERE);
    rows
}

/// Whether too few of the people who approved there are approvers by a rule here.
fn approvals_short(
    (file, directory, at): (&ChangeFile, &Directory, Timestamp),
    row: &TargetObligation,
    rule: &ApprovalRule,
    people: &BTreeSet<PersonId>,
) -> Option<String> {
    for target in targets_of(file, row) {
        let mut holders = able(file, directory, (&row.obligation.id, rule), target, at);
        let refused = &file.requirements.refused;
        holders.retain(|holder| people.contains(&holder.person) && !refused.contains(&holder.person));
        let counted = most_counted(rule, &holders);
        if counted < rule.count as usize {
            let (reason, asked, count) = (
                row.obligation.reason.trim_end_matches('.'),
                approvers_name(&rule.from),
                rule.count,
            );
            return Some(format!(
                "{reason}: it asks {count} of {asked}, and {counted} of those who approved there may decide it here."
            ));
        }
    }
    None
}

/// A standard change needs an approved template here.
fn template_missing(
    directory: &Directory,
    change: &ForeignChange,
    service: &ServiceKey,
    at: Timestamp,
) -> Option<(String, String)> {
    let is_covered = directory.templates.values().any(|it| {
        let is_good = it.state == TemplateState::Approved && it.review_by > at;
        let is_there = it.services.is_empty() || it.services.contains(service);
        is_good && is_there && (it.environments.is_empty() || it.environments.contains(&change.environment))
    });
    (change.kind == Kind::Standard && !is_covered).then(|| {
        let text = format!(
            "No approved template here is for standard changes of {service} in {}.",
            change.environment
        );
        ("template_missing".to_owned(), text)
    })
}

/// The person here behind a name there: by login, by an account of the system, or by an address that one person alone has.
fn person(directory: &Directory, kind: ForeignKind, name: &str) -> Option<PersonId> {
    let name = name.trim().to_lowercase();
    if let Some(found) = directory.by_login(&name) {
        return Some(found.id.clone());
    }
    let account = format!("{kind}:{name}");
    let is_theirs = |it: &str| it.to_lowercase() == account;
    let mut found = directory.people.values().filter(|person| {
        let mail = person.email.as_ref().is_some_and(|mail| mail.to_lowercase() == name);
        mail || person.accounts.iter().any(|it| is_theirs(it))
    });
    let first = found.next()?;
    found.next().is_none().then(|| first.id.clone())
}

/// The change as a record here, as far as the other system's data go.
fn imagined(
    directory: &Directory,
    kind: ForeignKind,
    change: &ForeignChange,
    (service, at): (&ServiceKey, Timestamp),
) -> Result<ChangeFile> {
    let requester = change.told_by.as_deref().and_then(|name| person(directory, kind, name));
    let requester = requester.unwrap_or_else(|| PersonId::from(""));
    let authors: Vec<&PersonId> = Some(&requester)
        .filter(|it| !it.as_str().is_empty())
        .into_iter()
        .collect();
    let (level, complexity) = (change.impact, Level::Medium);
    let step = |is_there: bool, title: &str| if is_there { json!([{"title": title}]) } else { json!([]) };
    let opened = change.opened_at.unwrap_or(change.edited_at).min(at);
    let mut body = json!({
        "id": "", "version": 0, "key": change.foreign_key, "number": 0, "state": "authorizing", "requester": requester,
        "created_at": opened, "updated_at": at, "submitted_at": opened, "kind": change.kind, "title": change.title,
        "category": "application", "targets": [{"id": "1", "service": service, "environment": change.environment}],
        "impact": {"data": level, "availability": level, "compliance": level}, "complexity": complexity,
        "owner": requester, "risk": {"level": level, "score": 0, "reasons": []},
        "digests": {"what": "", "when": "", "content": ""}, "target_records": [{"target": "1"}], "authors": authors,
        "dependencies_reviewed": true, "plan": step(change.has_plan, "As planned there"),
        "rollback_plan": step(change.has_way_back, "As planned there"),
    });
    for (field, time) in [
        ("planned_start", change.planned_start),
        ("planned_end", change.planned_end),
    ] {
        if let Some(time) = time {
            body[field] = json!(time);
        }
    }
    let change: Change = serde_json::from_value(body)?;
    Ok(ChangeFile::new(change))
}
