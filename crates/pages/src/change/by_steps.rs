//! The outcome of a change as its runbook proposes it.

use crate::{ActContext, Field};

/// What the steps of the runbook add up to, before a person tells the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BySteps {
    /// The outcome that is chosen beforehand; empty while a step is open.
    pub outcome: String,
    /// How the steps are: “Steps: 3 done, 1 skipped, 0 failed, 0 open.”
    pub words: String,
}

/// How it ended is said by a person: a way back that was noted speaks for itself, and steps of which none is open propose what they
/// add up to.
pub(super) fn outcome(choices: &[(&str, &str)], context: &ActContext) -> Field {
    let field = Field::radio("outcome", "Outcome", choices).required();
    let proposed = match (&context.by_steps, context.is_rolled_back) {
        (_, true) => "rolled_back",
        (Some(by_steps), false) => by_steps.outcome.as_str(),
        (None, false) => "",
    };
    let field = field.value(proposed);
    match &context.by_steps {
        Some(by_steps) => field.hint(by_steps.words.as_str()),
        None => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICES: [(&str, &str); 2] = [("succeeded", "Succeeded"), ("rolled_back", "Rolled back")];

    #[test]
    fn steps_propose_an_outcome_and_a_way_back_counts_before_them() {
        let mut context = ActContext {
            by_steps: Some(BySteps {
                outcome: "succeeded".to_owned(),
                words: "Steps: 3 done, 0 skipped, 0 failed, 0 open.".to_owned(),
            }),
            ..ActContext::default()
        };
        let field = outcome(&CHOICES, &context);
        assert_eq!(field.value, "succeeded");
        assert!(field.required && field.hint.is_some());
        context.is_rolled_back = true;
        assert_eq!(outcome(&CHOICES, &context).value, "rolled_back");
    }
}
