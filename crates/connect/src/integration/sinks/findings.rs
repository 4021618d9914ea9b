//! Which entries are findings, and how grave an entry is. For most the kind decides, for some the content.

use model::integration::sink::Entry;
use serde_json::Value;

/// The kind of finding of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// A rule of change enablement was not kept.
    Compliance,
    /// Something happened that nobody allowed.
    Detection,
}

// The numbers of OCSF.
const INFORMATIONAL: u8 = 1;
const LOW: u8 = 2;
const MEDIUM: u8 = 3;
const HIGH: u8 = 4;

use Finding::{Compliance, Detection};

/// Kinds that are findings, each with its severity.
const FINDINGS: &[(&str, Finding, u8)] = &[
    ("action_item.escalated", Compliance, MEDIUM),
    ("approval.nobody_can", Compliance, MEDIUM),
    ("attempt.refused", Detection, MEDIUM),
    ("break_glass.opened", Compliance, HIGH),
    ("break_glass.over_budget", Compliance, HIGH),
    ("break_glass.unvalidated", Compliance, HIGH),
    ("change.began_early", Compliance, MEDIUM),
    ("change.gate_reopened", Compliance, MEDIUM),
    ("change.in_freeze", Compliance, MEDIUM),
    ("change.incident_caused", Compliance, HIGH),
    ("change.overrun", Compliance, MEDIUM),
    ("change.rejection_overruled", Compliance, MEDIUM),
    ("change.told_afterwards", Compliance, MEDIUM),
    ("change.unauthorized", Compliance, HIGH),
    ("change.undo_missed", Compliance, MEDIUM),
    // The database may have been written past the server.
    ("change.ungrounded", Detection, HIGH),
    ("change.window_missed", Compliance, MEDIUM),
    ("checklist.waived", Compliance, MEDIUM),
    ("deployment.unauthorized", Detection, HIGH),
    ("deployment.unmatched", Detection, MEDIUM),
    ("drift_finding.opened", Detection, MEDIUM),
    ("drift_finding.reopened", Detection, MEDIUM),
    ("emergency_use.reported", Compliance, MEDIUM),
    ("freeze.excepted", Compliance, MEDIUM),
    ("incident.exception_signed", Compliance, MEDIUM),
    ("log.loss_accepted", Compliance, HIGH),
    ("policies.recovered", Compliance, HIGH),
    ("reply.refused", Detection, MEDIUM),
    ("sign_in.refused", Detection, MEDIUM),
    ("tenant.without_administrator", Compliance, HIGH),
    ("token.refused", Detection, MEDIUM),
    ("workload.doubted", Detection, MEDIUM),
];
/// Kinds that are no findings, and more than a notice.
const GRAVE: &[(&str, u8)] = &[
    ("deployment.failed", MEDIUM),
    ("dialect.disabled", MEDIUM),
    ("foreign_system.failed", MEDIUM),
    ("incident.became_major", HIGH),
    ("key.permits_revoked", HIGH),
    ("key.revoked", HIGH),
    ("log.codes_renewed", MEDIUM),
    ("outside_calendar.failed", MEDIUM),
    ("permit.revoked", MEDIUM),
    ("person.factors_reset", MEDIUM),
    ("person.recovery_code_used", MEDIUM),
    ("sink.failing", MEDIUM),
    ("template.suspended", MEDIUM),
    ("webhook.failing", MEDIUM),
    ("webhook.gave_up", MEDIUM),
];

/// The kind of finding of an entry; `None` for most.
pub(super) fn finding(entry: &Entry) -> Option<Finding> {
    found(entry).map(|(finding, _)| finding)
}

/// How grave an entry is: 1 informational, 2 low, 3 medium, 4 high.
pub(super) fn severity(entry: &Entry) -> u8 {
    let of_kind = GRAVE.iter().find(|(kind, _)| *kind == entry.kind);
    let otherwise = of_kind.map_or(INFORMATIONAL, |(_, severity)| *severity);
    found(entry).map_or(otherwise, |(_, severity)| severity)
}

fn found(entry: &Entry) -> Option<(Finding, u8)> {
    let of_kind = FINDINGS.iter().find(|(kind, ..)| *kind == entry.kind);
    of_kind
        .map(|(_, finding, severity)| (*finding, *severity))
        .or_else(|| by_content(entry))
}

/// Entries of a kind that is a finding only by its content.
fn by_content(entry: &Entry) -> Option<(Finding, u8)> {
    let text = |name: &str| entry.data.get(name).and_then(Value::as_str);
    let number = |name: &str| entry.data.get(name).and_then(Value::as_i64);
    match entry.kind.as_str() {
        "action_item.opened" if text("kind") == Some("resolve_violation") => {
            let severity = match text("severity") {
                Some("high") => HIGH,
                Some("low") => LOW,
                _ => MEDIUM,
            };
            Some((Compliance, severity))
        }
        "incident.opened" | "incident.reopened" if text("kind") == Some("security") => {
            let severity = match number("severity") {
                Some(1 | 2) => HIGH,
                _ => MEDIUM,
            };
            Some((Detection, severity))
        }
        // Records that differ from the log were changed past the server.
        "log.replayed" if number("differences") > Some(0) => Some((Detection, HIGH)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::tests::entry;
    use super::*;

    fn judged(kind: &str, data: Value) -> (Option<Finding>, u8) {
        let mut entry = entry(4, kind);
        entry.data = data.as_object().unwrap().clone();
        (finding(&entry), severity(&entry))
    }

    #[test]
    fn every_kind_that_is_named_here_is_a_kind_of_event_and_is_named_once() {
        let known = model::nouns::event_kinds();
        let mut seen = BTreeSet::new();
        let found = FINDINGS.iter().map(|(kind, ..)| *kind);
        for kind in found.chain(GRAVE.iter().map(|(kind, _)| *kind)) {
            assert!(known.contains(kind), "`{kind}` is no kind of event");
            assert!(seen.insert(kind), "`{kind}` is named twice");
        }
    }

    #[test]
    fn a_violation_is_a_finding_as_grave_as_its_rule_says() {
        let item =
            |kind: &str, severity: &str| judged("action_item.opened", json!({"kind": kind, "severity": severity}));
        assert_eq!(item("resolve_violation", "high"), (Some(Compliance), HIGH));
        assert_eq!(item("resolve_violation", "low"), (Some(Compliance), LOW));
        assert_eq!(item("improve", "high"), (None, INFORMATIONAL));
    }

    #[test]
    fn an_incident_of_security_is_a_detection_and_one_of_a_service_is_not() {
        let opened = |kind: &str, severity: i64| judged("incident.opened", json!({"kind": kind, "severity": severity}));
        assert_eq!(opened("security", 2), (Some(Detection), HIGH));
        assert_eq!(opened("security", 4), (Some(Detection), MEDIUM));
        assert_eq!(opened("service", 1), (None, INFORMATIONAL));
    }

    #[test]
    fn records_that_differ_from_the_log_are_a_detection_and_a_replay_without_differences_is_none() {
        let replayed = |differences: i64| judged("log.replayed", json!({"differences": differences}));
        assert_eq!(replayed(2), (Some(Detection), HIGH));
        assert_eq!(replayed(0), (None, INFORMATIONAL));
        assert_eq!(judged("change.ungrounded", json!({})), (Some(Detection), HIGH));
    }
}
