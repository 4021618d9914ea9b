//! Facts, names and sets that the tests share.

use model::core::enums::{Category, Criticality, Kind, Level, OwnershipRole, Role, State};
use model::core::ids::{PersonId, ServiceKey, TargetId};
use model::policy::facts::{ActorFacts, ChangeFacts, Part, TargetFacts};
use policy::{Directory, Finding, PolicySet, SourceFile};

/// A tenant with one group, service and environment beside the well-known groups.
pub struct Names;

impl Directory for Names {
    fn group_exists(&self, key: &str) -> bool {
        ["own-pay", "cab", "ecab", "outside"].contains(&key)
    }
    fn person_exists(&self, _: &str) -> bool {
        false
    }
    fn service_exists(&self, key: &str) -> bool {
        key == "pay"
    }
    fn environment_exists(&self, key: &str) -> bool {
        key == "production"
    }
}

/// A replacement of SHA-256 that distinguishes texts (FNV-1a).
pub fn hasher(bytes: &[u8]) -> String {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("sha256:{:064x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

pub fn compile(files: &[SourceFile], parameters: &str) -> Result<PolicySet, Vec<Finding>> {
    PolicySet::compile(files, parameters, policy::SCHEMA, &Names, hasher)
}

pub fn file(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

/// The base pack's files and one of the tenant's own, `house/house.cedar`.
pub fn with_house(text: &str) -> Vec<SourceFile> {
    let mut files = policy::base().files;
    files.push(file("house/house.cedar", text));
    files
}

/// The errors of the base pack and this file of the tenant's.
pub fn findings(text: &str) -> Vec<Finding> {
    compile(&with_house(text), "").err().unwrap_or_default()
}

pub fn base_set() -> PolicySet {
    compile(&policy::base().files, "").unwrap()
}

/// Base and every pack.
pub fn full_set() -> PolicySet {
    let mut files = policy::base().files;
    files.extend(policy::packs().into_iter().flat_map(|pack| pack.files));
    compile(&files, "").unwrap()
}

pub fn actor(roles: &[Role], parts: &[Part]) -> ActorFacts {
    ActorFacts {
        person: PersonId::from("p-1"),
        roles: roles.to_vec(),
        groups: Vec::new(),
        by_token: false,
        parts: parts.to_vec(),
        functions: Vec::new(),
        trainings: Vec::new(),
    }
}

pub fn change() -> ChangeFacts {
    ChangeFacts {
        tenant: "halden".to_owned(),
        change: "c-1".to_owned(),
        kind: Kind::Normal,
        expedited: false,
        retrospective: false,
        names_threat: false,
        state: State::Draft,
        category: Category::Application,
        touches: Vec::new(),
        risk: Level::Low,
        impact_data: Level::Low,
        impact_availability: Level::Low,
        impact_compliance: Level::Low,
        complexity: Level::Low,
        forecast: None,
        requester: PersonId::from("p-2"),
        owner: PersonId::from("p-2"),
        authors: vec![PersonId::from("p-2")],
        implementers: vec![PersonId::from("p-3")],
        implemented_by: Vec::new(),
        tester: None,
        fields: std::collections::BTreeMap::new(),
    }
}

pub fn target(id: &str, service: &str, regimes: &[&str]) -> TargetFacts {
    TargetFacts {
        target: TargetId::from(id),
        service: ServiceKey::from(service),
        criticality: Criticality::Medium,
        regimes: regimes.iter().map(|word| (*word).to_owned()).collect(),
        data_class: None,
        environment: "production".to_owned(),
        is_production: true,
        has_artifact: true,
        owners: vec![(OwnershipRole::Owner, PersonId::from("p-4"))],
    }
}
