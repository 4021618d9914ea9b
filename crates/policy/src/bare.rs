//! Cedar alone: the floor of the benchmark, for one question of a set with everything made ready beforehand.

use cedar_policy::{Authorizer, Context, Entities, Request};
use model::policy::facts::{ChangeFacts, TargetFacts};

use crate::PolicySet;
use crate::question::Question;

/// The requirements of one change for one target, prepared for Cedar: request, entities and policies are ready, and only the
/// number of deciding policies is read.
pub struct Bare {
    request: Request,
    entities: Entities,
    policies: cedar_policy::PolicySet,
}

impl Bare {
    /// Evaluates once and returns the number of deciding policies. The caller's thread needs a stack of [`crate::STACK_BYTES`].
    pub fn ask(&self) -> usize {
        let response = Authorizer::new().is_authorized(&self.request, &self.policies, &self.entities);
        response.diagnostics().reason().count()
    }

    /// The number of evaluated policies.
    pub fn policies(&self) -> usize {
        self.policies.policies().count()
    }
}

impl PolicySet {
    /// The question of [`PolicySet::require`] for one target, made ready for Cedar.
    ///
    /// # Errors
    /// Why the facts do not fit the schema.
    pub fn bare(&self, change: &ChangeFacts, target: &TargetFacts) -> Result<Bare, String> {
        let question = Question::require(change, target, &self.words)?;
        let schema = Some(&self.schema);
        let entities = Entities::from_entities(question.entities, schema).map_err(|error| error.to_string())?;
        let context = Context::from_pairs(question.context).map_err(|error| error.to_string())?;
        let policies = self.by_action.get(question.action.id().unescaped()).cloned();
        let request = Request::new(question.principal, question.action, question.resource, context, schema);
        Ok(Bare {
            request: request.map_err(|error| error.to_string())?,
            entities,
            policies: policies.unwrap_or_default(),
        })
    }
}
