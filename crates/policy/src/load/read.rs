//! Reads the policies of a set: measured, parsed, each with its own id and reason.

use std::collections::HashMap;

use cedar_policy::{Policy, PolicyId};
use miette::Diagnostic;

use crate::scan::{self, Statement, line_of};
use crate::vocabulary::{Annotations, Problem};
use crate::{Finding, SourceFile, limits, parameters, values};

/// The first part of the ids that verdicts use where no policy decided.
const OWN_PACK: &str = "assent";

/// A policy that parsed and has an id.
pub(super) struct Loaded<'a> {
    pub id: String,
    pub reason: String,
    pub policy: Policy,
    pub annotations: Annotations,
    pub statement: Statement<'a>,
    pub file: &'a SourceFile,
}

impl Loaded<'_> {
    pub fn line(&self) -> u32 {
        line_of(&self.file.text, self.statement.offset)
    }

    pub fn line_at(&self, offset: usize) -> u32 {
        line_of(&self.file.text, offset)
    }

    pub fn finding(&self, code: &'static str, text: String) -> Finding {
        self.finding_at(self.statement.offset, code, text)
    }

    pub fn finding_at(&self, offset: usize, code: &'static str, text: String) -> Finding {
        let line = line_of(&self.file.text, offset);
        Finding {
            file: self.file.name.clone(),
            line,
            code,
            text,
            help: None,
        }
    }

    pub fn problem(&self, problem: Problem) -> Finding {
        let is_key = |(key, _): &&(&str, usize)| problem.key.as_deref() == Some(*key);
        let place = self
            .statement
            .annotations
            .iter()
            .find(is_key)
            .map_or(self.statement.offset, |(_, at)| *at);
        let mut finding = self.finding_at(place, problem.code, format!("`{}`: {}", self.id, problem.text));
        finding.help = problem.help;
        finding
    }
}

/// Parses every policy of every file, gives it its id, and refuses an id that is used twice.
pub(super) fn load<'a>(files: &'a [SourceFile], findings: &mut Vec<Finding>) -> Vec<Loaded<'a>> {
    let mut loaded: Vec<Loaded<'a>> = Vec::new();
    let mut places: HashMap<String, String> = HashMap::new();
    let mut count = 0;
    for file in files.iter().filter(|file| !parameters::is_declaration(file)) {
        for statement in scan::statements(&file.text) {
            count += 1;
            if count > limits::POLICIES {
                let line = line_of(&file.text, statement.offset);
                let text = format!("a set has at most {} policies", limits::POLICIES);
                findings.push(Finding {
                    file: file.name.clone(),
                    line,
                    code: "too_many",
                    text,
                    help: None,
                });
                return loaded;
            }
            match parse(file, statement) {
                Ok(policy) => {
                    let place = format!("{}:{}", file.name, policy.line());
                    if let Some(first) = places.insert(policy.id.clone(), place) {
                        let text = format!("the id `{}` is already used at {first}", policy.id);
                        findings.push(policy.finding("duplicate_id", text));
                    } else {
                        loaded.push(policy);
                    }
                }
                Err(trouble) => findings.extend(trouble),
            }
        }
    }
    loaded
}

fn parse<'a>(file: &'a SourceFile, statement: Statement<'a>) -> Result<Loaded<'a>, Vec<Finding>> {
    let at = |offset: usize, code: &'static str, text: String| Finding {
        file: file.name.clone(),
        line: line_of(&file.text, offset),
        code,
        text,
        help: None,
    };
    if let Some(trouble) = statement.trouble {
        return Err(vec![at(trouble.offset, trouble.code, trouble.text)]);
    }
    let policy = Policy::parse(None, statement.text).map_err(|errors| {
        let each = errors
            .iter()
            .map(|error| diagnostic(file, statement.offset, "parse", error));
        each.collect::<Vec<_>>()
    })?;
    let annotations: Annotations = policy
        .annotations()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let mut findings = Vec::new();
    let id = annotations.get("id").cloned().unwrap_or_default();
    if let Err(text) = check_id(&id, pack_of(&file.name)) {
        findings.push(at(statement.offset, "id", text));
    }
    let reason = annotations.get("reason").map(String::as_str).unwrap_or_default();
    let reason = match values::sentence(reason) {
        Ok(reason) => reason,
        Err(_) => {
            let text = format!(
                "every policy needs a reason in `@reason(\"…\")`, at most {} characters",
                limits::TEXT_LENGTH
            );
            findings.push(at(statement.offset, "reason", text));
            String::new()
        }
    };
    if !findings.is_empty() {
        return Err(findings);
    }
    let policy = policy.new_id(PolicyId::new(&id));
    Ok(Loaded {
        id,
        reason,
        policy,
        annotations,
        statement,
        file,
    })
}

/// A message of Cedar as a finding of the file.
pub(super) fn diagnostic(file: &SourceFile, offset: usize, code: &'static str, error: &dyn Diagnostic) -> Finding {
    let label = error.labels().and_then(|mut labels| labels.next());
    let place = label.as_ref().map_or(0, |label| label.offset());
    let more = label
        .as_ref()
        .and_then(|label| label.label())
        .map(|label| format!(" ({label})"))
        .unwrap_or_default();
    Finding {
        file: file.name.clone(),
        line: line_of(&file.text, offset + place),
        code,
        text: format!("{error}{more}"),
        help: error.help().map(|help| help.to_string()),
    }
}

/// The pack of a file: its folder, or its own name when it lies in none.
fn pack_of(name: &str) -> &str {
    let mut parts = name.rsplit('/');
    let file = parts.next().unwrap_or(name);
    parts.next().unwrap_or_else(|| file.split('.').next().unwrap_or(file))
}

/// An id is its pack and at least one name: `sox.require.owners`.
fn check_id(id: &str, pack: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err(format!("every policy needs an id: `@id(\"{pack}.some_words\")`"));
    }
    let is_pack = pack.split('-').all(values::is_identifier) && pack != OWN_PACK;
    if !is_pack {
        return Err(format!(
            "`{pack}` cannot be a pack: use lower-case words joined by `-`, but not `{OWN_PACK}`"
        ));
    }
    let Some(words) = id.strip_prefix(pack).and_then(|rest| rest.strip_prefix('.')) else {
        return Err(format!("the id `{id}` must begin with its pack: `{pack}.`"));
    };
    if id.len() > limits::ID_LENGTH || !words.split('.').all(values::is_identifier) {
        return Err(format!(
            "the id `{id}` must be `{pack}.` and words of lower-case letters, digits and `_`, at most {} characters",
            limits::ID_LENGTH
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_the_folder_or_the_file() {
        assert_eq!(
            pack_of("policies/packs/dual-control/dual-control.cedar"),
            "dual-control"
        );
        assert_eq!(pack_of("base/acts.cedar"), "base");
        assert_eq!(pack_of("house.cedar"), "house");
    }

    #[test]
    fn ids_have_a_grammar() {
        assert_eq!(check_id("dual-control.require.two", "dual-control"), Ok(()));
        for wrong in [
            "", "sox", "sox.", "sox.A", "sox.a..b", "soxx.a", "base.a", "sox.a b", "sox.1a",
        ] {
            assert!(check_id(wrong, "sox").is_err(), "{wrong}");
        }
    }
}
