//! Computes a set's requirements for very many hypothetical changes without acting on them: every combination of the fields
//! that the set's approval and peer-review rules read, up to a bound. So the search finds a hole that opens only when several
//! things come together, or when the author of a change is also its implementer, its owner or the owner of its service.

use std::collections::BTreeSet;

use model::approval::obligation::Duty;
use model::core::enums::{Category, Criticality, Kind, Level, OwnershipRole, State, Touch};
use model::core::ids::PersonId;
use model::policy::facts::{ChangeFacts, ForecastFacts, TargetFacts};
use policy::PolicySet;

use super::cast::{self, NamesInSet, behind};
use super::{Step, Story, criticalities, no_peer_story, self_approval_rule};
use crate::case::policy_floor::{LeftOut, left_out};

/// The most combinations that are tried for one rule alone, and once more for all rules together; of more, so many are tried,
/// spread evenly and the same every time.
const MOST_FACTS: u64 = 1_500;
/// Steps through a longer list of combinations by a prime, so that every part of it is reached.
const STRIDE: u64 = 2_654_435_761;
/// Of up to so many names every subset is tried; of more each alone, each pair, and all.
const FEW_WORDS: usize = 3;
/// The author of every tried change, unless a rule names another one.
const AUTHOR: &str = "alma";
/// Another person.
const OTHER: &str = "bert";

/// One change as the policies see it, and its description.
#[derive(Clone)]
struct Facts {
    change: ChangeFacts,
    target: TargetFacts,
    told: Vec<String>,
}

/// One value of a field that rules read.
type Value = Box<dyn Fn(&mut Facts)>;
/// A field that rules read, with its values.
type Dimension = Vec<Value>;

/// The open paths: the set requires no approver, or no peer.
pub(super) fn unasked(set: &PolicySet, words: &NamesInSet) -> Vec<Story> {
    let rules = conditions(set);
    let all = dimensions(&rules.join("\n"), words);
    let mut found = Vec::new();
    if size(&all) > MOST_FACTS {
        for rule in &rules {
            look(set, &dimensions(rule, words), &mut found);
        }
    }
    look(set, &all, &mut found);
    found
}

/// The conditions of the rules that could require another person, without their annotations.
fn conditions(set: &PolicySet) -> Vec<String> {
    let asks = |duty: &Duty| matches!(duty, Duty::Approval(_) | Duty::PeerReview { .. });
    let ids: BTreeSet<&str> = set
        .obligations()
        .filter(|it| asks(&it.duty))
        .map(|it| it.id.as_str())
        .collect();
    let rules = set.sources().filter(|source| ids.contains(source.id.as_str()));
    rules
        .filter_map(|source| source.text.split_once("permit"))
        .map(|(_, condition)| condition.to_owned())
        .collect()
}

/// How many combinations there are.
fn size(dimensions: &[Dimension]) -> u64 {
    dimensions
        .iter()
        .fold(1, |size: u64, it| size.saturating_mul(it.len() as u64))
}

/// Tries every combination, or as many as the bound allows.
fn look(set: &PolicySet, dimensions: &[Dimension], found: &mut Vec<Story>) {
    let size = size(dimensions);
    for place in 0..size.min(MOST_FACTS) {
        let mut rest = match size > MOST_FACTS {
            true => place.wrapping_mul(STRIDE) % size,
            false => place,
        };
        let mut facts = plain();
        for values in dimensions {
            let count = values.len() as u64;
            values[(rest % count) as usize](&mut facts);
            rest /= count;
        }
        let Some(story) = story(set, &facts) else { continue };
        let known = |it: &Story| it.path == story.path && it.rule == story.rule;
        if !found.iter().any(known) {
            found.push(story);
        }
    }
}

/// An open path for one change.
fn story(set: &PolicySet, facts: &Facts) -> Option<Story> {
    let targets = [facts.target.clone()];
    let requirements = set.require(&facts.change, &targets);
    // A change that cannot be judged cannot proceed.
    if requirements.stop.is_some() {
        return None;
    }
    let about = facts.told.join(", ");
    let who = facts.change.requester.0.clone();
    let step = |does: &str| Step {
        who: who.clone(),
        does: does.to_owned(),
    };
    let (path, title, rule) = match left_out(&facts.change, &targets, &requirements)? {
        LeftOut::Everybody(_) => (
            "self_approval",
            "One person writes a change and brings it out alone: nobody else approves it.",
            self_approval_rule(facts.change.kind).to_owned(),
        ),
        LeftOut::Peer(_) => no_peer_story(),
    };
    Some(Story {
        path,
        title: title.to_owned(),
        about,
        steps: vec![step("writes the change"), step("starts the work")],
        rule,
    })
}

/// A change without attributes.
fn plain() -> Facts {
    Facts {
        change: ChangeFacts {
            tenant: "acme".to_owned(),
            change: "c1".to_owned(),
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
            requester: AUTHOR.into(),
            owner: AUTHOR.into(),
            authors: vec![AUTHOR.into()],
            implementers: Vec::new(),
            implemented_by: Vec::new(),
            tester: None,
            fields: std::collections::BTreeMap::new(),
        },
        target: TargetFacts {
            target: "t1".into(),
            service: cast::PLAIN.into(),
            criticality: Criticality::Medium,
            regimes: Vec::new(),
            data_class: None,
            environment: "production".to_owned(),
            is_production: true,
            has_artifact: true,
            owners: Vec::new(),
        },
        told: Vec::new(),
    }
}

/// A value that sets a fact and describes it.
fn value(told: impl Into<String>, say: impl Fn(&mut Facts) + 'static) -> Value {
    let told = told.into();
    Box::new(move |facts| {
        say(facts);
        if !told.is_empty() {
            facts.told.push(told.clone());
        }
    })
}

/// All fields that some rules read. The author comes before the people who are described by the author.
fn dimensions(text: &str, words: &NamesInSet) -> Vec<Dimension> {
    let mut found = vec![
        [Kind::Normal, Kind::Emergency]
            .map(|kind| value(kind.as_str(), move |facts| facts.change.kind = kind))
            .into(),
        levels("risk", |facts, level| facts.change.risk = level),
    ];
    of_the_change(text, &mut found);
    of_the_place(text, words, &mut found);
    of_the_people(text, &mut found);
    found
}

/// Each level of something.
fn levels(name: &'static str, say: fn(&mut Facts, Level)) -> Dimension {
    let value_of = |level: &Level| {
        let level = *level;
        value(format!("{name} {}", level.as_str()), move |facts| say(facts, level))
    };
    Level::ALL.iter().map(value_of).collect()
}

/// Yes and no.
fn either(name: &'static str, say: fn(&mut Facts, bool)) -> Dimension {
    vec![
        value("", move |facts| say(facts, false)),
        value(name, move |facts| say(facts, true)),
    ]
}

/// The values of an enum that a text names, and one that it does not name.
fn named<T: Copy>(text: &str, kind: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<T> {
    let is_named = |it: &T| text.contains(&format!("{kind}::\"{}\"", word(*it)));
    let (mut named, others): (Vec<T>, Vec<T>) = all.iter().copied().partition(is_named);
    named.extend(others.first());
    named
}

/// Subsets of some names: every subset of a few, else none, each, each pair and all.
fn choices<T: Clone>(words: &[T]) -> Vec<Vec<T>> {
    if words.len() <= FEW_WORDS + 1 {
        let chosen = |mask: usize| {
            let places = (0..words.len()).filter(move |place| mask & (1 << place) != 0);
            places.map(|place| words[place].clone()).collect()
        };
        return (0..1_usize << words.len()).map(chosen).collect();
    }
    let mut found = vec![Vec::new(), words.to_vec()];
    for (place, first) in words.iter().enumerate() {
        found.push(vec![first.clone()]);
        found.extend(words[place + 1..].iter().map(|next| vec![first.clone(), next.clone()]));
    }
    found
}

/// The probability of a forecast, if it is known, and the ends of its range, in parts per million.
type Figures = (Option<i64>, i64, i64);

/// Forecasts that rules distinguish: none, those at either end, and one that is unknown between both.
const FORECASTS: [(&str, Option<Figures>); 4] = [
    ("", None),
    ("hardly ever failing", Some((Some(1), 1, 1))),
    ("almost always failing", Some((Some(999_999), 999_999, 999_999))),
    ("without enough history", Some((None, 0, 999_999))),
];

fn forecast((probability_ppm, low_ppm, high_ppm): Figures) -> ForecastFacts {
    ForecastFacts {
        model: "sha256:0".to_owned(),
        features_version: 1,
        probability_ppm,
        low_ppm,
        high_ppm,
        moved_ppm: None,
    }
}

/// A forecast that reviewed failures moved from one end to the other.
fn moved_forecast() -> ForecastFacts {
    ForecastFacts {
        moved_ppm: Some(999_999),
        ..forecast((Some(1), 1, 1))
    }
}

fn of_the_change(text: &str, found: &mut Vec<Dimension>) {
    if text.contains("expedited") {
        found.push(either("expedited", |facts, yes| facts.change.expedited = yes));
    }
    if text.contains("names_threat") {
        found.push(either("naming a threat", |facts, yes| facts.change.names_threat = yes));
    }
    if ["probability_", "forecast"].iter().any(|word| text.contains(word)) {
        let mut values: Dimension = FORECASTS
            .map(|(told, figures)| value(told, move |facts| facts.change.forecast = figures.map(forecast)))
            .into();
        if text.contains("probability_moved") {
            values.push(value("moved by reviewed failures", |facts| {
                facts.change.forecast = Some(moved_forecast());
            }));
        }
        found.push(values);
    }
    if text.contains("has_tester") {
        found.push(either("with a tester", |facts, yes| {
            facts.change.tester = yes.then(|| OTHER.into());
        }));
    }
    if text.contains(".state") {
        let states = State::ALL.iter().copied().filter(|state| state.is_before_start());
        let value_of = |state: State| {
            value(format!("at {}", state.as_str()), move |facts| {
                facts.change.state = state
            })
        };
        found.push(states.map(value_of).collect());
    }
    if text.contains("category") {
        let categories = named(text, "Category", Category::ALL, Category::as_str);
        let value_of = |it: Category| value(it.as_str(), move |facts| facts.change.category = it);
        found.push(categories.into_iter().map(value_of).collect());
    }
    if text.contains("touches") {
        let touches = choices(&named(text, "Touch", Touch::ALL, Touch::as_str));
        found.push(touches.into_iter().map(touching).collect());
    }
    type Say = fn(&mut Facts, Level);
    let rows: [(&'static str, Say); 4] = [
        ("impact_data", |facts, level| facts.change.impact_data = level),
        ("impact_availability", |facts, level| {
            facts.change.impact_availability = level;
        }),
        ("impact_compliance", |facts, level| {
            facts.change.impact_compliance = level;
        }),
        ("complexity", |facts, level| facts.change.complexity = level),
    ];
    // A rule with an impact threshold reads each of the three.
    let asks_from = text.contains("from_impact");
    let is_named = |name: &str| text.contains(name) || asks_from && name.starts_with("impact_");
    let named = rows.into_iter().filter(|(name, _)| is_named(name));
    found.extend(named.map(|(name, say)| levels(name, say)));
}

fn touching(touches: Vec<Touch>) -> Value {
    let words: Vec<&str> = touches.iter().map(|touch| touch.as_str()).collect();
    let told = match words.is_empty() {
        true => String::new(),
        false => format!("touching {}", words.join(" and ")),
    };
    value(told, move |facts| facts.change.touches.clone_from(&touches))
}

fn of_the_place(text: &str, words: &NamesInSet, found: &mut Vec<Dimension>) {
    if text.contains("criticality") {
        let value_of = |(level, word): (Criticality, &str)| {
            value(format!("a service of {word} criticality"), move |facts| {
                facts.target.criticality = level;
            })
        };
        found.push(criticalities().into_iter().map(value_of).collect());
    }
    if text.contains("regimes") {
        let value_of = |regimes: Vec<String>| {
            let told = match regimes.is_empty() {
                true => String::new(),
                false => format!("under {}", regimes.join(" and ")),
            };
            value(told, move |facts| facts.target.regimes.clone_from(&regimes))
        };
        found.push(choices(&words.regimes_in(text)).into_iter().map(value_of).collect());
    }
    if text.contains("data_class") {
        let classes = words.data_classes_in(text).into_iter().map(Some);
        let value_of = |class: Option<String>| {
            let told = class.as_ref().map_or_else(String::new, |it| format!("with {it} data"));
            value(told, move |facts| facts.target.data_class.clone_from(&class))
        };
        found.push([None].into_iter().chain(classes).map(value_of).collect());
    }
    if text.contains("has_artifact") {
        found.push(either("without an artifact", |facts, yes| {
            facts.target.has_artifact = !yes
        }));
    }
    if text.contains("is_production") {
        found.push(either("outside production", |facts, yes| {
            facts.target.is_production = !yes
        }));
    }
    for (mark, say) in PLACES {
        let mut keys: Vec<String> = vec![String::new()];
        keys.extend(behind(text, mark));
        let value_of = |key: String| value(key.clone(), move |facts| say(facts, &key));
        if keys.len() > 1 {
            found.push(keys.into_iter().map(value_of).collect());
        }
    }
}

/// Sets a change's place by its key.
type SayPlace = fn(&mut Facts, &str);

/// How rules name places, and the setter for each; an empty key sets nothing.
const PLACES: [(&str, SayPlace); 2] = [
    ("Service::\"", |facts, key| {
        if !key.is_empty() {
            facts.target.service = key.into();
        }
    }),
    ("Environment::\"", |facts, key| {
        if !key.is_empty() {
            facts.target.environment = key.to_owned();
        }
    }),
];

fn of_the_people(text: &str, found: &mut Vec<Dimension>) {
    let named: BTreeSet<String> = behind(text, "Person::\"").into_iter().collect();
    if text.contains("requester") && !named.is_empty() {
        let people = [AUTHOR.to_owned()].into_iter().chain(named.iter().cloned());
        let value_of = |person: String| {
            value(format!("asked for by {person}"), move |facts| {
                facts.change.requester = person.as_str().into();
                facts.change.owner = person.as_str().into();
                facts.change.authors = vec![person.as_str().into()];
            })
        };
        found.push(people.map(value_of).collect());
    }
    if text.contains("resource.owner") {
        let value_of = |who: Who| {
            value(who.told("owned by"), move |facts| {
                facts.change.owner = who.person(facts)
            })
        };
        let others = named.iter().cloned().map(Who::Named);
        found.push(
            [Who::Author, Who::Other]
                .into_iter()
                .chain(others)
                .map(value_of)
                .collect(),
        );
    }
    type Say = fn(&mut Facts, Vec<PersonId>);
    let rows: [(&str, &str, Say); 6] = [
        ("authors", "written by", |facts, people| facts.change.authors = people),
        ("implementers", "implemented by", |facts, people| {
            facts.change.implementers = people;
        }),
        (".owners", "of a service of", |facts, people| {
            hold(facts, OwnershipRole::Owner, people)
        }),
        ("technical_leads", "of a service led by", |facts, people| {
            hold(facts, OwnershipRole::TechnicalLead, people);
        }),
        ("security_owners", "of a service kept safe by", |facts, people| {
            hold(facts, OwnershipRole::Security, people);
        }),
        ("data_owners", "of a service with data of", |facts, people| {
            hold(facts, OwnershipRole::Data, people);
        }),
    ];
    for (_, told, say) in rows.into_iter().filter(|(word, ..)| text.contains(word)) {
        let mut people = vec![Who::Author, Who::Owner, Who::Other];
        people.extend(named.iter().cloned().map(Who::Named));
        let value_of = |some: Vec<Who>| {
            let words: Vec<String> = some.iter().map(|who| who.told("")).collect();
            let told = match words.is_empty() {
                true => String::new(),
                false => format!("{told}{}", words.join(" and")),
            };
            value(told, move |facts| {
                let people = some.iter().map(|who| who.person(facts)).collect();
                say(facts, people);
            })
        };
        found.push(choices(&people).into_iter().map(value_of).collect());
    }
}

fn hold(facts: &mut Facts, role: OwnershipRole, people: Vec<PersonId>) {
    facts
        .target
        .owners
        .extend(people.into_iter().map(|person| (role, person)));
}

/// A person, by their part in the change.
#[derive(Clone)]
enum Who {
    Author,
    Owner,
    Other,
    Named(String),
}

impl Who {
    fn person(&self, facts: &Facts) -> PersonId {
        match self {
            Self::Author => facts.change.requester.clone(),
            Self::Owner => facts.change.owner.clone(),
            Self::Other => OTHER.into(),
            Self::Named(person) => person.as_str().into(),
        }
    }

    fn told(&self, how: &str) -> String {
        let who = match self {
            Self::Author => "whoever asked for it",
            Self::Owner => "its owner",
            Self::Other => "somebody else",
            Self::Named(person) => person,
        };
        format!("{how} {who}")
    }
}
