//! Evaluates Cedar and accepts the result only after five checks.
//!
//! Cedar alone fails open: a permit or forbid that errors is skipped, `x in Group` is false when a link is missing, and a
//! missing target leaves only the unconditional policies. So the order is: the facts fit the schema, and every entity that
//! they name is among them; no policy erred; the decision is Allow; the base obligation is among the reasons; every reason
//! has a compiled obligation. Anything else stops.

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, EvalResult, Request};
use model::approval::obligation::Obligation;

use crate::PolicySet;
use crate::question::Question;
use crate::shape::Misfit;

/// The policy without a condition that every result must name.
pub(crate) const BASE_OBLIGATION: &str = "base.require.validation";

/// Cedar's result, checked for gaps and errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CedarResult {
    pub allowed: bool,
    /// The ids of the policies that decided, sorted.
    pub reasons: Vec<String>,
}

/// The reason why a result is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The facts do not fit the schema.
    Unfit(String),
    /// The facts name an entity that is not among them.
    Dangling(String),
    /// A policy erred.
    Erred(String),
    /// Nothing at all is required.
    Denied,
    /// The base obligation is missing.
    NoBase,
    /// A policy that decided has no compiled obligation.
    Unknown(String),
}

impl From<Misfit> for Trouble {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::Unfit(text) => Self::Unfit(text),
            Misfit::Dangling(uid) => Self::Dangling(uid.to_string()),
        }
    }
}

impl Trouble {
    /// The id of this trouble in a verdict: the policy's, or one of this crate's.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Erred(id) | Self::Unknown(id) => id,
            Self::Unfit(_) | Self::Dangling(_) => "assent.facts",
            Self::Denied | Self::NoBase => BASE_OBLIGATION,
        }
    }

    /// The sentence for people.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Unfit(text) => format!("the facts do not match the policies' schema: {text}"),
            Self::Dangling(name) => format!("the facts refer to {name}, which they do not contain"),
            Self::Erred(id) => format!("a rule could not be evaluated: `{id}`"),
            Self::Denied => "the policies require nothing, not even the requirements of every change".to_owned(),
            Self::NoBase => format!("the rule for every change is missing from the result: `{BASE_OBLIGATION}`"),
            Self::Unknown(id) => format!("a rule has no valid requirement: `{id}`"),
        }
    }
}

impl PolicySet {
    /// Evaluates the policies of the question's action, and checks the facts and the result for gaps.
    pub(crate) fn ask(&self, question: Question) -> Result<CedarResult, Trouble> {
        let unfit = |error: &dyn std::fmt::Display| Trouble::Unfit(error.to_string());
        let empty = cedar_policy::PolicySet::new();
        let policies = self.by_action.get(question.action.id().unescaped()).unwrap_or(&empty);
        let entities = Entities::from_entities(question.entities, None).map_err(|e| unfit(&e))?;
        let context = Context::from_pairs(question.context).map_err(|e| unfit(&e))?;
        let request = Request::new(
            question.principal,
            question.action,
            question.resource,
            context,
            Some(&self.schema),
        )
        .map_err(|e| unfit(&e))?;
        self.shape.check(&entities, named_by(&request)).map_err(Trouble::from)?;
        let response = Authorizer::new().is_authorized(&request, policies, &entities);
        let mut erred: Vec<String> = response.diagnostics().errors().map(erring_policy).collect();
        erred.sort();
        if let Some(id) = erred.into_iter().next() {
            return Err(Trouble::Erred(id));
        }
        let mut reasons: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        reasons.sort();
        Ok(CedarResult {
            allowed: response.decision() == Decision::Allow,
            reasons,
        })
    }

    /// The obligations of one result about `require`, in the order of their ids.
    pub(crate) fn verdict(&self, answer: Result<CedarResult, Trouble>) -> Result<Vec<&Obligation>, Trouble> {
        let answer = answer?;
        if !answer.allowed {
            return Err(Trouble::Denied);
        }
        if !answer.reasons.iter().any(|id| id == BASE_OBLIGATION) {
            return Err(Trouble::NoBase);
        }
        let known = |id: &String| self.obligations.get(id).ok_or_else(|| Trouble::Unknown(id.clone()));
        answer.reasons.iter().map(known).collect()
    }
}

/// The entities that a question names besides its own.
fn named_by(request: &Request) -> Vec<EntityUid> {
    let mut named: Vec<EntityUid> = [request.principal(), request.resource()]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    if let Some(EvalResult::Record(target)) = request.context().and_then(|context| context.get("target")) {
        named.extend(target.iter().filter_map(|(_, value)| match value {
            EvalResult::EntityUid(uid) => Some(uid.clone()),
            _ => None,
        }));
    }
    named
}

fn erring_policy(error: &cedar_policy::AuthorizationError) -> String {
    match error {
        cedar_policy::AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use std::collections::{HashMap, HashSet};

    use cedar_policy::{Entity, RestrictedExpression};
    use model::core::enums::{Category, Kind, Level, Role, State};
    use model::policy::facts::{ActorFacts, ChangeFacts, TargetFacts};

    use super::*;
    use crate::question::{neutral_target, uid};
    use model::core::enums;
    use model::policy::facts;

    struct Nobody;

    impl crate::Directory for Nobody {
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

    fn set() -> PolicySet {
        PolicySet::compile(&crate::base().files, "", crate::SCHEMA, &Nobody, |_| String::new()).unwrap()
    }

    fn change() -> ChangeFacts {
        ChangeFacts {
            tenant: "t".into(),
            change: "c".into(),
            kind: Kind::Normal,
            expedited: false,
            retrospective: false,
            names_threat: false,
            state: State::Draft,
            category: Category::Application,
            touches: vec![],
            risk: Level::Low,
            impact_data: Level::Low,
            impact_availability: Level::Low,
            impact_compliance: Level::Low,
            complexity: Level::Low,
            forecast: None,
            requester: "p1".into(),
            owner: "p2".into(),
            authors: vec![],
            implementers: vec![],
            implemented_by: vec![],
            tester: None,
            fields: std::collections::BTreeMap::new(),
        }
    }

    fn question(set: &PolicySet) -> Question {
        let target = TargetFacts {
            service: "pay".into(),
            environment: "prod".into(),
            ..neutral_target()
        };
        Question::require(&change(), &target, &set.words).unwrap()
    }

    /// The trouble after one entity is removed from the facts.
    fn without(name: &'static str, id: &str) -> Trouble {
        let set = set();
        let mut question = question(&set);
        let before = question.entities.len();
        question.entities.retain(|entity| entity.uid() != uid(name, id));
        assert_eq!(question.entities.len(), before - 1);
        set.verdict(set.ask(question)).unwrap_err()
    }

    #[test]
    fn a_missing_entity_stops() {
        for (name, id) in [
            ("Change", "c"),
            ("Service", "pay"),
            ("Environment", "prod"),
            ("Person", "p1"),
        ] {
            assert_eq!(without(name, id), Trouble::Dangling(format!("{name}::\"{id}\"")));
        }
    }

    #[test]
    fn a_missing_group_stops() {
        let set = set();
        let actor = ActorFacts {
            person: "p1".into(),
            roles: vec![Role::ChangeManager],
            groups: vec!["own-pay".into()],
            by_token: false,
            parts: vec![],
            functions: vec![],
            trainings: vec![],
        };
        let mut question = Question::in_tenant(&actor, "set_freeze").unwrap();
        assert!(set.ask(question.clone()).unwrap().allowed);
        question
            .entities
            .retain(|entity| entity.uid() != uid("Group", "own-pay"));
        assert_eq!(
            set.ask(question),
            Err(Trouble::Dangling("Group::\"own-pay\"".to_owned()))
        );
    }

    #[test]
    fn facts_that_do_not_fit_the_schema_stop() {
        let set = set();
        let mut question = question(&set);
        let attributes = HashMap::from([(
            "is_production".to_owned(),
            RestrictedExpression::new_string("yes".to_owned()),
        )]);
        question
            .entities
            .retain(|entity| entity.uid() != uid("Environment", "prod"));
        question
            .entities
            .push(Entity::new(uid("Environment", "prod"), attributes, HashSet::new()).unwrap());
        assert!(matches!(set.ask(question), Err(Trouble::Unfit(_))));
    }

    /// A question with every entity type that facts are made of: the change, its target, and the actor.
    fn whole_question(set: &PolicySet) -> Question {
        let target = TargetFacts {
            service: "pay".into(),
            environment: "prod".into(),
            regimes: vec!["sox".to_owned()],
            owners: vec![(enums::OwnershipRole::Owner, "p3".into())],
            ..neutral_target()
        };
        let actor = ActorFacts {
            person: "p1".into(),
            roles: vec![Role::Owner],
            groups: vec!["own-pay".into()],
            by_token: true,
            parts: vec![facts::Part::Requester],
            functions: vec!["engineer".to_owned()],
            trainings: vec!["sox".to_owned()],
        };
        Question::act(&actor, "approve_change", &change(), Some(&target), &set.words).unwrap()
    }

    /// Whether Cedar's own check of entities against the schema passes, and whether ours does.
    fn both(set: &PolicySet, entities: &[Entity]) -> (bool, bool) {
        let cedars = Entities::from_entities(entities.iter().cloned(), Some(&set.schema)).is_ok();
        let ours = Entities::from_entities(entities.iter().cloned(), None)
            .is_ok_and(|entities| !matches!(set.shape.check(&entities, Vec::new()), Err(Misfit::Unfit(_))));
        (cedars, ours)
    }

    /// One value of each sort that an attribute may have, and some that none has.
    fn values() -> Vec<RestrictedExpression> {
        let entity = |name, id| RestrictedExpression::new_entity_uid(uid(name, id));
        let mut values = vec![
            RestrictedExpression::new_bool(true),
            RestrictedExpression::new_long(7),
            RestrictedExpression::new_string("seven".to_owned()),
            RestrictedExpression::new_decimal("1.5"),
            RestrictedExpression::new_record([("a".to_owned(), RestrictedExpression::new_bool(true))]).unwrap(),
            entity("Person", "p1"),
            entity("Change", "c"),
            entity("Level", "low"),
            entity("Level", "lowest"),
            entity("Role", "owner"),
            entity("Kind", "normal"),
            entity("Action", "require"),
            entity("Action", "no_such_action"),
        ];
        let sets = values
            .clone()
            .into_iter()
            .map(|value| RestrictedExpression::new_set([value]));
        values.extend(sets.collect::<Vec<_>>());
        values.push(RestrictedExpression::new_set([]));
        let mixed = [RestrictedExpression::new_bool(true), entity("Person", "p1")];
        values.push(RestrictedExpression::new_set(mixed));
        values
    }

    type Parts = (EntityUid, HashMap<String, RestrictedExpression>, HashSet<EntityUid>);

    #[test]
    fn our_check_of_facts_agrees_with_cedars_whatever_is_wrong() {
        let set = set();
        let whole = whole_question(&set).entities;
        assert_eq!(both(&set, &whole), (true, true));
        let mut refused = 0;
        let mut compare = |nth: usize, mend: &dyn Fn(&mut Parts)| {
            let mut entities = whole.clone();
            let mut parts = entities.swap_remove(nth).into_inner();
            mend(&mut parts);
            entities.push(Entity::new(parts.0.clone(), parts.1.clone(), parts.2.clone()).unwrap());
            let (cedars, ours) = both(&set, &entities);
            assert_eq!(cedars, ours, "{parts:?}");
            refused += usize::from(!ours);
        };
        for (nth, entity) in whole.iter().enumerate() {
            for (name, _) in entity.attrs() {
                compare(nth, &|parts| drop(parts.1.remove(name)));
                for value in values() {
                    compare(nth, &|parts| drop(parts.1.insert(name.to_owned(), value.clone())));
                }
            }
            compare(nth, &|parts| {
                parts
                    .1
                    .insert("unknown".to_owned(), RestrictedExpression::new_bool(true));
            });
            for (name, id) in [("Group", "g"), ("Person", "p9"), ("Kind", "normal"), ("Kind", "odd")] {
                compare(nth, &|parts| parts.2.extend([uid(name, id)]));
                compare(nth, &|parts| parts.0 = uid(name, id));
            }
        }
        assert!(refused > 500, "{refused} were refused");
    }

    #[test]
    fn an_answer_without_base_obligation_or_with_an_unknown_id_stops() {
        let set = set();
        let answer = |allowed: bool, reasons: &[&str]| {
            Ok(CedarResult {
                allowed,
                reasons: reasons.iter().map(|id| (*id).to_owned()).collect(),
            })
        };
        assert_eq!(set.verdict(answer(false, &[])), Err(Trouble::Denied));
        assert_eq!(set.verdict(answer(false, &[BASE_OBLIGATION])), Err(Trouble::Denied));
        assert_eq!(set.verdict(answer(true, &["base.require.owner"])), Err(Trouble::NoBase));
        let stranger = set.verdict(answer(true, &[BASE_OBLIGATION, "policy0"]));
        assert_eq!(stranger, Err(Trouble::Unknown("policy0".to_owned())));
        let known = set
            .verdict(answer(true, &["base.require.owner", BASE_OBLIGATION]))
            .unwrap();
        assert_eq!(known.len(), 2);
    }

    #[test]
    fn an_empty_set_of_policies_requires_nothing_and_stops() {
        let mut set = set();
        set.by_action.clear();
        let question = question(&set);
        assert_eq!(set.verdict(set.ask(question)), Err(Trouble::Denied));
        assert!(set.require(&change(), &[]).stop.is_some());
    }

    #[test]
    fn a_clock_in_the_context_is_refused() {
        let set = set();
        let mut question = question(&set);
        question
            .context
            .push(("now".to_owned(), RestrictedExpression::new_long(1)));
        assert!(matches!(set.ask(question), Err(Trouble::Unfit(_))));
    }

    #[test]
    fn the_whole_question_and_answer_agree() {
        let set = set();
        let answer = set.ask(question(&set)).unwrap();
        assert!(answer.allowed);
        assert!(answer.reasons.is_sorted());
        assert_eq!(set.verdict(Ok(answer.clone())).unwrap().len(), answer.reasons.len());
    }
}
