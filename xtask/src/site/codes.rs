//! The reference of refusal codes and of the facts of policies, read from the sources that hold them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use super::cell;
use crate::tidy::tree::Tree;

/// The calls that refuse: the name, the place of the code among its arguments, and the status of the code.
const CALLS: &[(&str, usize, &str)] = &[
    ("not_now", 0, "409"),
    ("refuse_unmet", 0, "409"),
    ("not_allowed", 0, "403"),
    ("unmet", 0, "in `unmet`"),
    ("field", 1, "422"),
    ("wrong", 1, "422"),
];
/// Codes that no call names: they are kinds of refusal.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "digest_not_current",
        "409",
        "The decision is about content that has changed since.",
    ),
    (
        "invalid",
        "422",
        "Fields need another look; `errors` names each with its own code.",
    ),
    (
        "not_found",
        "404",
        "There is no such record, or it is hidden from the caller.",
    ),
    (
        "not_in_state",
        "409",
        "The act does not belong to the state of the change.",
    ),
    ("stale", "412", "Another person was faster; load the record again."),
];
/// The most sentences shown for one code: some have many.
const MOST_SENTENCES: usize = 3;
/// The fewest codes that the sources hold: fewer were found where the calls are written otherwise.
const FEWEST: usize = 200;

/// The contexts of a code.
#[derive(Default)]
struct Code {
    answers: BTreeSet<&'static str>,
    sentences: BTreeSet<String>,
}

/// The page of codes and the page of facts.
///
/// # Errors
/// When the sources hold few codes, or none of the texts that are shown.
pub fn pages(tree: &Tree) -> Result<Vec<(String, String)>> {
    let codes = codes(tree);
    if codes.len() < FEWEST {
        bail!("only {} codes of refusals were found in the sources", codes.len());
    }
    Ok(vec![
        ("reference/codes.md".to_owned(), page_of(&codes)),
        ("reference/facts.md".to_owned(), facts(tree)?),
    ])
}

fn codes(tree: &Tree) -> BTreeMap<String, Code> {
    let mut found: BTreeMap<String, Code> = BTreeMap::new();
    for (code, answer, sentence) in KINDS {
        let row = found.entry((*code).to_owned()).or_default();
        row.answers.insert(*answer);
        row.sentences.insert((*sentence).to_owned());
    }
    let is_shipped = |path: &str| path.starts_with("crates/") && path.contains("/src/") && !path.ends_with("tests.rs");
    for (_, text) in tree.rust().filter(|(path, _)| is_shipped(path)) {
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (name, place, answer) in CALLS {
            for (code, sentence) in calls(shipped, name, *place) {
                let row = found.entry(code).or_default();
                row.answers.insert(*answer);
                row.sentences.extend(sentence);
            }
        }
    }
    found
}

/// The codes, each with its sentence where it is written beside it, of all calls of a name.
fn calls(text: &str, name: &str, place: usize) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let open = format!("{name}(");
    for (at, _) in text.match_indices(&open) {
        let is_longer = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if is_longer || text[..at].ends_with("fn ") {
            continue;
        }
        let arguments = arguments(&text[at + open.len()..]);
        let code = arguments.get(place).and_then(|it| literal(it));
        let is_code = |code: &String| {
            code.len() > 2
                && code
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        };
        if let Some(code) = code.filter(is_code) {
            found.push((code, arguments.get(place + 1).and_then(|it| literal(it))));
        }
    }
    found
}

/// The arguments of a call, from behind its bracket.
fn arguments(text: &str) -> Vec<&str> {
    let (mut found, mut begin, mut depth) = (Vec::new(), 0, 0_u32);
    let (mut is_text, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ')' | ']' | '}' => {
                found.push(text[begin..at].trim());
                break;
            }
            ',' if depth == 0 => {
                found.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The text of an argument that is one, or that is made by `format!`.
fn literal(argument: &str) -> Option<String> {
    let inner = argument.strip_prefix("format!(").map_or(argument, str::trim_start);
    let inner = inner.strip_prefix('"')?;
    let (mut text, mut signs) = (String::new(), inner.chars().peekable());
    while let Some(c) = signs.next() {
        match c {
            '"' => return Some(text),
            '\\' if signs.peek() == Some(&'\n') => while signs.next_if(|c| c.is_whitespace()).is_some() {},
            '\\' => text.extend(signs.next().map(|c| if c == 'n' { ' ' } else { c })),
            c => text.push(c),
        }
    }
    None
}

fn page_of(codes: &BTreeMap<String, Code>) -> String {
    let mut page = format!(
        "# Codes of refusals\n\nGenerated from the sources: {} codes. A refusal is `application/problem+json` with a `code`; 409 also \
         names in `unmet` what is missing, each with a code of its own, and 422 in `errors` each field with its code. Codes are stable; \
         sentences are for people and may change. `{{name}}` stands for a part that differs.\n\n| Code | Answer | Sentence |\n|---|---|---|\n",
        codes.len()
    );
    for (code, row) in codes {
        let answers: Vec<&str> = row.answers.iter().copied().collect();
        let sentences: Vec<String> = row.sentences.iter().take(MOST_SENTENCES).map(|it| shown(it)).collect();
        page.push_str(&format!(
            "| `{code}` | {} | {} |\n",
            answers.join(", "),
            sentences.join("<br>")
        ));
    }
    page
}

/// A sentence in a cell. A part that differs would be read as an attribute at its end.
fn shown(sentence: &str) -> String {
    cell(sentence)
        .replace('{', "&#123;")
        .replace('*', "\\*")
        .replace('[', "\\[")
}

/// The schema of policies, and the table of their possible requirements.
fn facts(tree: &Tree) -> Result<String> {
    let schema = tree
        .text("policies/schema.cedarschema")
        .context("the schema of policies is gone")?;
    let vocabulary = tree
        .text("crates/policy/src/vocabulary.rs")
        .context("the vocabulary is gone")?;
    let rows: Vec<&str> = vocabulary
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .collect();
    let table: Vec<&str> = rows.iter().copied().filter(|line| line.starts_with('|')).collect();
    if table.is_empty() {
        bail!("the vocabulary has no table");
    }
    let rest: Vec<&str> = rows
        .iter()
        .copied()
        .skip_while(|line| !line.starts_with("Every policy"))
        .collect();
    Ok(format!(
        "# Facts and words of policies\n\nGenerated from the sources. How policies are written, tested and put in force: \
         [other policies, another risk table](../docs/guide/policies.md).\n\n## What a policy may require {{#what-a-policy-may-require}}\n\n\
         {}\n\n{}\n\n## The facts that a policy reads {{#the-facts-that-a-policy-reads}}\n\n```cedar\n{}\n```\n",
        table.join("\n"),
        rest.join("\n"),
        schema.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_with_the_sentences_beside_them() {
        let source = "fn f() { Refusal::not_now(\n  \"frozen\",\n  format!(\"A freeze, {title}, \\\n     is on.\"), x(1, 2)) }\n\
                      fn g() { reading.wrong(\"ends_at\", \"in_the_past\", \"`ends_at` must lie ahead.\"); unmet(code, text) }";
        let tree = Tree::of(&[
            ("crates/acts/src/a.rs", source),
            ("crates/acts/src/tests.rs", "not_now(\"no_code\", \"x\")"),
        ]);
        let found = codes(&tree);
        assert!(found["frozen"].sentences.contains("A freeze, {title}, is on."));
        assert!(found["frozen"].answers.contains("409") && found["in_the_past"].answers.contains("422"));
        assert!(!found.contains_key("no_code"), "a test refuses nobody");
    }

    #[test]
    fn sources_without_codes_are_an_error() {
        assert!(pages(&Tree::of(&[])).is_err());
    }
}
