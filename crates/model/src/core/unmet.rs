//! A condition that is not met, and its text.

use serde::{Deserialize, Serialize};

/// One unmet condition: its description, the act that satisfies it, and the people for whom it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// A stable code such as `approval_missing`.
    pub code: String,
    /// The plain sentence.
    pub text: String,
    /// The act that satisfies it.
    pub satisfy: String,
    /// Logins of the people (or `group:KEY`) it waits for.
    pub waiting_on: Vec<String>,
    /// Whether nobody here can meet it as things are; `satisfy` then names the act that helps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cannot_be_met: bool,
}

/// Something that is known and stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Information {
    /// A stable code such as `conflict_known`.
    pub code: &'static str,
    /// The sentence.
    pub text: String,
}

/// Whether a condition comes before every other step.
pub(crate) fn is_before_all(code: &str) -> bool {
    matches!(code, "on_hold" | "cosignature_missing")
}

/// A helper for sentences: the people who would satisfy something.
pub fn unmet(code: &str, text: impl Into<String>, satisfy: impl Into<String>, waiting_on: Vec<String>) -> Unmet {
    let mut row = Unmet {
        code: code.to_owned(),
        text: text.into(),
        satisfy: satisfy.into(),
        waiting_on,
        cannot_be_met: code == "cannot_be_met",
    };
    row.say_if_nobody_can();
    row
}

impl Unmet {
    /// Adds to a condition without named people that nobody can meet it, and which act helps.
    fn say_if_nobody_can(&mut self) {
        if !self.waiting_on.is_empty() {
            return;
        }
        if let Some(help) = help_where_nobody_is(&self.code).filter(|_| !self.cannot_be_met) {
            self.satisfy = format!("{} {help}", self.satisfy);
        }
        self.cannot_be_met = true;
    }

    /// Keeps only those named people for whom `may` holds.
    pub(crate) fn keep(&mut self, may: impl FnMut(&String) -> bool) {
        if self.waiting_on.is_empty() {
            return;
        }
        self.waiting_on.retain(may);
        self.say_if_nobody_can();
    }
}

/// The act that provides a person who can meet a condition of this code.
fn help_where_nobody_is(code: &str) -> Option<&'static str> {
    Some(match code {
        "field_missing"
        | "plan_missing"
        | "rollback_plan_missing"
        | "template_not_valid"
        | "not_submitted"
        | "not_assessed"
        | "not_planned"
        | "window_over"
        | "window_not_open"
        | "lead_time"
        | "checklist_open"
        | "probe_missing"
        | "task_missing"
        | "task_open"
        | "condition_open"
        | "freeze"
        | "rejected_elsewhere"
        | "conflict_open"
        | "conflict_decided"
        | "on_hold"
        | "meeting_missing"
        | "dependency_open"
        | "overrun"
        | "committers_not_told"
        | "committers_too_far"
        | "decision_voided"
        | "dependencies_not_reviewed"
        | "reach_grown"
        | "security_questions_open"
        | "incident_not_addressed"
        | "reach_not_reviewed"
        | "no_emergency"
        | "finding_missing"
        | "break_glass_validation_missing"
        | "review_missing"
        | "waves_not_watched" => {
            "No active person may do this: an administrator must give a person the role `change_manager`."
        }
        "approval_missing" | "cosignature_missing" => {
            "No active approver is left: an administrator must add another owner of the service, or give a person \
             the requested role."
        }
        "evidence_missing" | "validation_missing" => {
            "No active person may do this: an administrator must add another owner of the service."
        }
        "outcome_missing" | "rollback_failed" | "undo_open" => {
            "No active person may do this: an administrator must give the role `implementer` to a person who did not \
             approve the change."
        }
        "peer_review_missing" | "outside_look_missing" | "quorum_missing" => {
            "No approver is left: an administrator must add another member to the group."
        }
        "confirmation_missing" => {
            "No person can confirm it: a day after the work was recorded, a change manager must record a finding \
             (POST …/finding)."
        }
        "rules_not_judged" | "committer_unknown" => {
            "No administrator is active: create one with `assent person create` on the server's host."
        }
        _ => return None,
    })
}

pub(crate) fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
