//! The facts that the policies may read. They hold no clock and no free text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::enums::{Category, Criticality, Kind, Level, OwnershipRole, Role, State, Touch};
use crate::core::ids::{GroupKey, PersonId, ServiceKey, TargetId};

/// Everything about one change and one target that a policy may test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeFacts {
    /// The tenant's key.
    pub tenant: String,
    /// The change's id.
    pub change: String,
    /// Standard, normal or emergency.
    pub kind: Kind,
    /// Late, not urgent.
    pub expedited: bool,
    /// Recorded after the work was done.
    pub retrospective: bool,
    /// Whether an emergency names a threat.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_threat: bool,
    /// The change's state.
    pub state: State,
    /// The category.
    pub category: Category,
    /// Sensitive things it touches.
    pub touches: Vec<Touch>,
    /// The computed (or overridden) level.
    pub risk: Level,
    /// Impact on data.
    pub impact_data: Level,
    /// Impact on availability.
    pub impact_availability: Level,
    /// Impact on compliance.
    pub impact_compliance: Level,
    /// Complexity.
    pub complexity: Level,
    /// The forecast of failure; absent where no model was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastFacts>,
    /// The requester.
    pub requester: PersonId,
    /// The owner.
    pub owner: PersonId,
    /// The people who wrote it or edited its covered content.
    pub authors: Vec<PersonId>,
    /// The people named to implement it.
    pub implementers: Vec<PersonId>,
    /// The people who did some of the work.
    pub implemented_by: Vec<PersonId>,
    /// The person named to test it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tester: Option<PersonId>,
    /// Its values of the tenant's custom fields that are declared as facts, by key; no other field is here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldFact>,
}

/// The value of a custom field, by the kind of the field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldFact {
    /// One of the field's choices, or a service's key.
    Word(String),
    /// A whole number, or a day as the number 20261201.
    Number(i64),
}

/// The forecast of failure, as far as policies see it, with the model behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastFacts {
    /// The digest of the model.
    pub model: String,
    /// The version of the features.
    pub features_version: i64,
    /// The probability of failure, in parts per million; absent where the forecast abstains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability_ppm: Option<i64>,
    /// The lower end of the 90 % interval.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
    /// The probability after reviewed failures moved it; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_ppm: Option<i64>,
}

impl ForecastFacts {
    /// The probability that counts now: as moved by reviewed failures, else the model's.
    #[must_use]
    pub fn counting_ppm(&self) -> Option<i64> {
        self.moved_ppm.or(self.probability_ppm)
    }
}

/// The target's service and environment, as far as policies see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// The target inside its change.
    pub target: TargetId,
    /// The service's key.
    pub service: ServiceKey,
    /// The service's criticality.
    pub criticality: Criticality,
    /// Regimes such as `sox`, `hipaa`.
    pub regimes: Vec<String>,
    /// The class of its data, if stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_class: Option<String>,
    /// The environment's key.
    pub environment: String,
    /// Whether the environment is production.
    pub is_production: bool,
    /// Whether the target names an artifact or a commit.
    pub has_artifact: bool,
    /// The owners of the service, by role.
    pub owners: Vec<(OwnershipRole, PersonId)>,
}

/// A person or a token's bearer, as far as policies see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorFacts {
    /// The person.
    pub person: PersonId,
    /// Rights in this tenant (of the person, narrowed by the token if one was used).
    pub roles: Vec<Role>,
    /// Groups.
    pub groups: Vec<GroupKey>,
    /// Whether a token acts, not a session.
    pub by_token: bool,
    /// Parts that the person has in this change, as the crate `model` works them out.
    pub parts: Vec<Part>,
    /// Job functions.
    #[serde(default)]
    pub functions: Vec<String>,
    /// Trainings that are valid at this moment.
    #[serde(default)]
    pub trainings: Vec<String>,
}

impl ActorFacts {
    /// The facts for a token that is limited to some roles: those roles alone, no groups, and only the parts that such a role
    /// gives. Parts that bar somebody (wrote it, implemented it) stay. Policies are evaluated twice, for the whole person and
    /// for these facts, so an omission here never permits anything.
    #[must_use]
    pub fn narrowed(&self, to: &std::collections::BTreeSet<Role>) -> Self {
        let any = |roles: &[Role]| roles.iter().any(|role| to.contains(role));
        let keeps = |part: &Part| match part {
            Part::Requester => any(&[Role::Requester]),
            Part::Owner => any(&[Role::Owner]),
            Part::Implementer => any(&[Role::Implementer, Role::Pipeline]),
            Part::Holder => any(&[Role::Owner, Role::Implementer]),
            Part::Tester | Part::Asked | Part::Approver | Part::Peer | Part::VerbalApprover | Part::Checker => {
                any(&[Role::Owner, Role::Security, Role::ChangeManager])
            }
            Part::Author | Part::Implemented => true,
        };
        Self {
            roles: self.roles.iter().copied().filter(|role| to.contains(role)).collect(),
            groups: Vec::new(),
            parts: self.parts.iter().copied().filter(keeps).collect(),
            ..self.clone()
        }
    }
}

/// A part of the acting person in the change at hand, for policies of acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Asked for it.
    Requester,
    /// Owns the change or one of its targets.
    Owner,
    /// Wrote it or edited its covered content.
    Author,
    /// Is named to implement, or (where nobody is named) has the implementer or pipeline right on the target.
    Implementer,
    /// Did some of the work.
    Implemented,
    /// Is the named tester, or a person named by a rule of validation.
    Tester,
    /// A rule requests their approval.
    Asked,
    /// Has approved.
    Approver,
    /// Could review as a peer.
    Peer,
    /// Is named as verbal approver of a retrospective change.
    VerbalApprover,
    /// Checks a condition.
    Checker,
    /// Has a right of their own over every target, whomever the change names: owns it, leads or implements there by the matrix,
    /// or has the right to implement in the whole tenant.
    Holder,
}
