//! The requirements that break-glass bypassed.

use jiff::Timestamp;

use crate::approval::approvals::approval_unmet;
use crate::approval::authority::{approving_rights, targets_of};
use crate::approval::obligation::{ApprovalRule, Due, Duty, TargetObligation};
use crate::change::change_file::ChangeFile;
use crate::change::duties::duty_unmet;
use crate::change::record::Change;
use crate::change::requirement::{before_scheduled, before_start, freezes_over};
use crate::change::template::template_trouble;
use crate::core::enums::State;
use crate::core::unmet::{Unmet, sentence, unmet};
use crate::directory::snapshot::Directory;
use crate::emergency::grounds::grounds_unmet;
use crate::emergency::records::Bypassed;
use crate::schedule::frozen_target::freeze_unmet;

/// Everything that was unmet before the start when work began under a break-glass that lasts until `until`: each approval, peer
/// review and evidence, each freeze, and the window.
pub(crate) fn bypassed(file: &ChangeFile, directory: &Directory, now: Timestamp, until: Timestamp) -> Vec<Bypassed> {
    let mut found: Vec<Bypassed> = not_judged(&file.change);
    for row in &file.requirements.obligations {
        found.extend(of_duty(file, directory, row, now));
    }
    let other = before_scheduled(file, directory, now).into_iter();
    let other = other.filter(|row| matches!(row.code.as_str(), "lead_time" | "not_planned"));
    // The rules above cover the obligations; conditions, tasks, dependencies and rejections come from this list alone.
    let started = before_start(file, directory, now).into_iter();
    let started = started.filter(|row| {
        matches!(
            row.code.as_str(),
            "rejected_elsewhere"
                | "condition_open"
                | "task_open"
                | "dependency_open"
                | "conflict_open"
                | "conflict_decided"
        )
    });
    let mut rows: Vec<Unmet> = other.chain(started).collect();
    rows.extend(template_trouble(file, directory, now));
    rows.extend(grounds_unmet(file, directory, now));
    rows.extend(
        freezes_over(&file.change, directory, now, until)
            .map(|it| freeze_unmet(it, (&file.change, directory), (now, until))),
    );
    rows.extend(outside_of_window(&file.change, now));
    found.extend(rows.into_iter().map(|row| Bypassed {
        code: row.code,
        rule: None,
        text: row.text,
        given: None,
        needed: None,
    }));
    found
}

/// A row for a change that was never submitted or assessed.
fn not_judged(change: &Change) -> Vec<Bypassed> {
    let row = |code: &str, text: &str| Bypassed {
        code: code.to_owned(),
        rule: None,
        text: text.to_owned(),
        given: None,
        needed: None,
    };
    match change.state {
        State::Draft => vec![
            row("not_submitted", "The change had not been submitted."),
            row("not_assessed", "The change had not been assessed."),
        ],
        State::Assessing => vec![row("not_assessed", "The change had not been assessed.")],
        _ => Vec::new(),
    }
}

fn of_duty(file: &ChangeFile, directory: &Directory, row: &TargetObligation, now: Timestamp) -> Vec<Bypassed> {
    let with_rule = |unmet: Unmet| Bypassed {
        code: unmet.code,
        rule: Some(row.obligation.id.clone()),
        text: unmet.text,
        given: None,
        needed: None,
    };
    match &row.obligation.duty {
        Duty::Approval(rule) => {
            let parts = [(true, rule.covers.what()), (false, rule.covers.when())];
            let asked = parts.into_iter().filter(|(_, is_covered)| *is_covered);
            asked
                .filter_map(|(what, _)| of_rule(file, directory, (row, rule), now, what))
                .collect()
        }
        _ if row.obligation.due == Due::Close => Vec::new(),
        _ => duty_unmet(file, directory, row, now)
            .into_iter()
            .map(with_rule)
            .collect(),
    }
}

/// A missing approval, with the count of the target that had the fewest approvals.
fn of_rule(
    file: &ChangeFile,
    directory: &Directory,
    (row, rule): (&TargetObligation, &ApprovalRule),
    now: Timestamp,
    what: bool,
) -> Option<Bypassed> {
    if approval_unmet(file, directory, row, rule, now, what).is_empty() {
        return None;
    }
    let id = &row.obligation.id;
    let counts = targets_of(file, row).map(|target| approving_rights(file, (id, rule), &target.id, now, what).count());
    let given = counts.min().unwrap_or_default();
    let covered = if what { "what is done" } else { "the planned times" };
    let reason = sentence(&row.obligation.reason);
    Some(Bypassed {
        code: "approval_missing".to_owned(),
        rule: Some(id.clone()),
        text: format!(
            "{reason} {given} of {} approvals on {covered} had been given.",
            rule.count
        ),
        given: Some(i64::try_from(given).unwrap_or(i64::MAX)),
        needed: Some(i64::from(rule.count)),
    })
}

fn outside_of_window(change: &Change, now: Timestamp) -> Option<Unmet> {
    let (start, end) = (change.planned_start?, change.window_end()?);
    let row = |code, text: String| Some(unmet(code, text, "", Vec::new()));
    if now < start {
        return row("window_not_open", format!("The window opens at {start}."));
    }
    if now >= end {
        return row("window_over", format!("The window ended at {end}."));
    }
    None
}

/// Bypassed evidence that was due before the start is due before closing, whatever the window was.
pub(crate) fn evidence_owed(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    if file.change.lawful_break_glass().is_none() {
        return Vec::new();
    }
    let rows = file.requirements.obligations.iter();
    let due =
        rows.filter(|row| row.obligation.due != Due::Close && matches!(row.obligation.duty, Duty::Evidence { .. }));
    due.flat_map(|row| duty_unmet(file, directory, row, now)).collect()
}
