//! Finds the rules of a set that exclude everybody: policies that forbid an act without a job function, a training, a group
//! membership or a right, when nobody who could do the act here has it. Such a set would stop every change of the services that
//! the rule is about, so it does not go in force. A rule that forbids an act to everybody everywhere is found by
//! [`crate::policy::search_histories`], which needs no data of a tenant.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::core::act::Act;
use model::core::enums::{Kind, Level, Role, Touch};
use model::core::ids::{GroupKey, ServiceKey};
use model::directory::snapshot::{Directory, Person};
use model::policy::facts::{ActorFacts, ChangeFacts, Part, TargetFacts};
use model::policy::permission::{actor_facts, change_facts, target_facts};
use policy::{Finding, PolicySet};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::policy::find_unapprovable::sample;

/// How many kinds of service are tried: those that differ for policies, owners left aside.
const MOST_KINDS: usize = 50;
/// For how long a training in an example is valid.
const EXAMPLE_DAYS: i64 = 365;

/// An act that somebody must be able to do, as text that follows "who could", with the parts in a change that its actor has.
const ACTS: &[(Act, &str, &[Part])] = &[
    (Act::Create, "create a change of", &[Part::Requester, Part::Author]),
    (Act::Submit, "hand in a change of", &[Part::Requester, Part::Author]),
    (Act::Approve, "approve a change of", &[Part::Asked]),
    (Act::Start, "start a change of", &[Part::Implementer]),
    (Act::Complete, "complete a change of", &[Part::Implementer]),
    (Act::Validate, "validate a change of", &[Part::Tester]),
];

/// The roles that write changes, without pipelines: a rule about people is met by people.
const WRITING: [Role; 4] = [Role::Requester, Role::Owner, Role::Implementer, Role::ChangeManager];
/// The roles that implement changes.
const DOING: [Role; 3] = [Role::Implementer, Role::Pipeline, Role::Owner];

/// Every rule of a set that shuts everybody out, by file and line. An unchanged rule in force is not reported: refusing the set
/// would keep the rule in force.
///
/// # Errors
/// The store's.
pub(crate) fn find_locked_out(cx: &mut Context<'_, '_>, set: &PolicySet, in_force: &PolicySet) -> Result<Vec<Finding>> {
    let text_in = |set: &PolicySet, id: &str| set.source(id).map(|source| source.text.clone());
    let is_new = |id: &&str| text_in(set, id) != text_in(in_force, id);
    if !ACTS
        .iter()
        .any(|(act, ..)| set.forbids(act.as_str()).iter().any(&is_new))
    {
        return Ok(Vec::new());
    }
    let directory = cx.directory()?;
    let shapes = shapes(cx, &directory, set)?;
    let mut found = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (act, does, parts) in ACTS {
        let forbids = set.forbids(act.as_str());
        let fresh: BTreeSet<&str> = forbids.iter().copied().filter(is_new).collect();
        let people = if fresh.is_empty() {
            Vec::new()
        } else {
            who(&directory, *act)
        };
        for (change, target) in &shapes {
            let ask = PermissionQuestion {
                set,
                act: *act,
                change,
                target,
                forbids: &forbids,
            };
            let facts = people.iter().map(|person| facts_of(cx, &directory, person, parts));
            for id in shut(&ask, facts) {
                if !fresh.contains(id) || told.contains(id) {
                    continue;
                }
                let example = example_for(cx, &people);
                let finding = example.and_then(|person| {
                    let facts = facts_of(cx, &directory, person, parts);
                    finding(&ask, (id, does), (person, &facts), (&directory, cx.now))
                });
                if let Some(finding) = finding {
                    told.insert(id);
                    found.push(finding);
                }
            }
        }
    }
    Ok(found)
}

/// One question to a set: whether a person may do an act on a change of one target.
struct PermissionQuestion<'s, 'a> {
    set: &'s PolicySet,
    act: Act,
    change: &'a ChangeFacts,
    target: &'a TargetFacts,
    /// The rules of the set that forbid it to at least one person.
    forbids: &'a [&'s str],
}

impl<'s> PermissionQuestion<'s, '_> {
    /// The rules that forbid it to a person; `None` where nothing allows it in the first place, and none where it is allowed.
    fn barring(&self, person: &ActorFacts) -> Option<BTreeSet<&'s str>> {
        let targets = std::slice::from_ref(self.target);
        let verdict = self.set.may(person, self.act.as_str(), Some((self.change, targets)));
        if verdict.allowed {
            return Some(BTreeSet::new());
        }
        let is_told = |id: &&str| verdict.reasons.iter().any(|reason| reason.id == *id);
        let barring: BTreeSet<&str> = self.forbids.iter().copied().filter(is_told).collect();
        (!barring.is_empty()).then_some(barring)
    }
}

/// The rules each of which excludes everybody who could otherwise do an act.
fn shut<'s>(ask: &PermissionQuestion<'s, '_>, people: impl Iterator<Item = ActorFacts>) -> BTreeSet<&'s str> {
    let mut left: Option<BTreeSet<&str>> = None;
    for facts in people {
        let Some(barring) = ask.barring(&facts) else { continue };
        let still = match left {
            None => barring,
            Some(known) => known.intersection(&barring).copied().collect(),
        };
        if still.is_empty() {
            return still;
        }
        left = Some(still);
    }
    left.unwrap_or_default()
}

/// Active people who could do an act, by their attributes.
fn who(directory: &Directory, act: Act) -> Vec<&Person> {
    let has = |person: &Person, roles: &[Role]| roles.iter().any(|role| person.roles.contains(role));
    let could = |person: &&Person| match act {
        Act::Create | Act::Submit => has(person, &WRITING),
        Act::Start | Act::Complete => has(person, &DOING),
        _ => directory.takes_part(&person.id) && !person.is_barred_from_deciding(),
    };
    directory
        .people
        .values()
        .filter(|person| person.active)
        .filter(could)
        .collect()
}

/// The person of an example: not the reader, who gives themselves nothing, and no pipeline.
fn example_for<'a>(cx: &Context<'_, '_>, people: &[&'a Person]) -> Option<&'a Person> {
    let is_other = |person: &&&Person| person.id != cx.actor.person && !person.roles.contains(&Role::Pipeline);
    people.iter().find(is_other).or(people.first()).copied()
}

fn facts_of(cx: &Context<'_, '_>, directory: &Directory, person: &Person, parts: &[Part]) -> ActorFacts {
    let actor = Actor {
        person: person.id.clone(),
        by_token: false,
        ..cx.actor.clone()
    };
    actor_facts(&actor, directory, parts.to_vec(), cx.now)
}

/// Changes of one target each, as policies can distinguish them: of every kind of service in every kind of environment, a plain
/// one and a risky one that touches everything.
fn shapes(cx: &Context<'_, '_>, directory: &Directory, set: &PolicySet) -> Result<Vec<(ChangeFacts, TargetFacts)>> {
    let is_named = |key: &str| {
        let written = format!("\"{key}\"");
        set.sources().any(|source| source.text.contains(&written))
    };
    let mut seen = BTreeSet::new();
    let mut kinds: Vec<&ServiceKey> = Vec::new();
    for (key, service) in directory.services.iter() {
        let named = is_named(key.as_str()).then_some(key);
        let kind = json!([service.criticality, service.regimes, service.data_class, named]).to_string();
        if kinds.len() < MOST_KINDS && seen.insert(kind) {
            kinds.push(key);
        }
    }
    let mut found = Vec::new();
    let plain = (Level::Low, Vec::new());
    for (risk, touches) in [plain, (Level::High, Touch::ALL.to_vec())] {
        for kind in Kind::ALL {
            for service in &kinds {
                let Some(mut file) = sample(cx, directory, service, (*kind, risk))? else {
                    continue;
                };
                file.change.content.touches = touches.iter().copied().collect();
                let change = change_facts(&file, directory, &cx.tenant());
                let mut seen = BTreeSet::new();
                for target in target_facts(&file, directory, cx.now) {
                    let named = is_named(&target.environment).then_some(target.environment.clone());
                    if seen.insert((target.is_production, named)) {
                        found.push((change.clone(), target));
                    }
                }
            }
        }
    }
    Ok(found)
}

/// An attribute that a person could be given so that a rule no longer excludes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gift {
    Function,
    Training,
    Seat,
    Right,
}

impl Gift {
    const ALL: [Self; 4] = [Self::Function, Self::Training, Self::Seat, Self::Right];

    /// The facts of a person who has been given it.
    fn given(self, facts: &ActorFacts, word: &str) -> ActorFacts {
        let mut facts = facts.clone();
        match (self, word.parse::<Role>()) {
            (Self::Function, _) => facts.functions.push(word.to_owned()),
            (Self::Training, _) => facts.trainings.push(word.to_owned()),
            (Self::Seat, _) => facts.groups.push(GroupKey::from(word)),
            (Self::Right, Ok(role)) if role != Role::Pipeline => facts.roles.push(role),
            (Self::Right, _) => {}
        }
        facts
    }

    /// The attribute that nobody has, as text.
    fn said(self, words: &[&str]) -> String {
        let words = match words {
            [one] => (*one).to_owned(),
            [most @ .., last] => format!("{} or {last}", most.join(", ")),
            [] => String::new(),
        };
        match self {
            Self::Function => format!("nobody has the job function {words}"),
            Self::Training => format!("nobody has a valid training {words}"),
            Self::Seat => format!("nobody is in the group {words}"),
            Self::Right => format!("nobody has the right {words}"),
        }
    }

    /// The request or command that gives the attribute.
    fn example(self, person: &Person, word: &str, (directory, now): (&Directory, Timestamp)) -> String {
        let login = &person.login;
        match self {
            Self::Function => {
                let mut all: Vec<&str> = person.functions.iter().map(String::as_str).collect();
                all.push(word);
                format!("`PATCH /people/{login}` with `{}`", json!({"functions": all}))
            }
            Self::Training => {
                let until = now + SignedDuration::from_hours(24 * EXAMPLE_DAYS);
                let until = until.strftime("%Y-%m-%dT00:00:00Z");
                format!("`assent person train {login} {word} --until {until}`")
            }
            Self::Seat => {
                let members = directory.members(&GroupKey::from(word));
                let mut all: Vec<String> = members.iter().map(|member| directory.login(member)).collect();
                all.push(login.clone());
                format!("`PUT /groups/{word}` with `{}`", json!({"members": all}))
            }
            Self::Right => {
                let mut all: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
                all.push(word);
                format!("`PATCH /people/{login}` with `{}`", json!({"roles": all}))
            }
        }
    }
}

/// The rule as a finding, if it is about people: an attribute that a person can be given would satisfy it.
fn finding(
    ask: &PermissionQuestion<'_, '_>,
    (id, does): (&str, &str),
    (person, facts): (&Person, &ActorFacts),
    at: (&Directory, Timestamp),
) -> Option<Finding> {
    let source = ask.set.source(id)?;
    let mut words: Vec<&str> = Vec::new();
    for word in source.text.split('"').skip(1).step_by(2) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let lifts = |gift: Gift, word: &&str| {
        let barring = ask.barring(&gift.given(facts, word));
        barring.is_none_or(|barring| !barring.contains(id))
    };
    let (gift, words) = Gift::ALL.into_iter().find_map(|gift| {
        let lifting: Vec<&str> = words.iter().copied().filter(|word| lifts(gift, word)).collect();
        (!lifting.is_empty()).then_some((gift, lifting))
    })?;
    let (service, environment) = (&ask.target.service, &ask.target.environment);
    let said = gift.said(&words);
    let example = gift.example(person, words[0], at);
    Some(Finding {
        file: source.file.clone(),
        line: source.line,
        code: "nobody_can",
        text: format!("Nobody can meet `{id}`: of those who could {does} {service} in {environment}, {said}."),
        help: Some(format!("give it to somebody first, for example {example}")),
    })
}
