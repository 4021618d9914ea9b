//! Reads the lines of a cases file.

use model::core::act::{Act, actions};
use model::policy::facts::ActorFacts;

use super::facts::{World, list, words};
use crate::question::{PARTS, part_name};
use crate::values::unknown;
use crate::{Finding, PolicySet, SourceFile, nearest};

/// A case: a world and what must hold in it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub name: String,
    pub line: u32,
    pub world: World,
    pub expectations: Vec<Expectation>,
}

/// One thing that must hold, with its line.
#[derive(Debug, Clone)]
pub(super) enum Expectation {
    /// Exactly these policies require something; each row is line, id and obligation (or none).
    Requires {
        line: u32,
        rows: Vec<(u32, String, String)>,
    },
    /// This actor may or may not, because of this policy.
    Act {
        line: u32,
        actor: ActorFacts,
        action: String,
        allowed: bool,
        id: Option<String>,
    },
}

/// Reads every case of a file.
pub(super) fn cases(file: &SourceFile, set: &PolicySet) -> Result<Vec<Case>, Vec<Finding>> {
    let mut reader = Reader {
        set,
        given: World::new(),
        cases: Vec::new(),
        is_given: false,
        rows_indent: None,
    };
    let mut findings = Vec::new();
    for (place, raw) in file.text.lines().enumerate() {
        let line = u32::try_from(place + 1).unwrap_or(u32::MAX);
        let text = without_comment(raw).trim_end();
        if text.trim().is_empty() {
            continue;
        }
        if let Err(text) = reader.line(line, text) {
            findings.push(finding(file, line, text));
        }
    }
    for case in reader.cases.iter().filter(|case| case.expectations.is_empty()) {
        findings.push(finding(
            file,
            case.line,
            format!("the case `{}` contains nothing that could fail", case.name),
        ));
    }
    if findings.is_empty() {
        Ok(reader.cases)
    } else {
        Err(findings)
    }
}

fn finding(file: &SourceFile, line: u32, text: String) -> Finding {
    Finding {
        file: file.name.clone(),
        line,
        code: "case",
        text,
        help: None,
    }
}

fn without_comment(line: &str) -> &str {
    if line.starts_with('#') {
        return "";
    }
    let end = line.find(" #").or_else(|| line.find("\t#")).unwrap_or(line.len());
    &line[..end]
}

struct Reader<'a> {
    set: &'a PolicySet,
    given: World,
    cases: Vec<Case>,
    /// Whether lines belong to `given` rather than to the last case.
    is_given: bool,
    /// The indentation of the line `requires`, while its rows follow.
    rows_indent: Option<usize>,
}

impl Reader<'_> {
    fn line(&mut self, line: u32, text: &str) -> Result<(), String> {
        let indent = text.len() - text.trim_start().len();
        let text = text.trim();
        if indent == 0 {
            return self.heading(line, text);
        }
        if let Some(rows) = self.rows_indent {
            if indent > rows {
                return self.row(line, text);
            }
            self.rows_indent = None;
        }
        if text == "requires" {
            self.rows_indent = Some(indent);
            return self.expect(Expectation::Requires { line, rows: Vec::new() });
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if World::is_fact(word) {
            self.world()?.set(word, rest.trim())?;
            return self.check_words();
        }
        self.act(line, word, rest)
    }

    fn heading(&mut self, line: u32, text: &str) -> Result<(), String> {
        self.rows_indent = None;
        let (word, name) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match word {
            "given" => {
                self.is_given = true;
                self.given = World::new();
                Ok(())
            }
            "case" if !name.trim().is_empty() => {
                self.is_given = false;
                let name = name.trim().to_owned();
                self.cases.push(Case {
                    name,
                    line,
                    world: self.given.clone(),
                    expectations: Vec::new(),
                });
                Ok(())
            }
            _ => Err(format!("`{text}` is neither `given …` nor `case …`")),
        }
    }

    fn world(&mut self) -> Result<&mut World, String> {
        if self.is_given {
            return Ok(&mut self.given);
        }
        let case = self.cases.last_mut().ok_or("a fact must be below `given` or `case`")?;
        if !case.expectations.is_empty() {
            return Err("facts must precede the expectations".to_owned());
        }
        Ok(&mut case.world)
    }

    /// A case names regimes and data classes in the schema's spelling, so that a typo is no silent `other`.
    fn check_words(&mut self) -> Result<(), String> {
        let set = self.set;
        let target = &self.world()?.target;
        let check = |word: &String, known: &[String]| {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            if known.contains(&word.as_str()) {
                Ok(())
            } else {
                Err(unknown(word, &known, ""))
            }
        };
        target.regimes.iter().try_for_each(|word| check(word, set.regimes()))?;
        target
            .data_class
            .iter()
            .try_for_each(|word| check(word, set.data_classes()))
    }

    fn expect(&mut self, expectation: Expectation) -> Result<(), String> {
        match self.cases.last_mut() {
            Some(case) if !self.is_given => {
                case.expectations.push(expectation);
                Ok(())
            }
            _ => Err("expectations must be below a `case`".to_owned()),
        }
    }

    fn row(&mut self, line: u32, text: &str) -> Result<(), String> {
        let (id, expected) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        self.known(id)?;
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        match self.cases.last_mut().and_then(|case| case.expectations.last_mut()) {
            Some(Expectation::Requires { rows, .. }) => rows.push((line, id.to_owned(), expected)),
            _ => return Err("rows must be below `requires`".to_owned()),
        }
        Ok(())
    }

    fn known(&self, id: &str) -> Result<(), String> {
        if self.set.source(id).is_some() {
            return Ok(());
        }
        let ids = self.set.sources().map(|source| source.id.as_str());
        let meant = nearest(id, ids)
            .map(|n| format!("; did you mean `{n}`?"))
            .unwrap_or_default();
        Err(format!("no policy has the id `{id}`{meant}"))
    }

    /// `olga approve_change as owner+asked yes base.act.decide`
    fn act(&mut self, line: u32, name: &str, rest: &str) -> Result<(), String> {
        let world = match (self.is_given, self.cases.last()) {
            (false, Some(case)) => &case.world,
            _ => return Err(format!("`{name}` is not a fact; {}", World::facts())),
        };
        let mut actor = world.person(name)?;
        let mut rest = words(rest);
        let action = rest.next().ok_or("who does what? `olga approve_change as asked yes`")?;
        let known = || {
            Act::ALL
                .iter()
                .map(|act| act.as_str())
                .chain(actions::ALL.iter().copied())
        };
        if !known().any(|word| word == action) {
            let meant = nearest(action, known())
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default();
            return Err(format!("there is no act `{action}`{meant}"));
        }
        let mut next = rest.next();
        if next == Some("as") {
            actor.parts = list(rest.next().ok_or("`as` whom?")?, |word| {
                let names: Vec<&str> = PARTS.iter().map(|part| part_name(*part)).collect();
                PARTS
                    .into_iter()
                    .find(|part| part_name(*part) == word)
                    .ok_or_else(|| unknown(word, &names, ""))
            })?;
            next = rest.next();
        }
        let allowed = match next {
            Some("yes") => true,
            Some("no") => false,
            other => {
                return Err(format!("`{}` is neither `yes` nor `no`", other.unwrap_or_default()));
            }
        };
        let id = rest.next().map(str::to_owned);
        if let Some(id) = &id {
            self.known(id)?;
        }
        if let Some(more) = rest.next() {
            return Err(format!("`{more}` is superfluous"));
        }
        self.expect(Expectation::Act {
            line,
            actor,
            action: action.to_owned(),
            allowed,
            id,
        })
    }
}
