//! Finds the recent decisions of the acting person, and whether they may still be withdrawn.

use jiff::{SignedDuration, Timestamp};
use model::change::lifecycle::is_legal;
use model::change::related_records::Approval;
use model::core::act::Act;
use model::core::act::actions::READ;
use model::core::enums::Decision;
use model::core::ids::RecordId;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// How long ago “lately” ends, in days.
const DAYS: i64 = 7;
/// How many decisions are read.
const MOST: i64 = 8;

/// A decision of the acting person that is in force.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The approval's id.
    pub id: RecordId,
    /// The change's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The decision.
    pub decision: Decision,
    /// When.
    pub at: Timestamp,
    /// Whether it can be withdrawn: the decision is in force, and no permit was issued on it.
    pub is_open: bool,
}

/// Finds the decisions in force, the latest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_decided(cx: &mut Context<'_, '_>) -> Result<Vec<Decided>> {
    cx.allow(READ)?;
    let person = cx.actor.person.clone();
    let since = cx.now - SignedDuration::from_hours(24 * DAYS);
    let filter = Filter::new()
        .equals("person", person.as_str())
        .equals("state", "standing")
        .at_least("at", since)
        .descending_by("at")
        .limit(MOST);
    let mut decided = Vec::new();
    for stored in record::find::<Approval>(cx.tx, &filter)? {
        let approval = stored.record;
        let Some(change) = record::load::<model::change::record::Change>(cx.tx, approval.change.as_str())? else {
            continue;
        };
        let change = change.record;
        let file = cx.file(&change.key)?;
        let is_used = file.permits.iter().any(|permit| permit.issued_at >= approval.at);
        decided.push(Decided {
            id: approval.id,
            is_open: !is_used && is_legal(Act::Withdraw, change.state),
            key: change.key,
            title: change.content.title,
            decision: approval.decision,
            at: approval.at,
        });
    }
    Ok(decided)
}
