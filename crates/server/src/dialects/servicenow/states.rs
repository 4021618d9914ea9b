//! The states and codes of ServiceNow and of Assent, one table each, read both ways.

use model::core::enums::{IncidentState, ProblemState, State, TaskState};

/// A state of ours, its number there and its label there.
type Stated<S> = (S, &'static str, &'static str);

/// The states of changes. Several states of Assent share a number there; `u_assent_state` distinguishes them.
pub(super) const CHANGES: &[Stated<State>] = &[
    (State::Draft, "-5", "New"),
    (State::Rejected, "-5", "New"),
    (State::Assessing, "-4", "Assess"),
    (State::Authorizing, "-3", "Authorize"),
    // Its approvals are complete and its times are not: there, Scheduled promises both.
    (State::Approved, "-3", "Authorize"),
    (State::Scheduled, "-2", "Scheduled"),
    (State::Implementing, "-1", "Implement"),
    (State::Reviewing, "0", "Review"),
    (State::Closed, "3", "Closed"),
    (State::Cancelled, "4", "Canceled"),
];

/// The states of tasks of changes.
pub(super) const TASKS: &[Stated<TaskState>] = &[
    (TaskState::Open, "1", "Open"),
    (TaskState::Done, "3", "Closed"),
    (TaskState::Dropped, "4", "Canceled"),
];

/// The states of incidents.
pub(super) const INCIDENTS: &[Stated<IncidentState>] = &[
    (IncidentState::Open, "1", "New"),
    (IncidentState::Mitigated, "2", "In Progress"),
    (IncidentState::Resolved, "6", "Resolved"),
    (IncidentState::Closed, "7", "Closed"),
];

/// The states of problems.
pub(super) const PROBLEMS: &[Stated<ProblemState>] = &[
    (ProblemState::Proposed, "101", "New"),
    (ProblemState::Open, "103", "Root Cause Analysis"),
    (ProblemState::Closed, "107", "Closed"),
    (ProblemState::Dismissed, "107", "Closed"),
];

/// The close codes: the code there, the outcome here, and the label there. The first row of a code is its meaning here.
const CLOSE_CODES: &[(&str, &str, &str)] = &[
    ("successful", "succeeded", "Successful"),
    ("successful_issues", "succeeded_with_issues", "Successful with issues"),
    ("unsuccessful", "failed", "Unsuccessful"),
    ("unsuccessful", "partially_implemented", "Unsuccessful"),
    ("unsuccessful", "rolled_back", "Unsuccessful"),
    ("unsuccessful", "rollback_failed", "Unsuccessful"),
    ("unsuccessful", "not_implemented", "Unsuccessful"),
];

/// The number and the label of a state of ours.
pub(super) fn shown<S: Copy + PartialEq>(table: &[Stated<S>], state: S) -> (&'static str, &'static str) {
    let row = table.iter().find(|(ours, _, _)| *ours == state);
    row.map_or(("", ""), |(_, number, label)| (*number, *label))
}

/// The number that a client names, by number or by label in any case.
pub(super) fn number<S>(table: &[Stated<S>], text: &str) -> Option<&'static str> {
    let named = |row: &&Stated<S>| row.1 == text || row.2.eq_ignore_ascii_case(text);
    table.iter().find(named).map(|row| row.1)
}

/// Our states with a number.
pub(super) fn ours<S: Copy>(table: &[Stated<S>], number: &str) -> Vec<S> {
    let rows = table.iter().filter(|row| row.1 == number);
    rows.map(|row| row.0).collect()
}

/// The close code of an outcome, and its label.
pub(super) fn close_code(outcome: &str) -> (&'static str, &'static str) {
    let row = CLOSE_CODES.iter().find(|(_, ours, _)| *ours == outcome);
    row.map_or(("", ""), |(code, _, label)| (*code, *label))
}

/// The outcome of a close code, by the code or by its label.
pub(super) fn outcome(text: &str) -> Option<&'static str> {
    let named = |row: &&(&str, &'static str, &str)| row.0 == text || row.2.eq_ignore_ascii_case(text);
    CLOSE_CODES.iter().find(named).map(|row| row.1)
}

/// The close codes that a client may name.
pub(super) fn close_codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = CLOSE_CODES.iter().map(|row| row.0).collect();
    codes.dedup();
    codes
}

/// A step of a change that a client requests by a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Submit,
    Assess,
    Schedule,
    Start,
    Complete,
    Close,
    Cancel,
    Return,
}

/// The steps from a state of ours to a number there.
const STEPS: &[(&[State], &str, Step)] = &[
    (&[State::Draft], "-4", Step::Submit),
    (&[State::Assessing], "-3", Step::Assess),
    (&[State::Approved], "-2", Step::Schedule),
    (&[State::Scheduled], "-1", Step::Start),
    (&[State::Implementing], "0", Step::Complete),
    (&[State::Reviewing], "3", Step::Close),
    (
        &[
            State::Draft,
            State::Assessing,
            State::Authorizing,
            State::Approved,
            State::Scheduled,
            State::Rejected,
        ],
        "4",
        Step::Cancel,
    ),
    (
        &[State::Assessing, State::Authorizing, State::Approved, State::Scheduled],
        "-5",
        Step::Return,
    ),
];

/// The step from a state of ours to a number there; `None` where there is none.
pub(super) fn step(from: State, to: &str) -> Option<Step> {
    let row = STEPS
        .iter()
        .find(|(states, number, _)| *number == to && states.contains(&from));
    row.map(|(_, _, step)| *step)
}

/// The numbers to which a client may move a change from a state of ours.
pub(super) fn ahead(from: State) -> Vec<&'static str> {
    let rows = STEPS.iter().filter(|(states, _, _)| states.contains(&from));
    rows.map(|(_, number, _)| *number).collect()
}

#[cfg(test)]
mod tests {
    use model::change::lifecycle::is_legal;
    use model::core::act::Act;
    use model::core::enums::Outcome;

    use super::*;

    #[test]
    fn every_state_of_ours_has_one_number_that_leads_back_to_it() {
        for state in State::ALL {
            let (number, label) = shown(CHANGES, *state);
            assert!(ours(CHANGES, number).contains(state), "{state}");
            assert_eq!(super::number(CHANGES, label), Some(number), "{state}");
            assert_eq!(CHANGES.iter().filter(|row| row.0 == *state).count(), 1, "{state}");
        }
        for state in IncidentState::ALL {
            assert!(ours(INCIDENTS, shown(INCIDENTS, *state).0).contains(state), "{state}");
        }
        for state in ProblemState::ALL {
            assert!(ours(PROBLEMS, shown(PROBLEMS, *state).0).contains(state), "{state}");
        }
        for state in TaskState::ALL {
            assert!(ours(TASKS, shown(TASKS, *state).0).contains(state), "{state}");
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_change_model_there() {
        let found: Vec<(&str, &str)> = State::ALL
            .iter()
            .map(|state| (state.as_str(), shown(CHANGES, *state).0))
            .collect();
        assert_eq!(
            found,
            [
                ("draft", "-5"),
                ("assessing", "-4"),
                ("authorizing", "-3"),
                ("approved", "-3"),
                ("scheduled", "-2"),
                ("implementing", "-1"),
                ("reviewing", "0"),
                ("closed", "3"),
                ("rejected", "-5"),
                ("cancelled", "4"),
            ]
        );
    }

    #[test]
    fn every_outcome_has_a_word_and_every_word_an_outcome() {
        for outcome in Outcome::ALL {
            assert_ne!(close_code(outcome.as_str()).0, "", "{outcome}");
        }
        assert_eq!(outcome("successful"), Some("succeeded"));
        assert_eq!(outcome("Successful with issues"), Some("succeeded_with_issues"));
        assert_eq!(outcome("unsuccessful"), Some("failed"));
        assert_eq!(outcome("fine"), None);
        assert_eq!(close_codes(), ["successful", "successful_issues", "unsuccessful"]);
    }

    #[test]
    fn a_step_is_one_that_the_lifecycle_allows() {
        let act = |step| match step {
            Step::Submit => Act::Submit,
            Step::Assess => Act::Assess,
            Step::Schedule => Act::Schedule,
            Step::Start => Act::Start,
            Step::Complete => Act::Complete,
            Step::Close => Act::Close,
            Step::Cancel => Act::Cancel,
            Step::Return => Act::Return,
        };
        for state in State::ALL {
            for to in ahead(*state) {
                let step = step(*state, to).expect("a step leads there");
                assert!(is_legal(act(step), *state), "{state} to {to}");
            }
        }
        // No state is skipped, and no step leads out of an ended state.
        assert_eq!(step(State::Draft, "-3"), None);
        assert_eq!(step(State::Authorizing, "-2"), None);
        assert!(ahead(State::Closed).is_empty());
        assert!(ahead(State::Cancelled).is_empty());
    }
}
