//! Where two people give voices, nobody lends one alone: a token made for an approver, or a password set for them, is a voice
//! in the hands of whoever made or set it.

use jiff::{SignedDuration, Timestamp};

use crate::change::change_file::Actor;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::core::refusal::Refusal;
use crate::directory::records::Person;
use crate::directory::snapshot::Directory;

/// For how long an administrator who was deactivated still counts as the second one, in hours. Else whoever stole one account
/// would deactivate the other and be alone; so the others have the time to see it.
pub const REMEMBERED_HOURS: i64 = 24;
/// The most people who are named in a refusal.
const NAMED: usize = 5;
/// For how long an account is new, in hours: whoever made it gives it its first way in.
const NEW_HOURS: i64 = 24;

/// Whether what moves decisions needs two people now: the tenant asks for it, and there is, or was within the last day, a
/// second administrator who could look.
pub fn is_by_two(directory: &Directory, now: Timestamp) -> bool {
    let asks = directory.tenant.as_ref().is_some_and(|tenant| tenant.ownership_by_two);
    asks && administrators(directory, now).count() > 1
}

/// Whether the tenant asks for two people, and there is no second administrator, so that nothing needs them.
pub fn is_idle(directory: &Directory, now: Timestamp) -> bool {
    let asks = directory.tenant.as_ref().is_some_and(|tenant| tenant.ownership_by_two);
    asks && !is_by_two(directory, now)
}

/// Administrators, also those who were deactivated within the last day.
pub fn administrators(directory: &Directory, now: Timestamp) -> impl Iterator<Item = &Person> {
    let since = now - SignedDuration::from_hours(REMEMBERED_HOURS);
    let gone_of_late = move |person: &Person| person.deactivation.as_ref().is_some_and(|it| it.at > since);
    let counts = move |person: &&Person| person.roles.contains(&Role::Admin) && (person.active || gone_of_late(person));
    directory.people.values().filter(counts)
}

/// Refuses a word where two people give voices and one other person alone lent this one: by a token or a workload that they
/// made for whoever decides, or by a password that they set within the last day. A password of a new account passes where
/// `passes` says so of whoever set it. A provider was put in force by two.
///
/// # Errors
/// [`Refusal::NotAllowed`] with the code `lent_voice`.
pub fn check_voice(
    directory: &Directory,
    actor: &Actor,
    now: Timestamp,
    passes: impl Fn(&PersonId) -> bool,
) -> Result<(), Refusal> {
    let Some(maker) = actor.hand() else { return Ok(()) };
    if actor.method.starts_with("provider:") || !is_by_two(directory, now) {
        return Ok(());
    }
    if actor.by_token {
        let text = format!(
            "{} made the token by which you came, or let you in to make it. Where two people give voices, nobody decides by \
             what another handed out alone: decide in a session of your own, at a terminal with --as, or where you may make \
             tokens by one that you made in a session.",
            directory.name(maker)
        );
        // By a session of their own the same person decides.
        let mut others = vec![directory.login(&actor.person)];
        others.extend(peers(directory, &actor.person, maker));
        return Err(Refusal::not_allowed("lent_voice", text).with_others(others));
    }
    if is_new(&actor.person, now) && passes(maker) {
        return Ok(());
    }
    let text = format!(
        "{} had set your password within the day before you signed in. Where two people give voices, no decision comes by it: \
         sign in at your provider, or again once that day is over, or let somebody else decide.",
        directory.name(maker)
    );
    Err(Refusal::not_allowed("lent_voice", text).with_others(peers(directory, &actor.person, maker)))
}

/// The logins of some who share a role with a person and are neither they nor whoever lent them a voice.
fn peers(directory: &Directory, person: &PersonId, maker: &PersonId) -> Vec<String> {
    let roles = directory
        .people
        .get(person)
        .map(|found| found.roles.clone())
        .unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for role in roles {
        for other in directory
            .with_role(role)
            .iter()
            .filter(|it| *it != person && *it != maker)
        {
            let login = directory.login(other);
            if found.len() < NAMED && !found.contains(&login) {
                found.push(login);
            }
        }
    }
    found
}

/// Whether an account was made within the last day. What cannot be told is taken for old.
fn is_new(person: &PersonId, now: Timestamp) -> bool {
    let since = now - SignedDuration::from_hours(NEW_HOURS);
    made_at(person).is_some_and(|at| at > since)
}

/// When an account was made: its id is a UUIDv7, which begins with the milliseconds since 1970 (RFC 9562, section 5.7).
fn made_at(person: &PersonId) -> Option<Timestamp> {
    let text = person.as_str();
    if text.len() != 36 || text.as_bytes().get(14) != Some(&b'7') {
        return None;
    }
    let millis = i64::from_str_radix(&text.get(..13)?.replace('-', ""), 16).ok()?;
    Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_new_for_a_day() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap_or_default();
        let id = format!("{:012x}", at.as_millisecond());
        let person = PersonId(format!("{}-{}-7000-8000-000000000000", &id[..8], &id[8..]));
        assert_eq!(made_at(&person), Some(at));
        assert!(is_new(&person, at + SignedDuration::from_hours(23)));
        assert!(!is_new(&person, at + SignedDuration::from_hours(24)));
        for old in [
            "olga",
            "019aa0dd-9100-4000-8000-000000000000",
            "é19aa0dd-9100-7000-8000-00000000000",
        ] {
            assert!(!is_new(&PersonId::from(old), at), "{old}");
        }
    }
}
