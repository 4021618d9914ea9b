//! The report on form fields that nobody uses: those of changes, those of the tenant's own, those of the lifecycle's forms, and
//! those of every other form, which the cards of the nouns list. It proposes; an administrator takes a field of the tenant's own
//! out of use.

use std::collections::BTreeMap;

use model::change::custom_field::{CustomField, Held};
use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::core::act::actions;
use model::core::card::{Card, Field};
use model::core::enums::Kind;
use model::nouns::CARDS;
use model::report::field_use::{Counted, Verdict};
use serde_json::Value;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun;
use crate::report::lifecycle_forms::{MOST_OF_FORM, filled, of_lifecycle};

/// The most changes that are examined, the newest.
const MOST: i64 = 2_000;

/// The use of one field.
#[derive(Debug)]
pub struct FieldUse {
    /// Its name in requests; of a tenant's own field `custom_fields.KEY`, of another form `TABLE.FIELD`.
    pub field: String,
    /// The label of a tenant's own field.
    pub name: Option<String>,
    /// The counted records.
    pub counted: Counted,
    /// Whether a policy in force or a rule of the product reads it.
    pub is_read: bool,
    /// The conclusion.
    pub verdict: Verdict,
}

/// The fields of a change that a person types and may leave out.
const TYPED: &[&str] = &[
    NewChange::DESCRIPTION.name,
    NewChange::JUSTIFICATION.name,
    NewChange::OBJECTIVES.name,
    NewChange::VERIFICATION.name,
    "security",
    NewChange::TEAM.name,
    NewChange::BUSINESS_CONTACT.name,
];

/// Whether a change's form has a field.
type HasField = fn(&Change) -> bool;

/// The fields of a change that may be left out and that rules of the product read: counted, and never proposed to be dropped.
const RULED: &[(&str, HasField)] = &[
    (NewChange::COMPLEXITY.name, |_| true),
    (NewChange::DISRUPTION.name, |_| true),
    ("excluded", |_| true),
    (NewChange::EXPEDITED_REASON.name, |it| it.content.expedited),
    (NewChange::IMPLEMENTERS.name, |_| true),
    (NewChange::INCIDENT.name, is_emergency),
    (NewChange::NO_ROLLBACK_REASON.name, |it| {
        it.content.rollback_plan.is_empty()
    }),
    (NewChange::PLAN.name, |_| true),
    (NewChange::PLANNED_UNDO.name, |_| true),
    ("risk_override", |_| true),
    (NewChange::ROLLBACK_MINUTES.name, |_| true),
    (NewChange::ROLLBACK_PLAN.name, |_| true),
    ("security_answers", |_| true),
    (NewChange::TESTER.name, |_| true),
    (NewChange::THREAT.name, is_emergency),
    (NewChange::TOUCHES.name, |_| true),
    ("wave_plan", |_| true),
];

fn is_emergency(change: &Change) -> bool {
    change.content.kind == Kind::Emergency
}

/// The use of every field that people fill in and may leave out: of the newest changes that were submitted, and of the newest records
/// of every other form that was used.
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
        count_change(&mut counts, change, &custom)?;
    }
    let policies = cx.policies()?;
    let is_ruled = |field: &str| RULED.iter().any(|(known, _)| *known == field);
    let is_read = |field: &str| is_ruled(field) || policies.sources().any(|source| reads(&source.text, field));
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
    let mut found: Vec<FieldUse> = found.collect();
    for card in CARDS.iter().filter(|card| card.has_input()) {
        found.extend(of_form(cx, card)?);
    }
    found.extend(of_lifecycle(cx)?.into_iter().map(|it| FieldUse {
        field: it.field,
        name: None,
        verdict: it.counted.judge(it.is_read),
        counted: it.counted,
        is_read: it.is_read,
    }));
    found.sort_by(|one, other| one.field.cmp(&other.field));
    Ok(found)
}

/// Counts the fields of one change.
fn count_change(counts: &mut BTreeMap<String, Counted>, change: &Change, custom: &[CustomField]) -> Result<()> {
    let title = change.content.title.as_str();
    let content = serde_json::to_value(&change.content)?;
    for field in TYPED {
        counts
            .entry((*field).to_owned())
            .or_default()
            .count(content[*field].as_str(), title, true);
    }
    for (field, _) in RULED.iter().filter(|(_, asks)| asks(change)) {
        let value = filled(&content[*field], "");
        let is_text = content[*field].is_string();
        counts
            .entry((*field).to_owned())
            .or_default()
            .count(value.as_deref(), title, is_text);
    }
    for field in custom.iter().filter(|field| field.is_of(change.content.kind)) {
        let value = change.content.custom_fields.iter().find(|it| it.key == field.key);
        let said = value.map(|it| held_text(&it.held));
        let is_text = value.is_none_or(|it| matches!(it.held, Held::Text(_)));
        counts
            .entry(field.path())
            .or_default()
            .count(said.as_deref(), title, is_text);
    }
    Ok(())
}

/// The use of the fields of a form that may be left out, by the newest records that it made; none where it made none. Fields
/// other than free text are read by the rules of the noun.
fn of_form(cx: &mut Context<'_, '_>, card: &Card) -> Result<Vec<FieldUse>> {
    let kept = |field: &&Field| card.fields.iter().any(|known| known.name == field.name);
    let fields: Vec<&Field> = card
        .input
        .2
        .iter()
        .filter(|field| !field.is_needed)
        .filter(kept)
        .collect();
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts = vec![Counted::default(); fields.len()];
    let bodies = record::raw_newest(cx.tx, card.table, MOST_OF_FORM)?;
    for body in &bodies {
        let record: Value = serde_json::from_str(body)?;
        let title = record["title"].as_str().unwrap_or_default();
        for (field, counted) in fields.iter().zip(&mut counts) {
            let value = filled(&record[field.name], field.usual);
            counted.count(value.as_deref(), title, field.is_free_text);
        }
    }
    let one = |(field, counted): (&Field, Counted)| FieldUse {
        field: format!("{}.{}", card.table, field.name),
        name: None,
        verdict: counted.judge(!field.is_free_text),
        counted,
        is_read: !field.is_free_text,
    };
    let used = fields.into_iter().zip(counts).filter(|(_, counted)| counted.asked > 0);
    Ok(used.map(one).collect())
}

/// Whether a policy reads a field of its resource: `resource.team`, `resource has team`, and of a tenant's own field
/// `resource.words.getTag("key")`. The same name elsewhere, in a reason or of a principal, reads no field.
fn reads(policy: &str, field: &str) -> bool {
    let code = code_of(policy);
    if let Some((_, key)) = field.split_once('.') {
        return code.contains(&format!("Tag(\"{key}\""));
    }
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_it = |rest: &str| {
        rest.strip_prefix(field)
            .is_some_and(|behind| !behind.starts_with(is_part))
    };
    code.match_indices("resource").any(|(at, word)| {
        let is_whole = !code[..at].ends_with(|letter: char| is_part(letter) || letter == '.');
        let rest = code[at + word.len()..].trim_start();
        let named = rest
            .strip_prefix('.')
            .or_else(|| rest.strip_prefix("[\""))
            .or_else(|| rest.strip_prefix("has "));
        is_whole && named.is_some_and(|rest| is_it(rest.trim_start()))
    })
}

/// The code of a policy without comments, and without texts that name no attribute and no tag.
fn code_of(policy: &str) -> String {
    let mut code = String::with_capacity(policy.len());
    let mut letters = policy.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => {
                letters.by_ref().take_while(|it| *it != '\n').for_each(drop);
                code.push(' ');
            }
            '"' => {
                let is_name = code.ends_with("Tag(") || code.ends_with('[');
                let text = text_of(&mut letters);
                let kept = if is_name { text.as_str() } else { "" };
                code.push('"');
                code.push_str(kept);
                code.push('"');
            }
            blank if blank.is_whitespace() => {
                if !code.ends_with([' ', '(', '[']) {
                    code.push(' ');
                }
            }
            other => code.push(other),
        }
    }
    code
}

/// The rest of a text up to its closing quote.
fn text_of(letters: &mut impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => text.extend(letters.next()),
            other => text.push(other),
        }
    }
    text
}

fn held_text(held: &Held) -> String {
    match held {
        Held::Text(text) | Held::Choice(text) | Held::Date(text) | Held::Url(text) => text.clone(),
        Held::Number(number) => number.to_string(),
        Held::Person(person) => person.to_string(),
        Held::Service(service) => service.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_changed_from_its_default_is_not_filled() {
        for (value, usual, is_filled) in [
            (Value::Null, "", false),
            (json!(false), "", false),
            (json!(""), "", false),
            (json!([]), "", false),
            (json!({}), "", false),
            (json!("daily"), "daily", false),
            (json!(30), "30", false),
            (json!("weekly"), "daily", true),
            (json!(true), "", true),
            (json!(["a"]), "", true),
            (json!(0), "", true),
        ] {
            assert_eq!(filled(&value, usual).is_some(), is_filled, "{value} {usual}");
        }
    }

    #[test]
    fn no_field_of_changes_stands_in_two_lists() {
        assert!(RULED.is_sorted_by_key(|(field, _)| *field));
        assert!(RULED.iter().all(|(field, _)| TYPED.iter().all(|other| field != other)));
    }

    #[test]
    fn a_field_is_read_where_a_policy_reads_it_of_its_resource_and_nowhere_else() {
        for (policy, field, is_read) in [
            ("when { resource.team == \"shop\" };", "team", true),
            ("when { resource has team && true };", "team", true),
            ("when { resource[\"team\"] == \"shop\" };", "team", true),
            ("when { principal.team == \"shop\" };", "team", false),
            (
                "@reason(\"The security of resource.team\") permit (principal, action, resource);",
                "team",
                false,
            ),
            ("// resource.team\nwhen { resource.risk == 3 };", "team", false),
            ("when { resource.team_size == 3 };", "team", false),
            ("@owner(\"security\") when { context.description };", "security", false),
            (
                "when { resource.words.getTag(\"gxp\") == \"yes\" };",
                "custom_fields.gxp",
                true,
            ),
            (
                "when { resource.numbers.hasTag( \"gxp\" ) };",
                "custom_fields.gxp",
                true,
            ),
            ("@title(\"gxp\") when { resource.gxp };", "custom_fields.gxp", false),
        ] {
            assert_eq!(reads(policy, field), is_read, "{policy}");
        }
    }
}
