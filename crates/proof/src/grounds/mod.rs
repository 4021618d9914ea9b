//! The grounds of an event that permits something, and whether the log alone confirms them (`docs/log-format.md`, section 10).
//!
//! A person with write access to the database can insert a row, have it counted, and remove it again; or remove the record that
//! stops a change and put it back. Such an event names versions that no event made, or a set that differs from the log's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use marks::Marks;
pub use marks::build_in_place;

use crate::canonical;
use crate::diff::RecordDelta;
use crate::event::Event;

/// The member of an event's `data`.
pub const MEMBER: &str = "grounds";
/// From this event on, every event that permits something has grounds.
pub const BEGAN: &str = "log.grounds_began";
/// The longest set that is listed; a longer one is represented by its length and digest.
pub const MOST_LISTED: usize = 4;
/// The most places of the log at which a set is compared with an event's grounds.
const MOST_CUTS: usize = 1_000;

/// Events about a change that rest on all related records.
const OF_CHANGE: [&str; 5] = [
    "change.approved",
    "change.gate_reopened",
    "change.scheduled",
    "change.implementing",
    "permit.issued",
];
/// Events of the gate, which do so where the gate is open.
const OF_GATE: [&str; 3] = ["gate.checked", "gate.judged_again", "gate.permit_collected"];
/// Events that rest only on some records.
const OF_RECORDS: [&str; 5] = [
    "approval.given",
    "token.created",
    "workload.entered",
    "person.signed_in",
    "person.stepped_up",
];

/// Events in which a person shows a factor.
const WAYS_IN: [&str; 2] = ["person.signed_in", "person.stepped_up"];

/// The records around a change that are named whole: a set for each table.
pub const AROUND: [&str; 8] = [
    "approval",
    "peer_review",
    "evidence",
    "condition",
    "checklist_item",
    "task",
    "link",
    "permit",
];
const CHANGE: &str = "change";
/// The state of a change whose rejection stops others with its builds.
const REJECTED_STATE: &str = "rejected";
/// Freezes that are neither over nor withdrawn.
pub const FREEZE: &str = "freeze";
/// Incidents that are open on the services of the change.
pub const INCIDENT: &str = "incident";
/// Dependencies that were not removed. Earlier events do not name them.
pub const DEPENDENCY: &str = "dependency";
/// Rejected changes that name one of the change's builds in the same place. Earlier events do not name them.
pub const REJECTED: &str = "rejected_change";
/// Other tables whose versions are named.
const OTHERS: [&str; 14] = [
    "person",
    "people_group",
    "ownership",
    "delegation",
    "on_call",
    "template",
    "configuration",
    "tenant_info",
    "token",
    "workload",
    "identity_provider",
    "service",
    "config_item",
    "environment",
];

/// A set of records in their versions, each as `id@version`, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Set {
    /// All entries, if there are few.
    Listed(Vec<String>),
    /// The number of entries, and the digest of their canonical array.
    Long {
        /// The number of entries.
        count: u64,
        /// `sha256:…`.
        digest: String,
    },
}

impl Set {
    /// The form of a set: listed up to [`MOST_LISTED`].
    #[must_use]
    pub fn of(mut entries: Vec<String>) -> Self {
        entries.sort_unstable();
        if entries.len() <= MOST_LISTED {
            return Self::Listed(entries);
        }
        let count = entries.len() as u64;
        let entries: Vec<Value> = entries.into_iter().map(Value::from).collect();
        let digest = canonical::digest(&Value::Array(entries)).unwrap_or_default();
        Self::Long { count, digest }
    }
}

/// A rule of approval that was met, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetRule {
    /// The policy's id.
    pub rule: String,
    /// The number of rights that it requires.
    pub count: u64,
    /// The ids of the approvals that were counted.
    pub approvals: Vec<String>,
}

/// The stops of a change in its own records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stops {
    /// The ids of rejections in force.
    pub rejection: Vec<String>,
    /// Whether it was on hold: the text `hold`, or nothing.
    pub hold: Vec<String>,
    /// The ids of the permits whose revocation closed targets.
    pub revocation: Vec<String>,
}

/// The grounds of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// The length of the log, as the server knew it, when the act began: everything before that was seen.
    pub size: u64,
    /// The change whose sets are named, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The digest of the policies in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Further records that were counted: `table/id@version`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// The services, environments and config items of the change's targets, in the same form. Earlier verifiers know none of
    /// these tables, so they are listed apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estate: Vec<String>,
    /// The digest of the password hash of the sign-in, as in the event that set the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The id of the passkey or authenticator that was used, as in the event that added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<String>,
    /// The name of the session in which the person acted, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// By table: the change, related records, freezes, incidents, dependencies and rejected changes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: BTreeMap<String, Set>,
    /// The stops of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops: Option<Stops>,
    /// The rules of approval that were met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<MetRule>,
}

/// The grounds of a further event of an act that has already stated them: `{"same_act": true}`.
#[must_use]
pub fn same_act() -> Value {
    serde_json::json!({"same_act": true})
}

/// Whether an event lets something through, and so needs grounds.
#[must_use]
pub fn needs_grounds(kind: &str, data: &Map<String, Value>) -> bool {
    let is_go = || data.get("decision").and_then(Value::as_str) == Some("go");
    OF_CHANGE.contains(&kind) || OF_RECORDS.contains(&kind) || (OF_GATE.contains(&kind) && is_go())
}

/// Whether the grounds of a kind of event name all records related to a change.
#[must_use]
pub fn is_about_change(kind: &str) -> bool {
    OF_CHANGE.contains(&kind) || OF_GATE.contains(&kind)
}

/// An event that lacks its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The event's place in the log.
    pub index: u64,
    /// The event's id.
    pub event: String,
    /// The event's kind.
    pub kind: String,
    /// The change; `None` for a sign-in and a token.
    pub change: Option<String>,
    /// The mistake, in one sentence.
    pub what: String,
    /// Whether it has no grounds at all, and no event before it had any.
    pub is_old: bool,
}

struct Version {
    number: u64,
    index: u64,
    marks: Marks,
}

#[derive(Default)]
struct Kept {
    versions: Vec<Version>,
}

impl Kept {
    /// The last version that was made before a place of the log.
    fn before(&self, cut: u64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.index < cut)
    }

    fn numbered(&self, number: u64) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }
}

/// The scope of a judge: a whole log, or the events of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every event of the log is seen.
    Log,
    /// The events of one change alone: what else grounds name is not judged.
    Change,
}

/// Goes through the events of a log in order and lists those without valid grounds.
pub struct Judge {
    scope: Scope,
    /// The tables of which every relevant event is seen, beside those of the change: see [`Self::with_whole`].
    whole: BTreeSet<String>,
    kept: HashMap<String, HashMap<String, Kept>>,
    /// By build and place: all changes ever rejected with it.
    rejected: HashMap<String, BTreeSet<String>>,
    /// The set of all dependencies after the last event: most events name this one.
    arrows: Option<Set>,
    /// The records around each change, by table and id.
    around: HashMap<String, BTreeSet<(String, String)>>,
    has_begun: bool,
    act: String,
    /// The first place of the present act.
    act_from: u64,
    /// The change whose grounds the present act stated last.
    told: Option<String>,
    /// The mistake in those grounds.
    told_wrong: Option<String>,
    /// By person: the digests of their passwords with the places at which they were set; `None` where one was removed.
    passwords: HashMap<String, Vec<(u64, Option<String>)>>,
    /// By person and second factor: the places at which it was added, or removed (`false`).
    factors: HashMap<String, BTreeMap<String, Vec<(u64, bool)>>>,
    /// The places at which sessions were ended, by their names.
    ended_sessions: HashMap<String, u64>,
}

impl Judge {
    /// A judge before the first event.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            whole: BTreeSet::new(),
            kept: HashMap::new(),
            rejected: HashMap::new(),
            arrows: None,
            around: HashMap::new(),
            has_begun: false,
            act: String::new(),
            act_from: 0,
            told: None,
            told_wrong: None,
            passwords: HashMap::new(),
            factors: HashMap::new(),
            ended_sessions: HashMap::new(),
        }
    }

    /// The same judge with the whole history of these tables' records; it judges these records too where grounds name them.
    #[must_use]
    pub fn with_whole(mut self, tables: impl IntoIterator<Item = String>) -> Self {
        self.whole.extend(tables);
        self
    }

    fn judges(&self, table: &str) -> bool {
        self.scope == Scope::Log || self.whole.contains(table)
    }

    /// Whether the log's rule that every such event has grounds was seen to begin.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Records an event at its place and judges it; `deltas` are those that are in it or beside it.
    pub fn note(&mut self, index: u64, event: &Event, deltas: &[RecordDelta]) -> Option<Lack> {
        if event.act != self.act {
            event.act.clone_into(&mut self.act);
            self.act_from = index;
            self.told = None;
            self.told_wrong = None;
        }
        for delta in deltas {
            self.take(index, delta);
        }
        self.note_password(index, event);
        self.note_factor(index, event);
        self.note_ended_sessions(index, event);
        let lack = self.judge(index, event);
        self.has_begun |= event.kind == BEGAN || event.data.contains_key(MEMBER);
        if event.kind == "change.closed" {
            self.forget_around(&event.subject.id);
        }
        lack
    }

    fn is_kept(&self, table: &str) -> bool {
        let is_around = table == CHANGE || AROUND.contains(&table);
        let is_other = [FREEZE, INCIDENT, DEPENDENCY].contains(&table) || OTHERS.contains(&table);
        is_around || (is_other && self.judges(table))
    }

    fn take(&mut self, index: u64, delta: &RecordDelta) {
        let table = delta.table.as_str();
        if !self.is_kept(table) {
            return;
        }
        if AROUND.contains(&table)
            && let Some(change) = delta.set.get("change").and_then(Value::as_str)
        {
            let around = self.around.entry(change.to_owned()).or_default();
            around.insert((delta.table.clone(), delta.id.clone()));
        }
        let of_table = self.kept.entry(delta.table.clone()).or_default();
        let kept = of_table.entry(delta.id.clone()).or_default();
        let mut marks = kept.versions.last().map(|it| it.marks.clone()).unwrap_or_default();
        marks.apply(table, delta);
        if table == DEPENDENCY {
            self.arrows = None;
        }
        if table == CHANGE && marks.state == REJECTED_STATE {
            for build in marks.builds.iter() {
                let ids = self.rejected.entry(build.clone()).or_default();
                ids.insert(delta.id.clone());
            }
        }
        kept.versions.push(Version {
            number: delta.version,
            index,
            marks,
        });
    }

    fn note_password(&mut self, index: u64, event: &Event) {
        let digest = match event.kind.as_str() {
            "person.password_set" => event.data.get("hash_digest").and_then(Value::as_str),
            "person.password_removed" => None,
            _ => return,
        };
        let of_person = self.passwords.entry(event.subject.id.clone()).or_default();
        of_person.push((index, digest.map(str::to_owned)));
    }

    fn note_factor(&mut self, index: u64, event: &Event) {
        let of_person = match event.kind.as_str() {
            "person.factor_added" | "person.factor_removed" | "person.factors_reset" => {
                self.factors.entry(event.subject.id.clone()).or_default()
            }
            _ => return,
        };
        let Some(factor) = event.data.get("factor").and_then(Value::as_str) else {
            // A reset removes all of them.
            of_person.values_mut().for_each(|known| known.push((index, false)));
            return;
        };
        let is_added = event.kind == "person.factor_added";
        of_person.entry(factor.to_owned()).or_default().push((index, is_added));
    }

    fn note_ended_sessions(&mut self, index: u64, event: &Event) {
        if event.kind != "person.sessions_ended" {
            return;
        }
        let names = event.data.get("sessions").map(marks::texts).unwrap_or_default();
        for name in names {
            self.ended_sessions.entry(name).or_insert(index);
        }
    }

    /// Whether a password was somebody's at some place between what the act must have seen and the event itself.
    fn has_password(&self, person: &str, digest: &str, places: (u64, u64)) -> bool {
        let known = self.passwords.get(person).map_or(&[][..], Vec::as_slice);
        was_held(known, places, |known| known.as_deref() == Some(digest))
    }

    /// Whether a second factor was somebody's, likewise.
    fn has_factor(&self, person: &str, factor: &str, places: (u64, u64)) -> bool {
        let known = self.factors.get(person).and_then(|of_person| of_person.get(factor));
        was_held(known.map_or(&[][..], Vec::as_slice), places, |is_there| *is_there)
    }

    /// Whether a person had no second factor at some place between what the act must have seen and the event itself.
    fn had_none(&self, person: &str, (size, index): (u64, u64)) -> bool {
        let Some(of_person) = self.factors.get(person) else {
            return true;
        };
        let has_one = |cut: u64| {
            let last = |known: &Vec<(u64, bool)>| known.iter().rev().find(|(at, _)| *at < cut).is_some_and(|it| it.1);
            of_person.values().any(last)
        };
        let moves = of_person.values().flatten().map(|(at, _)| *at + 1);
        let mut cuts = moves.filter(|cut| (size..=index).contains(cut)).chain([size]);
        cuts.any(|cut| !has_one(cut))
    }

    /// The mistake in the credential of a sign-in.
    fn wrong_way_in(&self, index: u64, event: &Event, grounds: &Grounds) -> Option<String> {
        let ended = grounds.session.as_ref().and_then(|name| self.ended_sessions.get(name));
        if let Some(ended) = ended.filter(|ended| **ended < grounds.size) {
            return Some(format!("Its session had been ended at index {ended}."));
        }
        let (person, places) = (event.subject.id.as_str(), (grounds.size, index));
        if let Some(digest) = &grounds.password
            && !self.has_password(person, digest, places)
        {
            return Some("Its password is none that an event set for this person.".to_owned());
        }
        let shown = event.data.get("factor").and_then(Value::as_str).unwrap_or_default();
        let is_first_alone = shown == "password" || shown.starts_with("provider:");
        if is_first_alone && WAYS_IN.contains(&event.kind.as_str()) && !self.had_none(person, places) {
            return Some("It took a first factor alone, and the log gives this person a second one.".to_owned());
        }
        let factor = grounds.factor.as_ref()?;
        (!self.has_factor(person, factor, places)).then(|| {
            "Its passkey or authenticator is none that an event gave this person, or it had been removed.".to_owned()
        })
    }

    /// A closed change permits nothing any more: its related records are forgotten, the change itself is kept.
    fn forget_around(&mut self, change: &str) {
        for (table, id) in self.around.remove(change).unwrap_or_default() {
            if let Some(of_table) = self.kept.get_mut(&table) {
                of_table.remove(&id);
            }
        }
    }

    fn judge(&mut self, index: u64, event: &Event) -> Option<Lack> {
        if !needs_grounds(&event.kind, &event.data) {
            return None;
        }
        let subject = Some(event.subject.id.clone()).filter(|_| event.subject.table == CHANGE);
        let lack = |what: String, change: Option<String>, is_old: bool| Lack {
            index,
            event: event.id.clone(),
            kind: event.kind.clone(),
            change,
            what,
            is_old,
        };
        let Some(stated) = event.data.get(MEMBER) else {
            let what = "It does not say what it rested on.".to_owned();
            return (self.has_begun || self.scope == Scope::Change).then(|| lack(what, subject, !self.has_begun));
        };
        if *stated == same_act() {
            let told = self.told.clone();
            let is_told = told.is_some_and(|told| subject.as_ref().is_none_or(|it| *it == told));
            if !is_told {
                let what = "It refers to grounds that no earlier event of its act names.".to_owned();
                return Some(lack(what, subject, false));
            }
            // An event that follows from grounds without proof in the log lacks its reasons as well.
            let wrong = self.told_wrong.clone();
            return wrong.map(|what| lack(what, subject.or_else(|| self.told.clone()), false));
        }
        let grounds = match serde_json::from_value::<Grounds>(stated.clone()) {
            Ok(grounds) => grounds,
            Err(error) => return Some(lack(format!("Its grounds cannot be read: {error}."), subject, false)),
        };
        if grounds.sets.contains_key(DEPENDENCY) && self.arrows.is_none() && self.judges(DEPENDENCY) {
            let arrows = self.set_at((DEPENDENCY, ""), index + 1, index, &event.recorded_at);
            self.arrows = Some(Set::of(arrows));
        }
        let change = grounds.change.clone();
        let found = self.wrong(index, event, &grounds, subject.as_deref());
        if change.is_some() {
            self.told.clone_from(&change);
            self.told_wrong.clone_from(&found);
        }
        found.map(|what| lack(what, subject.or(change), false))
    }

    /// The first difference between the log and the grounds.
    fn wrong(&self, index: u64, event: &Event, grounds: &Grounds, subject: Option<&str>) -> Option<String> {
        if grounds.size > index {
            return Some(format!(
                "It knew a log of {} entries and stands at {index}.",
                grounds.size
            ));
        }
        let table_of = |entry: &String| entry.split('/').next().unwrap_or_default().to_owned();
        let named = grounds.records.iter().chain(&grounds.estate);
        let mut judged = named.filter(|it| self.judges(&table_of(it)));
        if let Some(what) = judged.find_map(|it| self.wrong_record(it, index, grounds.size)) {
            return Some(what);
        }
        if self.scope == Scope::Log
            && let Some(what) = self.wrong_way_in(index, event, grounds)
        {
            return Some(what);
        }
        if !is_about_change(&event.kind) {
            return None;
        }
        let Some(change) = grounds.change.as_deref() else {
            return Some("Its grounds name no change.".to_owned());
        };
        if subject.is_some_and(|it| it != change) {
            return Some("Its grounds are those of another change.".to_owned());
        }
        let wrong = self.wrong_sets(index, event, grounds, change);
        let wrong = wrong.or_else(|| self.wrong_stops(grounds, change));
        wrong.or_else(|| {
            grounds
                .rules
                .iter()
                .find_map(|rule| self.wrong_rule(rule, grounds, change))
        })
    }

    /// The mistake in `table/id@version`: no event made it, or one that the act must have seen had replaced it.
    fn wrong_record(&self, entry: &str, index: u64, size: u64) -> Option<String> {
        let (table, rest) = entry.split_once('/')?;
        let (id, number) = rest.rsplit_once('@')?;
        let kept = self.kept.get(table).and_then(|of_table| of_table.get(id));
        let version = kept.and_then(|kept| kept.numbered(number.parse().ok()?));
        let Some(version) = version.filter(|it| it.index <= index) else {
            return Some(format!("It rested on `{entry}`, which no event made."));
        };
        let next = kept.and_then(|kept| kept.numbered(version.number + 1));
        next.filter(|next| next.index < size).map(|next| {
            format!(
                "It rested on `{entry}`, which had been replaced at index {}.",
                next.index
            )
        })
    }

    fn wrong_sets(&self, index: u64, event: &Event, grounds: &Grounds, change: &str) -> Option<String> {
        let others = [FREEZE, INCIDENT].into_iter().filter(|table| self.judges(table));
        let later = [DEPENDENCY, REJECTED].into_iter();
        let later = later.filter(|table| self.judges(table) && grounds.sets.contains_key(*table));
        for table in [CHANGE].into_iter().chain(AROUND).chain(others).chain(later) {
            let Some(stated) = grounds.sets.get(table) else {
                return Some(format!("Its grounds do not name the set `{table}`."));
            };
            let is_last = table == DEPENDENCY && self.arrows.as_ref() == Some(stated);
            if !is_last && !self.is_set(stated, (table, change), (grounds.size, index), &event.recorded_at) {
                return Some(self.told_otherwise(stated, (table, change), index, &event.recorded_at));
            }
        }
        None
    }

    /// Whether a set was so at some place between what the act must have seen and the event itself.
    fn is_set(&self, stated: &Set, of: (&str, &str), (size, index): (u64, u64), at: &str) -> bool {
        let is_at = |cut: u64| Set::of(self.set_at(of, cut, index, at)) == *stated;
        if is_at(index + 1) {
            return true;
        }
        let moves = self.records_of(of).flat_map(|(_, kept)| &kept.versions);
        let mut cuts: BTreeSet<u64> = moves
            .map(|it| it.index)
            .filter(|it| (size..=index).contains(it))
            .collect();
        cuts.insert(size);
        cuts.into_iter().rev().take(MOST_CUTS).any(is_at)
    }

    fn records_of<'s>(
        &'s self,
        (table, change): (&'s str, &'s str),
    ) -> Box<dyn Iterator<Item = (&'s str, &'s Kept)> + 's> {
        if table == REJECTED {
            return self.rejected_with(change);
        }
        let all = self.kept.get(table);
        let find = move |id: &'s str| Some((id, all?.get(id)?));
        match table {
            CHANGE => Box::new(find(change).into_iter()),
            FREEZE | INCIDENT | DEPENDENCY => Box::new(all.into_iter().flatten().map(|(id, kept)| (id.as_str(), kept))),
            _ => {
                let around = self.around.get(change).into_iter().flatten();
                let own = around.filter(move |(of, _)| of == table);
                Box::new(own.filter_map(move |(_, id)| find(id)))
            }
        }
    }

    /// The other changes that were ever rejected with a build of a change in its place.
    fn rejected_with<'s>(&'s self, change: &str) -> Box<dyn Iterator<Item = (&'s str, &'s Kept)> + 's> {
        let builds = self.builds_of(change);
        let ids = builds.iter().filter_map(|build| self.rejected.get(build)).flatten();
        let ids: BTreeSet<&'s str> = ids.map(String::as_str).filter(|id| *id != change).collect();
        let changes = self.kept.get(CHANGE);
        Box::new(ids.into_iter().filter_map(move |id| Some((id, changes?.get(id)?))))
    }

    /// A set as it was before a place of the log, with what the event's own act had made.
    fn set_at(&self, of: (&str, &str), cut: u64, index: u64, at: &str) -> Vec<String> {
        let services = match of.0 {
            INCIDENT => self.services_of(of.1),
            _ => BTreeSet::new(),
        };
        let builds = match of.0 {
            REJECTED => self.builds_of(of.1),
            _ => Arc::default(),
        };
        let is_in = |marks: &Marks| match of.0 {
            REJECTED => marks.state == REJECTED_STATE && !marks.builds.is_disjoint(&builds),
            FREEZE => !marks.is_over && is_later(&marks.ends_at, at),
            INCIDENT => !marks.is_over && !marks.services.is_disjoint(&services),
            _ => !marks.is_over,
        };
        let mut found = Vec::new();
        for (id, kept) in self.records_of(of) {
            let own = kept.before(index + 1).filter(|it| it.index >= self.act_from);
            let version = own.or_else(|| kept.before(cut));
            if let Some(version) = version.filter(|it| is_in(&it.marks)) {
                found.push(format!("{id}@{}", version.number));
            }
        }
        found
    }

    fn services_of(&self, change: &str) -> BTreeSet<String> {
        let last = self.change(change).and_then(|kept| kept.versions.last());
        last.map(|it| it.marks.services.clone()).unwrap_or_default()
    }

    fn builds_of(&self, change: &str) -> Arc<BTreeSet<String>> {
        let last = self.change(change).and_then(|kept| kept.versions.last());
        last.map(|it| it.marks.builds.clone()).unwrap_or_default()
    }

    fn change(&self, change: &str) -> Option<&Kept> {
        self.kept.get(CHANGE)?.get(change)
    }

    fn told_otherwise(&self, stated: &Set, of: (&str, &str), index: u64, at: &str) -> String {
        let (table, told) = (of.0, self.set_at(of, index + 1, index, at));
        let Set::Listed(stated) = stated else {
            return format!("Its set `{table}` is not the one that the log gives.");
        };
        let more = stated.iter().find(|it| !told.contains(it));
        let less = told.iter().find(|it| !stated.contains(it));
        match (more, less) {
            (Some(more), _) => format!("It counted `{table}/{more}`, and the log has no such version there."),
            (None, Some(less)) => format!("It did not see `{table}/{less}`, which the log has there."),
            (None, None) => format!("Its set `{table}` is longer than sets are listed."),
        }
    }

    /// The marks of the version of a record that the grounds name, or that the log gave last.
    fn marks_of(&self, table: &str, id: &str, grounds: &Grounds) -> Option<&Marks> {
        let kept = self.kept.get(table)?.get(id)?;
        let stated = match grounds.sets.get(table) {
            Some(Set::Listed(entries)) => entries.iter().find_map(|entry| {
                let (of, number) = entry.rsplit_once('@')?;
                kept.numbered(number.parse().ok()?).filter(|_| of == id)
            }),
            _ => None,
        };
        stated.or(kept.versions.last()).map(|it| &it.marks)
    }

    fn wrong_stops(&self, grounds: &Grounds, change: &str) -> Option<String> {
        let Some(stated) = &grounds.stops else {
            return Some("Its grounds do not say what stood against the change.".to_owned());
        };
        let marks = self.marks_of(CHANGE, change, grounds)?;
        let is_no = |marks: &&Marks| marks.decision == "reject" && marks.state == "standing";
        let approvals = self.records_of(("approval", change));
        let told = approvals.filter(|(id, _)| self.marks_of("approval", id, grounds).as_ref().is_some_and(is_no));
        let rejection: BTreeSet<&str> = told.map(|(id, _)| id).collect();
        let same = |stated: &[String], told: &BTreeSet<&str>| {
            stated.iter().map(String::as_str).collect::<BTreeSet<_>>() == *told
        };
        if !same(&stated.rejection, &rejection) {
            return Some("It says other rejections stood than the log does.".to_owned());
        }
        if stated.hold.is_empty() == marks.is_on_hold {
            return Some("It says otherwise than the log whether the change was on hold.".to_owned());
        }
        let closed = marks.closed.iter().map(String::as_str).collect();
        (!same(&stated.revocation, &closed))
            .then(|| "It says other targets were closed by revocations than the log does.".to_owned())
    }

    /// A met rule has as many approvals as it requires, each of which is a yes that is in force in the log.
    fn wrong_rule(&self, rule: &MetRule, grounds: &Grounds, change: &str) -> Option<String> {
        let known = |id: &&String| {
            let around = self.around.get(change);
            around.is_some_and(|around| around.contains(&("approval".to_owned(), (*id).clone())))
        };
        let is_yes = |marks: &&Marks| marks.state == "standing" && marks.decision.starts_with("approve");
        let counted = rule.approvals.iter().filter(known);
        let marks = counted
            .filter_map(|id| self.marks_of("approval", id, grounds))
            .filter(is_yes);
        let people: BTreeSet<&str> = marks.map(|marks| marks.person.as_str()).collect();
        let is_met = people.len() as u64 >= rule.count;
        let (name, asked, there) = (&rule.rule, rule.count, people.len());
        (!is_met).then(|| {
            format!("The rule `{name}` asks {asked} approvals, and the log has {there} of those that were counted.")
        })
    }
}

/// Whether one of the values that were set at places of the log fits and was in force somewhere in a stretch of it.
fn was_held<T>(known: &[(u64, T)], (size, index): (u64, u64), fits: impl Fn(&T) -> bool) -> bool {
    let next = known.iter().skip(1).map(|(at, _)| *at).chain([u64::MAX]);
    let mut spans = known
        .iter()
        .zip(next)
        .filter(|((at, _), end)| *at <= index && *end >= size);
    spans.any(|((_, value), _)| fits(value))
}

/// Whether a time lies after another one; both in the form of a leaf.
fn is_later(time: &str, than: &str) -> bool {
    let parts = |text: &str| {
        let (seconds, rest) = text.split_at_checked(19).unwrap_or((text, ""));
        let fraction: String = rest.chars().filter(char::is_ascii_digit).collect();
        (seconds.to_owned(), format!("{fraction:0<9}"))
    };
    parts(time) > parts(than)
}

mod marks;
#[cfg(test)]
mod tests;
