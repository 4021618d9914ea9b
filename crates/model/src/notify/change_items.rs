//! The action items of a change itself: the validation of its break-glass, and the confirmation of its work by a named
//! approver.

use std::collections::BTreeSet;

use crate::change::record::Change;
use crate::core::enums::{AboutKind, ActionKind, State};
use crate::core::ids::PersonId;
use crate::notify::action_item::{About, Due, NewItem, Owner};

/// The kinds of items that a change has by itself.
pub const KINDS: [ActionKind; 2] = [ActionKind::ValidateBreakGlass, ActionKind::ConfirmRetrospective];

/// The record that such an item is about.
pub fn about(change: &Change) -> About {
    About::new(AboutKind::Change, change.key.as_str())
}

/// The item of this kind that a change has in its current state; `None` where nothing is to be done.
pub fn wanted(change: &Change, kind: ActionKind) -> Option<NewItem> {
    if !change.state.is_open() {
        return None;
    }
    match kind {
        ActionKind::ValidateBreakGlass => validation(change),
        ActionKind::ConfirmRetrospective => confirmation(change),
        _ => None,
    }
}

/// The reason why a change has no item of this kind any more.
pub fn settled_because(change: &Change, kind: ActionKind) -> &'static str {
    let glass = change.break_glass.as_ref();
    let answer = change
        .retrospective
        .as_ref()
        .and_then(|retro| retro.confirmation.as_ref());
    match (kind, answer) {
        (ActionKind::ValidateBreakGlass, _) if glass.is_some_and(|it| it.validated.is_some()) => {
            "The break-glass was validated."
        }
        (ActionKind::ConfirmRetrospective, Some(answer)) if answer.confirmed => "The named approver confirmed it.",
        (ActionKind::ConfirmRetrospective, Some(_)) => "The named approver denied it.",
        (ActionKind::ConfirmRetrospective, None) if change.finding.is_some() => "A finding was stated.",
        _ => "The change has ended.",
    }
}

/// Another person validates work that began under break-glass; beyond the budget of its team, a change manager does.
fn validation(change: &Change) -> Option<NewItem> {
    let glass = change.lawful_break_glass().filter(|glass| glass.validated.is_none())?;
    let counted = glass.counted.as_ref()?;
    let signed = glass.cosigned.as_ref().map(|signature| &signature.by);
    let mut involved: BTreeSet<PersonId> = change.implemented_by.iter().cloned().collect();
    involved.insert(glass.by.clone());
    involved.extend(glass.handed_by.iter().chain(signed).cloned());
    Some(NewItem {
        services: change
            .content
            .targets
            .iter()
            .map(|target| target.service.clone())
            .collect(),
        owner: if counted.is_over() {
            Owner::ChangeManagers
        } else {
            Owner::ServiceOwner
        },
        due: Due::At(counted.validate_by),
        involved,
        // The people concerned by the break-glass got a letter when it was opened.
        tells: false,
        ..NewItem::new(
            ActionKind::ValidateBreakGlass,
            about(change),
            format!("Validate the break-glass of {}", change.key),
        )
    })
}

/// Work that was recorded afterwards waits for the confirmation of the named approver, until that confirmation or a finding is
/// recorded.
fn confirmation(change: &Change) -> Option<NewItem> {
    let retro = change
        .retrospective
        .as_ref()
        .filter(|retro| retro.confirmation.is_none())?;
    if change.state != State::Reviewing || change.finding.is_some() {
        return None;
    }
    Some(NewItem {
        services: change
            .content
            .targets
            .iter()
            .map(|target| target.service.clone())
            .collect(),
        owner: Owner::Person(retro.verbal_approver.clone()),
        due: Due::At(retro.confirm_by),
        involved: BTreeSet::from([change.requester.clone()]),
        // The approver got a letter with the change.
        tells: false,
        ..NewItem::new(
            ActionKind::ConfirmRetrospective,
            about(change),
            format!("Confirm or deny that you approved {}", change.key),
        )
    })
}
