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

/// Whether a policy reads a field of its resource: `resource.team`, `resource has team`, and of a tenant's own field
/// `resource.words.getTag("key")`. The same word elsewhere, in a reason or of a principal, reads nothing.
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

fn said(held: &Held) -> String {
    match held {
        Held::Text(text) | Held::Choice(text) | Held::Date(text) | Held::Url(text) => text.clone(),
        Held::Number(number) => number.to_string(),
        Held::Person(person) => person.to_string(),
        Held::Service(service) => service.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
