//! The world of a case: its people, and the facts of one change and one target.

use std::collections::BTreeMap;

use model::core::enums::{Category, Kind, Level, OwnershipRole, State};
use model::core::ids::{GroupKey, PersonId, ServiceKey, TargetId};
use model::policy::facts::{ActorFacts, ChangeFacts, FieldFact, ForecastFacts, TargetFacts};

use crate::nearest;
use crate::question::neutral_target;

/// The facts of a case.
#[derive(Debug, Clone)]
pub(super) struct World {
    people: BTreeMap<String, ActorFacts>,
    pub change: ChangeFacts,
    pub target: TargetFacts,
    pub has_target: bool,
}

const FACTS: [&str; 5] = ["people", "service", "environment", "target", "change"];

impl World {
    /// A low-risk normal change of one target, by nobody.
    pub(super) fn new() -> Self {
        let change = ChangeFacts {
            tenant: "case".to_owned(),
            change: "case".to_owned(),
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
            requester: PersonId::from("nobody"),
            owner: PersonId::from("nobody"),
            authors: Vec::new(),
            implementers: Vec::new(),
            implemented_by: Vec::new(),
            tester: None,
            fields: BTreeMap::new(),
        };
        let target = TargetFacts {
            target: TargetId::from("1"),
            service: ServiceKey::from("service"),
            ..neutral_target()
        };
        Self {
            people: BTreeMap::new(),
            change,
            target,
            has_target: true,
        }
    }

    pub(super) fn is_fact(word: &str) -> bool {
        FACTS.contains(&word)
    }

    pub(super) fn facts() -> String {
        format!("facts are {}", FACTS.join(", "))
    }

    /// The targets that are judged: one, or none.
    pub(super) fn targets(&self) -> Vec<TargetFacts> {
        if self.has_target {
            vec![self.target.clone()]
        } else {
            Vec::new()
        }
    }

    pub(super) fn person(&self, name: &str) -> Result<ActorFacts, String> {
        self.people.get(name).cloned().ok_or_else(|| {
            let known = self.people.keys().map(String::as_str).chain(FACTS).chain(["requires"]);
            let meant = nearest(name, known)
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default();
            format!("`{name}` is neither a person nor a fact{meant}")
        })
    }

    /// Takes one line of facts.
    pub(super) fn set(&mut self, fact: &str, text: &str) -> Result<(), String> {
        for (place, item) in text.split(',').map(str::trim).enumerate() {
            let is_first = place == 0;
            match fact {
                "people" => self.set_person(item)?,
                "service" => self.set_service(item, is_first)?,
                "environment" => self.set_environment(item, is_first)?,
                "target" => self.set_target(item)?,
                _ => self.set_change(item)?,
            }
        }
        Ok(())
    }

    /// `olga roles owner+requester in own-pay+dba by token`
    fn set_person(&mut self, item: &str) -> Result<(), String> {
        let mut rest = words(item);
        let name = rest.next().ok_or("a person has a name")?;
        let mut person = ActorFacts {
            person: PersonId::from(name),
            roles: Vec::new(),
            groups: Vec::new(),
            by_token: false,
            parts: Vec::new(),
            functions: Vec::new(),
            trainings: Vec::new(),
        };
        while let Some(word) = rest.next() {
            let value = rest
                .next()
                .ok_or_else(|| format!("`{word}` must be followed by a value"))?;
            match (word, value) {
                ("roles", roles) => person.roles = list(roles, |role| role.parse())?,
                ("in", groups) => person.groups = list(groups, |group| Ok(GroupKey::from(group)))?,
                ("by", "token") => person.by_token = true,
                ("functions", words) => person.functions = list(words, |word| Ok(word.to_owned()))?,
                ("trained", words) => person.trainings = list(words, |word| Ok(word.to_owned()))?,
                _ => {
                    let known = "`roles …`, `in …`, `by token`, `functions …`, `trained …`";
                    return Err(format!("`{word} {value}` is none of {known}"));
                }
            }
        }
        self.people.insert(name.to_owned(), person);
        Ok(())
    }

    fn set_service(&mut self, item: &str, is_first: bool) -> Result<(), String> {
        let Some((field, value)) = field(item, is_first)? else {
            self.target.service = ServiceKey::from(item);
            return Ok(());
        };
        match field {
            "criticality" => self.target.criticality = value.parse()?,
            "regimes" => self.target.regimes = list(value, |word| Ok(word.to_owned()))?,
            "data_class" => self.target.data_class = (value != "unstated").then(|| value.to_owned()),
            "owners" => self.set_owners(OwnershipRole::Owner, value)?,
            "technical_leads" => self.set_owners(OwnershipRole::TechnicalLead, value)?,
            "security_owners" => self.set_owners(OwnershipRole::Security, value)?,
            "data_owners" => self.set_owners(OwnershipRole::Data, value)?,
            _ => {
                let known = [
                    "criticality",
                    "regimes",
                    "data_class",
                    "owners",
                    "technical_leads",
                    "security_owners",
                    "data_owners",
                ];
                return Err(crate::values::unknown(field, &known, ""));
            }
        }
        Ok(())
    }

    fn set_owners(&mut self, role: OwnershipRole, value: &str) -> Result<(), String> {
        self.target.owners.retain(|(owned, _)| *owned != role);
        let people = people(value)?;
        self.target
            .owners
            .extend(people.into_iter().map(|person| (role, person)));
        Ok(())
    }

    fn set_environment(&mut self, item: &str, is_first: bool) -> Result<(), String> {
        match field(item, is_first)? {
            None => self.target.environment = item.to_owned(),
            Some(("production", value)) => self.target.is_production = yes(value)?,
            Some((field, _)) => return Err(crate::values::unknown(field, &["production"], "")),
        }
        Ok(())
    }

    fn set_target(&mut self, item: &str) -> Result<(), String> {
        match item.split_once(char::is_whitespace) {
            None if item == "none" => self.has_target = false,
            Some(("artifact", value)) => {
                self.has_target = true;
                self.target.has_artifact = yes(value.trim())?;
            }
            _ => return Err(format!("`{item}` is neither `none` nor `artifact yes`")),
        }
        Ok(())
    }

    fn set_change(&mut self, item: &str) -> Result<(), String> {
        let change = &mut self.change;
        let (field, value) = field(item, false)?.ok_or("facts of a change have the form `field value`")?;
        match field {
            "kind" => change.kind = value.parse()?,
            "state" => change.state = value.parse()?,
            "category" => change.category = value.parse()?,
            "touches" => change.touches = list(value, |word| word.parse())?,
            "risk" => change.risk = value.parse()?,
            "impact_data" => change.impact_data = value.parse()?,
            "impact_availability" => change.impact_availability = value.parse()?,
            "impact_compliance" => change.impact_compliance = value.parse()?,
            "complexity" => change.complexity = value.parse()?,
            "probability_of_failure" => change.forecast = forecast(value)?,
            "probability_moved" => moved(change.forecast.as_mut(), value)?,
            "expedited" => change.expedited = yes(value)?,
            "retrospective" => change.retrospective = yes(value)?,
            "names_threat" => change.names_threat = yes(value)?,
            "requester" => change.requester = PersonId::from(value),
            "owner" => change.owner = PersonId::from(value),
            "authors" => change.authors = people(value)?,
            "implementers" => change.implementers = people(value)?,
            "implemented_by" => change.implemented_by = people(value)?,
            "tester" => change.tester = (value != "none").then(|| PersonId::from(value)),
            "field" => {
                let (key, fact) = own_field(value)?;
                change.fields.insert(key, fact);
            }
            _ => {
                let known = [
                    "kind",
                    "state",
                    "category",
                    "touches",
                    "risk",
                    "impact_data",
                    "impact_availability",
                    "impact_compliance",
                    "complexity",
                    "probability_of_failure",
                    "probability_moved",
                    "expedited",
                    "retrospective",
                    "names_threat",
                    "requester",
                    "owner",
                    "authors",
                    "implementers",
                    "implemented_by",
                    "tester",
                    "field",
                ];
                return Err(crate::values::unknown(field, &known, ""));
            }
        }
        Ok(())
    }
}

/// `field value`; none for a single first name, which is a key.
fn field(item: &str, is_first: bool) -> Result<Option<(&str, &str)>, String> {
    match item.split_once(char::is_whitespace) {
        Some((field, value)) => Ok(Some((field, value.trim()))),
        None if is_first && !item.is_empty() => Ok(None),
        None => Err(format!("`{item}` must be followed by a value")),
    }
}

/// The tokens of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Names joined by `+`, or `none`.
pub(super) fn list<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split('+').map(parse).collect()
}

fn people(text: &str) -> Result<Vec<PersonId>, String> {
    list(text, |word| Ok(PersonId::from(word)))
}

/// A probability in parts per million, alone or between the ends of its interval: `32000` or `19000+32000+51000`; `0+unknown+600000`
/// where a model abstains; or `none`, where none is in force.
fn forecast(text: &str) -> Result<Option<ForecastFacts>, String> {
    let numbers: Vec<Option<i64>> = list(text, |word| {
        if word == "unknown" {
            return Ok(None);
        }
        let number = word.parse::<i64>().ok().filter(|ppm| (0..=1_000_000).contains(ppm));
        let number =
            number.ok_or_else(|| format!("`{word}` is not a probability in parts per million, from 0 to 1000000"))?;
        Ok(Some(number))
    })?;
    let (low_ppm, probability_ppm, high_ppm) = match numbers.as_slice() {
        [] => return Ok(None),
        [Some(ppm)] => (*ppm, Some(*ppm), *ppm),
        [Some(low), Some(ppm), Some(high)] if low <= ppm && ppm <= high => (*low, Some(*ppm), *high),
        [Some(low), None, Some(high)] if low <= high => (*low, None, *high),
        _ => {
            return Err(format!(
                "`{text}` is neither one probability nor three in ascending order"
            ));
        }
    };
    Ok(Some(ForecastFacts {
        model: "case".to_owned(),
        features_version: 1,
        probability_ppm,
        low_ppm,
        high_ppm,
        moved_ppm: None,
    }))
}

/// The probability to which reviewed failures moved a known forecast. It comes after the forecast, and is never below it.
fn moved(forecast: Option<&mut ForecastFacts>, text: &str) -> Result<(), String> {
    let known = forecast.and_then(|it| it.probability_ppm.map(|ppm| (it, ppm)));
    let Some((forecast, known)) = known else {
        return Err("`probability_moved` needs a known `probability_of_failure` before it".to_owned());
    };
    let number = text.parse::<i64>().ok().filter(|ppm| (known..=1_000_000).contains(ppm));
    let number = number.ok_or_else(|| format!("`{text}` is not a probability from {known} to 1000000"))?;
    forecast.moved_ppm = Some(number);
    Ok(())
}

/// A custom field that policies read: `tier=gold` is a text, `parcels=1200` a number.
fn own_field(text: &str) -> Result<(String, FieldFact), String> {
    let said = text.split_once('=').map(|(key, said)| (key.trim(), said.trim()));
    match said.filter(|(key, said)| !key.is_empty() && !said.is_empty()) {
        Some((key, said)) => {
            let word = || FieldFact::Word(said.to_owned());
            Ok((
                key.to_owned(),
                said.parse::<i64>().map_or_else(|_| word(), FieldFact::Number),
            ))
        }
        None => Err(format!(
            "`{text}` is not a field with its value, such as `tier=gold` or `parcels=1200`"
        )),
    }
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("`{text}` is neither `yes` nor `no`")),
    }
}
