//! Ways in that the log ended: sessions, second factors, recovery codes, passwords, tokens, and people and workloads that were
//! put out of use. A row of an earlier state has a good code of its own, so a row that was put back into the database looks
//! right. Each server therefore remembers from the log which rows give no access any more, and refuses such a row at its use.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use proof::diff::RecordDelta;
use proof::event::Event;
use serde_json::Value;

/// How long the end of a session is remembered: longer than a session lives.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// Something that gives access, as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// A session, by the name under which it is listed.
    Session(&'a str),
    /// A session of a person, by when it began: it is over if all of theirs ended later. Its row may have been away then, so that
    /// no event names it.
    SessionSince(&'a str, Timestamp),
    /// An authenticator or a passkey, by its id.
    Factor(&'a str),
    /// A recovery code, by the digest in the log.
    RecoveryCode(&'a str),
    /// A password, by the digest of its hash.
    Password(&'a str),
    /// A token, by its id.
    Token(&'a str),
    /// A person, by id and the version of the row.
    Person(&'a str, i64),
    /// A workload, by id and the version of the row.
    Workload(&'a str, i64),
}

impl Way<'_> {
    /// Its kind in the words of the server's log.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Session(_) | Self::SessionSince(..) => "session",
            Self::Factor(_) => "second factor",
            Self::RecoveryCode(_) => "recovery code",
            Self::Password(_) => "password",
            Self::Token(_) => "token",
            Self::Person(..) => "person",
            Self::Workload(..) => "workload",
        }
    }
}

/// The ended ways in of all tenants, as far as this server has read their logs.
#[derive(Default)]
pub struct EndedWaysIn(Mutex<HashMap<String, TenantWaysIn>>);

/// The ways in of one tenant.
#[derive(Default)]
struct TenantWaysIn {
    /// The place in the log up to which events are taken in: a reader that begins anew repeats the earlier ones.
    next: u64,
    /// Whether a reader has reached the end of the log.
    is_current: bool,
    /// When each session was ended.
    sessions: HashMap<String, Timestamp>,
    /// The same in the order of the log.
    in_order: VecDeque<(Timestamp, String)>,
    /// By person: when all of their sessions ended last.
    all_ended: HashMap<String, Timestamp>,
    factors: HashSet<String>,
    codes: HashSet<String>,
    passwords: HashSet<String>,
    tokens: HashSet<String>,
    /// By id: the version in which a person was deactivated last.
    inactive_people: HashMap<String, u64>,
    /// The same of workloads.
    inactive_workloads: HashMap<String, u64>,
    people: HashMap<String, InForce>,
}

/// The ways in of a person that no event ended.
#[derive(Default)]
struct InForce {
    factors: BTreeSet<String>,
    codes: Vec<String>,
    password: Option<String>,
}

impl EndedWaysIn {
    fn known(&self) -> MutexGuard<'_, HashMap<String, TenantWaysIn>> {
        // A panic leaves at most one event half taken in, which ends too little and opens nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the event at a place of a tenant's log, with its deltas. An event that was taken in before has no effect.
    pub fn note(&self, tenant: &str, index: u64, event: &Event, deltas: &[RecordDelta]) {
        let mut all = self.known();
        let known = all.entry(tenant.to_owned()).or_default();
        if index < known.next {
            return;
        }
        known.next = index + 1;
        known.note(event);
        for delta in deltas {
            known.note_delta(delta);
        }
    }

    /// Notes that a reader has reached the end of a tenant's log.
    pub fn note_current(&self, tenant: &str) {
        self.known().entry(tenant.to_owned()).or_default().is_current = true;
    }

    /// Whether the log ended a way in: its row gives no access, whatever its code says.
    #[must_use]
    pub fn is_over(&self, tenant: &str, way: Way<'_>) -> bool {
        let all = self.known();
        all.get(tenant).is_some_and(|known| match way {
            Way::Session(name) => known.sessions.contains_key(name),
            Way::Factor(id) => known.factors.contains(id),
            Way::RecoveryCode(digest) => known.codes.contains(digest),
            Way::Password(digest) => known.passwords.contains(digest),
            Way::Token(id) => known.tokens.contains(id),
            Way::SessionSince(person, began) => known.all_ended.get(person).is_some_and(|ended| began < *ended),
            Way::Person(id, version) => is_older(&known.inactive_people, id, version),
            Way::Workload(id, version) => is_older(&known.inactive_workloads, id, version),
        })
    }

    /// The ids of the second factors that the log gives a person, recovery codes aside, and the place in the log up to which it
    /// was read; `None` before a reader has reached the end.
    #[must_use]
    pub fn factors_of(&self, tenant: &str, person: &str) -> Option<(BTreeSet<String>, u64)> {
        let all = self.known();
        let known = all.get(tenant).filter(|known| known.is_current)?;
        let factors = known.people.get(person).map(|it| it.factors.clone());
        Some((factors.unwrap_or_default(), known.next))
    }
}

/// Whether a row is of a state before the one in which its record was put out of use. A later state may be in use again.
fn is_older(inactive: &HashMap<String, u64>, id: &str, version: i64) -> bool {
    let version = u64::try_from(version).unwrap_or_default();
    inactive.get(id).is_some_and(|last| version < *last)
}

/// A text of an event.
fn text(event: &Event, name: &str) -> Option<String> {
    Some(event.data.get(name)?.as_str()?.to_owned())
}

/// The texts of a list of an event.
fn texts(event: &Event, name: &str) -> Option<Vec<String>> {
    let rows = event.data.get(name)?.as_array()?;
    Some(rows.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect())
}

impl TenantWaysIn {
    fn note(&mut self, event: &Event) {
        if matches!(event.kind.as_str(), "person.password_set" | "person.factors_reset") {
            self.end_all(event);
        }
        match event.kind.as_str() {
            "person.sessions_ended" => self.end_sessions(event),
            // The passkey stays its person's, and signs nobody in.
            "person.passkey_copied" => self.factors.extend(text(event, "factor")),
            "person.factor_added" | "person.factor_removed" | "person.factors_reset" => self.note_factor(event),
            "person.recovery_codes_made" => self.make_codes(event),
            "person.recovery_code_used" => {
                let code = text(event, "code");
                let of_person = self.people.entry(event.subject.id.clone()).or_default();
                of_person.codes.retain(|known| Some(known) != code.as_ref());
                self.codes.extend(code);
            }
            "person.password_set" => self.set_password(event, text(event, "hash_digest")),
            "person.password_removed" => self.set_password(event, None),
            _ => {}
        }
    }

    fn note_delta(&mut self, delta: &RecordDelta) {
        let flag = |member: &str| delta.set.get(member).and_then(Value::as_bool);
        match (delta.table.as_str(), flag("revoked"), flag("active")) {
            ("token", Some(true), _) => {
                self.tokens.insert(delta.id.clone());
            }
            ("token", Some(false), _) => {
                self.tokens.remove(&delta.id);
            }
            ("person", _, Some(false)) => {
                self.inactive_people.insert(delta.id.clone(), delta.version);
            }
            ("workload", _, Some(false)) => {
                self.inactive_workloads.insert(delta.id.clone(), delta.version);
            }
            _ => {}
        }
    }

    /// All sessions of the event's person that began before it are over, also those whose rows were away.
    fn end_all(&mut self, event: &Event) {
        if let Ok(at) = event.occurred_at.parse::<Timestamp>() {
            self.all_ended.insert(event.subject.id.clone(), at);
        }
    }

    /// The ends of the last day are kept: a session is over by its own time after that.
    fn end_sessions(&mut self, event: &Event) {
        if event.data.get("all").and_then(Value::as_bool) == Some(true) {
            self.end_all(event);
        }
        let Ok(at) = event.occurred_at.parse::<Timestamp>() else {
            return;
        };
        let names = texts(event, "sessions").unwrap_or_default();
        // Sessions of an earlier binary have no name.
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            self.sessions.insert(name.clone(), at);
            self.in_order.push_back((at, name));
        }
        while let Some((ended, name)) = self.in_order.front()
            && at.duration_since(*ended) > REMEMBERED
        {
            if self.sessions.get(name) == Some(ended) {
                self.sessions.remove(name);
            }
            self.in_order.pop_front();
        }
    }

    fn note_factor(&mut self, event: &Event) {
        let factor = text(event, "factor");
        let of_person = self.people.entry(event.subject.id.clone()).or_default();
        match (event.kind.as_str(), factor) {
            ("person.factor_added", Some(factor)) => {
                self.factors.remove(&factor);
                of_person.factors.insert(factor);
                if event.data.contains_key("codes") {
                    self.make_codes(event);
                }
                return;
            }
            ("person.factor_removed", Some(factor)) => {
                of_person.factors.remove(&factor);
                self.factors.insert(factor);
            }
            ("person.factors_reset", _) => self.factors.extend(std::mem::take(&mut of_person.factors)),
            _ => return,
        }
        // With the last factor the recovery codes go as well.
        if of_person.factors.is_empty() {
            self.codes.extend(of_person.codes.drain(..));
        }
    }

    /// New recovery codes end the earlier ones.
    fn make_codes(&mut self, event: &Event) {
        let of_person = self.people.entry(event.subject.id.clone()).or_default();
        self.codes.extend(of_person.codes.drain(..));
        of_person.codes = texts(event, "codes").unwrap_or_default();
    }

    fn set_password(&mut self, event: &Event, digest: Option<String>) {
        let of_person = self.people.entry(event.subject.id.clone()).or_default();
        self.passwords.extend(of_person.password.take());
        if let Some(digest) = &digest {
            self.passwords.remove(digest);
        }
        of_person.password = digest;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use proof::event::Subject;
    use serde_json::json;

    use super::*;

    /// Events about one person in the order in which they are told, a minute apart.
    #[derive(Default)]
    struct EventSequence {
        ended: EndedWaysIn,
        events: Vec<Event>,
    }

    impl EventSequence {
        fn emit(&mut self, kind: &str, data: Value) {
            let Value::Object(data) = data else { unreachable!() };
            let index = self.events.len() as u64;
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::try_from(index).unwrap());
            let event = Event {
                act: index.to_string(),
                actor: "p".to_owned(),
                data,
                id: index.to_string(),
                kind: kind.to_owned(),
                occurred_at: at.to_string(),
                recorded_at: at.to_string(),
                records: Vec::new(),
                records_digest: None,
                subject: Subject {
                    table: "person".to_owned(),
                    id: "p".to_owned(),
                },
                tenant: "acme".to_owned(),
                v: proof::event::VERSION,
            };
            self.ended.note("acme", index, &event, &[]);
            self.events.push(event);
        }

        fn is_over(&self, way: Way<'_>) -> bool {
            assert!(!self.ended.is_over("other", way), "another tenant's");
            self.ended.is_over("acme", way)
        }
    }

    #[test]
    fn what_an_event_ended_is_over_and_what_followed_it_is_not() {
        let mut told = EventSequence::default();
        told.emit("person.password_set", json!({"hash_digest": "one"}));
        told.emit("person.factor_added", json!({"factor": "f-1", "codes": ["c-1", "c-2"]}));
        told.emit("person.factor_added", json!({"factor": "f-2"}));
        for way in [Way::Password("one"), Way::Factor("f-1"), Way::RecoveryCode("c-1")] {
            assert!(!told.is_over(way), "{way:?}");
        }
        told.emit("person.password_set", json!({"hash_digest": "two"}));
        told.emit("person.factor_removed", json!({"factor": "f-1"}));
        told.emit("person.recovery_code_used", json!({"code": "c-1"}));
        told.emit("person.sessions_ended", json!({"count": 1, "sessions": ["s-1"]}));
        for way in [
            Way::Password("one"),
            Way::Factor("f-1"),
            Way::RecoveryCode("c-1"),
            Way::Session("s-1"),
        ] {
            assert!(told.is_over(way), "{way:?}");
        }
        for way in [
            Way::Password("two"),
            Way::Factor("f-2"),
            Way::RecoveryCode("c-2"),
            Way::Session("s-2"),
        ] {
            assert!(!told.is_over(way), "{way:?}");
        }
        told.emit("person.recovery_codes_made", json!({"codes": ["c-3"]}));
        assert!(told.is_over(Way::RecoveryCode("c-2")) && !told.is_over(Way::RecoveryCode("c-3")));
        told.emit("person.passkey_copied", json!({"factor": "f-2"}));
        assert!(told.is_over(Way::Factor("f-2")), "it may be a copy");
        told.emit("person.factors_reset", json!({}));
        told.emit("person.password_removed", json!({}));
        assert!(told.is_over(Way::RecoveryCode("c-3")) && told.is_over(Way::Password("two")));
        assert_eq!(told.ended.factors_of("acme", "p"), None, "the end was not reached");
        told.ended.note_current("acme");
        assert_eq!(told.ended.factors_of("acme", "p"), Some((BTreeSet::new(), 11)));
    }

    #[test]
    fn a_session_whose_row_was_away_when_all_ended_is_over_as_well() {
        let at = |minute: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        for (kind, data, is_end) in [
            (
                "person.sessions_ended",
                json!({"count": 0, "sessions": [], "all": true}),
                true,
            ),
            ("person.sessions_ended", json!({"count": 1, "sessions": ["s-1"]}), false),
            ("person.password_set", json!({"hash_digest": "one"}), true),
            ("person.factors_reset", json!({}), true),
        ] {
            let mut told = EventSequence::default();
            told.emit("person.signed_in", json!({"session": "s-0"}));
            told.emit(kind, data);
            assert_eq!(told.is_over(Way::SessionSince("p", at(0))), is_end, "{kind}");
            assert!(
                !told.is_over(Way::SessionSince("p", at(1))),
                "{kind}: it began afterwards"
            );
            assert!(!told.is_over(Way::SessionSince("q", at(0))), "{kind}: another person's");
        }
    }

    #[test]
    fn a_row_from_before_its_record_was_put_out_of_use_is_over() {
        let mut told = EventSequence::default();
        told.emit("person.deactivated", json!({}));
        let event = told.events[0].clone();
        let delta = |table: &str, is_active: bool, version: u64| RecordDelta {
            table: table.to_owned(),
            id: "r-1".to_owned(),
            version,
            set: serde_json::Map::from_iter([("active".to_owned(), json!(is_active))]),
            unset: Vec::new(),
            digest: String::new(),
        };
        told.ended.note("acme", 1, &event, &[delta("person", false, 2)]);
        told.ended.note("acme", 2, &event, &[delta("person", true, 3)]);
        told.ended.note("acme", 3, &event, &[delta("workload", false, 5)]);
        assert!(told.is_over(Way::Person("r-1", 1)) && told.is_over(Way::Workload("r-1", 4)));
        assert!(
            !told.is_over(Way::Person("r-1", 2)),
            "the row itself shows that it is out of use"
        );
        assert!(!told.is_over(Way::Person("r-1", 3)), "it is in use again");
        assert!(!told.is_over(Way::Workload("r-1", 5)) && !told.is_over(Way::Person("r-2", 1)));
    }

    #[test]
    fn a_reader_that_begins_anew_ends_nothing_twice() {
        let mut told = EventSequence::default();
        told.emit("person.factor_added", json!({"factor": "f-1", "codes": ["c-1"]}));
        for (index, event) in told.events.iter().enumerate() {
            told.ended.note("acme", index as u64, event, &[]);
        }
        assert!(!told.is_over(Way::RecoveryCode("c-1")) && !told.is_over(Way::Factor("f-1")));
    }

    #[test]
    fn the_end_of_a_session_is_remembered_for_longer_than_it_lives() {
        let mut told = EventSequence::default();
        for number in 0..=24 * 60 + 1 {
            told.emit("person.sessions_ended", json!({"sessions": [format!("s-{number}")]}));
        }
        assert!(!told.is_over(Way::Session("s-0")) && told.is_over(Way::Session("s-1")));
        assert_eq!(told.ended.known()["acme"].in_order.len(), 24 * 60 + 1);
    }
}
