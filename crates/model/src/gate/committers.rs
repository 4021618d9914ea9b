//! The people behind the commits of a change: authors, committers and pushers as an engine names them, matched with people of
//! the directory. A rule that separates its approvers from the author counts none of them. The rule cannot be met while a
//! committer is unknown, because the approver might be that committer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;
use crate::directory::records::Person;
use crate::directory::snapshot::Directory;

/// The prefix of a mail address among a person's accounts.
pub const MAIL_ACCOUNT: &str = "mail:";

/// A person behind a commit, as its engine names them. All fields are the engine's claim, or the committer's git configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Committer {
    /// The account, with its engine in front and in small letters: `github:octocat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The mail address that the commit bears, in small letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name in the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Committer {
    /// The identifiers for a search among people: the account, then the address.
    pub(crate) fn marks(&self) -> impl Iterator<Item = String> {
        let mail = self.email.as_ref().map(|mail| format!("{MAIL_ACCOUNT}{mail}"));
        self.login.clone().into_iter().chain(mail)
    }

    /// The name for sentences.
    pub(crate) fn called(&self) -> String {
        let name = self.name.as_deref().or(self.login.as_deref()).unwrap_or("Somebody");
        match (&self.login, &self.email) {
            (Some(login), Some(mail)) => format!("{name} (`{login}`, `{mail}`)"),
            (Some(mark), None) | (None, Some(mark)) => format!("{name} (`{mark}`)"),
            (None, None) => format!("{name} (without account and address)"),
        }
    }
}

/// The people behind a change's commits, and the unknown ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committers {
    /// The people.
    pub people: BTreeSet<PersonId>,
    /// Committers without a person in the directory.
    pub unknown: BTreeSet<Committer>,
    /// Pushes with an incomplete list of commits, by the resulting commit.
    pub not_told: BTreeSet<String>,
    /// Commits at which the search stopped, because too many pushes lie between them and the change's commit.
    pub too_far: BTreeSet<String>,
    /// The number of files in these pushes, as far as reported; at most [`MOST_FILES`].
    pub files: i64,
}

/// The most files that are counted of a change: with more it is as large as can be.
pub const MOST_FILES: usize = 1_000;

/// The pushes behind a change, before the people in them were looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// The committers that the pushes name.
    pub told: BTreeSet<Committer>,
    /// Pushes with an incomplete list of commits, by the resulting commit.
    pub not_told: BTreeSet<String>,
    /// Commits at which the search stopped.
    pub too_far: BTreeSet<String>,
    /// The files that they touch; no more than [`MOST_FILES`].
    pub files: BTreeSet<String>,
}

impl Pushed {
    /// Whether no push of the change is known.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && self.not_told.is_empty() && self.too_far.is_empty() && self.files.is_empty()
    }

    /// Notes the files of a push.
    pub fn note_files<'f>(&mut self, files: impl IntoIterator<Item = &'f String>) {
        for file in files {
            if self.files.len() >= MOST_FILES {
                return;
            }
            self.files.insert(file.clone());
        }
    }
}

/// The identifiers by which engines know a person.
pub(crate) fn marks_of(person: &Person) -> impl Iterator<Item = String> {
    let accounts = person.accounts.iter().map(|account| account.to_lowercase());
    accounts.chain(mail_mark(person))
}

/// Finds the people behind committers: by account first, else by the address.
pub fn resolve(directory: &Directory, pushed: Pushed) -> Committers {
    let told = &pushed.told;
    let mut found = Committers {
        not_told: pushed.not_told,
        too_far: pushed.too_far,
        files: i64::try_from(pushed.files.len()).unwrap_or(i64::MAX),
        ..Committers::default()
    };
    if told.is_empty() {
        return found;
    }
    let wanted: BTreeSet<String> = told.iter().flat_map(Committer::marks).collect();
    let mut known: BTreeMap<String, PersonId> = BTreeMap::new();
    // An account or address of a removed person may belong to another person since, and counts as theirs then.
    let gone = directory.people.values().filter(|person| person.removed);
    let here = directory.people.values().filter(|person| !person.removed);
    for person in gone.chain(here) {
        for mark in marks_of(person).filter(|mark| wanted.contains(mark)) {
            known.insert(mark, person.id.clone());
        }
    }
    for one in told {
        match one.marks().find_map(|mark| known.get(&mark)) {
            Some(person) => {
                found.people.insert(person.clone());
            }
            None => {
                found.unknown.insert(one.clone());
            }
        }
    }
    found
}

/// The first of this person's accounts, or an alias of theirs at a new address, that belongs to another person: one account
/// belongs to one person. The person who had the address before keeps it; a removed person has none.
pub fn taken_account<'a>(directory: &'a Directory, person: &Person) -> Option<(String, &'a Person)> {
    let own: BTreeSet<String> = person.accounts.iter().map(|account| account.to_lowercase()).collect();
    let mail = new_mail(directory, person);
    if own.is_empty() && mail.is_none() {
        return None;
    }
    let before = directory.people.get(&person.id);
    let stood = before.into_iter().flat_map(|before| &before.accounts);
    let stood: BTreeSet<String> = stood.map(|account| account.to_lowercase()).collect();
    let fresh: BTreeSet<&String> = own.difference(&stood).collect();
    // Further addresses that a directory reports belong to the person too; an existing alias stays.
    let told_of = |other: &Person| match fresh.is_empty() {
        true => None,
        false => {
            let mut marks = other
                .addresses()
                .into_iter()
                .map(|mail| format!("{MAIL_ACCOUNT}{mail}"));
            marks.find(|mark| fresh.contains(mark))
        }
    };
    others(directory, person).find_map(|other| {
        let mut aliases = other.accounts.iter().map(|account| account.to_lowercase());
        let taken = match own.is_empty() {
            true => None,
            false => marks_of(other)
                .find(|mark| own.contains(mark))
                .or_else(|| told_of(other)),
        };
        let mark = taken.or_else(|| aliases.find(|alias| mail.as_ref() == Some(alias)))?;
        Some((mark, other))
    })
}

fn others<'a>(directory: &'a Directory, person: &Person) -> impl Iterator<Item = &'a Person> {
    let own = person.id.clone();
    let people = directory.people.values();
    people.filter(move |other| other.id != own && !other.removed)
}

/// A person's accounts without those that belong to another person by now.
pub fn untaken_accounts(directory: &Directory, person: &Person) -> Vec<String> {
    let taken: BTreeSet<String> = others(directory, person).flat_map(marks_of).collect();
    let own = person.accounts.iter();
    own.filter(|account| !taken.contains(&account.to_lowercase()))
        .cloned()
        .collect()
}

/// A person's address as an identifier, if it differs from their current one.
fn new_mail(directory: &Directory, person: &Person) -> Option<String> {
    let before = directory.people.get(&person.id);
    let mail = mail_mark(person)?;
    (before.and_then(mail_mark).as_ref() != Some(&mail)).then_some(mail)
}

/// A person's address in the form of an alias.
pub fn mail_mark(person: &Person) -> Option<String> {
    let mail = person.email.as_ref()?;
    Some(format!("{MAIL_ACCOUNT}{}", mail.to_lowercase()))
}

/// Whether an edit would remove an account or an address from a person, and with it their commits.
pub fn drops_mark(before: &Person, after: &Person) -> bool {
    let kept: BTreeSet<String> = marks_of(after).collect();
    marks_of(before).any(|mark| !kept.contains(&mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committer(login: Option<&str>, email: Option<&str>) -> Committer {
        Committer {
            login: login.map(str::to_owned),
            email: email.map(str::to_owned),
            name: Some("Mona".to_owned()),
        }
    }

    #[test]
    fn a_committer_is_called_by_all_that_is_known() {
        assert_eq!(committer(Some("github:mona"), None).called(), "Mona (`github:mona`)");
        assert_eq!(
            committer(Some("github:mona"), Some("m@x")).called(),
            "Mona (`github:mona`, `m@x`)"
        );
        assert_eq!(committer(None, None).called(), "Mona (without account and address)");
    }

    #[test]
    fn an_account_comes_before_an_address() {
        let marks: Vec<String> = committer(Some("github:mona"), Some("m@x")).marks().collect();
        assert_eq!(marks, ["github:mona", "mail:m@x"]);
    }
}
