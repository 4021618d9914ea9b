//! The policy floor, which no set of policies can lower: a planned change never proceeds by its author's decision
//! alone, and a high-risk change never without a peer review. An emergency and retrospective work get this review
//! before they close. A set is searched for such paths before it is accepted. No search is complete, so a missed path
//! is blocked here, when the change is evaluated.

use model::approval::obligation::{Due, Duty, Obligation, Requirements, TargetObligation};
use model::core::enums::{Kind, Level};
use model::core::ids::{ServiceKey, TargetId};
use model::policy::facts::{ChangeFacts, TargetFacts};

/// The approval that the rules omit for one target of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// The rules require nobody but the change's author.
    Everybody(ServiceKey),
    /// The rules require no peer, though the risk is high.
    Peer(ServiceKey),
}

impl LeftOut {
    /// The message for people.
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

/// The required approval that the rules omit. `None` if the rules require enough, and for changes that rightly need no
/// approval: those of a template, retrospective work, and changes under way.
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

/// The peer review that high-risk work needs for targets whose rules require no peer. A template needs the review
/// before its approval. An emergency, retrospective work, and work whose risk became high after the start need it
/// before they close.
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
        reason: "A change of high risk cannot proceed without a peer review.".to_owned(),
        due,
        duty: Duty::PeerReview { count: 1, from: None },
    };
    (!targets.is_empty()).then_some(TargetObligation { obligation, targets })
}

/// The requirements with the omissions of the rules, blocked if nobody would approve in advance.
pub(crate) fn stopped(change: &ChangeFacts, targets: &[TargetFacts], mut requirements: Requirements) -> Requirements {
    if requirements.stop.is_some() {
        return requirements;
    }
    let owed = owed_besides(change, targets, &requirements);
    requirements.obligations.extend(owed);
    let stop = left_out(change, targets, &requirements).map(|it| it.sentence());
    Requirements { stop, ..requirements }
}
