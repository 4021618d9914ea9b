//! Judges a change by the policies: what it requires, and what a person may do with it.

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

/// Of how many who are asked it is looked at whether a rule forbids their word. Where more are, somebody will be let.
const MOST_ASKED: usize = 100;

/// Asks the policies what a change requires, and of those whom it asks then, whom they would refuse. Whatever they say, what
/// would go out by one person's word, or with high risk and no peer, goes nowhere.
pub fn judge(
    policies: &PolicySet,
    tenant: &str,
    (directory, now): (&Directory, Timestamp),
    file: &ChangeFile,
) -> Requirements {
    let facts = present_facts(file, directory, tenant, now);
    judge_on(policies, (directory, now), (file, facts))
}

/// The same of a change that is only thought of, whose record says which risk is looked at.
pub(crate) fn judge_as_told(
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

/// What the rules ask of a change; of one that began under a broken glass also what they ask of an emergency before it closes.
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

/// The same by the rules alone: what they leave out is found by whoever searches them.
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
    // What the base forbids of decisions is about pipelines, whom no rule asks.
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

/// Whom the policies let do what a row waits for. Where the base alone rules, the model names the same people, so that nobody is
/// asked about them.
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

/// What the policies say to a person about an act, for a token that is narrowed as well.
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
    // What a narrowed token may, its person may as well: it takes away and never gives.
    match lent.and_then(|lent| lent.roles.as_ref()).filter(|_| verdict.allowed) {
        Some(roles) => policies.may(&facts.narrowed(roles), act, about),
        None => verdict,
    }
}
