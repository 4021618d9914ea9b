//! The names that policies mention, which must exist when a set is activated.

use cedar_policy::EntityUid;
use model::obligation::{Asked, Duty, Obligation};

use super::read::Loaded;
use crate::question::uid;
use crate::{Directory, Finding, WELL_KNOWN_GROUPS};

/// An entity that a policy names.
pub(super) struct Named {
    uid: EntityUid,
    file: String,
    line: u32,
}

impl Named {
    pub fn missing(&self, names: &dyn Directory) -> Option<Finding> {
        let id = self.uid.id().unescaped();
        let (noun, exists) = match self.uid.type_name().to_string().as_str() {
            "Group" => ("group", WELL_KNOWN_GROUPS.contains(&id) || names.group_exists(id)),
            "Person" => ("person", names.person_exists(id)),
            "Service" => ("service", names.service_exists(id)),
            "Environment" => ("environment", names.environment_exists(id)),
            "Actor" | "Change" => {
                let text = format!("a policy may not name {}; name a person or test attributes", self.uid);
                return Some(self.finding("may_not_be_named", text));
            }
            _ => return None,
        };
        if exists {
            return None;
        }
        Some(self.finding("unknown_name", format!("there is no {noun} `{id}`")))
    }

    fn finding(&self, code: &'static str, text: String) -> Finding {
        Finding {
            file: self.file.clone(),
            line: self.line,
            code,
            text,
            help: None,
        }
    }
}

/// The group that a duty names.
fn group_of(obligation: &Obligation) -> Option<String> {
    match &obligation.duty {
        Duty::Approval(rule) => match &rule.from {
            Asked::Group(key) => Some(key.0.clone()),
            _ => None,
        },
        Duty::Validation {
            from: Some(Asked::Group(key)),
            ..
        } => Some(key.0.clone()),
        Duty::PeerReview { from, .. } => from.as_ref().map(|key| key.0.clone()),
        _ => None,
    }
}

/// The entities that a policy's text and its duty name.
pub(super) fn named(policy: &Loaded<'_>, obligation: Option<&Obligation>) -> Vec<Named> {
    let group = obligation.and_then(group_of).map(|key| uid("Group", &key));
    let all = policy.policy.entity_literals().into_iter().chain(group);
    all.map(|uid| Named {
        uid,
        file: policy.file.name.clone(),
        line: policy.line(),
    })
    .collect()
}
