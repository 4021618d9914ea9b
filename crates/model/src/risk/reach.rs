//! The assessed reach of a change, and its later growth in the graph.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::change::affected::{Affected, affected, data_affected, is_reached};
use crate::change::change_file::Case;
use crate::change::eligible;
use crate::change::record::{Change, Exclusion, Target};
use crate::core::enums::Kind;
use crate::core::ids::PersonId;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
pub use crate::risk::kept_reach::{ExcludedBy, KeptReach};

/// The most things that are stored by name. Of a larger set only the digest is stored, so that any different set counts as a
/// larger one.
pub const MOST_KEPT: usize = 1_000;

/// The things in the graph that are reached and that the assessment did not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// The number of things, as far as known; at least one.
    pub count: usize,
    /// The things, sorted; none where the assessed set was too large to be kept by name.
    pub things: Vec<String>,
}

/// The things that a change reaches now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The things that fail with it.
    pub outage: Vec<Affected>,
    /// The things whose data it may damage, with the way there.
    pub data: Vec<Affected>,
}

impl Reached {
    /// The things that a change of these targets reaches.
    pub fn of(directory: &Directory, targets: &[Target]) -> Self {
        Self {
            outage: affected(directory, targets),
            data: data_affected(directory, targets),
        }
    }

    /// The things, as `service:KEY` and `item:KEY`, and as `data:service:KEY` whose data may be damaged, sorted.
    pub fn things(&self) -> Vec<String> {
        let data = self.data.iter().filter(|one| one.by_data);
        let data = data.map(|one| format!("data:{}", one.kind.scope(&one.key)));
        self.failing()
            .into_iter()
            .chain(data)
            .collect::<BTreeSet<String>>()
            .into_iter()
            .collect()
    }

    /// The things that fail with it alone.
    fn failing(&self) -> BTreeSet<String> {
        let reached = self.outage.iter().filter(|one| one.distance > 0);
        reached.map(|one| one.kind.scope(&one.key)).collect()
    }
}

/// The digest of a set of things.
pub fn digest(things: &[String]) -> String {
    proof::canonical::digest(&json!(things)).unwrap_or_default()
}

/// The stored form of a set that was assessed now.
pub fn kept(found: &Reached, now: Timestamp) -> KeptReach {
    let things = found.things();
    KeptReach {
        digest: digest(&things),
        count: i64::try_from(found.failing().len()).unwrap_or(i64::MAX),
        with_data: true,
        things: if things.len() > MOST_KEPT { Vec::new() } else { things },
        at: now,
        grown_at: None,
        excluded_by: Vec::new(),
    }
}

/// The things reached beyond an assessed set. A set that only lost things has not grown.
pub fn growth(kept: &KeptReach, found: &Reached) -> Option<Growth> {
    let failing = found.failing();
    let more = failing
        .len()
        .saturating_sub(usize::try_from(kept.count).unwrap_or(usize::MAX));
    let now = match kept.with_data {
        true => found.things(),
        false => failing.into_iter().collect(),
    };
    if digest(&now) == kept.digest {
        return None;
    }
    if kept.things.is_empty() && kept.count > 0 {
        return Some(Growth {
            count: more.max(1),
            things: Vec::new(),
        });
    }
    let known: BTreeSet<&String> = kept.things.iter().collect();
    let new: BTreeSet<String> = now.into_iter().filter(|thing| !known.contains(thing)).collect();
    // For a thing that is new altogether, its data is not listed again.
    let is_told = |thing: &&String| thing.strip_prefix("data:").is_none_or(|it| !new.contains(it));
    let things: Vec<String> = new.iter().filter(is_told).cloned().collect();
    (!things.is_empty()).then_some(Growth {
        count: things.len(),
        things,
    })
}

/// Stores the assessed reach, and the person behind each exclusion. An existing exclusion stays with the person who made it
/// first.
pub(crate) fn pin(case: &mut Case<'_>, before: &[Exclusion], by: &PersonId) {
    let found = Reached::of(&case.directory, &case.change().content.targets);
    let now = case.now;
    let change = &mut case.file.change;
    let former = change.reach.take().map(|reach| reach.excluded_by).unwrap_or_default();
    let known = |row: &Exclusion| {
        let place = before.iter().position(|old| old == row)?;
        former.get(place).cloned()
    };
    let author = |row: &Exclusion| {
        known(row).unwrap_or_else(|| ExcludedBy {
            by: by.clone(),
            at: now,
        })
    };
    let excluded_by = change.content.excluded.iter().map(author).collect();
    change.reach = Some(KeptReach {
        excluded_by,
        ..kept(&found, now)
    });
}

/// Takes an assessment's statement that the reach was reviewed. Without a statement, an earlier review of everything that is
/// reached now stays valid.
pub(crate) fn take_look(change: &mut Change, directory: &Directory, said: Option<bool>, now: Timestamp) {
    let found = Reached::of(directory, &change.content.targets);
    let has_seen_all = |it: &KeptReach| it.grown_at.is_none() && growth(it, &found).is_none();
    let is_seen = change.content.dependencies_reviewed && change.reach.as_ref().is_none_or(has_seen_all);
    change.content.dependencies_reviewed = said.unwrap_or(is_seen);
    if said == Some(true)
        && let Some(former) = change.reach.take()
    {
        change.reach = Some(KeptReach {
            excluded_by: former.excluded_by,
            ..kept(&found, now)
        });
    }
}

/// After an edit of the targets, the set follows the new targets, because approvers decide on these. If the new set has more
/// things, the assessed set stays, and the review is due again. Excluded things that are no longer reached are removed.
pub(crate) fn follow_edit(case: &mut Case<'_>, before: &Change) {
    let Some(mut former) = before.reach.clone() else { return };
    if before.content.targets == case.change().content.targets {
        return;
    }
    let found = Reached::of(&case.directory, &case.change().content.targets);
    let now = case.now;
    let change = &mut case.file.change;
    let excluded = std::mem::take(&mut change.content.excluded);
    let stays: Vec<bool> = excluded
        .iter()
        .map(|row| is_reached(&found.outage, &row.item))
        .collect();
    let has_stayed = |place: usize| stays.get(place).copied().unwrap_or_default();
    change.content.excluded = at_places(excluded, has_stayed);
    former.excluded_by = at_places(former.excluded_by, has_stayed);
    if growth(&former, &found).is_some() {
        change.content.dependencies_reviewed = false;
        change.reach = Some(former);
        return;
    }
    change.reach = Some(KeptReach {
        at: former.at,
        grown_at: former.grown_at,
        excluded_by: former.excluded_by,
        ..kept(&found, now)
    });
}

/// The rows at some places of a list.
fn at_places<T>(rows: Vec<T>, is_wanted: impl Fn(usize) -> bool) -> Vec<T> {
    let places = rows.into_iter().enumerate();
    places
        .filter(|(place, _)| is_wanted(*place))
        .map(|(_, row)| row)
        .collect()
}

/// The number of further reached things, as text.
pub(crate) fn more(count: usize) -> String {
    match count {
        1 => "one more item".to_owned(),
        many => format!("{many} more items"),
    }
}

/// The newly reached things that nobody has assessed. An emergency does not wait for that.
pub(crate) fn grown_unmet(change: &Change, directory: &Directory) -> Option<Unmet> {
    let kept = change.reach.as_ref().filter(|_| change.content.kind == Kind::Normal)?;
    let found = Reached::of(directory, &change.content.targets);
    let text = match growth(kept, &found) {
        Some(growth) => format!("The change affects {} than when it was assessed.", more(growth.count)),
        None if kept.grown_at.is_some() => "For a time, the change affected more than when it was assessed.".to_owned(),
        None => return None,
    };
    Some(unmet(
        "reach_grown",
        text,
        "Check what the change affects (GET …/affected), and assess it again with `dependencies_reviewed`.",
        logins(directory, &eligible::writers(change, directory)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::enums::NodeKind;

    fn things(keys: &[String], by_data: bool) -> Vec<Affected> {
        let one = |key: &String| Affected {
            kind: NodeKind::Service,
            key: key.clone(),
            distance: 1,
            via: None,
            by: None,
            by_data,
        };
        keys.iter().map(one).collect()
    }

    fn found(keys: &[String]) -> Reached {
        Reached {
            outage: things(keys, false),
            data: Vec::new(),
        }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("s{number:05}")).collect()
    }

    #[test]
    fn a_set_that_only_lost_things_has_not_grown_and_one_that_traded_them_has() {
        let now = Timestamp::UNIX_EPOCH;
        let assessed = kept(&found(&["a".to_owned(), "b".to_owned()]), now);
        assert_eq!(growth(&assessed, &found(&["a".to_owned()])), None);
        assert_eq!(growth(&assessed, &found(&["b".to_owned(), "a".to_owned()])), None);
        let traded = growth(&assessed, &found(&["a".to_owned(), "c".to_owned()])).map(|it| it.things);
        assert_eq!(traded, Some(vec!["service:c".to_owned()]));
    }

    #[test]
    fn what_begins_to_store_its_data_there_has_grown_and_what_was_kept_without_data_has_not() {
        let keys = ["a".to_owned()];
        let stores = Reached {
            data: things(&keys, true),
            ..found(&keys)
        };
        let assessed = kept(&found(&keys), Timestamp::UNIX_EPOCH);
        let grown = growth(&assessed, &stores).map(|it| (it.count, it.things));
        assert_eq!(grown, Some((1, vec!["data:service:a".to_owned()])));
        let both = ["a".to_owned(), "b".to_owned()];
        let another = Reached {
            data: things(&both[1..], true),
            ..found(&both)
        };
        let grown = growth(&assessed, &another).map(|it| it.things);
        assert_eq!(
            grown,
            Some(vec!["service:b".to_owned()]),
            "once, though it stores there too"
        );
        let again = kept(&stores, Timestamp::UNIX_EPOCH);
        assert_eq!((again.count, growth(&again, &stores)), (1, None));
        assert_eq!(growth(&again, &found(&keys)), None, "it only lost some");
        let old = KeptReach {
            with_data: false,
            ..assessed
        };
        assert_eq!(
            growth(&old, &stores),
            None,
            "nobody is asked for what was not looked at then"
        );
    }

    #[test]
    fn of_a_set_too_large_to_keep_any_other_set_counts_as_grown() {
        let now = Timestamp::UNIX_EPOCH;
        let assessed = kept(&found(&names(MOST_KEPT + 1)), now);
        assert!(assessed.things.is_empty() && assessed.count == 1_001);
        assert_eq!(growth(&assessed, &found(&names(MOST_KEPT + 1))), None);
        let grown = growth(&assessed, &found(&names(MOST_KEPT + 4))).map(|it| it.count);
        assert_eq!(grown, Some(3));
        assert!(
            growth(&assessed, &found(&names(MOST_KEPT))).is_some(),
            "nothing says what it lost or got"
        );
    }
}
