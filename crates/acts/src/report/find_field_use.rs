//! The report on fields that changes ask for and nobody uses. It proposes; an administrator takes a field out of use.

use std::collections::BTreeMap;

use model::change::custom_field::{CustomField, Held};
use model::change::record::Change;
use model::core::act::actions;
use model::report::field_use::{Counted, Verdict};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun;

/// The most changes that are looked at, the newest.
const MOST: i64 = 2_000;

/// The use of one field.
#[derive(Debug)]
pub struct FieldUse {
    /// Its name in requests; of a tenant's own field `custom_fields.KEY`.
    pub field: String,
    /// The words above a tenant's own field.
    pub name: Option<String>,
    /// What was counted.
    pub counted: Counted,
    /// Whether a policy in force reads it.
    pub is_read: bool,
    /// What follows.
    pub verdict: Verdict,
}

type Read = fn(&Change) -> Option<&str>;

/// The fields of a change that a person types and may leave out.
const TYPED: &[(&str, Read)] = &[
    ("description", |it| it.content.description.as_deref()),
    ("justification", |it| it.content.justification.as_deref()),
    ("objectives", |it| it.content.objectives.as_deref()),
    ("verification", |it| it.content.verification.as_deref()),
    ("security", |it| it.content.security.as_deref()),
    ("team", |it| it.content.team.as_deref()),
    ("business_contact", |it| it.content.business_contact.as_deref()),
];

/// The use of every field that people type, over the newest changes that were submitted.
///
/// # Errors
/// 403, or the store's.
pub fn find_field_use(cx: &mut Context<'_, '_>) -> Result<Vec<FieldUse>> {
    cx.allow(actions::SET_SERVICE)?;
    let custom = noun::list::<CustomField>(cx)?;
    let filter = Filter::new()
        .differs("state", "draft")
        .descending_by("number")
        .limit(MOST);
    let changes = record::bodies::<Change>(cx.tx, &filter)?;
    let mut counts: BTreeMap<String, Counted> = BTreeMap::new();
    for change in &changes {
        let title = change.content.title.as_str();
        for (field, read) in TYPED {
            counts
                .entry((*field).to_owned())
                .or_default()
                .count(read(change), title, true);
        }
        for field in custom.iter().filter(|field| field.is_of(change.content.kind)) {
            let value = change.content.custom_fields.iter().find(|it| it.key == field.key);
            let said = value.map(|it| said(&it.held));
            let is_text = value.is_none_or(|it| matches!(it.held, Held::Text(_)));
            counts
                .entry(field.path())
                .or_default()
                .count(said.as_deref(), title, is_text);
        }
    }
    let policies = cx.policies()?;
    let is_read = |field: &str| policies.sources().any(|source| reads(&source.text, field));
    let found = counts.into_iter().map(|(field, counted)| {
        let is_read = is_read(&field);
        FieldUse {
            name: custom.iter().find(|it| it.path() == field).map(|it| it.name.clone()),
            verdict: counted.judge(is_read),
            field,
            counted,
            is_read,
        }
    });
    Ok(found.collect())
}

/// Whether a policy names a field of its resource. A field of the tenant's own is read by its key.
fn reads(policy: &str, field: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or(field);
    policy
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|part| part == name)
}

fn said(held: &Held) -> String {
    match held {
        Held::Text(text) | Held::Choice(text) | Held::Date(text) | Held::Url(text) => text.clone(),
        Held::Number(number) => number.to_string(),
        Held::Person(person) => person.to_string(),
        Held::Service(service) => service.to_string(),
    }
}
