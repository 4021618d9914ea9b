//! Mutation of the code that holds the rules: `cargo mutants` alters one expression after the other, and the tests of the
//! altered crate have to fail. It is installed with `cargo install --locked cargo-mutants`.

use std::process::Command;

use serde_json::Value;

use crate::root;

/// The name by which `soak` runs this part alone.
pub const NAME: &str = "mutants";

/// The largest share of survivors among the mutants that compile, in percent.
const MOST_PERCENT: u64 = 3;

/// The exit codes of a whole run: every mutant was caught, some survived, some ran out of time.
const WHOLE: [i32; 3] = [0, 2, 3];

/// The files with the rules, by package: paths from the root, in which `*` stands for any name.
const RULES: &[(&str, &[&str])] = &[
    (
        "model",
        &[
            "crates/model/src/approval/*.rs",
            "crates/model/src/change/blocks.rs",
            "crates/model/src/change/closure.rs",
            "crates/model/src/change/duties/evidence.rs",
            "crates/model/src/change/requirement.rs",
            "crates/model/src/change/success.rs",
            "crates/model/src/change/template.rs",
            "crates/model/src/change/template/bounds.rs",
            "crates/model/src/directory/leaver.rs",
            "crates/model/src/directory/scope.rs",
            "crates/model/src/directory/suspension.rs",
            "crates/model/src/directory/two_people.rs",
            "crates/model/src/emergency/*.rs",
            "crates/model/src/gate/*.rs",
            "crates/model/src/incident/watch.rs",
            "crates/model/src/integration/occurrence.rs",
            "crates/model/src/integration/workload.rs",
            "crates/model/src/risk/complexity.rs",
            "crates/model/src/risk/derived.rs",
            "crates/model/src/risk/effective.rs",
            "crates/model/src/risk/reach.rs",
        ],
    ),
    (
        "proof",
        &[
            "crates/proof/src/grounds/mod.rs",
            "crates/proof/src/permit.rs",
            "crates/proof/src/remembered.rs",
            "crates/proof/src/revocation.rs",
        ],
    ),
];

/// The mutants that compiled, and those of them that no test noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    viable: u64,
    survived: u64,
}

impl Count {
    /// The counts in a report of `cargo mutants` (`outcomes.json`).
    fn read(report: &Value) -> Option<Self> {
        let number = |name: &str| report[name].as_u64();
        let (caught, survived, timed_out) = (number("caught")?, number("missed")?, number("timeout")?);
        Some(Self {
            viable: caught + survived + timed_out,
            survived,
        })
    }

    /// Whether few enough survived. A run without mutants has shown nothing.
    fn is_good(self) -> bool {
        self.viable > 0 && self.survived * 100 <= MOST_PERCENT * self.viable
    }
}

/// Tries a share of the mutants of each package; returns whether each package passed, and its counts.
#[must_use]
pub fn run(percent: usize) -> Vec<(bool, String)> {
    let of_package = |(package, files): &(&str, &[&str])| match tried(package, files, percent) {
        Ok(count) => {
            let text = format!("{} of {} mutants of {package} survived", count.survived, count.viable);
            (count.is_good(), text)
        }
        Err(why) => (false, format!("mutants of {package}: {why}")),
    };
    RULES.iter().map(of_package).collect()
}

fn tried(package: &str, files: &[&str], percent: usize) -> Result<Count, String> {
    let folder = root().join("target/mutants").join(package);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["mutants", "--package", package, "--output"]).arg(&folder);
    for file in files {
        command.args(["--file", *file]);
    }
    let parts = parts(percent);
    if parts > 1 {
        command.arg("--shard").arg(format!("0/{parts}"));
    }
    let status = command
        .current_dir(root())
        .status()
        .map_err(|error| error.to_string())?;
    // A report of an earlier run says nothing about this one.
    if !status.code().is_some_and(|code| WHOLE.contains(&code)) {
        return Err(
            "`cargo mutants` did not run to its end; `cargo install --locked cargo-mutants` installs it".to_owned(),
        );
    }
    let path = folder.join("mutants.out/outcomes.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Count::read(&report).ok_or_else(|| format!("{} has no counts", path.display()))
}

/// The number of equal parts of which one is this share.
fn parts(percent: usize) -> usize {
    100 / percent.clamp(1, 100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn three_survivors_of_a_hundred_are_the_most() {
        let count = |caught: u64, missed: u64| {
            let report = json!({"caught": caught, "missed": missed, "timeout": 1, "unviable": 40});
            Count::read(&report).is_some_and(Count::is_good)
        };
        assert!(count(96, 3), "3 of 100");
        assert!(!count(95, 4), "4 of 100");
        assert!(!count(0, 1));
        let nothing = json!({"caught": 0, "missed": 0, "timeout": 0});
        assert!(!Count::read(&nothing).is_some_and(Count::is_good), "nothing was tried");
        assert_eq!(Count::read(&json!({"caught": 1})), None);
        assert_eq!([100, 50, 30, 1, 0].map(parts), [1, 2, 3, 100, 100]);
    }

    #[test]
    fn every_file_with_rules_is_there() {
        for file in RULES.iter().flat_map(|(_, files)| files.iter()) {
            let path = root().join(file.trim_end_matches("/*.rs"));
            assert!(path.exists(), "{file}");
        }
    }
}
