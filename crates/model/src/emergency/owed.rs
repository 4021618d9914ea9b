//! The duties after break-glass, with the people who owe them: all duties of an emergency.

use std::collections::BTreeSet;

use crate::approval::obligation::{Due, Requirements};
use crate::change::record::Change;
use crate::core::enums::{Kind, State};
use crate::core::ids::PersonId;

/// Whether work began under break-glass. The change then has the later duties of an emergency.
pub fn owes_as_emergency(change: &Change) -> bool {
    let has_begun = !change.state.is_before_start() && change.state != State::Cancelled;
    has_begun && change.lawful_break_glass().is_some() && change.content.kind != Kind::Emergency
}

/// The duties of a change that began under break-glass: its own obligations, and the obligations that an emergency of the same
/// content has before closing.
#[must_use]
pub fn with_what_an_emergency_owes(own: Requirements, emergency: Requirements) -> Requirements {
    let known: BTreeSet<String> = own.obligations.iter().map(|row| row.obligation.id.clone()).collect();
    let stop = own.stop.or(emergency.stop);
    let owed = emergency.obligations.into_iter();
    let owed = owed.filter(|row| row.obligation.due == Due::Close && !known.contains(&row.obligation.id));
    Requirements {
        obligations: own.obligations.into_iter().chain(owed).collect(),
        stop,
        ..own
    }
}

/// Whether this person opened or co-signed break-glass, or issued the opener's credentials. Such a person cannot verify the
/// result.
pub(crate) fn let_it_begin(change: &Change, person: &PersonId) -> bool {
    change.lawful_break_glass().is_some_and(|glass| {
        let signed = glass.cosigned.as_ref().map(|signature| &signature.by);
        &glass.by == person || glass.handed_by.as_ref() == Some(person) || signed == Some(person)
    })
}

/// Whether this person reviewed work under break-glass, and therefore may not validate it.
pub(crate) fn reviewed_it(change: &Change, person: &PersonId) -> bool {
    let mut own = change.reviews.iter().filter(|review| !review.addendum);
    change.lawful_break_glass().is_some() && own.any(|review| &review.by == person)
}

/// Whether this person's validation counts for work under break-glass, or for the break-glass itself. They may then neither
/// review nor close the change.
#[must_use]
pub fn validated_it(change: &Change, person: &PersonId) -> bool {
    let last = change.validations.last();
    let said = last.is_some_and(|validation| &validation.by == person);
    change.lawful_break_glass().is_some_and(|glass| {
        let of_glass = glass.validated.as_ref().is_some_and(|stated| &stated.by == person);
        said || of_glass
    })
}
