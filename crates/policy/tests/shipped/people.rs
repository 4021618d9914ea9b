//! The model's small organisation under the base pack as it is shipped.

use std::sync::LazyLock;

use model::approval::obligation::{Due, Duty, Requirements, Verdict};
use model::change::change_file::ChangeFile;
use model::policy::facts::ActorFacts;
use model::policy::permission::{change_facts, target_facts};
use policy::{Directory, PolicySet, on_policy_thread};

pub use crate::stand_ins::*;

/// The well-known groups alone.
struct Names;

impl Directory for Names {
    fn group_exists(&self, _: &str) -> bool {
        false
    }
    fn person_exists(&self, _: &str) -> bool {
        false
    }
    fn service_exists(&self, _: &str) -> bool {
        false
    }
    fn environment_exists(&self, _: &str) -> bool {
        false
    }
}

const TENANT: &str = "halden";

static SHIPPED: LazyLock<PolicySet> = LazyLock::new(|| {
    let digest = |_: &[u8]| format!("sha256:{:064x}", 0);
    on_policy_thread(|| PolicySet::compile(&policy::base().files, "", policy::SCHEMA, &Names, digest).unwrap())
});

/// The requirements of the base pack for a change, beside the test's own rules.
pub fn requirements(
    file: &ChangeFile,
    extra: &[(Due, Duty)],
    stop: Option<&str>,
    (directory, now): Estate<'_>,
) -> Requirements {
    let targets = target_facts(file, directory, now);
    let mut found = on_policy_thread(|| SHIPPED.require(&change_facts(file, directory, TENANT), &targets));
    found.obligations.extend(own_rules(&file.change, extra));
    match stop {
        Some(stop) => Requirements {
            stop: Some(stop.to_owned()),
            ..Requirements::default()
        },
        None => found,
    }
}

/// Whether the base pack lets a person act.
pub fn may(facts: &ActorFacts, act: &str, file: Option<&ChangeFile>, (directory, now): Estate<'_>) -> Verdict {
    let known = file.map(|file| {
        (
            change_facts(file, directory, TENANT),
            target_facts(file, directory, now),
        )
    });
    let about = known.as_ref().map(|(change, targets)| (change, targets.as_slice()));
    on_policy_thread(|| SHIPPED.may(facts, act, about))
}
