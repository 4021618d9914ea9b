//! The holder of a mail address: it is the person's main address, another one among the accounts (`mail:…`), or a
//! further one from a provisioning directory.

use model::core::ids::PersonId;
use model::directory::snapshot::Person;
use model::gate::committers::MAIL_ACCOUNT;
use store::identity::identities;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;

/// The holder of an address.
pub(crate) struct Holder {
    pub(crate) person: Person,
    /// Whether it is the address for the person's mail, by which they may be found.
    pub(crate) is_main: bool,
}

/// The holder of an address. A removed person is its holder only if nobody else has the address.
///
/// # Errors
/// The store's.
pub(crate) fn holder(cx: &mut Context<'_, '_>, mail: &str) -> Result<Option<Holder>> {
    let mail = mail.trim().to_lowercase();
    let ids = identities::find(cx.tx, identities::MAIL, &mail)?;
    let main = first(cx, &ids)?;
    if let Some(person) = main.clone().filter(|person| !person.removed) {
        return Ok(Some(Holder { person, is_main: true }));
    }
    if let Some(person) = by_alias(cx, &mail, None)? {
        return Ok(Some(Holder { person, is_main: false }));
    }
    if let Some(person) = of_another(cx, &mail, None)? {
        return Ok(Some(Holder { person, is_main: false }));
    }
    Ok(main.map(|person| Holder { person, is_main: true }))
}

/// Another person, not removed, with this main address.
///
/// # Errors
/// The store's.
pub(crate) fn main_of_another(cx: &mut Context<'_, '_>, mail: &str, own: &PersonId) -> Result<Option<Person>> {
    let ids = identities::find(cx.tx, identities::MAIL, &mail.to_lowercase())?;
    let others: Vec<String> = ids.into_iter().filter(|id| own.as_str() != id).collect();
    Ok(first(cx, &others)?.filter(|person| !person.removed))
}

/// Another active person who has this as the main address, or as a further address from a provisioning directory.
///
/// # Errors
/// The store's.
pub(crate) fn of_another(cx: &mut Context<'_, '_>, mail: &str, own: Option<&PersonId>) -> Result<Option<Person>> {
    // If more people share the address than are read, any of them will do.
    let ids = match identities::find_address(cx.tx, mail)? {
        Some(ids) => ids,
        None => identities::find(cx.tx, identities::ADDRESS, &mail.to_lowercase())?,
    };
    let others: Vec<String> = ids
        .into_iter()
        .filter(|id| own.is_none_or(|own| own.as_str() != id))
        .collect();
    Ok(first(cx, &others)?.filter(|person| !person.removed))
}

/// The first of some people who was not removed, otherwise the first.
fn first(cx: &mut Context<'_, '_>, ids: &[String]) -> Result<Option<Person>> {
    let mut found: Option<Person> = None;
    for id in ids {
        let Some(stored) = record::load::<Person>(cx.tx, id)? else {
            continue;
        };
        if !stored.record.removed {
            return Ok(Some(stored.record));
        }
        found = found.or(Some(stored.record));
    }
    Ok(found)
}

/// A person with this alias, not removed and not the excluded one.
///
/// # Errors
/// The store's.
pub(crate) fn by_alias(cx: &mut Context<'_, '_>, mail: &str, own: Option<&PersonId>) -> Result<Option<Person>> {
    let mark = format!("{MAIL_ACCOUNT}{mail}");
    let directory = cx.directory()?;
    let has = |person: &&Person| {
        let mut accounts = person.accounts.iter();
        !person.removed && own != Some(&person.id) && accounts.any(|account| account.to_lowercase() == mark)
    };
    Ok(directory.people.values().find(has).cloned())
}
