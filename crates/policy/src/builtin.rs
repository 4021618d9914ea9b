//! The texts that the binary carries: the schema, the base pack and the packs that a tenant may add.

use crate::SourceFile;

/// The schema that every set is compiled against.
pub const SCHEMA: &str = include_str!("../../../policies/schema.cedarschema");

/// Policies that belong together, with their cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// The pack's name: the first part of its policies' ids.
    pub name: &'static str,
    /// Its purpose, in one sentence.
    pub about: &'static str,
    /// Policies and declarations of parameters, for `PolicySet::compile`.
    pub files: Vec<SourceFile>,
    /// Cases, for `check_cases`.
    pub cases: Vec<SourceFile>,
}

/// Reads one shipped file.
macro_rules! shipped {
    ($($name:literal from $path:literal),+ $(,)?) => {
        vec![$(SourceFile {
            name: $name.to_owned(),
            text: include_str!(concat!("../../../policies/", $path)).to_owned(),
        }),+]
    };
}

/// The base pack: who may act, and what every change needs. It is part of every set.
pub fn base() -> Pack {
    Pack {
        name: "base",
        about: "Permissions for acts, and the requirements of every change.",
        files: shipped![
            "base/acts.cedar" from "base/acts.cedar",
            "base/parameters.toml" from "base/parameters.toml",
            "base/requirements.cedar" from "base/requirements.cedar",
            "base/tenant.cedar" from "base/tenant.cedar",
        ],
        cases: shipped![
            "base/cases/acts.cases" from "base/cases/acts.cases",
            "base/cases/requirements.cases" from "base/cases/requirements.cases",
            "base/cases/tenant.cases" from "base/cases/tenant.cases",
        ],
    }
}

/// The packs that a tenant may add, sorted by name.
pub fn packs() -> Vec<Pack> {
    vec![cab(), checklists(), dual_control(), hipaa(), pci(), small_team(), sox()]
}

/// A pack by its name: `cab`, `checklists`, `dual-control`, `hipaa`, `pci`, `small-team` or `sox`.
pub fn pack(name: &str) -> Option<Pack> {
    packs().into_iter().find(|pack| pack.name == name)
}

fn cab() -> Pack {
    Pack {
        name: "cab",
        about: "High-risk changes are decided at a board meeting, emergencies by the board's on-call members.",
        files: shipped![
            "cab/cab.cedar" from "packs/cab/cab.cedar",
            "cab/parameters.toml" from "packs/cab/parameters.toml",
        ],
        cases: shipped!["cab/cases/cab.cases" from "packs/cab/cases/cab.cases"],
    }
}

fn checklists() -> Pack {
    Pack {
        name: "checklists",
        about: "Each category has its checklist, and schema changes need a recently restored backup.",
        files: shipped![
            "checklists/checklists.cedar" from "packs/checklists/checklists.cedar",
            "checklists/parameters.toml" from "packs/checklists/parameters.toml",
        ],
        cases: shipped!["checklists/cases/checklists.cases" from "packs/checklists/cases/checklists.cases"],
    }
}

fn dual_control() -> Pack {
    Pack {
        name: "dual-control",
        about: "Changes to privileged accounts and cryptographic keys need two people.",
        files: shipped![
            "dual-control/dual-control.cedar" from "packs/dual-control/dual-control.cedar",
            "dual-control/parameters.toml" from "packs/dual-control/parameters.toml",
        ],
        cases: shipped!["dual-control/cases/dual-control.cases" from "packs/dual-control/cases/dual-control.cases"],
    }
}

fn hipaa() -> Pack {
    Pack {
        name: "hipaa",
        about: "The owner of health data approves changes to it, and they can be rolled back.",
        files: shipped![
            "hipaa/hipaa.cedar" from "packs/hipaa/hipaa.cedar",
            "hipaa/parameters.toml" from "packs/hipaa/parameters.toml",
        ],
        cases: shipped!["hipaa/cases/hipaa.cases" from "packs/hipaa/cases/hipaa.cases"],
    }
}

fn pci() -> Pack {
    Pack {
        name: "pci",
        about: "Only trained people work in the scope of card data, and authors do not deploy their own changes.",
        files: shipped![
            "pci/parameters.toml" from "packs/pci/parameters.toml",
            "pci/pci.cedar" from "packs/pci/pci.cedar",
        ],
        cases: shipped!["pci/cases/pci.cases" from "packs/pci/cases/pci.cases"],
    }
}

fn small_team() -> Pack {
    Pack {
        name: "small-team",
        about: "Two people separate their duties where possible, and an outsider reviews their work every week.",
        files: shipped![
            "small-team/parameters.toml" from "packs/small-team/parameters.toml",
            "small-team/small-team.cedar" from "packs/small-team/small-team.cedar",
        ],
        cases: shipped!["small-team/cases/small-team.cases" from "packs/small-team/cases/small-team.cases"],
    }
}

fn sox() -> Pack {
    Pack {
        name: "sox",
        about: "Authors do not deploy to production, and approvers confirm with a fresh factor.",
        files: shipped![
            "sox/parameters.toml" from "packs/sox/parameters.toml",
            "sox/sox.cedar" from "packs/sox/sox.cedar",
        ],
        cases: shipped!["sox/cases/sox.cases" from "packs/sox/cases/sox.cases"],
    }
}
