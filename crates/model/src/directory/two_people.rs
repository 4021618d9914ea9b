//! Where granting a right takes two people, one person alone cannot act as an approver: a token that they created for the
//! approver, or a password that they set, would let them decide in the approver's name.

use jiff::{SignedDuration, Timestamp};

use crate::change::change_file::Actor;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::core::refusal::Refusal;
use crate::directory::records::Person;
use crate::directory::snapshot::Directory;

/// For how long a deactivated administrator still counts as the second one, in hours. Otherwise the thief of one account could
/// deactivate the other and act alone; the delay gives the others time to notice.
pub const REMEMBERED_HOURS: i64 = 24;
/// The most people in a refusal.
const NAMED: usize = 5;
/// For how long an account is new, in hours: its creator gives it the first credential.
const NEW_HOURS: i64 = 24;

/// Whether two people are needed for settings that affect decisions: the tenant requires it, and has, or had within the last
/// day, a second administrator.
pub fn is_by_two(directory: &Directory, now: Timestamp) -> bool {
    let asks = directory.tenant.as_ref().is_some_and(|tenant| tenant.ownership_by_two);
    asks && administrators(directory, now).count() > 1
}

/// Whether the tenant requires two people but has no second administrator, so that the requirement has no effect.
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

/// Refuses a decision under dual control if one other person created the credential: a token or a workload that they made for
/// the decider, or a password that they set within the last day. The password of a new account is accepted if `passes` accepts
/// the person who set it. Two people put a provider in force, so its sign-ins are accepted.
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
            "{} created your token, or gave you the access with which you created it. Under dual control, a \
             credential from another person cannot be used for decisions: decide in your own session, at a terminal \
             with --as, or, if you may create tokens, with a token that you created in a session.",
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
        "{} set your password within the day before you signed in. Under dual control, such a session cannot be used \
         for decisions: sign in at your provider, sign in again when that day is over, or let another person decide.",
        directory.name(maker)
    );
    Err(Refusal::not_allowed("lent_voice", text).with_others(peers(directory, &actor.person, maker)))
}

/// The logins of some people with a role of this person, other than the person and the creator of their credential.
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

/// Whether an account was made within the last day. An account of unknown age counts as old.
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
