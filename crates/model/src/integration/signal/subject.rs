//! The subjects of deliveries. Deliveries about one subject are processed in the order of arrival; all others in parallel.

use super::{Signal, folded, key};

/// The subject of a delivery about several subjects of one kind, such as a group of alerts.
pub const SEVERAL: &str = "*";

impl Signal {
    /// The subject of the fact: one text for one deployment, one incident, one branch of a connection. `None` where order
    /// makes no difference.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        let subject = match self {
            // A repository's name comes with every delivery of it, and following a new one needs no order.
            Self::Ping | Self::Unknown { .. } | Self::Repository(_) => return None,
            Self::Deployment(it) => key("deployment", &[&folded(&it.repository), &it.deployment_id]),
            Self::DeploymentStatus(it) => key("deployment", &[&folded(&it.repository), &it.deployment_id]),
            Self::Push(it) => key("ref", &[&folded(&it.repository), &it.ref_name]),
            Self::PullRequest(it) => key("merge", &[&folded(&it.repository), &it.number.to_string()]),
            Self::Ask(it) => match it.number {
                Some(number) => key("merge", &[&folded(&it.repository), &number.to_string()]),
                None => key("commit", &[&folded(&it.repository), &it.commit]),
            },
            Self::CommitTree(it) => key("commit", &[&folded(&it.repository), &it.commit]),
            Self::Release(it) => key("release", &[&folded(&it.repository), &it.tag]),
            Self::Alert(it) => key("alert", &[&it.source_key]),
            Self::MailReply(it) => key("mail", &[&it.from.to_lowercase()]),
            Self::Bounce(it) => key("bounce", &[&it.letter]),
            Self::Verdict(it) => key("verdict", &[&it.place, &it.judged]),
            Self::Notice(it) => key("notice", &[&it.reference]),
            Self::RunTask(it) => key("run", &[&it.run]),
            Self::Members(it) => key("members", &[&it.change]),
            Self::Drift(it) => key("drift", &[&it.scope]),
        };
        Some(subject)
    }
}

/// The subject of a delivery with these signals: the subject of its first signal that has one, or [`SEVERAL`] if others of the
/// same kind are about something else. `None` where order makes no difference.
#[must_use]
pub fn subject_of(signals: &[Signal]) -> Option<String> {
    let kind = std::mem::discriminant::<Signal>;
    let mut told = signals.iter().filter_map(|it| Some((kind(it), it.subject()?)));
    let (first, subject) = told.next()?;
    let is_one = told.all(|(other, it)| other != first || it == subject);
    Some(if is_one { subject } else { SEVERAL.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn deployment(repository: &str, id: &str) -> Signal {
        serde_json::from_value(json!({
            "kind": "deployment", "deployment_id": id, "repository": repository, "environment": "production",
            "commit": "c", "ref_name": "main", "task": "deploy", "occurred_at": "2026-01-02T03:04:05Z",
        }))
        .unwrap()
    }

    fn status(repository: &str, id: &str, status: &str) -> Signal {
        serde_json::from_value(json!({
            "kind": "deployment_status", "deployment_id": id, "status_id": status, "repository": repository,
            "environment": "production", "commit": "c", "status": "success", "occurred_at": "2026-01-02T03:04:05Z",
        }))
        .unwrap()
    }

    fn alert(source_key: &str, is_over: bool) -> Signal {
        serde_json::from_value(json!({
            "kind": "alert", "source_key": source_key, "is_over": is_over, "title": "Disk full", "severity": 2,
            "started_at": "2026-01-02T03:04:05Z",
        }))
        .unwrap()
    }

    #[test]
    fn facts_about_one_deployment_or_incident_share_a_subject() {
        let one = deployment("acme/shop", "7").subject();
        assert!(one.is_some());
        assert_eq!(one, status("Acme/Shop", "7", "9").subject());
        assert_ne!(one, deployment("acme/shop", "8").subject());
        assert_ne!(one, deployment("acme/other", "7").subject());
        assert_eq!(alert("k", false).subject(), alert("k", true).subject());
        assert_eq!(Signal::Ping.subject(), None);
    }

    #[test]
    fn a_delivery_has_the_subject_of_its_first_signal_or_several() {
        let (one, other) = (alert("k", false), alert("l", false));
        assert_eq!(subject_of(&[]), None);
        assert_eq!(subject_of(&[Signal::Ping]), None);
        assert_eq!(subject_of(&[Signal::Ping, one.clone()]), one.subject());
        assert_eq!(subject_of(&[one.clone(), alert("k", true)]), one.subject());
        assert_eq!(subject_of(&[one.clone(), other]).as_deref(), Some(SEVERAL));
        // A deployment with its first status is about one deployment, whatever else the delivery contains.
        let both = [deployment("acme/shop", "7"), status("acme/shop", "7", "9"), one];
        assert_eq!(subject_of(&both), both[0].subject());
    }
}
