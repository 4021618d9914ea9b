//! The policies of a tenant: those in force, compiled once and kept by their digest, and the names that they may use.

use std::sync::Arc;

use model::core::enums::ConfigurationKind;
use model::core::ids::{EnvironmentKey, GroupKey, PersonId, ServiceKey};
use model::directory::snapshot::Directory;
use model::policy::configuration::{Configuration, InForce, PolicyFile};
use policy::{Finding, PolicySet, SourceFile};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// Assumes that every name exists: a set in force stays in force when a group that it names is removed.
struct AnyName;

impl policy::Directory for AnyName {
    fn group_exists(&self, _: &str) -> bool {
        true
    }

    fn person_exists(&self, _: &str) -> bool {
        true
    }

    fn service_exists(&self, _: &str) -> bool {
        true
    }

    fn environment_exists(&self, _: &str) -> bool {
        true
    }
}

/// The names of a tenant's estate.
pub(crate) struct Names<'a>(pub(crate) &'a Directory);

impl policy::Directory for Names<'_> {
    fn group_exists(&self, key: &str) -> bool {
        self.0.groups.contains_key(&GroupKey::from(key))
    }

    fn person_exists(&self, id: &str) -> bool {
        self.0.people.contains_key(&PersonId::from(id))
    }

    fn service_exists(&self, key: &str) -> bool {
        self.0.services.contains_key(&ServiceKey::from(key))
    }

    fn environment_exists(&self, key: &str) -> bool {
        self.0.environments.contains_key(&EnvironmentKey::from(key))
    }

    fn is_fact(&self, key: &str) -> bool {
        let field = self.0.custom_fields.get(key);
        field.is_some_and(|field| field.is_fact && !field.is_over)
    }
}

/// Files as the policies' own crate reads them.
pub(crate) fn sources(files: &[PolicyFile]) -> Vec<SourceFile> {
    files
        .iter()
        .map(|file| SourceFile {
            name: file.path.clone(),
            text: file.content.clone(),
        })
        .collect()
}

/// The parameters of a demo: its changes need the same evidence at every risk, also under a set that is put in force in
/// the demo, unless the set's parameters differ.
#[must_use]
pub fn in_a_demo(parameters: &str) -> String {
    const NAME: &str = "thorough_evidence_from";
    if parameters.lines().any(|line| line.trim_start().starts_with(NAME)) {
        return parameters.to_owned();
    }
    // At the end, so that the lines of the given parameters keep their numbers.
    let is_line = parameters.is_empty() || parameters.ends_with('\n');
    let gap = if is_line { "" } else { "\n" };
    format!("{parameters}{gap}{NAME} = \"never\"\n")
}

/// The parameters that a set has in this tenant.
fn parameters_in(directory: &Directory, parameters: &str) -> String {
    match &directory.tenant {
        Some(tenant) if tenant.demo => in_a_demo(parameters),
        _ => parameters.to_owned(),
    }
}

/// Compiles a set for a tenant and runs its cases. The failed cases are returned separately, so that all other errors
/// in the set can be reported at once. Works on a thread of its own.
///
/// # Errors
/// All that keeps it from being compiled, each with file and line.
pub fn compile(
    files: &[PolicyFile],
    cases: &[PolicyFile],
    parameters: &str,
    directory: &Directory,
) -> std::result::Result<(PolicySet, Vec<Finding>), Vec<Finding>> {
    let digest = proof::crypto::digest_text;
    let parameters = parameters_in(directory, parameters);
    let set = PolicySet::compile(&sources(files), &parameters, policy::SCHEMA, &Names(directory), digest)?;
    let failed = policy::check_cases(&set, &sources(cases)).err().unwrap_or_default();
    Ok((set, failed))
}

impl Context<'_, '_> {
    /// The policies in force, as this transaction sees them.
    ///
    /// # Errors
    /// The store's; a fault when the policies in force cannot be compiled, so that nothing is evaluated without rules.
    pub fn policies(&mut self) -> Result<Arc<PolicySet>> {
        if let Some(set) = &self.policies {
            return Ok(set.clone());
        }
        let directory = self.directory()?;
        let in_force = directory.tenant.as_ref().and_then(|tenant| tenant.policies.clone());
        let set = match in_force {
            Some(in_force) => self.compiled(&in_force)?,
            None => self.services.tools().shipped(directory.tenant.as_ref()).clone(),
        };
        self.policies = Some(set.clone());
        Ok(set)
    }

    /// The policies of a digest, in force or not; `None` if no record contains them any more, or if this program cannot
    /// compile them.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn policies_of(&mut self, digest: &str) -> Result<Option<Arc<PolicySet>>> {
        let directory = self.directory()?;
        let shipped = self.services.tools().shipped(directory.tenant.as_ref()).clone();
        for known in [self.policies()?, shipped] {
            if known.digest() == digest {
                return Ok(Some(known));
            }
        }
        let of_digest = Filter::new()
            .equals("kind", ConfigurationKind::Policies.as_str())
            .equals("digest", digest)
            .order_by("id")
            .limit(1);
        let Some(found) = record::bodies::<Configuration>(self.tx, &of_digest)?.pop() else {
            return Ok(None);
        };
        let set = InForce {
            id: found.id,
            digest: found.digest,
        };
        match self.compiled(&set) {
            Ok(set) => Ok(Some(set)),
            Err(Error::Fault(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn compiled(&mut self, in_force: &InForce) -> Result<Arc<PolicySet>> {
        if let Some(set) = self.services.cached_policies(&in_force.digest) {
            return Ok(set);
        }
        let found = record::load::<Configuration>(self.tx, in_force.id.as_str())?.map(|stored| stored.record);
        let Some(found) = found.filter(|found| found.digest == in_force.digest) else {
            return Err(Error::Fault(format!("the policies {} are not there", in_force.digest)));
        };
        let digest = proof::crypto::digest_text;
        let files = sources(&found.files);
        let directory = self.directory()?;
        let parameters = parameters_in(&directory, &found.parameters);
        let compiled = PolicySet::compile(&files, &parameters, policy::SCHEMA, &AnyName, digest);
        let set = Arc::new(compiled.map_err(|findings| {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            Error::Fault(format!(
                "the policies in force cannot be compiled; `assent policy apply --recover` on the host brings the set \
                 before them back:\n{}",
                lines.join("\n")
            ))
        })?);
        self.services.keep_policies(&in_force.digest, &set);
        Ok(set)
    }
}
