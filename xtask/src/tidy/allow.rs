//! The exceptions: `xtask/allow.toml`, each entry with the reason why it is allowed.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Finding;

/// The file of the exceptions.
const FILE: &str = "xtask/allow.toml";

/// One exception.
struct Allowance {
    rule: String,
    /// A file, or a folder when it ends with `/`.
    path: String,
    /// Text that the finding must contain; without it the entry covers every finding of the path.
    what: Option<String>,
    line: usize,
    used: bool,
}

/// All exceptions, and which of them spared something.
pub struct Allowances {
    entries: Vec<Allowance>,
}

impl Allowances {
    /// Reads the list.
    ///
    /// # Errors
    /// When the file is missing or an entry lacks rule, path or reason.
    pub fn read(root: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse().with_context(|| format!("cannot parse {FILE}"))?;
        let lines = text.lines().enumerate().filter(|(_, line)| line.trim() == "[[allow]]");
        let mut lines = lines.map(|(number, _)| number + 1);
        let mut entries = Vec::new();
        let list = table.get("allow").and_then(toml::Value::as_array);
        for entry in list.into_iter().flatten() {
            let field = |name: &str| entry.get(name)?.as_str().map(str::to_owned);
            let line = lines.next().unwrap_or(0);
            let (Some(rule), Some(path)) = (field("rule"), field("path")) else {
                bail!("{FILE}:{line}: an entry needs `rule` and `path`");
            };
            if field("reason").is_none_or(|reason| reason.split_whitespace().count() < 4) {
                bail!("{FILE}:{line}: an entry needs a `reason` that is a sentence");
            }
            entries.push(Allowance {
                rule,
                path,
                what: field("what"),
                line,
                used: false,
            });
        }
        Ok(Self { entries })
    }

    /// The findings of a rule that no entry spares.
    pub fn filter(&mut self, rule: &str, findings: Vec<Finding>) -> Vec<Finding> {
        findings
            .into_iter()
            .filter(|finding| !self.spares(rule, finding))
            .collect()
    }

    fn spares(&mut self, rule: &str, finding: &Finding) -> bool {
        let mut spared = false;
        for entry in self.entries.iter_mut().filter(|entry| entry.rule == rule) {
            let here = if entry.path.ends_with('/') {
                finding.path.starts_with(&entry.path)
            } else {
                finding.path == entry.path
            };
            let this = entry.what.as_ref().is_none_or(|what| finding.text.contains(what));
            if here && this {
                entry.used = true;
                spared = true;
            }
        }
        spared
    }

    /// The entries that spared nothing, or name a rule that does not exist.
    pub fn unused(&self, rules: &[&str]) -> Vec<Finding> {
        let finding = |entry: &Allowance| {
            let text = if rules.contains(&entry.rule.as_str()) {
                format!("the exception for `{}` spares nothing; remove it", entry.path)
            } else {
                format!("there is no rule `{}`", entry.rule)
            };
            Finding::new(FILE, entry.line, text)
        };
        self.entries.iter().filter(|entry| !entry.used).map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    const LIST: &str = "\n[[allow]]\nrule = \"clock\"\npath = \"crates/server/\"\nwhat = \"now\"\n\
                        reason = \"the outermost layer reads the clock\"\n";

    #[test]
    fn an_entry_spares_its_path_and_text_only() {
        let mut list = Allowances::parse(LIST).unwrap();
        let spared = Finding::new("crates/server/src/a.rs", 3, "reads now");
        let elsewhere = Finding::new("crates/acts/src/a.rs", 3, "reads now");
        let other = Finding::new("crates/server/src/a.rs", 3, "makes an id");
        let left = list.filter("clock", vec![spared, elsewhere.clone(), other.clone()]);
        assert_eq!(left, [elsewhere, other]);
        assert!(list.unused(&["clock"]).is_empty());
    }

    #[test]
    fn an_entry_that_spares_nothing_is_a_finding() {
        let list = Allowances::parse(LIST).unwrap();
        let unused = list.unused(&["clock"]);
        assert_eq!(unused.len(), 1);
        assert_eq!(unused[0].line, 2);
        assert!(list.unused(&["sql"])[0].text.contains("no rule `clock`"));
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let text = "[[allow]]\nrule = \"clock\"\npath = \"a.rs\"\nreason = \"because\"\n";
        assert!(Allowances::parse(text).is_err());
    }
}
