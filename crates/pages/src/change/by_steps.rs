//! The outcome of a change as its runbook proposes it.

use crate::Field;

const OUTCOMES: [(&str, &str); 7] = [
    ("succeeded", "Succeeded"),
    ("succeeded_with_issues", "Succeeded with issues"),
    ("partially_implemented", "Partially implemented"),
    ("rolled_back", "Rolled back"),
    ("rollback_failed", "Rollback failed"),
    ("failed", "Failed"),
    ("not_implemented", "Not implemented"),
];

/// The sum of the runbook's steps, before a person records the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BySteps {
    /// The outcome that is chosen beforehand; empty while a step is open.
    pub outcome: String,
    /// How the steps are: “Steps: 3 done, 1 skipped, 0 failed, 0 open.”
    pub words: String,
}

/// A person records the outcome: a recorded rollback decides it, and if no step is open the steps propose a value.
pub(super) fn outcome(by_steps: Option<&BySteps>, is_rolled_back: bool) -> Field {
    let field = Field::radio("outcome", "Outcome", &OUTCOMES).required();
    let proposed = match (by_steps, is_rolled_back) {
        (_, true) => "rolled_back",
        (Some(by_steps), false) => by_steps.outcome.as_str(),
        (None, false) => "",
    };
    let field = field.value(proposed);
    match by_steps {
        Some(by_steps) => field.hint(by_steps.words.as_str()),
        None => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_propose_an_outcome_and_a_way_back_counts_before_them() {
        let by_steps = BySteps {
            outcome: "succeeded".to_owned(),
            words: "Steps: 3 done, 0 skipped, 0 failed, 0 open.".to_owned(),
        };
        let field = outcome(Some(&by_steps), false);
        assert_eq!(field.value, "succeeded");
        assert!(field.required && field.hint.is_some());
        assert_eq!(outcome(Some(&by_steps), true).value, "rolled_back");
    }
}
