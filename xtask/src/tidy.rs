//! The rules of this repository that no compiler checks, each a small function over the files.
//!
//! A rule gets the [`Tree`] and returns findings with file and line. Exceptions of a rule are in `xtask/allow.toml`, each entry
//! with its reason; an entry that spares nothing is itself a finding, so the list stays true.

mod adrs;
mod allow;
mod areas;
mod arrows;
mod banned;
mod cards;
mod clock;
mod field_texts;
mod lengths;
pub mod links;
mod loops;
mod mentions;
mod migrations;
mod prose;
mod scan;
mod sql;
mod stillness;
pub mod tree;
mod words;

use std::path::Path;

use anyhow::{Result, bail};

use crate::report::Count;
use allow::Allowances;
use tree::Tree;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Finding {
    /// The file, from the repository's root.
    pub path: String,
    /// The line, counted from 1; 0 means the file as a whole.
    pub line: usize,
    /// The fault and its remedy, in one sentence.
    pub text: String,
}

impl Finding {
    /// A finding at a line of a file.
    pub fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

/// One rule: its name, as `xtask/allow.toml` calls it, and its function.
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "arrows",
        check: arrows::check,
    },
    Rule {
        name: "areas",
        check: areas::check,
    },
    Rule {
        name: "loops",
        check: loops::check,
    },
    Rule {
        name: "banned",
        check: banned::check,
    },
    Rule {
        name: "cards",
        check: cards::check,
    },
    Rule {
        name: "field_texts",
        check: field_texts::check,
    },
    Rule {
        name: "sql",
        check: sql::check,
    },
    Rule {
        name: "lengths",
        check: lengths::check,
    },
    Rule {
        name: "words",
        check: words::check,
    },
    Rule {
        name: "prose",
        check: prose::check,
    },
    Rule {
        name: "links",
        check: links::check,
    },
    Rule {
        name: "migrations",
        check: migrations::check,
    },
    Rule {
        name: "stillness",
        check: stillness::check,
    },
    Rule {
        name: "clock",
        check: clock::check,
    },
    Rule {
        name: "adrs",
        check: adrs::check,
    },
    Rule {
        name: "mentions",
        check: mentions::check,
    },
];

/// Runs `cargo xtask tidy` and returns whether the repository is tidy.
///
/// # Errors
/// When the repository cannot be read, or an argument is unknown.
pub fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    match arguments {
        [] => {}
        [flag] if flag == "--bless-new" => migrations::bless_new(root)?,
        _ => bail!("`cargo xtask tidy` knows `--bless-new` and nothing else"),
    }
    let count = count(root)?;
    println!("{} rules kept, {} broken", count.passed, count.failed);
    Ok(count.failed == 0)
}

/// Runs every rule, prints the findings and counts each rule as one check.
///
/// # Errors
/// When the repository or the list of exceptions cannot be read.
pub fn count(root: &Path) -> Result<Count> {
    let tree = Tree::read(root)?;
    let mut allowances = Allowances::read(root)?;
    let mut count = Count::default();
    for rule in RULES {
        let findings = allowances.filter(rule.name, (rule.check)(&tree));
        settle(&mut count, rule.name, &findings);
    }
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    settle(&mut count, "allow", &allowances.unused(&names));
    Ok(count)
}

fn settle(count: &mut Count, rule: &str, findings: &[Finding]) {
    if findings.is_empty() {
        count.passed += 1;
        return;
    }
    count.failed += 1;
    for finding in findings {
        let line = format!("{}:{}: {rule}: {}", finding.path, finding.line, finding.text);
        println!("{line}");
        count.tail.push(line);
    }
}
