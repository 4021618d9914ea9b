//! Stores the authors of commits that pushes and merges report, and judges the changes with these commits again.

use std::collections::BTreeSet;

use model::change::record::Change;
use model::core::ids::RecordId;
use model::directory::snapshot::{Connection, Mapping};
use model::gate::committers::Committer;
use model::gate::provenance::Provenance;
use model::integration::signal::{DecisionRequest, PullRequest, Push};
use store::change::changes;
use store::record;

use crate::case::commit_equivalence::find;
use crate::case::committers::{CommitFacts, go_back};
use crate::case::settle_one::settle_one;
use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::keep_provenance;
use crate::integration::unmatched_deliveries::NOTHING;

/// The mark of rows that come from a pull request and not from a push.
const OF_REQUEST: &str = "#request";
/// The most people that one push names; a push with more counts as incomplete.
const MOST_PEOPLE: usize = 64;

/// Stores the authors of the commits of a push to a mapped repository.
///
/// # Errors
/// The store's.
pub(crate) fn take_push(cx: &mut Context<'_, '_>, connection: &str, it: &Push) -> Result<String> {
    let noted = format!("noted: push to {}", it.ref_name);
    let connection = connections::connection(cx, connection)?;
    if !maps(&connection, &it.repository) {
        return Ok(format!("noted: {} {NOTHING}", it.repository));
    }
    if is_nothing(&it.after) {
        return Ok(noted);
    }
    let engine = |one: &Committer| with_engine(&connection.kind, one);
    let mut people: BTreeSet<Committer> = it
        .commits
        .iter()
        .flat_map(|commit| commit.authors.iter().chain(&commit.committer))
        .map(engine)
        .collect();
    // A person with another name in git still pushes with their own account. A push that only moves a branch to an existing
    // commit makes none.
    let rows = find(cx, "commit_sha", &it.after)?;
    let was_there = rows
        .iter()
        .any(|row| row.committers.is_some() && !row.source.ends_with(OF_REQUEST));
    if let Some(pusher) = it.pusher.as_ref().filter(|_| !was_there) {
        let pusher = Committer {
            login: Some(pusher.clone()),
            email: None,
            name: None,
        };
        let pusher = engine(&pusher);
        if !people.iter().any(|known| known.login == pusher.login) {
            people.insert(pusher);
        }
    }
    if people.is_empty() {
        return Ok(noted);
    }
    let is_partial = it.is_partial || people.len() > MOST_PEOPLE;
    let told = Provenance {
        committers: Some(people.into_iter().take(MOST_PEOPLE).collect()),
        is_partial,
        before: Some(it.before.clone()).filter(|before| !is_nothing(before)),
        ..bare(cx, &connection, &it.repository, &it.after)
    };
    keep(cx, &connection, told)?;
    Ok(noted)
}

/// Keeps which head a pull request was merged from, so that the commits of its branch count as those of the merge.
///
/// # Errors
/// The store's.
pub(crate) fn take_merge(cx: &mut Context<'_, '_>, connection: &str, it: &PullRequest) -> Result<String> {
    let noted = format!("noted: pull request {} {}", it.number, it.action);
    let connection = connections::connection(cx, connection)?;
    if !maps(&connection, &it.repository) {
        return Ok(format!("noted: {} {NOTHING}", it.repository));
    }
    let merge = it.merge_commit.as_ref().filter(|commit| **commit != it.head_commit);
    let Some(merge) = merge.filter(|_| it.merged) else {
        return Ok(noted);
    };
    let told = Provenance {
        committers: Some(BTreeSet::new()),
        merged: Some(it.head_commit.clone()),
        ..bare(cx, &connection, &it.repository, merge)
    };
    keep(cx, &connection, told)?;
    Ok(noted)
}

/// Keeps the accounts behind a request's head that are nobody's here: an author who is not known may be anybody, so they count as
/// a committer who is not known.
///
/// # Errors
/// The store's.
pub(crate) fn keep_strangers(cx: &mut Context<'_, '_>, connection: &Connection, it: &DecisionRequest) -> Result<()> {
    let mut strangers = BTreeSet::new();
    for login in it.actor.iter().chain(&it.author) {
        if connections::person_of(cx, &connection.kind, login)?.is_none() {
            let one = Committer {
                login: Some(login.clone()),
                email: None,
                name: None,
            };
            strangers.insert(with_engine(&connection.kind, &one));
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    let told = Provenance {
        committers: Some(strangers),
        source: format!("{}{OF_REQUEST}", connection.id),
        ..bare(cx, connection, &it.repository, &it.commit)
    };
    keep(cx, connection, told)
}

/// Stores a row, and judges the open changes of the repository's services again whose commits lead to it: a late report may bar
/// a person who has approved. Most pushes bring commits that no change names yet, and judging is expensive.
fn keep(cx: &mut Context<'_, '_>, connection: &Connection, told: Provenance) -> Result<()> {
    let (repository, commit) = (told.repository.clone(), told.commit.clone());
    if !keep_provenance::keep(cx, told)? {
        return Ok(());
    }
    let of_it = |row: &&Mapping| row.is_of(&repository);
    let services: BTreeSet<_> = connection
        .map
        .iter()
        .filter(of_it)
        .map(|row| row.service.clone())
        .collect();
    let mut open = BTreeSet::new();
    for service in &services {
        open.extend(changes::open_in(cx.tx, service.as_str())?);
    }
    let mut known = CommitFacts::default();
    for id in open {
        let Some(change) = record::load::<Change>(cx.tx, &id)? else {
            continue;
        };
        if go_back(cx, &change.record, &mut known)?.looked_up.contains(&commit) {
            settle_one(cx, &id)?;
        }
    }
    Ok(())
}

fn bare(cx: &Context<'_, '_>, connection: &Connection, repository: &str, commit: &str) -> Provenance {
    Provenance {
        id: RecordId(String::new()),
        version: 0,
        repository: repository.to_lowercase(),
        commit: commit.to_owned(),
        tree: None,
        artifact: None,
        files: None,
        before: None,
        committers: None,
        is_partial: false,
        merged: None,
        source: connection.id.0.clone(),
        at: cx.now,
    }
}

fn maps(connection: &Connection, repository: &str) -> bool {
    connection.map.iter().any(|row| row.is_of(repository))
}

/// How engines write that there is no commit: a new branch, or a deleted one.
fn is_nothing(commit: &str) -> bool {
    commit.bytes().all(|byte| byte == b'0')
}

/// A committer with the engine before the account. A hidden mail address contains the account.
fn with_engine(kind: &str, one: &Committer) -> Committer {
    let hidden = one.email.as_deref().and_then(hidden_account);
    let login = one.login.as_deref().or(hidden);
    Committer {
        login: login.map(|login| format!("{kind}:{login}").to_lowercase()),
        ..one.clone()
    }
}

/// The account in an address such as `583231+octocat@users.noreply.github.com` or `51-ada@users.noreply.gitlab.com`.
fn hidden_account(mail: &str) -> Option<&str> {
    let (local, host) = mail.split_once('@')?;
    if !host.starts_with("users.noreply.") {
        return None;
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match local.split_once(['+', '-']) {
        Some((number, account)) if is_number(number) && !account.is_empty() => Some(account),
        _ => Some(local).filter(|local| !local.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_address_names_its_account() {
        for (mail, account) in [
            ("583231+octocat@users.noreply.github.com", Some("octocat")),
            ("51-ada-b@users.noreply.gitlab.com", Some("ada-b")),
            ("octo-cat@users.noreply.github.com", Some("octo-cat")),
            ("ada@halden.example", None),
        ] {
            assert_eq!(hidden_account(mail), account, "{mail}");
        }
    }
}
