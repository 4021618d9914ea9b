//! Compliance frameworks and their controls over change management: the clauses, the policies that enforce each control here,
//! and the rules that test it. The clauses are cited by number; their wording belongs to their publishers.

use serde::Serialize;

mod tables;

/// A standard or regulation with the controls of it that concern changes.
#[derive(Debug, Serialize)]
pub struct Framework {
    /// Its id in addresses: `pci-dss`.
    pub id: &'static str,
    /// Its name.
    pub title: &'static str,
    /// The publication that is cited.
    pub source: &'static str,
    /// Its controls, at least five.
    pub controls: &'static [Control],
}

/// A control: the requirement of a clause, its enforcement and its tests.
#[derive(Debug, Serialize)]
pub struct Control {
    /// Its id in reports.
    pub id: &'static str,
    /// The clause of the publication.
    pub clause: &'static str,
    /// The objective, in one sentence.
    pub objective: &'static str,
    /// How Assent enforces it.
    pub enforcement: &'static str,
    /// The ids of the policies that enforce it, of which those in force count.
    pub policies: &'static [&'static str],
    /// The ids of the rules in [`crate::compliance::violation::RULES`] that test it.
    pub rules: &'static [&'static str],
}

/// Every framework.
pub const FRAMEWORKS: &[Framework] = &[
    tables::SOX,
    tables::PCI_DSS,
    tables::HIPAA,
    tables::ISO_27001,
    tables::SOC_2,
    tables::NIST_800_53,
];

/// The framework with this id.
#[must_use]
pub fn framework(id: &str) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|framework| framework.id == id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::compliance::violation::rule;

    #[test]
    fn every_framework_has_five_controls_each_with_a_clause_policies_and_known_rules() {
        for framework in FRAMEWORKS {
            assert!(framework.controls.len() >= 5, "{}", framework.id);
            let ids: BTreeSet<&str> = framework.controls.iter().map(|control| control.id).collect();
            assert_eq!(ids.len(), framework.controls.len(), "{}", framework.id);
            for control in framework.controls {
                assert!(
                    !control.clause.is_empty() && !control.policies.is_empty(),
                    "{}",
                    control.id
                );
                assert!(!control.rules.is_empty(), "{}", control.id);
                for id in control.rules {
                    assert!(rule(id).is_some(), "{} names the unknown rule {id}", control.id);
                }
            }
        }
    }

    #[test]
    fn every_policy_of_a_control_comes_with_the_program() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")];
        let mut texts = String::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "cedar") {
                    texts.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        for control in FRAMEWORKS.iter().flat_map(|it| it.controls) {
            for id in control.policies {
                let annotation = format!("@id(\"{id}\")");
                assert!(
                    texts.contains(&annotation),
                    "{} names the unknown policy {id}",
                    control.id
                );
            }
        }
    }
}
