//! What no set of policies leaves out: a planned change is never brought out by the word of its author alone, and one of high
//! risk never without a peer's, which an emergency and work told afterwards get before they close. A set is searched for such paths before it is taken; as no search is complete, whatever
//! it missed stops here, when the change itself is judged.

use model::approval::obligation::{Due, Duty, Obligation, Requirements, TargetObligation};
use model::core::enums::{Kind, Level};
use model::core::ids::{ServiceKey, TargetId};
use model::policy::facts::{ChangeFacts, TargetFacts};

/// What the rules leave out for one target of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// They ask nobody but whoever writes the change.
    Everybody(ServiceKey),
    /// They ask no peer, though the risk is high.
    Peer(ServiceKey),
}

impl LeftOut {
    /// What people are told.
    fn sentence(&self) -> String {
        match self {
            Self::Everybody(service) => {
                format!("they ask nobody but its author about `{service}`, and nothing goes out by one person's word")
            }
            Self::Peer(service) => {
                format!("they ask no peer about `{service}`, and nothing of high risk goes out that no peer has read")
            }
        }
    }
}

/// What rules leave out that must never be: `None` where they ask enough, and for changes that ask nobody by right, which
/// are those of a template, told afterwards or begun.
pub(crate) fn left_out(change: &ChangeFacts, targets: &[TargetFacts], requirements: &Requirements) -> Option<LeftOut> {
    if change.kind == Kind::Standard || change.retrospective || !change.state.is_before_start() {
        return None;
    }
    let is_asked = |target: &TargetId, is_meant: fn(&Duty) -> bool| {
        let mut rows = requirements.obligations.iter();
        rows.any(|row| row.targets.contains(target) && is_meant(&row.obligation.duty))
    };
    let wants_peer = change.kind == Kind::Normal && change.risk == Level::High;
    targets.iter().find_map(|target| {
        let asks_anybody = |duty: &Duty| matches!(duty, Duty::Approval(_) | Duty::PeerReview { .. });
        if !is_asked(&target.target, asks_anybody) {
            return Some(LeftOut::Everybody(target.service.clone()));
        }
        let has_peer = is_asked(&target.target, |duty| matches!(duty, Duty::PeerReview { .. }));
        (wants_peer && !has_peer).then(|| LeftOut::Peer(target.service.clone()))
    })
}

/// The peer review that high-risk work owes for the targets about which no rule asks a peer: by a template before it is approved;
/// in an emergency, where it is told afterwards and where its risk became high after the start, before it closes.
fn owed_besides(
    change: &ChangeFacts,
    targets: &[TargetFacts],
    requirements: &Requirements,
) -> Option<TargetObligation> {
    let due = match (change.kind, change.retrospective) {
        (Kind::Emergency, _) | (_, true) => Due::Close,
        (Kind::Standard, false) => Due::Approval,
        (Kind::Normal, false) if change.state.is_before_start() => return None,
        (Kind::Normal, false) => Due::Close,
    };
    if change.risk != Level::High {
        return None;
    }
    let peers: Vec<&TargetObligation> = requirements
        .obligations
        .iter()
        .filter(|row| matches!(row.obligation.duty, Duty::PeerReview { .. }))
        .collect();
    let lacks = |target: &&TargetFacts| !peers.iter().any(|row| row.targets.contains(&target.target));
    let targets: Vec<TargetId> = targets.iter().filter(lacks).map(|it| it.target.clone()).collect();
    let obligation = Obligation {
        id: "floor.peer_review".to_owned(),
        reason: "Nothing of high risk passes that no peer has read.".to_owned(),
        due,
        duty: Duty::PeerReview { count: 1, from: None },
    };
    (!targets.is_empty()).then_some(TargetObligation { obligation, targets })
}

/// The requirements with what they leave out and must not: stopped where nobody would be asked before.
pub(crate) fn stopped(change: &ChangeFacts, targets: &[TargetFacts], mut requirements: Requirements) -> Requirements {
    if requirements.stop.is_some() {
        return requirements;
    }
    let owed = owed_besides(change, targets, &requirements);
    requirements.obligations.extend(owed);
    let stop = left_out(change, targets, &requirements).map(|it| it.sentence());
    Requirements { stop, ..requirements }
}
