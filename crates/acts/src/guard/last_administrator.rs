//! A tenant keeps at least one person who may set people up. The right that counts is the role `admin` of an active
//! person: the base policies give `set_person` to it, and an administrator can give the role to another person.
//!
//! An act here (an edit, an import, a signature under an access review, rights from an identity provider at a sign-in)
//! cannot remove the last administrator. Deactivation of a compromised account and the end of an account by the
//! provisioning directory are still possible: a leaver with access is worse than a tenant without an administrator.
//! `assent person create --admin` makes a new one on the host. Change managers are notified at once.

use model::core::enums::Role;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Person};
use model::directory::two_people;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};

fn is_administrator(person: &Person) -> bool {
    person.active && person.roles.contains(&Role::Admin)
}

/// Whether an active person may set people up.
///
/// # Errors
/// The store's.
pub fn has_one(cx: &mut Context<'_, '_>) -> Result<bool> {
    Ok(cx.directory()?.people.values().any(is_administrator))
}

/// Whether the tenant requires two people for credentials and ownership but has no second administrator: the rule then
/// applies to nobody.
///
/// # Errors
/// The store's.
pub fn is_two_people_idle(cx: &mut Context<'_, '_>) -> Result<bool> {
    Ok(two_people::is_idle(&*cx.directory()?, cx.now))
}

/// Whether an edited person leaves a tenant without an administrator that has one now.
pub(crate) fn is_last(directory: &Directory, after: &Person) -> bool {
    let is_one_now = directory.people.get(&after.id).is_some_and(is_administrator);
    let mut others = directory.people.values().filter(|it| it.id != after.id);
    is_one_now && !is_administrator(after) && !others.any(is_administrator)
}

/// The refusal.
pub(crate) fn refusal(person: &Person) -> Refusal {
    let text = format!(
        "{} is the last administrator: nobody else could manage people.",
        person.name
    );
    let satisfy = "Give another active person the role `admin` first.";
    Refusal::not_now("last_administrator", text, satisfy, Vec::new())
}

/// Refuses the removal of the last administrator's right.
///
/// # Errors
/// 409 `last_administrator`, or the store's.
pub(crate) fn check(cx: &mut Context<'_, '_>, after: &Person) -> Result<()> {
    if is_last(&*cx.directory()?, after) {
        return Err(refusal(after).into());
    }
    Ok(())
}

/// Notifies the change managers that no administrator is left to set up people.
///
/// # Errors
/// The store's.
pub(crate) fn notify_change_managers(cx: &mut Context<'_, '_>, gone: &Person) -> Result<()> {
    let directory = cx.directory()?;
    let mut written = Written::default();
    let text = format!(
        "{} was the last administrator and is deactivated.\nOn the host, `assent person create --admin` makes another.\n",
        gone.name
    );
    for person in directory.with_role(Role::ChangeManager) {
        let dedup = format!("no_administrator/{}/{}/{person}", gone.id, gone.version);
        let message = (
            "no_administrator",
            "Nobody may set up people any more",
            text.as_str(),
            dedup.as_str(),
        );
        save_message(cx, &mut written, &person, None, message)?;
    }
    let subject = ("person", gone.id.0.clone());
    cx.emit(
        vec![draft("tenant.without_administrator", subject, cx.now, json!({}))],
        written,
    )
}
