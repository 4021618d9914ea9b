//! Evaluates a change by the policies: its requirements, and the acts that a person may do.

use std::sync::Arc;

use jiff::Timestamp;
use model::approval::authority;
use model::approval::obligation::{Requirements, Verdict};
use model::change::change_file::{ChangeFile, Lent, Lets};
use model::core::act::Act;
use model::core::enums::Kind;
use model::core::ids::PersonId;
use model::core::refusal::PolicyReason;
use model::directory::snapshot::Directory;
use model::emergency::owed::{owes_as_emergency, with_what_an_emergency_owes};
use model::policy::facts::{ActorFacts, ChangeFacts, TargetFacts};
use model::policy::permission::{change_facts, person_facts, present_facts, target_facts};
use policy::PolicySet;

use crate::case::policy_floor::stopped;

/// The most requested people who are checked for a rule that forbids their decision. Among more people, at least one is
/// likely allowed.
const MOST_ASKED: usize = 100;

/// Computes a change's requirements from the policies, and which of the requested people the policies would refuse.
/// Whatever the policies allow, a change is blocked if one person alone could bring it out, or if the risk is high and
/// no peer is required.
pub fn judge(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
) -> Requirements {
    let facts = present_facts(file, directory, tenant, now);
    judge_on(policies, (directory, now), (file, facts))
}

/// The same for a draft that is not saved, whose record names the risk to use.
pub(crate) fn judge_draft(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
) -> Requirements {
    judge_on(
        policies,
        (directory, now),
        (file, change_facts(file, directory, tenant)),
    )
}

fn judge_on(
    policies: &PolicySet,
    (directory, now): (&Directory, Timestamp),
    (file, change): (&ChangeFile, ChangeFacts),
) -> Requirements {
    let targets = target_facts(file, directory, now);
    let requirements = rules_alone(policies, (directory, now), file, (&change, &targets));
    stopped(&change, &targets, requirements)
}

/// The requirements of a change; for a change that began under break-glass also the requirements of an emergency before
/// it closes.
fn required(
    policies: &PolicySet,
    (change, targets): (&ChangeFacts, &[TargetFacts]),
    file: &ChangeFile,
) -> Requirements {
    let own = policies.require(change, targets);
    if !owes_as_emergency(&file.change) {
        return own;
    }
    let emergency = ChangeFacts {
        kind: Kind::Emergency,
        ..change.clone()
    };
    with_what_an_emergency_owes(own, policies.require(&emergency, targets))
}

/// The same by the rules alone; a search for gaps in the rules uses it.
pub(crate) fn judge_by_rules(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
) -> Requirements {
    let change = present_facts(file, directory, tenant, now);
    let targets = target_facts(file, directory, now);
    rules_alone(policies, (directory, now), file, (&change, &targets))
}

fn rules_alone(
    policies: &PolicySet,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
    (change, targets): (&ChangeFacts, &[TargetFacts]),
) -> Requirements {
    let requirements = required(policies, (change, targets), file);
    let forbids = policies.forbids(Act::Approve.as_str());
    // The base policies' forbid rules on decisions are about pipelines, which no rule requests.
    if forbids.iter().all(|id| id.starts_with("base.")) || !file.change.state.is_before_start() {
        return requirements;
    }
    let mut asked = file.clone();
    asked.requirements = requirements.clone();
    let is_refused = |person: &PersonId| {
        let facts = person_facts(&asked, directory, person, now);
        let verdict = policies.may(&facts, Act::Approve.as_str(), Some((change, targets)));
        let by_forbid = |row: &PolicyReason| forbids.contains(&row.id.as_str());
        !verdict.allowed && verdict.reasons.iter().any(by_forbid)
    };
    let refused = authority::all_able(&asked, directory, now);
    Requirements {
        refused: refused.into_iter().take(MOST_ASKED).filter(is_refused).collect(),
        ..requirements
    }
}

/// The people whom the policies allow to perform a pending step. Under the base policies alone the model lists the same
/// people, so no policy is evaluated.
pub(crate) fn lets(policies: &Arc<PolicySet>, tenant: &str) -> Lets {
    let (policies, tenant) = (Arc::clone(policies), tenant.to_owned());
    let judge = move |file: &ChangeFile, directory: &Directory, person: &PersonId, act: Act, now: Timestamp| {
        let forbids = policies.forbids(act.as_str());
        if forbids.iter().all(|id| id.starts_with("base.")) {
            return true;
        }
        let (change, targets) = (
            change_facts(file, directory, &tenant),
            target_facts(file, directory, now),
        );
        let facts = person_facts(file, directory, person, now);
        policies.may(&facts, act.as_str(), Some((&change, &targets))).allowed
    };
    Lets::by(Arc::new(judge))
}

/// The policies' verdict on a person and an act, also for a narrowed token.
pub(crate) fn may(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    (facts, lent): (&ActorFacts, Option<&Lent>),
    act: &str,
    file: Option<&ChangeFile>,
) -> Verdict {
    let known = file.map(|file| {
        let change = present_facts(file, directory, tenant, now);
        (change, target_facts(file, directory, now))
    });
    let about = known.as_ref().map(|(change, targets)| (change, targets.as_slice()));
    let verdict = policies.may(facts, act, about);
    // A person may do whatever their narrowed token may do: narrowing removes rights and never adds any.
    match lent.and_then(|lent| lent.roles.as_ref()).filter(|_| verdict.allowed) {
        Some(roles) => policies.may(&facts.narrowed(roles), act, about),
        None => verdict,
    }
}
