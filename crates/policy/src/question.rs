//! Turns facts into the few Cedar entities that one question needs.
//!
//! A small set is built for each question, since changing a shared store is dearer than building seven entities. All
//! entities are made here from typed facts; `judge` nevertheless checks that none is missing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use model::approval::obligation::level_number;
use model::core::enums::{Criticality, OwnershipRole};
use model::core::ids::{PersonId, ServiceKey, TargetId};
use model::policy::facts::{ActorFacts, ChangeFacts, FieldFact, Part, TargetFacts};

/// The entity types of the schema, read once.
static TYPES: LazyLock<HashMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
    const NAMES: [&str; 21] = [
        "Action",
        "Actor",
        "Category",
        "Change",
        "Criticality",
        "DataClass",
        "Environment",
        "Forecast",
        "Group",
        "Kind",
        "Level",
        "Numbers",
        "Part",
        "Person",
        "Regime",
        "Role",
        "Service",
        "State",
        "System",
        "Tenant",
        "Words",
    ];
    let all = NAMES.into_iter().chain(["Touch"]);
    all.map(|name| (name, name.parse().expect("an identifier is a type name")))
        .collect()
});

/// The name of an entity: its type in the schema and its id.
pub(crate) fn uid(name: &'static str, id: &str) -> EntityUid {
    let name = TYPES
        .get(name)
        .expect("the list above holds every type that this crate names")
        .clone();
    EntityUid::from_type_name_and_id(name, EntityId::new(id))
}

/// The closed lists of the schema in which outside facts may be missing; an unknown value is read as `other`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenValues {
    pub regimes: Vec<String>,
    pub data_classes: Vec<String>,
}

/// A question to Cedar.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub principal: EntityUid,
    pub action: EntityUid,
    pub resource: EntityUid,
    pub context: Vec<(String, RestrictedExpression)>,
    pub entities: Vec<Entity>,
}

/// The reason why facts could not become entities.
pub(crate) type Unfit = String;

type Attributes = HashMap<String, RestrictedExpression>;

impl Question {
    /// The question: the requirements of this change for this target.
    pub(crate) fn require(change: &ChangeFacts, target: &TargetFacts, words: &OpenValues) -> Result<Self, Unfit> {
        let mut question = Self {
            principal: uid("System", "assent"),
            action: uid("Action", "require"),
            resource: uid("Change", &change.change),
            context: Vec::new(),
            entities: Vec::new(),
        };
        question.add_change(change, Some(target), words)?;
        Ok(question)
    }

    /// May this actor act on this change, as far as this target is concerned?
    pub(crate) fn act(
        actor: &ActorFacts,
        action: &str,
        change: &ChangeFacts,
        target: Option<&TargetFacts>,
        words: &OpenValues,
    ) -> Result<Self, Unfit> {
        let mut question = Self::in_tenant(actor, action)?;
        question.resource = uid("Change", &change.change);
        question.add_change(change, target, words)?;
        Ok(question)
    }

    /// May this actor act in the tenant?
    pub(crate) fn in_tenant(actor: &ActorFacts, action: &str) -> Result<Self, Unfit> {
        let principal = uid("Actor", actor.person.as_str());
        let groups: HashSet<EntityUid> = actor.groups.iter().map(|group| uid("Group", group.as_str())).collect();
        let attributes = HashMap::from([
            ("person".to_owned(), reference("Person", actor.person.as_str())),
            (
                "roles".to_owned(),
                references("Role", actor.roles.iter().map(|role| role.as_str())),
            ),
            (
                "parts".to_owned(),
                references("Part", actor.parts.iter().map(|part| part_name(*part))),
            ),
            ("by_token".to_owned(), RestrictedExpression::new_bool(actor.by_token)),
            ("functions".to_owned(), texts(&actor.functions)),
            ("trainings".to_owned(), texts(&actor.trainings)),
        ]);
        let mut entities: Vec<Entity> = groups.iter().cloned().map(Entity::with_uid).collect();
        entities.push(entity(principal.clone(), attributes, groups)?);
        entities.push(Entity::with_uid(uid("Person", actor.person.as_str())));
        let action = uid("Action", action);
        Ok(Self {
            principal,
            action,
            resource: uid("Tenant", "own"),
            context: Vec::new(),
            entities,
        })
    }

    fn add_change(
        &mut self,
        change: &ChangeFacts,
        target: Option<&TargetFacts>,
        words: &OpenValues,
    ) -> Result<(), Unfit> {
        let resource = uid("Change", &change.change);
        self.entities
            .push(entity(resource, change_attributes(change), HashSet::new())?);
        self.entities.extend(field_entities(change)?);
        let mut people: BTreeSet<&PersonId> = [&change.requester, &change.owner].into_iter().collect();
        people.extend(&change.authors);
        people.extend(&change.implementers);
        people.extend(&change.implemented_by);
        if let Some(target) = target {
            people.extend(target.owners.iter().map(|(_, person)| person));
            self.add_target(target, words)?;
        }
        let is_new = |uid: &EntityUid, entities: &[Entity]| entities.iter().all(|entity| entity.uid() != *uid);
        for person in people {
            let uid = uid("Person", person.as_str());
            if is_new(&uid, &self.entities) {
                self.entities.push(Entity::with_uid(uid));
            }
        }
        Ok(())
    }

    fn add_target(&mut self, target: &TargetFacts, words: &OpenValues) -> Result<(), Unfit> {
        let service = uid("Service", target.service.as_str());
        let environment = uid("Environment", &target.environment);
        let is_production = RestrictedExpression::new_bool(target.is_production);
        let record = RestrictedExpression::new_record([
            (
                "service".to_owned(),
                RestrictedExpression::new_entity_uid(service.clone()),
            ),
            (
                "environment".to_owned(),
                RestrictedExpression::new_entity_uid(environment.clone()),
            ),
            (
                "has_artifact".to_owned(),
                RestrictedExpression::new_bool(target.has_artifact),
            ),
        ]);
        let record = record.map_err(|error| error.to_string())?;
        self.context.push(("target".to_owned(), record));
        self.entities
            .push(entity(service, service_attributes(target, words), HashSet::new())?);
        let attributes = HashMap::from([("is_production".to_owned(), is_production)]);
        self.entities.push(entity(environment, attributes, HashSet::new())?);
        Ok(())
    }
}

/// The placeholder for a draft's missing targets: none of its facts triggers a rule of its own.
pub(crate) fn neutral_target() -> TargetFacts {
    TargetFacts {
        target: TargetId::default(),
        service: ServiceKey::default(),
        criticality: Criticality::Low,
        regimes: Vec::new(),
        data_class: None,
        environment: String::new(),
        is_production: false,
        has_artifact: false,
        owners: Vec::new(),
    }
}

/// The name of the entities for texts and numbers of the change at hand; a question is about one change.
const OWN: &str = "own";

/// The values of custom fields: texts and numbers apart, because the tags of an entity have one type.
fn field_entities(change: &ChangeFacts) -> Result<[Entity; 2], Unfit> {
    let tags = |pick: fn(&FieldFact) -> Option<RestrictedExpression>| {
        let fields = change.fields.iter();
        fields.filter_map(move |(key, fact)| Some((key.clone(), pick(fact)?)))
    };
    let words = tags(|fact| match fact {
        FieldFact::Word(word) => Some(RestrictedExpression::new_string(word.clone())),
        FieldFact::Number(_) => None,
    });
    let numbers = tags(|fact| match fact {
        FieldFact::Number(number) => Some(RestrictedExpression::new_long(*number)),
        FieldFact::Word(_) => None,
    });
    Ok([tagged(uid("Words", OWN), words)?, tagged(uid("Numbers", OWN), numbers)?])
}

fn tagged(uid: EntityUid, tags: impl Iterator<Item = (String, RestrictedExpression)>) -> Result<Entity, Unfit> {
    Entity::new_with_tags(uid, [], [], tags).map_err(|error| error.to_string())
}

fn change_attributes(change: &ChangeFacts) -> Attributes {
    let mut attributes = HashMap::from([
        ("words".to_owned(), reference("Words", OWN)),
        ("numbers".to_owned(), reference("Numbers", OWN)),
        ("kind".to_owned(), reference("Kind", change.kind.as_str())),
        ("state".to_owned(), reference("State", change.state.as_str())),
        ("category".to_owned(), reference("Category", change.category.as_str())),
        (
            "touches".to_owned(),
            references("Touch", change.touches.iter().map(|touch| touch.as_str())),
        ),
        ("expedited".to_owned(), RestrictedExpression::new_bool(change.expedited)),
        (
            "retrospective".to_owned(),
            RestrictedExpression::new_bool(change.retrospective),
        ),
        (
            "names_threat".to_owned(),
            RestrictedExpression::new_bool(change.names_threat),
        ),
        ("requester".to_owned(), reference("Person", change.requester.as_str())),
        ("owner".to_owned(), reference("Person", change.owner.as_str())),
        ("authors".to_owned(), people(change.authors.iter())),
        ("implementers".to_owned(), people(change.implementers.iter())),
        ("implemented_by".to_owned(), people(change.implemented_by.iter())),
        (
            "has_tester".to_owned(),
            RestrictedExpression::new_bool(change.tester.is_some()),
        ),
    ]);
    attributes.extend(forecast_attributes(change));
    for (name, level) in [
        ("risk", change.risk),
        ("impact_data", change.impact_data),
        ("impact_availability", change.impact_availability),
        ("impact_compliance", change.impact_compliance),
        ("complexity", change.complexity),
    ] {
        attributes.insert(name.to_owned(), reference("Level", level.as_str()));
        attributes.insert(
            format!("{name}_number"),
            RestrictedExpression::new_long(level_number(level)),
        );
    }
    attributes
}

/// The value for a policy while no model was in force: below every probability, so that a rule with a bound on the probability
/// does not apply.
const NO_MODEL: i64 = -1;

fn forecast_attributes(change: &ChangeFacts) -> impl Iterator<Item = (String, RestrictedExpression)> + use<> {
    let (word, probability, low, high) = match &change.forecast {
        None => ("absent", NO_MODEL, NO_MODEL, NO_MODEL),
        Some(it) => match it.probability_ppm {
            Some(ppm) => ("known", ppm, it.low_ppm, it.high_ppm),
            // A model that abstains knows the upper end of its interval. That end counts, so that no rule requires less for it.
            None => ("unknown", it.high_ppm, it.low_ppm, it.high_ppm),
        },
    };
    let moved = change.forecast.as_ref().and_then(|it| it.moved_ppm);
    let moved = moved.unwrap_or(probability);
    let numbers = [
        ("probability_of_failure", probability),
        ("probability_low", low),
        ("probability_high", high),
        ("probability_moved", moved),
    ];
    let numbers = numbers.map(|(name, number)| (name.to_owned(), RestrictedExpression::new_long(number)));
    let has = (
        "has_forecast".to_owned(),
        RestrictedExpression::new_bool(word == "known"),
    );
    let state = ("forecast".to_owned(), reference("Forecast", word));
    numbers.into_iter().chain([has, state])
}

fn service_attributes(target: &TargetFacts, words: &OpenValues) -> Attributes {
    let regimes: BTreeSet<String> = target
        .regimes
        .iter()
        .map(|word| known_or_other(word, &words.regimes))
        .collect();
    let data_class = match &target.data_class {
        Some(word) => known_or_other(word, &words.data_classes),
        None => "unstated".to_owned(),
    };
    let owners = |role: OwnershipRole| {
        people(
            target
                .owners
                .iter()
                .filter(move |(owned, _)| *owned == role)
                .map(|(_, person)| person),
        )
    };
    HashMap::from([
        (
            "criticality".to_owned(),
            reference("Criticality", target.criticality.as_str()),
        ),
        (
            "criticality_number".to_owned(),
            RestrictedExpression::new_long(criticality_number(target.criticality)),
        ),
        (
            "regimes".to_owned(),
            references("Regime", regimes.iter().map(String::as_str)),
        ),
        ("data_class".to_owned(), reference("DataClass", &data_class)),
        ("owners".to_owned(), owners(OwnershipRole::Owner)),
        ("technical_leads".to_owned(), owners(OwnershipRole::TechnicalLead)),
        ("security_owners".to_owned(), owners(OwnershipRole::Security)),
        ("data_owners".to_owned(), owners(OwnershipRole::Data)),
    ])
}

/// The value in the schema's spelling, or `other`. Letter case, blanks, `-` and `.` do not matter. No policy can test a value
/// that the schema does not have, so `other` changes no result but keeps the set from looking empty.
fn known_or_other(word: &str, known: &[String]) -> String {
    let plain: String = word
        .trim()
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_whitespace() || matches!(c, '-' | '.') {
                '_'
            } else {
                c
            }
        })
        .collect();
    if known.contains(&plain) {
        plain
    } else {
        "other".to_owned()
    }
}

/// The number beside a criticality: 1 low … 4 critical, so that it compares with levels.
fn criticality_number(criticality: Criticality) -> i64 {
    match criticality {
        Criticality::Low => 1,
        Criticality::Medium => 2,
        Criticality::High => 3,
        Criticality::Critical => 4,
    }
}

/// A part's name in the schema and the cases.
pub(crate) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Requester => "requester",
        Part::Owner => "owner",
        Part::Author => "author",
        Part::Implementer => "implementer",
        Part::Implemented => "implemented",
        Part::Tester => "tester",
        Part::Asked => "asked",
        Part::Approver => "approver",
        Part::Peer => "peer",
        Part::VerbalApprover => "verbal_approver",
        Part::Checker => "checker",
        Part::Holder => "holder",
    }
}

/// Every part.
pub(crate) const PARTS: [Part; 12] = [
    Part::Requester,
    Part::Owner,
    Part::Author,
    Part::Implementer,
    Part::Implemented,
    Part::Tester,
    Part::Asked,
    Part::Approver,
    Part::Peer,
    Part::VerbalApprover,
    Part::Checker,
    Part::Holder,
];

fn reference(name: &'static str, id: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(name, id))
}

fn references<'a>(name: &'static str, ids: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(ids.map(|id| reference(name, id)))
}

fn people<'a>(ids: impl Iterator<Item = &'a PersonId>) -> RestrictedExpression {
    references("Person", ids.map(PersonId::as_str))
}

fn entity(uid: EntityUid, attributes: Attributes, parents: HashSet<EntityUid>) -> Result<Entity, Unfit> {
    Entity::new(uid, attributes, parents).map_err(|error| error.to_string())
}

/// A set of texts that the tenant defines.
fn texts(words: &[String]) -> RestrictedExpression {
    RestrictedExpression::new_set(words.iter().map(|word| RestrictedExpression::new_string(word.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_words_ignore_case_and_dashes_and_unknown_ones_become_other() {
        let known = ["sox".to_owned(), "pci_dss".to_owned()];
        assert_eq!(known_or_other(" SOX ", &known), "sox");
        assert_eq!(known_or_other("PCI-DSS", &known), "pci_dss");
        assert_eq!(known_or_other("house rule 7", &known), "other");
    }
}
