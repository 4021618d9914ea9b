//! Finds changes whose work ended: what success and lead time are counted from.

use jiff::Timestamp;
use model::change::record::Change;
use model::change::success;
use model::core::act::actions;
use model::core::enums::{Kind, Outcome};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most changes that are looked at, the newest first.
pub const MOST: i64 = 2_000;

/// A change whose work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// How it is governed.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it succeeded; `None` where nothing was implemented.
    pub succeeded: Option<bool>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its work ended.
    pub ended_at: Timestamp,
}

impl Ended {
    /// Whether it says something of success: what was not implemented neither succeeded nor failed.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.succeeded.is_some()
    }

    /// Whether it succeeded.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.succeeded == Some(true)
    }
}

/// Finds the changes whose work ended at a time or later, the newest first, and whether these are all: among the [`MOST`] that moved
/// last.
///
/// # Errors
/// 403, or the store's.
pub fn find_ended(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<(Vec<Ended>, bool)> {
    cx.allow(actions::READ)?;
    // Whatever ended since then was saved since then.
    let moved = Filter::new()
        .at_least("updated_at", from)
        .descending_by("updated_at")
        .limit(MOST);
    let changes = record::bodies::<Change>(cx.tx, &moved)?;
    let is_whole = i64::try_from(changes.len()).unwrap_or(i64::MAX) < MOST;
    let ended = changes.into_iter().filter_map(|change| {
        Some(Ended {
            outcome: change.outcome?,
            succeeded: success::succeeded(&change),
            ended_at: change.actual_end.filter(|at| *at >= from)?,
            key: change.key,
            title: change.content.title,
            kind: change.content.kind,
            created_at: change.created_at,
        })
    });
    let mut ended: Vec<Ended> = ended.collect();
    ended.sort_by_key(|it| std::cmp::Reverse(it.ended_at));
    Ok((ended, is_whole))
}
