//! Permissions and requirements: the only crate that uses Cedar.
//!
//! Facts in, verdicts out. A permit policy of the action `require` is one obligation, described by its annotations (see
//! `vocabulary.rs`); every other policy decides who may act. The README describes how to call this crate.
//!
//! Cedar needs a deep stack: with little left every policy errs, and a deep text aborts the process. Compiling therefore spawns
//! its own thread; evaluation runs in the caller's thread, which must have been made with [`STACK_BYTES`].

mod bare;
mod builtin;
mod cases;
mod explain;
mod judge;
mod limits;
mod load;
mod nearest;
mod parameters;
mod question;
mod scan;
mod set;
mod shape;
mod thread;
mod values;
mod vocabulary;

pub use bare::Bare;
pub use builtin::{Pack, SCHEMA, base, pack, packs};
pub use cases::{CasesReport, check_cases, obligation_text, run_cases};
pub use explain::{Explained, Explanation};
pub use nearest::nearest;
pub use parameters::Parameter;
pub use set::{PolicySet, PolicySource};
pub use thread::{STACK_BYTES, on_policy_thread};

/// A file of a set: policies (`base/acts.cedar`), parameters (`sox/parameters.toml`) or cases. The folder is the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path with `/`, as findings name it; unique in a set.
    pub name: String,
    /// The text, at most 256 KiB.
    pub text: String,
}

/// A mistake in a set or its cases, with its place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The file's name; `schema` and `parameters` for those two.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// A stable code for the kind of mistake, such as `unknown_annotation`.
    pub code: &'static str,
    /// The mistake, in one sentence.
    pub text: String,
    /// A suggestion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// Something right to begin from, for what is wrong inside of a policy.
    #[must_use]
    pub fn example(&self) -> Option<&'static str> {
        const REQUIRE: &str =
            "@require(\"approval\") @from(\"owner\") @covers(\"what\") @count(\"2\") @valid_for(\"30d\")";
        match self.code {
            "unknown_annotation"
            | "misplaced_annotation"
            | "annotation_missing"
            | "unknown_kind"
            | "require_missing"
            | "bad_value" => Some(REQUIRE),
            "validation" | "never_matches" => Some("when { resource.risk_number >= 3 && resource.expedited }"),
            "unknown_action" | "actions_not_named" => Some("action in [Action::\"approve_change\", Action::\"read\"]"),
            "scope_of_require" | "forbid_of_require" | "membership_in_require" => {
                Some("permit (principal, action == Action::\"require\", resource)")
            }
            "id" | "reason" | "parse" => Some(
                "@id(\"house.read\") @reason(\"Why it is so.\") permit (principal, action == Action::\"read\", resource);",
            ),
            "unknown_name" | "may_not_be_named" => Some("principal in Group::\"security\""),
            _ => None,
        }
    }

    /// The mistake, a suggestion, and a correct example.
    #[must_use]
    pub fn said(&self) -> String {
        let help = self.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        let example = self
            .example()
            .map(|it| format!("; for example `{it}`"))
            .unwrap_or_default();
        format!("{}{help}{example}", self.text)
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.said())
    }
}

/// Looks up the names that policies mention. Called in the caller's thread while a set is compiled.
pub trait Directory {
    /// Whether the tenant has a group with this key.
    fn group_exists(&self, key: &str) -> bool;
    /// Whether the tenant has a person with this id.
    fn person_exists(&self, id: &str) -> bool;
    /// Whether the tenant has a service with this key.
    fn service_exists(&self, key: &str) -> bool;
    /// Whether the tenant has an environment with this key.
    fn environment_exists(&self, key: &str) -> bool;
    /// Whether changes have a custom field with this key that is declared as a fact. Without a tenant, any key counts.
    fn is_fact(&self, _key: &str) -> bool {
        true
    }
}

/// The digest function that the caller brings: bytes in, `sha256:<64 hex>` out.
pub type Hasher = fn(&[u8]) -> String;

/// The groups that every tenant has; a policy may name them without a directory lookup.
pub const WELL_KNOWN_GROUPS: [&str; 2] = ["change-managers", "security"];
