//! The reach of a change: the services that fail with it and the services whose data it may damage, each with the path, the
//! cut-off, the parts left out of the assessment, and the growth of the graph since.

use jiff::Timestamp;
use model::change::affected::Affected;
use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::SecurityQuestion;
use model::core::refusal::Refusal;
use model::risk::effective::unaccepted;
use model::risk::reach::{Growth, KeptReach, Reached, digest, growth};
use model::risk::security_questions;

use crate::core::context::Context;
use crate::core::error::Result;

/// The reach of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// The change's key.
    pub key: String,
    /// The things that fail with it, the nearest first; the changed things come first, with the distance 0.
    pub outage: Vec<Affected>,
    /// The things whose data it may damage, with those on the path.
    pub data: Vec<Affected>,
    /// The digest of the present set: the things that fail with it, and the things whose data it may damage.
    pub digest: String,
    /// Up to this number of arrows a thing counts for the impact by itself; a farther one counts only among the many.
    pub far: i64,
    /// The parts that were left out of the assessment.
    pub excluded: Vec<Excluded>,
    /// The reach at the time of the assessment.
    pub assessed: Option<KeptReach>,
    /// The reach beyond that.
    pub grown: Option<Growth>,
    /// The open security questions about the change.
    pub open_questions: Vec<SecurityQuestion>,
}

/// Something that the assessment left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The thing: a key, or `service:KEY` and `item:KEY`.
    pub item: String,
    /// Why.
    pub reason: String,
    /// The person who left it out: a login. Absent for records from before this field existed.
    pub by: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

/// The reach of a change.
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_affected(cx: &mut Context<'_, '_>, key: &str) -> Result<Reach> {
    cx.allow(actions::READ)?;
    if cx.scope()?.is_some() {
        // It names services outside of any scope.
        return Err(Refusal::not_found("reach for who is scoped to services").into());
    }
    let change = cx.change(key)?;
    reach_of(cx, &change)
}

/// The same of a change that was read already.
///
/// # Errors
/// The store's.
pub fn reach_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<Reach> {
    let directory = cx.directory()?;
    let targets = &change.content.targets;
    let found = Reached::of(&directory, targets);
    let (digest, grown) = (
        digest(&found.things()),
        change.reach.as_ref().and_then(|kept| growth(kept, &found)),
    );
    let Reached { outage, mut data } = found;
    if !data.iter().any(|one| one.by_data) {
        data.clear();
    }
    let assessed = change.reach.clone();
    let authors = assessed
        .as_ref()
        .map(|it| it.excluded_by.as_slice())
        .unwrap_or_default();
    let excluded = change.content.excluded.iter().enumerate().map(|(place, row)| {
        let author = authors.get(place);
        Excluded {
            item: row.item.clone(),
            reason: row.reason.clone(),
            by: author.map(|author| directory.login(&author.by)),
            at: author.map(|author| author.at),
        }
    });
    let touches = unaccepted(change, &directory).touches;
    Ok(Reach {
        key: change.key.clone(),
        digest,
        far: directory.risk_terms().far,
        excluded: excluded.collect(),
        grown,
        assessed,
        open_questions: security_questions::open(&change.content, &touches),
        outage,
        data,
    })
}
