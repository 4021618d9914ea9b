//! The rights and parts of the ownership of people, with their times, by a log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::compliance::change_trail::{Delta, merge};

/// The tables with rights, each with the members that are read.
const KEPT: [(&str, &[&str]); 3] = [
    ("person", &["roles", "active", "services"]),
    ("people_group", &["key", "members", "removed"]),
    (
        "ownership",
        &[
            "service",
            "config_item",
            "class",
            "environment",
            "role",
            "person",
            "group",
            "since",
            "ends_at",
            "corrected_at",
        ],
    ),
];

/// A right of a person, or a part of the ownership, while the person held it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// `change_manager`, or a part of the ownership such as `owner`.
    pub right: String,
    /// The scope: `service:till`; everything where empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
    /// The environment, where it is for one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Since when.
    pub from: Timestamp,
    /// Until when; absent where it was held at the end of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Held {
    /// Whether it was held at some moment of a span `[from, to)`.
    #[must_use]
    pub fn is_in(&self, from: Timestamp, to: Timestamp) -> bool {
        self.from < to && self.until.is_none_or(|until| until > from)
    }

    /// Whether it reaches a service. A row for a class or a config item may cover it.
    #[must_use]
    pub fn is_about(&self, service: &str) -> bool {
        let reaches = |it: &String| it.strip_prefix("service:").is_none_or(|key| key == service);
        self.of.is_empty() || self.of.iter().any(reaches)
    }
}

/// The time in which something held.
#[derive(Debug, Clone, Copy)]
struct During {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl During {
    /// The time in which both held.
    fn meet(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        until.is_none_or(|until| until > from).then_some(Self { from, until })
    }
}

type Record = Map<String, Value>;
type Versions = Vec<(Timestamp, Record)>;

/// The versions of records about rights, each with the time of its recording.
#[derive(Debug, Default)]
pub(super) struct Rights(BTreeMap<&'static str, BTreeMap<String, Versions>>);

impl Rights {
    /// Takes a difference that was written down at a moment.
    pub(super) fn take(&mut self, delta: &Delta, at: Timestamp) {
        let Some((table, members)) = KEPT.iter().find(|(table, _)| *table == delta.table) else {
            return;
        };
        let records = self.0.entry(*table).or_default();
        let versions = records.entry(delta.id.clone()).or_default();
        let mut next = versions.last().map(|(_, last)| last.clone()).unwrap_or_default();
        merge(&mut next, delta.set.clone(), &delta.unset, members);
        if versions.last().is_none_or(|(_, last)| *last != next) {
            versions.push((at, next));
        }
    }

    /// The versions of a table, each with the time in which it was the last one.
    fn versions(&self, table: &str) -> impl Iterator<Item = (&String, During, &Record)> {
        let records = self.0.get(table).into_iter().flatten();
        records.flat_map(|(id, versions)| {
            versions.iter().enumerate().map(move |(place, (from, record))| {
                let until = versions.get(place + 1).map(|(at, _)| *at);
                (id, During { from: *from, until }, record)
            })
        })
    }

    /// The rights of each person, by id, in the order of right and time.
    pub(super) fn held(&self) -> BTreeMap<String, Vec<Held>> {
        let mut found: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        let mut active: BTreeMap<&str, Vec<During>> = BTreeMap::new();
        for (id, during, person) in self.versions("person").filter(|(_, _, it)| is(it, "active")) {
            active.entry(id).or_default().push(during);
            let of: Vec<String> = list(person, "services").map(|key| format!("service:{key}")).collect();
            let held = list(person, "roles").map(|role| Held {
                right: role.to_owned(),
                of: of.clone(),
                environment: None,
                from: during.from,
                until: during.until,
            });
            found.entry(id.clone()).or_default().extend(held);
        }
        for (_, during, row) in self.versions("ownership") {
            let Some(during) = in_force(row).and_then(|it| it.meet(during)) else {
                continue;
            };
            for (person, during) in self.holders(row, during) {
                let times = active.get(person.as_str()).into_iter().flatten();
                let held = times.filter_map(|it| it.meet(during)).map(|it| part(row, it));
                found.entry(person).or_default().extend(held);
            }
        }
        for held in found.values_mut() {
            *held = joined(std::mem::take(held));
        }
        found
    }

    /// The people whom a row of the ownership names, each with when.
    fn holders(&self, row: &Record, during: During) -> Vec<(String, During)> {
        if let Some(person) = text_field(row, "person") {
            return vec![(person.to_owned(), during)];
        }
        let group = text_field(row, "group").unwrap_or_default();
        let is_it = |it: &Record| text_field(it, "key") == Some(group) && !is(it, "removed");
        let groups = self.versions("people_group").filter(|(_, _, it)| is_it(it));
        let times = groups.filter_map(|(_, members, it)| Some((members.meet(during)?, it)));
        let people = times.flat_map(|(during, it)| list(it, "members").map(move |id| (id.to_owned(), during)));
        people.collect()
    }
}

fn text_field<'r>(record: &'r Record, name: &str) -> Option<&'r str> {
    record.get(name).and_then(Value::as_str)
}

fn is(record: &Record, name: &str) -> bool {
    record.get(name).and_then(Value::as_bool) == Some(true)
}

fn list<'r>(record: &'r Record, name: &str) -> impl Iterator<Item = &'r str> {
    let items = record.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

/// When a row of the ownership counts, by its own times. A row that was recorded after its begin counts from its recording on.
fn in_force(row: &Record) -> Option<During> {
    let time = |name: &str| text_field(row, name).and_then(|text| text.parse::<Timestamp>().ok());
    let since = time("since")?;
    let from = time("corrected_at").map_or(since, |at| at.max(since));
    let until = time("ends_at");
    until.is_none_or(|until| until > from).then_some(During { from, until })
}

/// A part of the ownership as it was held.
fn part(row: &Record, during: During) -> Held {
    let scopes = [("config_item", "item"), ("service", "service"), ("class", "class")];
    let mut named = scopes.iter().filter(|(name, _)| row.contains_key(*name));
    let of = named.next().map(|(name, kind)| match text_field(row, name) {
        Some(key) => format!("{kind}:{key}"),
        None => (*kind).to_owned(),
    });
    Held {
        right: text_field(row, "role").unwrap_or_default().to_owned(),
        of: of.into_iter().collect(),
        environment: text_field(row, "environment").map(str::to_owned),
        from: during.from,
        until: during.until,
    }
}

/// The same with what follows without a gap as one.
fn joined(mut held: Vec<Held>) -> Vec<Held> {
    held.sort_by(|one, other| {
        (&one.right, &one.of, &one.environment, one.from).cmp(&(
            &other.right,
            &other.of,
            &other.environment,
            other.from,
        ))
    });
    let mut found: Vec<Held> = Vec::new();
    for it in held {
        match found.last_mut() {
            Some(last)
                if (&last.right, &last.of, &last.environment) == (&it.right, &it.of, &it.environment)
                    && last.until.is_none_or(|until| until >= it.from) =>
            {
                last.until = last.until.zip(it.until).map(|(one, other)| one.max(other));
            }
            _ => found.push(it),
        }
    }
    found
}
