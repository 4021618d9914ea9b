//! The rules of coordinated maintenance: its conditions on a change before work begins, and the effects of a change that ends.

use jiff::Timestamp;

use crate::change::record::Change;
use crate::core::enums::{GoDecision, Kind, Role, State};
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::schedule::joint_maintenance::JointMaintenance;

impl JointMaintenance {
    /// The change before this one whose work has not ended.
    fn open_before(&self, key: &str) -> Option<&str> {
        let before = self.changes.iter().take_while(|it| *it != key);
        let mut open = before.filter(|it| !self.over.contains(it));
        open.next().map(String::as_str)
    }

    /// The maintenance after the end of a change: that change is over, and a change without success withdraws the common go.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut next = self.clone();
        next.over.push(change.key.clone());
        let has_failed = change.outcome.is_none_or(|outcome| !outcome.is_success());
        if has_failed && next.changes.len() > next.over.len() {
            next.decision = None;
        }
        next
    }
}

/// A change whose planned times lie before those of one ahead of it in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfOrder {
    /// Its key.
    pub key: String,
    /// The key of the one ahead of it.
    pub before: String,
}

/// The changes, in their order, that are planned to begin or to end before one ahead of them does. Two may be planned for the
/// same span: the order then decides which one begins. Changes without times and those that are over are left out.
#[must_use]
pub fn out_of_order(changes: &[Change]) -> Vec<OutOfOrder> {
    let is_over = |change: &Change| !change.state.is_open() || change.state == State::Reviewing;
    let mut ahead: Vec<(&str, Timestamp, Timestamp)> = Vec::new();
    let mut found = Vec::new();
    for change in changes.iter().filter(|change| !is_over(change)) {
        let Some((start, end)) = change.planned_start.zip(change.planned_end) else {
            continue;
        };
        let first = ahead.iter().find(|(_, from, to)| start < *from || end < *to);
        if let Some((before, ..)) = first.filter(|_| change.state.is_before_start()) {
            found.push(OutOfOrder {
                key: change.key.clone(),
                before: (*before).to_owned(),
            });
        }
        ahead.push((change.key.as_str(), start, end));
    }
    found
}

/// The reason why a change is outside the window from `starts_at` to `ends_at`; `None` where it is inside.
#[must_use]
pub fn why_outside(change: &Change, starts_at: Timestamp, ends_at: Timestamp) -> Option<String> {
    let (start, end) = change.planned_start.zip(change.planned_end)?;
    let is_inside = starts_at <= start && end <= ends_at;
    (!is_inside).then(|| {
        format!(
            "{} is planned from {start} to {end}, but the shared window is from {starts_at} to {ends_at}.",
            change.key
        )
    })
}

/// The conditions of coordinated maintenances on a change before work begins. An emergency waits for none.
#[must_use]
pub fn joint_unmet(change: &Change, directory: &Directory) -> Vec<Unmet> {
    if change.content.kind == Kind::Emergency || change.retrospective.is_some() {
        return Vec::new();
    }
    let own = directory
        .joint_maintenances
        .iter()
        .filter(|row| row.changes.contains(&change.key));
    own.flat_map(|row| unmet_of(row, change, directory)).collect()
}

fn unmet_of(row: &JointMaintenance, change: &Change, directory: &Directory) -> Vec<Unmet> {
    let managers = || logins(directory, &directory.with_role(Role::ChangeManager));
    let mut rows = Vec::new();
    match row.decision {
        Some(GoDecision::Go) => {}
        Some(GoDecision::NoGo) => {
            let text = format!("The decision on the coordinated maintenance “{}” is no-go.", row.title);
            rows.push(unmet(
                "joint_no_go",
                text,
                "A change manager must decide again.",
                managers(),
            ));
        }
        None => {
            let text = format!("The coordinated maintenance “{}” has no go yet.", row.title);
            rows.push(unmet(
                "joint_go_missing",
                text,
                "A change manager must decide go or no-go.",
                managers(),
            ));
        }
    }
    if let Some(before) = row.open_before(&change.key) {
        let text = format!(
            "{before} precedes this change in the coordinated maintenance “{}”.",
            row.title
        );
        rows.push(unmet(
            "joint_order",
            text,
            format!("Wait until the work of {before} has ended."),
            managers(),
        ));
    }
    if row.out_of_order.contains(&change.key) {
        let text = format!(
            "The change is planned before a change that precedes it in the coordinated maintenance “{}”.",
            row.title
        );
        let help = "Plan the change later, or have a change manager change the order.";
        rows.push(unmet("joint_times", text, help, managers()));
    }
    if let Some(text) = why_outside(change, row.starts_at, row.ends_at) {
        let help = "Plan the change inside the window, or have a change manager move the window.";
        rows.push(unmet("joint_window", text, help, managers()));
    }
    rows
}
