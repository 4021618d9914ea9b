//! The lifecycle: the acts that each state allows. One table, printed whole in a snapshot test.

use crate::change::eligible;
use crate::change::record::Change;
use crate::core::act::Act;
use crate::core::enums::State;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};

/// The states in which an act is possible at all; conditions come on top.
pub fn states(act: Act) -> &'static [State] {
    use State::{
        Approved, Assessing, Authorizing, Cancelled, Closed, Draft, Implementing, Rejected, Reviewing, Scheduled,
    };
    const BEFORE_START: &[State] = &[Draft, Assessing, Authorizing, Approved, Scheduled];
    const DECIDING: &[State] = &[Authorizing, Approved, Scheduled];
    const ASSESSED: &[State] = &[Assessing, Authorizing, Approved, Scheduled];
    const UNTIL_CLOSED: &[State] = &[
        Draft,
        Assessing,
        Authorizing,
        Approved,
        Scheduled,
        Implementing,
        Reviewing,
    ];
    const ALL: &[State] = State::ALL;
    match act {
        Act::Create => &[],
        Act::Edit => &[Draft, Assessing, Authorizing, Approved, Scheduled, Rejected],
        Act::Label => &[
            Draft,
            Assessing,
            Authorizing,
            Approved,
            Scheduled,
            Implementing,
            Reviewing,
            Rejected,
        ],
        Act::Submit => &[Draft],
        Act::Assess => &[Assessing],
        Act::Acknowledge | Act::Approve | Act::Withdraw => DECIDING,
        Act::Return | Act::Schedule => ASSESSED,
        // High-risk work that could not wait is read afterwards.
        Act::PeerReview => &[Assessing, Authorizing, Approved, Scheduled, Implementing, Reviewing],
        Act::Overrule => &[Rejected],
        Act::Hold | Act::Resume | Act::BreakGlass | Act::CosignBreakGlass => BEFORE_START,
        // A rejected change stops others until it is revised, cancelled or overruled, so it can be cancelled.
        Act::Cancel => &[Draft, Assessing, Authorizing, Approved, Scheduled, Rejected],
        Act::Start => &[Scheduled],
        Act::Record | Act::AskExtension | Act::DecideExtension => &[Implementing],
        Act::Complete => &[Implementing, Reviewing],
        Act::Validate | Act::Close | Act::ConfirmRetrospective | Act::StateFinding => &[Reviewing],
        Act::Review => &[Reviewing, Closed],
        Act::ValidateBreakGlass => &[Implementing, Reviewing],
        Act::AddEvidence | Act::TickChecklist | Act::AddTask | Act::UpdateTask => UNTIL_CLOSED,
        Act::AcceptEvidence => &[Assessing, Authorizing, Approved, Scheduled, Implementing, Reviewing],
        Act::MeetCondition => &[Authorizing, Approved, Scheduled, Implementing, Reviewing],
        Act::IssuePermit => &[Scheduled, Implementing],
        Act::RevokePermit => &[
            Authorizing,
            Approved,
            Scheduled,
            Implementing,
            Reviewing,
            Cancelled,
            Closed,
        ],
        Act::Comment | Act::Watch | Act::Link => ALL,
    }
}

/// Whether an act belongs to a state.
pub fn is_legal(act: Act, state: State) -> bool {
    states(act).contains(&state)
}

/// The act that leads from here towards a state in which the wanted act is possible.
pub fn leads(act: Act, state: State) -> Option<&'static str> {
    let ahead = states(act).iter().any(|wanted| *wanted > state && wanted.is_open());
    let behind = states(act)
        .iter()
        .any(|wanted| matches!(wanted, State::Draft | State::Assessing));
    match state {
        State::Rejected if states(act).contains(&State::Draft) || ahead => {
            Some("revise it with PATCH, which makes it a draft again")
        }
        State::Rejected => Some("revise it with PATCH, and repeat the steps from draft"),
        State::Closed | State::Cancelled => None,
        _ if !ahead && behind && state.is_before_start() => Some("return it with a question (POST …/return)"),
        _ if !ahead => None,
        State::Draft => Some("submit it (POST …/submission)"),
        State::Assessing => Some("assess it (POST …/assessment)"),
        State::Authorizing => Some("get its approvals (POST …/approvals)"),
        State::Approved => Some("schedule it (PUT …/schedule)"),
        State::Scheduled => Some("start it (POST …/implementation)"),
        State::Implementing => Some("complete every target (POST …/completion)"),
        State::Reviewing => Some("close it (POST …/closure)"),
    }
}

/// The hold that blocks every further step.
pub(crate) fn hold_unmet(change: &Change, directory: &Directory) -> Option<Unmet> {
    let hold = change.hold.as_ref()?;
    let who = directory.name(&hold.by);
    Some(unmet(
        "on_hold",
        format!("It is on hold since {} by {who}: {}", hold.at, hold.reason),
        "Resume it first.",
        match directory.is_active(&hold.by) {
            true => vec![directory.login(&hold.by)],
            false => logins(directory, &eligible::writers(change, directory)),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_reviewed_as_a_whole() {
        let mut text = String::new();
        for act in Act::ALL {
            text.push_str(&format!("{:22}", act.as_str()));
            for state in State::ALL {
                let cell = match (is_legal(*act, *state), leads(*act, *state)) {
                    (true, _) => state.as_str(),
                    (false, Some(_)) => "·later",
                    (false, None) => "·never",
                };
                text.push_str(&format!(" {cell:12}"));
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        insta::assert_snapshot!("lifecycle", text);
    }
}
