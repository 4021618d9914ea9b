//! Compares credentials with the events that created and ended them: passwords, second factors, and the records that
//! let pipeline jobs in. Their rows are no records, so the log contains only their digests. Of sessions the log
//! contains the sign-in and the end.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use proof::event::Event;
use serde_json::Value;
use store::identity::second_factor::{self, SecondFactor};
use store::identity::secrets::{self, KeptPassword};
use store::identity::workload;

use super::Replay;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::identity::set_second_factor::{RECOVERY, digest_of_code};

/// The credentials by the events.
#[derive(Default)]
pub(super) struct WaysIn {
    /// By person: the last password that was set and not removed.
    passwords: HashMap<String, Password>,
    /// By person.
    factors: HashMap<String, Factors>,
    /// The records that let jobs in at this moment.
    entries: Vec<Entry>,
    /// The names of sessions that were ended.
    ended_sessions: HashSet<String>,
    /// Events of recovery codes that the person did not have, each with that person.
    wrong_codes: Vec<(String, String)>,
}

struct Password {
    /// The digest of its hash.
    digest: String,
    /// The person who set it.
    set_by: String,
    /// The time since when they have it. A person who sets their own password in a session that another set up does not
    /// restart that other's day.
    since: Option<Timestamp>,
}

/// The second factors of a person.
#[derive(Default)]
struct Factors {
    /// By id.
    known: HashMap<String, KnownFactor>,
    /// The digests of the recovery codes that are left.
    codes: HashSet<String>,
}

struct KnownFactor {
    kind: String,
    counts_from: String,
}

struct Entry {
    workload: String,
    /// The digest of the secret.
    digest: String,
    expires_at: Timestamp,
}

/// A text of an event; empty, and so equal to no other, if the event has none.
fn text(event: &Event, name: &str) -> String {
    event
        .data
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

impl WaysIn {
    /// Applies an event; `now` is the moment of the replay.
    pub(super) fn note(&mut self, event: &Event, now: Timestamp) {
        let person = || event.subject.id.clone();
        match event.kind.as_str() {
            "person.password_set" => {
                let set_by = text(event, "set_by");
                let own_choice = event.actor == event.subject.id && set_by != event.subject.id;
                let before = self
                    .passwords
                    .get(&event.subject.id)
                    .filter(|it| own_choice && it.set_by == set_by);
                let password = Password {
                    digest: text(event, "hash_digest"),
                    since: before.map_or_else(|| event.occurred_at.parse().ok(), |it| it.since),
                    set_by,
                };
                self.passwords.insert(person(), password);
            }
            "person.password_removed" => {
                self.passwords.remove(&event.subject.id);
            }
            "person.factors_reset" => {
                self.factors.insert(person(), Factors::default());
            }
            "person.sessions_ended" => self.ended_sessions.extend(names(event, "sessions").unwrap_or_default()),
            "person.recovery_code_used" => {
                let factors = self.factors.entry(person()).or_default();
                if !factors.codes.remove(&text(event, "code")) {
                    self.wrong_codes.push((event.id.clone(), person()));
                }
            }
            "workload.entered" => self.note_entry(event, now),
            kind if kind.starts_with("person.") => self.factors.entry(person()).or_default().note(event),
            _ => {}
        }
    }

    /// Whether the log records the end of a session, by its name.
    pub(super) fn has_ended(&self, session: &str) -> bool {
        self.ended_sessions.contains(session)
    }

    /// Only records that still give access are kept: there are many past jobs.
    fn note_entry(&mut self, event: &Event, now: Timestamp) {
        let until = text(event, "expires_at").parse::<Timestamp>().ok();
        if let Some(expires_at) = until.filter(|until| *until > now) {
            self.entries.push(Entry {
                workload: event.subject.id.clone(),
                digest: text(event, "secret_digest"),
                expires_at,
            });
        }
    }
}

impl Factors {
    fn note(&mut self, event: &Event) {
        match event.kind.as_str() {
            "person.factor_added" => self.add(event),
            "person.factor_removed" => self.remove(event),
            "person.recovery_codes_made" => self.codes = names(event, "codes").unwrap_or_default(),
            _ => {}
        }
    }

    fn add(&mut self, event: &Event) {
        if let Some(codes) = names(event, "codes") {
            self.codes = codes;
        }
        let told = KnownFactor {
            kind: text(event, "kind"),
            counts_from: text(event, "counts_from"),
        };
        self.known.insert(text(event, "factor"), told);
    }

    fn remove(&mut self, event: &Event) {
        self.known.remove(&text(event, "factor"));
        // With the last factor the recovery codes were removed too.
        if self.known.is_empty() {
            self.codes.clear();
        }
    }

    /// The fault of a recovery code.
    fn wrong_with_code(&self, row: &SecondFactor) -> Option<&'static str> {
        let is_told = self.codes.contains(&digest_of_code(&row.secret));
        (!is_told).then_some("No event tells of this recovery code, or it was used.")
    }

    /// The fault of any other factor; its expected entry is removed.
    fn wrong_with(&mut self, row: &SecondFactor) -> Option<&'static str> {
        let Some(told) = self.known.remove(&row.id) else {
            return Some("No event tells of this second factor.");
        };
        let counts_from = row.counts_from.map(|it| it.to_string()).unwrap_or_default();
        let is_same = told.kind == row.kind && told.counts_from == counts_from;
        (!is_same).then_some("This second factor is of another kind, or counts from another time, than was told.")
    }
}

/// The texts of a list of an event.
fn names(event: &Event, member: &str) -> Option<HashSet<String>> {
    let told = event.data.get(member)?.as_array()?;
    Some(told.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect())
}

impl Replay<'_> {
    /// Every password in use is the last one that was set, by the recorded person, and none is missing without an
    /// event: without it the person cannot sign in.
    pub(super) fn check_passwords(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let mut told = std::mem::take(&mut self.ways_in.passwords);
        for KeptPassword {
            person,
            phc,
            set_by,
            set_at,
        } in secrets::passwords(cx.tx)?
        {
            let digest = proof::crypto::digest_text(phc.as_bytes());
            let Some(password) = told.remove(&person) else {
                self.find("password", &person, Some("phc"), "No event set this password.");
                continue;
            };
            if password.digest != digest {
                let what = "This is not the password that was set last.";
                self.find("password", &person, Some("phc"), what);
            }
            if set_at.is_some() && set_at != password.since {
                let what = "Its event says that it was set at another time.";
                self.find("password", &person, Some("set_at"), what);
            }
            if password.set_by != set_by.unwrap_or(person.clone()) {
                let what = "Its event says that somebody else set this password.";
                self.find("password", &person, Some("set_by"), what);
            }
        }
        let mut gone: Vec<String> = told.into_keys().collect();
        gone.sort();
        for person in gone {
            let what = "The log tells of this person's password, but it is gone.";
            self.find("password", &person, None, what);
        }
        Ok(())
    }

    /// Every confirmed second factor was added by its person, and none is missing without an event: a person without a
    /// factor gets in with a password alone. A factor that was begun and not confirmed gives no access.
    pub(super) fn check_factors(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let mut told = std::mem::take(&mut self.ways_in.factors);
        for row in second_factor::all(cx.tx)? {
            if !row.is_confirmed {
                continue;
            }
            let of_person = told.entry(row.person.clone()).or_default();
            let wrong = if row.kind == RECOVERY {
                of_person.wrong_with_code(&row)
            } else {
                of_person.wrong_with(&row)
            };
            if let Some(what) = wrong {
                self.find(
                    "second_factor",
                    &row.id,
                    None,
                    format!("{what} It is {}'s.", row.person),
                );
            }
        }
        for (event, person) in std::mem::take(&mut self.ways_in.wrong_codes) {
            let what = format!("{person} used a recovery code that no event gave them, or that was used before.");
            self.find("event", &event, None, what);
        }
        let mut gone: Vec<(String, String)> = Vec::new();
        for (person, factors) in told {
            gone.extend(factors.known.into_keys().map(|id| (id, person.clone())));
        }
        gone.sort();
        for (id, person) in gone {
            let what = format!("The log tells of this second factor of {person}, but it is gone.");
            self.find("second_factor", &id, None, what);
        }
        Ok(())
    }

    /// Every record that lets a pipeline job in now was issued to a job that showed its platform's token. Removed
    /// records give no access.
    pub(super) fn check_entries(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let entries = std::mem::take(&mut self.ways_in.entries);
        for (digest, workload, expires_at) in workload::open_ones(cx.tx, cx.now)? {
            let is_told = entries
                .iter()
                .any(|entry| entry.workload == workload && entry.expires_at == expires_at && entry.digest == digest);
            if !is_told {
                let what = "No event tells of a job that was let in with this.";
                self.find("workload_token", &digest, None, what);
            }
        }
        Ok(())
    }
}
