//! Tries a proposed set of policies on the last changes: what it would require of them, beside what is required now.
//! Writes nothing.

use model::change::Change;
use model::file::{change_facts, target_facts};
use model::obligation::Requirements;
use model::reading::Reading;
use model::verbs::Body;
use policy::PolicySet;
use serde::Serialize;
use store::record::{self, Filter};

use crate::error::Result;
use crate::propose_configuration::{read_set, refused};
use crate::room::Room;

/// How many changes are tried unless said.
const USUAL: i64 = 50;
/// The most changes in one trial.
const MOST: i64 = 500;

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Digest of the policies in force.
    pub before: String,
    /// Digest of the proposed ones.
    pub after: String,
    /// How many changes were judged.
    pub tried: usize,
    /// Those of which something else would be required.
    pub differing: Vec<Difference>,
    /// Forbidden paths that the proposed set leaves open: it could not be proposed.
    pub stories: Vec<crate::search_histories::Story>,
}

/// A change of which something else would be required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The change's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: model::words::State,
    /// Its risk.
    pub risk: model::words::Level,
    /// What would be required in addition.
    pub added: Vec<Asked>,
    /// What would no longer be required.
    pub removed: Vec<Asked>,
    /// Why the proposed set could not judge it: everything would stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
}

/// One obligation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Asked {
    /// The policy's id.
    pub policy: String,
    /// Its reason.
    pub reason: String,
    /// What it asks, in the words of the cases.
    pub asks: String,
    /// The targets that bring it.
    pub targets: Vec<String>,
}

/// Judges the last changes under the set in force and under a proposed one (`POST /policies/trial`).
///
/// # Errors
/// 403, 422 with what is wrong with the set, or the store's.
pub fn try_policies(room: &mut Room<'_, '_>, body: &Body) -> Result<Trial> {
    room.allow(model::act::actions::SET_POLICY)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let set = read_set(&mut reading);
    let last = reading.integer("last", 1..=MOST).unwrap_or(USUAL);
    reading.finish()?;
    let proposed = crate::policies::compile(&set.files, &set.cases, &set.parameters, &directory)
        .map_err(|findings| refused(&findings))?;
    let active = room.policies()?;
    let filter = Filter::new().descending_by("number").limit(last);
    let changes = record::find::<Change>(room.tx, &filter)?;
    let mut trial = Trial {
        before: active.digest().to_owned(),
        after: proposed.digest().to_owned(),
        tried: changes.len(),
        differing: Vec::new(),
        stories: crate::search_histories::search_histories(&proposed),
    };
    for stored in changes {
        let file = room.file(&stored.record.key)?;
        let facts = (
            change_facts(&file, &room.tenant()),
            target_facts(&file, &directory, room.now),
        );
        let (old, new) = (active.require(&facts.0, &facts.1), proposed.require(&facts.0, &facts.1));
        trial
            .differing
            .extend(difference(&file.change, (&active, &old), (&proposed, &new)));
    }
    Ok(trial)
}

fn difference(
    change: &Change,
    (active, old): (&PolicySet, &Requirements),
    (proposed, new): (&PolicySet, &Requirements),
) -> Option<Difference> {
    let (before, after) = (asked(active, old), asked(proposed, new));
    let is_not_in = |rows: &[Asked]| {
        let rows = rows.to_vec();
        move |row: &Asked| {
            !rows
                .iter()
                .any(|it| it.policy == row.policy && it.asks == row.asks && it.targets == row.targets)
        }
    };
    let found = Difference {
        key: change.key.clone(),
        title: change.content.title.clone(),
        state: change.state,
        risk: change.risk.level,
        added: after.iter().filter(|row| is_not_in(&before)(row)).cloned().collect(),
        removed: before.iter().filter(|row| is_not_in(&after)(row)).cloned().collect(),
        stop: new.stop.clone(),
    };
    let differs = !found.added.is_empty() || !found.removed.is_empty() || found.stop.is_some();
    differs.then_some(found)
}

fn asked(set: &PolicySet, requirements: &Requirements) -> Vec<Asked> {
    let row = |row: &model::obligation::TargetObligation| Asked {
        policy: row.obligation.id.clone(),
        reason: set
            .source(&row.obligation.id)
            .map(|source| source.reason.clone())
            .unwrap_or_default(),
        asks: policy::words_of(&row.obligation),
        targets: row.targets.iter().map(ToString::to_string).collect(),
    };
    let mut rows: Vec<Asked> = requirements.obligations.iter().map(row).collect();
    rows.sort();
    rows
}
