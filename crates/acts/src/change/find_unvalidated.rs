//! Finds overdue break-glass validations of the reader's teams: they are on every page of the teams until somebody
//! validates.

use jiff::Timestamp;
use model::change::record::Change;
use model::directory::snapshot::GroupKind;
use model::emergency::records::BreakGlassUse;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// How many of the latest break-glass uses of a person's teams are read.
const MOST: i64 = 20;

/// A use of break-glass whose validation is late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unvalidated {
    /// The change's key.
    pub change: String,
    /// The deadline of its validation.
    pub validate_by: Timestamp,
}

/// The overdue validations of the teams that the acting person belongs to, the newest first. A team is a group of the
/// kind `team`; a change names it by its key or by its name.
///
/// # Errors
/// The store's.
pub fn find_unvalidated(cx: &mut Context<'_, '_>) -> Result<Vec<Unvalidated>> {
    let (directory, scope) = (cx.directory()?, cx.scope()?);
    let me = &cx.actor.person;
    let own = directory
        .groups
        .values()
        .filter(|it| it.kind == GroupKind::Team && !it.removed && it.members.contains(me));
    let names: Vec<String> = own.flat_map(|it| [it.key.0.clone(), it.name.clone()]).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let latest = Filter::new().one_of("team", names).descending_by("at").limit(MOST);
    let mut found: Vec<Unvalidated> = Vec::new();
    for row in record::find::<BreakGlassUse>(cx.tx, &latest)? {
        let Some(change) = record::load::<Change>(cx.tx, row.record.change.as_str())? else {
            continue;
        };
        let change = change.record;
        if scope.as_ref().is_some_and(|scope| !scope.sees(&change)) {
            continue;
        }
        let open = change.lawful_break_glass().filter(|glass| glass.validated.is_none());
        let due = open
            .and_then(|glass| glass.counted.as_ref())
            .map(|counted| counted.validate_by);
        // A change with two uses of break-glass is listed once.
        if let Some(validate_by) = due.filter(|due| *due < cx.now)
            && !found.iter().any(|it| it.change == change.key)
        {
            found.push(Unvalidated {
                change: change.key,
                validate_by,
            });
        }
    }
    Ok(found)
}
