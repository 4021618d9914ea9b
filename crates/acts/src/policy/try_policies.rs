//! Tries a proposed set of policies on the last changes in their present state, and on past decisions and acts with the facts
//! stored at that time: its requirements, refusals and permissions beside those of the set in force. Writes nothing.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::Approval;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{self, Decision};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::PolicyReason;
use model::policy::permission::{present_facts, target_facts};
use serde::Serialize;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::decision_facts::find_facts;
use crate::core::error::Result;
use crate::core::policies;
use crate::policy::compare_sets::{ObligationRow, Sets};
use crate::policy::propose_configuration::{read_set, refused, rules_for_nobody};
use crate::policy::search_histories;
use crate::policy::try_acts::{ActDifference, try_acts};

/// How many changes are tried by default.
const USUAL: i64 = 50;
/// The most changes in one trial.
const MOST: i64 = 500;

/// The result of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Digest of the policies in force.
    pub before: String,
    /// Digest of the proposed ones.
    pub after: String,
    /// How many changes were judged.
    pub tried: usize,
    /// The changes with other requirements.
    pub differing: Vec<Difference>,
    /// How many decisions were judged, over the facts that were kept with them.
    pub decisions_tried: usize,
    /// How many of the last decisions were taken before facts were kept: they are not judged.
    pub decisions_without_facts: usize,
    /// Decisions before which something else would have been required, or that would have been refused.
    pub decisions_differing: Vec<DecisionDifference>,
    /// How many acts on these changes were judged, with the facts stored with them: refused acts included.
    pub acts_tried: usize,
    /// How many acts were not judged: they are from before facts were kept, or by a delivery or the clock without a permission
    /// check.
    pub acts_without_facts: usize,
    /// Acts before which something else would have been required, that would have been refused, or that would have been allowed
    /// and were refused.
    pub acts_differing: Vec<ActDifference>,
    /// Forbidden paths that the proposed set leaves open: it could not be proposed.
    pub stories: Vec<search_histories::Story>,
    /// Rules that nobody here can meet: it could not be proposed either.
    pub unmeetable: Vec<Unmeetable>,
}

/// A rule that nobody in this organisation can meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmeetable {
    /// The file and line of the rule.
    pub place: String,
    /// The requirement, and the available people.
    pub text: String,
}

/// A change of which something else would be required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The change's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: enums::State,
    /// Its risk.
    pub risk: enums::Level,
    /// The additional requirements.
    pub added: Vec<ObligationRow>,
    /// The requirements that fall away.
    pub removed: Vec<ObligationRow>,
    /// Why the proposed set could not judge it: everything would stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
}

/// A decision that would have had another result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionDifference {
    /// The change's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The decision's id.
    pub approval: RecordId,
    /// The decider: a login.
    pub person: String,
    /// Their decision.
    pub decision: Decision,
    /// When.
    pub at: Timestamp,
    /// The additional requirements for the change, by the facts of that time.
    pub added: Vec<ObligationRow>,
    /// The requirements that would be absent.
    pub removed: Vec<ObligationRow>,
    /// The policies that would have refused a decision that those in force allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<PolicyReason>,
    /// Why the proposed set could not judge it: everything would stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
}

/// Judges the last changes and decisions under the set in force and under a proposed one (`POST /policies/trial`).
///
/// # Errors
/// 403, 422 with the errors of the set, or the store's.
pub fn try_policies(cx: &mut Context<'_, '_>, body: &Body) -> Result<Trial> {
    cx.allow(act::actions::SET_POLICY)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let set = read_set(&mut reading);
    let last = reading.integer("last", 1..=MOST).unwrap_or(USUAL);
    reading.finish()?;
    let compiled = policies::compile(&set.files, &set.cases, &set.parameters, &directory);
    let (proposed, mut findings) = compiled.map_err(|findings| refused(&findings))?;
    let for_nobody = rules_for_nobody(cx, &proposed)?;
    if !findings.is_empty() {
        findings.extend(for_nobody);
        return Err(refused(&findings).into());
    }
    let active = cx.policies()?;
    let sets = Sets {
        active: &active,
        proposed: &proposed,
    };
    let mut trial = Trial {
        before: active.digest().to_owned(),
        after: proposed.digest().to_owned(),
        tried: 0,
        differing: Vec::new(),
        decisions_tried: 0,
        decisions_without_facts: 0,
        decisions_differing: Vec::new(),
        acts_tried: 0,
        acts_without_facts: 0,
        acts_differing: Vec::new(),
        stories: search_histories::search_histories(&proposed),
        unmeetable: for_nobody.iter().map(unmeetable).collect(),
    };
    try_on_changes(cx, &sets, last, &mut trial)?;
    try_on_decisions(cx, &sets, last, &mut trial)?;
    Ok(trial)
}

fn unmeetable(finding: &policy::Finding) -> Unmeetable {
    Unmeetable {
        place: format!("{}:{}", finding.file, finding.line),
        text: finding.said(),
    }
}

fn try_on_changes(cx: &mut Context<'_, '_>, sets: &Sets<'_>, last: i64, trial: &mut Trial) -> Result<()> {
    let directory = cx.directory()?;
    let filter = Filter::new().descending_by("number").limit(last);
    for stored in record::find::<Change>(cx.tx, &filter)? {
        trial.tried += 1;
        let acts = try_acts(cx, sets, &stored.record)?;
        trial.acts_tried += acts.tried;
        trial.acts_without_facts += acts.without_facts;
        trial.acts_differing.extend(acts.differing);
        let file = cx.file(&stored.record.key)?;
        let targets = target_facts(&file, &directory, cx.now);
        let compared = sets.compare(&present_facts(&file, &directory, &cx.tenant(), cx.now), &targets);
        if !compared.differs() {
            continue;
        }
        trial.differing.push(Difference {
            key: file.change.key,
            title: file.change.content.title,
            state: file.change.state,
            risk: file.change.risk.level,
            added: compared.added,
            removed: compared.removed,
            stop: compared.stop,
        });
    }
    Ok(())
}

/// Judges decisions with the facts at their time: the service's attributes then, the people's roles then.
fn try_on_decisions(cx: &mut Context<'_, '_>, sets: &Sets<'_>, last: i64, trial: &mut Trial) -> Result<()> {
    let directory = cx.directory()?;
    let filter = Filter::new().descending_by("id").limit(last);
    for stored in record::find::<Approval>(cx.tx, &filter)? {
        let decision = stored.record;
        let Some((facts, person)) =
            find_facts(cx, &decision.change, &decision.facts_digest)?.zip(decision.person_facts.as_ref())
        else {
            trial.decisions_without_facts += 1;
            continue;
        };
        trial.decisions_tried += 1;
        let compared = sets.compare(&facts.told, &facts.targets);
        let refused = sets.refusing(person, &facts.told, &facts.targets);
        if !compared.differs() && refused.is_empty() {
            continue;
        }
        let Some(change) = record::load::<Change>(cx.tx, decision.change.as_str())? else {
            continue;
        };
        let change = change.record;
        trial.decisions_differing.push(DecisionDifference {
            key: change.key,
            title: change.content.title,
            person: directory.login(&decision.person),
            approval: decision.id,
            decision: decision.decision,
            at: decision.at,
            added: compared.added,
            removed: compared.removed,
            refused,
            stop: compared.stop,
        });
    }
    Ok(())
}
