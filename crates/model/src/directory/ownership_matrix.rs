//! The ownership matrix: the owners of things by part and time, and the way in which ownership comes down the graph.
//!
//! A row covers a config item, a service, a whole class of either, an environment or everything. For a target the rows are read
//! as *lines*, nearest first: the config item, the items that contain it, the service, the services that contain that, its
//! classes, its environment, everything. The nearest line in which somebody can act is used; an escalation goes to those above
//! it.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::absence::begins;
use crate::change::record::Target;
use crate::core::enums::{self, OwnershipRole};
use crate::core::ids::{EnvironmentKey, GroupKey, PersonId, RecordId, ServiceKey};
use crate::core::shared_map::Rows;
use crate::directory::impersonation::CredentialGrant;
use crate::risk::regimes::canonical;

/// A row of the matrix: a person or a group has a part in answering for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "ownership")]
pub struct Ownership {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service; with none of the three scopes the row covers everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub service: Option<ServiceKey>,
    /// Or the config item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_item: Option<String>,
    /// Or a whole class, such as `regime:sox`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub class: Option<Class>,
    /// The environment; absent means every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub environment: Option<EnvironmentKey>,
    /// The part.
    #[card(column, words)]
    pub role: OwnershipRole,
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub person: Option<PersonId>,
    /// Or the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column = "people_group")]
    pub group: Option<GroupKey>,
    /// The job function that a holder of this part needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether the row came from the import of a catalogue, which ends the row when the catalogue no longer lists it. Rows
    /// entered by people stay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_from_catalogue: bool,
    /// The person who alone gave it last, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub hand: Option<CredentialGrant>,
    /// When it was recorded, where it was set to begin before that: it counts from then on, and for nothing decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}

impl Ownership {
    /// Whether it holds at this instant.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        begins(self.since, self.corrected_at) <= now && self.ends_at.is_none_or(|end| now < end)
    }

    /// The scope as people write it: `service:shop`, `item:orders-db`, `class:regime:sox`, `everything`.
    pub fn scope(&self) -> String {
        if let Some(key) = &self.config_item {
            return format!("item:{key}");
        }
        if let Some(key) = &self.service {
            return format!("service:{key}");
        }
        match &self.class {
            Some(class) => format!("class:{class}"),
            None => "everything".to_owned(),
        }
    }

    /// The identity of a row in an import: scope, environment, part and holder.
    pub fn natural_key(&self) -> String {
        let place = self.environment.as_ref().map_or("*", EnvironmentKey::as_str);
        let holder = match (&self.person, &self.group) {
            (Some(person), _) => format!("person:{person}"),
            (None, group) => format!("group:{}", group.as_ref().map_or("", GroupKey::as_str)),
        };
        format!("{} {place} {} {holder}", self.scope(), self.role)
    }
}

/// A whole class of services, or of config items: a name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Class {
    /// `criticality:critical`.
    Criticality(String),
    /// `regime:sox`.
    Regime(String),
    /// `data_class:restricted`.
    DataClass(String),
    /// `team:Finance`.
    Team(String),
    /// `item_kind:database`: config items of a kind.
    ItemKind(String),
}

impl Class {
    /// Its name and its value.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Criticality(value) => ("criticality", value),
            Self::Regime(value) => ("regime", value),
            Self::DataClass(value) => ("data_class", value),
            Self::Team(value) => ("team", value),
            Self::ItemKind(value) => ("item_kind", value),
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, value) = self.parts();
        write!(f, "{word}:{value}")
    }
}

impl std::str::FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no class; write a word and its value, such as regime:sox, criticality:critical, \
                 data_class:restricted, team:Finance or item_kind:database"
            )
        };
        let (word, value) = text.split_once(':').ok_or_else(wrong)?;
        let value = value.trim().to_owned();
        if value.is_empty() {
            return Err(wrong());
        }
        match word.trim() {
            "criticality" => {
                value.parse::<enums::Criticality>()?;
                Ok(Self::Criticality(value))
            }
            "regime" => Ok(Self::Regime(canonical(&value).to_owned())),
            "data_class" => Ok(Self::DataClass(value)),
            "team" => Ok(Self::Team(value)),
            "item_kind" => Ok(Self::ItemKind(value)),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Class {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Class> for String {
    fn from(class: Class) -> Self {
        class.to_string()
    }
}

/// All rows, indexed by scope. The index is made on first use and belongs to exactly these rows.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    rows: Rows<Ownership>,
    index: OnceLock<Arc<Index>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    pub items: HashMap<String, Vec<usize>>,
    pub services: HashMap<ServiceKey, Vec<usize>>,
    pub classes: HashMap<&'static str, HashMap<String, Vec<usize>>>,
    pub rest: Vec<usize>,
}

impl From<Vec<Ownership>> for Matrix {
    fn from(rows: Vec<Ownership>) -> Self {
        Self {
            rows: rows.into(),
            index: OnceLock::new(),
        }
    }
}

impl PartialEq for Matrix {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Deref for Matrix {
    type Target = Rows<Ownership>;

    fn deref(&self) -> &Rows<Ownership> {
        &self.rows
    }
}

impl Matrix {
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            for (place, row) in self.rows.iter().enumerate() {
                let list = if let Some(key) = &row.config_item {
                    index.items.entry(key.clone()).or_default()
                } else if let Some(key) = &row.service {
                    index.services.entry(key.clone()).or_default()
                } else if let Some(class) = &row.class {
                    let (word, value) = class.parts();
                    let values = index.classes.entry(word).or_default();
                    values.entry(value.to_owned()).or_default()
                } else {
                    &mut index.rest
                };
                list.push(place);
            }
            Arc::new(index)
        })
    }

    /// Updates the row with this record's id in rows sorted by id.
    pub(crate) fn renew(&mut self, row: Ownership) {
        self.index = OnceLock::new();
        self.rows.put(row, |row| &row.id);
    }

    pub(crate) fn at<'a>(&'a self, places: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Ownership> + 'a {
        places.into_iter().flatten().filter_map(|place| self.rows.get(*place))
    }
}

/// Where a target lies: what ownership is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The service.
    pub service: &'a ServiceKey,
    /// The environment.
    pub environment: &'a EnvironmentKey,
    /// Config items inside the service, by key; empty means the whole service. Items of other services are ignored.
    pub items: &'a [String],
}

impl<'a> From<&'a Target> for Place<'a> {
    fn from(target: &'a Target) -> Self {
        Self {
            service: &target.service,
            environment: &target.environment,
            items: &target.config_items,
        }
    }
}

impl<'a> Place<'a> {
    /// A whole service in an environment.
    pub fn new(service: &'a ServiceKey, environment: &'a EnvironmentKey) -> Self {
        Self {
            service,
            environment,
            items: &[],
        }
    }
}
