//! Finds changes by a filter, newest first, a page at a time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::act::actions::READ;
use model::change::Change;
use model::custom_field::CustomValue;
use model::ids::PersonId;
use model::records::Approval;
use model::words::{ApprovalState, State};
pub use store::changes::{ChangeFilter, ChangeRow, Tally, TargetRow};

use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;

/// A page of changes.
#[derive(Debug, Clone, Default)]
pub struct FoundChanges {
    /// The changes, each with its targets.
    pub rows: Vec<(ChangeRow, Vec<TargetRow>)>,
    /// The number after which the next page begins; `None` on the last page.
    pub next: Option<i64>,
}

/// Finds at most `limit` changes below the number `after`.
///
/// # Errors
/// 403, or the store's.
pub fn find_changes(
    room: &mut Room<'_, '_>,
    filter: &ChangeFilter,
    limit: i64,
    after: Option<i64>,
) -> Result<FoundChanges> {
    room.allow(READ)?;
    let mut rows = store::changes::list_changes(room.tx, filter, limit + 1, after)?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().map(|row| row.number).filter(|_| is_more);
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut targets = store::changes::targets_of_all(room.tx, &ids)?;
    let with_targets = rows.into_iter().map(|row| {
        let own = targets.remove(&row.id).unwrap_or_default();
        (row, own)
    });
    Ok(FoundChanges {
        rows: with_targets.collect(),
        next,
    })
}

/// Counts the changes that were written between each two neighbours of `times`, which grow: one tally less than times.
///
/// # Errors
/// 403, or the store's.
pub fn tally_changes(room: &mut Room<'_, '_>, times: &[Timestamp]) -> Result<Vec<Tally>> {
    room.allow(READ)?;
    let spans = times.windows(2);
    let tallies = spans.map(|span| store::changes::tally(room.tx, span[0], span[1]));
    Ok(tallies.collect::<store::Result<_>>()?)
}

/// Whom open changes wait for, by the changes' ids: those who are asked and have not answered, else those whose step is next.
/// Changes that wait for nobody are left out.
///
/// # Errors
/// 403, or the store's.
pub fn find_waiting(room: &mut Room<'_, '_>, found: &FoundChanges) -> Result<BTreeMap<String, Vec<PersonId>>> {
    room.allow(READ)?;
    let open = |row: &ChangeRow| State::ALL.iter().any(|it| it.as_str() == row.state && it.is_open());
    let ids: Vec<&str> = found
        .rows
        .iter()
        .map(|(row, _)| row)
        .filter(|row| open(row))
        .map(|row| row.id.as_str())
        .collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let changes = Filter::new().one_of("id", ids.iter().copied()).order_by("id");
    let changes = record::bodies::<Change>(room.tx, &changes)?;
    let words = Filter::new().one_of("change_id", ids).order_by("id");
    let words = record::bodies::<Approval>(room.tx, &words)?;
    let stands = |change: &Change, person: &PersonId| {
        let mut own = words
            .iter()
            .filter(|word| word.change == change.id && word.person == *person);
        own.any(|word| word.state == ApprovalState::Standing)
    };
    let mut waiting = BTreeMap::new();
    for change in changes {
        let content = &change.content;
        let mut people: Vec<PersonId> = match change.state {
            State::Draft | State::Assessing | State::Reviewing => vec![content.owner.clone()],
            State::Implementing => content.implementers.clone(),
            _ => {
                let asked = change.requests.iter().map(|request| request.person.clone());
                asked.filter(|person| !stands(&change, person)).collect()
            }
        };
        let mut seen = std::collections::BTreeSet::new();
        people.retain(|person| seen.insert(person.clone()));
        if !people.is_empty() {
            waiting.insert(change.id.0, people);
        }
    }
    Ok(waiting)
}

/// What changes say in the fields that the tenant added, by the changes' ids; those that say nothing are left out.
///
/// # Errors
/// 403, or the store's.
pub fn find_custom_values(room: &mut Room<'_, '_>, found: &FoundChanges) -> Result<BTreeMap<String, Vec<CustomValue>>> {
    room.allow(READ)?;
    let ids: Vec<&str> = found.rows.iter().map(|(row, _)| row.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let filter = Filter::new().one_of("id", ids).order_by("id");
    let changes = record::bodies::<Change>(room.tx, &filter)?.into_iter();
    Ok(changes
        .map(|change| (change.id.0, change.content.custom_fields))
        .filter(|(_, values)| !values.is_empty())
        .collect())
}
