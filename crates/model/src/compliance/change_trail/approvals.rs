//! The approvals of a change in a log: the counted ones, the people behind them, and the time at which they made the change
//! approved.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::compliance::change_trail::accounts::Accounts;
use crate::compliance::change_trail::{ChangeFacts, Decided, Gathered, Kept, Moment};
use crate::core::enums::{Decision, Level};

/// An approval or a rejection.
#[derive(Debug, Clone, Deserialize)]
pub struct ApprovalFacts {
    /// The approver.
    pub person: String,
    /// The person who issued the approver's credential, where that was another person.
    #[serde(default)]
    pub handed_by: Option<String>,
    /// The decision.
    pub decision: Decision,
    /// When.
    pub at: Timestamp,
    /// The rules for which it is counted, where that is known.
    #[serde(default)]
    pub counted_for: Option<Vec<String>>,
    /// The index of the event that ended it, or its part on *what*.
    #[serde(skip)]
    pub lost: Option<u64>,
    /// The account behind it.
    #[serde(skip)]
    pub hand: String,
    /// Whether the requester or an author is behind it.
    #[serde(skip)]
    pub is_own: bool,
}

impl ApprovalFacts {
    /// Whether it is a yes, with conditions or without.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        matches!(self.decision, Decision::Approve | Decision::ApproveWithConditions)
    }
}

impl ChangeFacts {
    /// The counted approvals: those in force, and those that were in force when the work began.
    pub fn counted(&self) -> impl Iterator<Item = &ApprovalFacts> {
        let began = self.first("change.implementing");
        self.approvals.iter().filter(move |it| {
            let stood = |lost: u64| began.is_some_and(|began| lost > began.index && it.at <= began.at);
            let is_counted = it.counted_for.as_ref().is_none_or(|rules| !rules.is_empty());
            it.is_yes() && is_counted && it.lost.is_none_or(stood)
        })
    }

    /// The last event before a point of the log that made the change an approved one or took that away, and whether it is one then.
    #[must_use]
    pub fn approval_until(&self, is_until: impl Fn(&Moment) -> bool) -> Option<(&Moment, bool)> {
        let moves = self.moments.iter().filter(|it| is_until(it));
        let mut moves = moves.filter_map(|it| Some((it, gives_approval(it.kind)?)));
        moves.next_back()
    }
}

/// Whether an event makes a change an approved one or takes that away; `None` where it does neither.
fn gives_approval(kind: &str) -> Option<bool> {
    match kind {
        "change.approved" | "change.scheduled" => Some(true),
        "change.drafted" | "change.submitted" | "change.authorizing" | "change.rejected" | "change.cancelled" => {
            Some(false)
        }
        _ => None,
    }
}

/// The record of an id among records in the order of their ids; a new one where there is none.
pub(super) fn of_id<'d>(decided: &'d mut Vec<Decided>, id: &str) -> &'d mut Decided {
    let place = decided.binary_search_by(|it| (*it.id).cmp(id));
    let at = place.unwrap_or_else(|at| {
        let record = Decided {
            id: Box::from(id),
            record: Kept::default(),
            lost: None,
        };
        // Most changes have one or two.
        decided.reserve_exact(1);
        decided.insert(at, record);
        at
    });
    &mut decided[at]
}

/// The rules for which an approval is counted; the rest of the rows is dropped.
pub(super) fn rules_of(counted: &Value) -> Value {
    let rows = counted.as_array().into_iter().flatten();
    rows.map(|row| row["rule"].clone()).collect()
}

/// The approvals of a change whose other facts are known.
pub(super) fn read(
    facts: &ChangeFacts,
    gathered: &Gathered,
    accounts: &Accounts,
) -> serde_json::Result<Vec<ApprovalFacts>> {
    let is_grave = facts.risk.level == Some(Level::High);
    let mut found = Vec::with_capacity(gathered.approvals.len());
    for decided in &gathered.approvals {
        let mut approval: ApprovalFacts = decided.record.read()?;
        let at = approval.at;
        let behind = |account: &String| accounts.behind(account, at, is_grave);
        let speakers = approval.handed_by.iter().chain([&approval.person]);
        let hands: Vec<String> = speakers.map(behind).collect();
        let mut wrote = facts.authors.iter().chain([&facts.requester]).map(behind);
        approval.is_own = wrote.any(|hand| hands.contains(&hand));
        approval.hand = hands.into_iter().next().unwrap_or_default();
        approval.lost = decided.lost;
        found.push(approval);
    }
    Ok(found)
}
