//! Lists the packs that this directory cannot staff: for each pack that comes with Assent, whether there are enough independent
//! people for its rules, if one person writes a change and another implements it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::approval::authority::{able, approvers_name, most_counted, targets_of};
use model::approval::obligation::{self, Duty, Party, TargetObligation};
use model::change::change_file::{Actor, ChangeFile};
use model::core::act::{self, Act};
use model::core::enums::{Kind, Level, Role, Touch};
use model::core::ids::{PersonId, ServiceKey};
use model::core::refusal::PolicyReason;
use model::directory::snapshot::{self, Directory, Holder, Person};
use model::policy::facts::{Part, TargetFacts};
use model::policy::permission::{actor_facts, change_facts, target_facts};
use model::risk::regimes;
use policy::PolicySet;
use serde::Serialize;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::policies;
use crate::policy::find_unapprovable::sample;
use crate::policy::search_histories::behind;

/// How many kinds of service are examined. Services with the same owners, between which policies do not distinguish, are one
/// kind, so that hundreds of services are few kinds. A pack that all of these can staff may still fail for another one.
pub(crate) const MOST_KINDS: usize = 50;
/// How many people are tried as author, and as implementer.
const MOST_TRIED: usize = 4;
/// The roles that may write a change.
const AUTHORS: &[Role] = &[Role::Requester, Role::Owner, Role::Implementer, Role::ChangeManager];
/// The roles that may implement a change.
const IMPLEMENTERS: &[Role] = &[Role::Implementer, Role::Pipeline, Role::Owner];
/// Roles that decide: their holders are better kept for that.
const DECIDING: &[Role] = &[Role::Owner, Role::Security, Role::ChangeManager];

/// Whether a pack can be staffed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Staffing {
    /// The pack, or `in force` for the whole set that is.
    pub pack: String,
    /// Whether people enough are there for every service. Never where not all of them were examined.
    pub is_staffed: bool,
    /// For how many services it was examined.
    pub services_looked_at: usize,
    /// How many services there are.
    pub services: usize,
    /// The missing parts.
    pub lacks: Vec<Lack>,
    /// Set when the pack is about nothing here yet: it was checked as if it were about every service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
}

/// A missing requirement of a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lack {
    /// The services without it.
    pub services: Vec<String>,
    /// The policy.
    pub rule: String,
    /// The missing part, as a sentence.
    pub text: String,
}

/// The row of the set in force, whatever packs it was made of; no pack has this name.
const IN_FORCE: &str = "in force";

/// Checks the set in force, own rules included, and every pack that comes with Assent (`GET /staffing`).
///
/// # Errors
/// 403, or the store's.
pub fn find_unstaffed(cx: &mut Context<'_, '_>) -> Result<Vec<Staffing>> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let in_force = cx.policies()?;
    let found = of_services(cx, &directory, &Rules::in_force(&in_force))?;
    let mut found = vec![describe_pack((IN_FORCE, None), &directory, found)];
    for pack in policy::packs() {
        found.push(staffing(cx, &directory, &pack)?);
    }
    Ok(found)
}

/// The rules under test, and the assumption where none of them is about anything here yet.
struct Rules<'a> {
    set: &'a PolicySet,
    /// The pack whose rules are reported; `None` for all.
    pack: Option<&'a str>,
    /// The regimes that every service is taken to be under.
    regimes: Vec<String>,
    /// Whether every environment is taken for production.
    all_production: bool,
}

impl<'a> Rules<'a> {
    /// The rules in force, on existing services.
    fn in_force(set: &'a PolicySet) -> Self {
        Self {
            set,
            pack: None,
            regimes: Vec::new(),
            all_production: false,
        }
    }

    /// The rules of a pack, on the services that it is about: where there are none yet, as if each were under its regimes.
    fn of_pack(set: &'a PolicySet, pack: &'a policy::Pack, directory: &Directory) -> Self {
        let is_tested = |word: &String| {
            let tested = format!("Regime::\"{word}\"");
            pack.files.iter().any(|file| file.text.contains(&tested))
        };
        let mut regimes: Vec<String> = set.regimes().iter().filter(|word| is_tested(word)).cloned().collect();
        let is_of_pack = |word: &String| regimes.iter().any(|it| it == regimes::canonical(word));
        let about = |service: &snapshot::Service| service.regimes.iter().any(is_of_pack);
        if directory.services.values().any(about) {
            regimes.clear();
        }
        Self {
            set,
            pack: Some(pack.name),
            regimes,
            all_production: !directory.environments.values().any(|place| place.is_production),
        }
    }

    /// The facts about a change's targets, as these rules read them.
    fn targets(&self, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<TargetFacts> {
        let mut facts = target_facts(file, directory, now);
        for target in &mut facts {
            target.regimes.extend(self.regimes.iter().cloned());
            target.is_production |= self.all_production;
        }
        facts
    }

    /// The assumption, as a sentence.
    fn assumed(&self) -> Option<String> {
        let regimes = self.regimes.join(" or ");
        (!regimes.is_empty())
            .then(|| format!("No service is under the regime {regimes} yet; the check assumed that every service is."))
    }
}

/// The missing parts, by rule and sentence, with their services.
type Lacks = BTreeMap<(String, String), Vec<String>>;

/// The missing parts, and the number of services that were checked.
type Looked = (Lacks, usize);

fn describe_pack(
    (pack, assumed): (&str, Option<String>),
    directory: &Directory,
    (lacks, looked_at): Looked,
) -> Staffing {
    let row = |((rule, text), services): ((String, String), Vec<String>)| Lack { services, rule, text };
    let lacks: Vec<Lack> = lacks.into_iter().map(row).collect();
    let services = directory.services.len();
    Staffing {
        pack: pack.to_owned(),
        is_staffed: lacks.is_empty() && looked_at == services,
        services_looked_at: looked_at,
        services,
        lacks,
        assumed,
    }
}

/// The missing parts of these rules: checked once for each kind of service, and reported for the whole kind.
fn of_services(cx: &mut Context<'_, '_>, directory: &Directory, rules: &Rules<'_>) -> Result<Looked> {
    let mut lacks = Lacks::new();
    let mut looked_at = 0;
    let people = kinds_of_people(cx, directory, rules.set)?;
    for services in kinds(cx, directory, rules.set)?.into_iter().take(MOST_KINDS) {
        looked_at += services.len();
        for (rule, text) in of_service(cx, (directory, &people), rules, services[0])? {
            let of_kind = services.iter().map(|service| service.0.clone());
            lacks.entry((rule, text)).or_default().extend(of_kind);
        }
    }
    lacks.values_mut().for_each(|services| services.sort());
    Ok((lacks, looked_at))
}

/// Services by kind, in the order of the first of each: a kind has the same policy facts, owners included, and no policy or
/// delegation names its services.
pub(crate) fn kinds<'a>(
    cx: &Context<'_, '_>,
    directory: &'a Directory,
    set: &PolicySet,
) -> Result<Vec<Vec<&'a ServiceKey>>> {
    let is_named = |key: &ServiceKey| {
        let written = format!("\"{key}\"");
        set.sources().any(|source| source.text.contains(&written))
            || directory.delegations.iter().any(|row| row.services.contains(key))
    };
    let mut found = Kinds::default();
    for service in directory.services.keys() {
        let Some(file) = sample(cx, directory, service, (Kind::Normal, Level::High))? else {
            continue;
        };
        let mut facts = target_facts(&file, directory, cx.now);
        for target in facts.iter_mut().filter(|_| !is_named(service)) {
            target.service = ServiceKey(String::new());
        }
        found.add(&facts, service)?;
    }
    Ok(found.rows)
}

/// Equal items, in the order of the first of each kind.
struct Kinds<T> {
    places: BTreeMap<String, usize>,
    rows: Vec<Vec<T>>,
}

impl<T> Default for Kinds<T> {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            rows: Vec::new(),
        }
    }
}

impl<T> Kinds<T> {
    /// Adds an item to the kind with the same facts.
    fn add(&mut self, told: &impl Serialize, one: T) -> Result<()> {
        let place = *self
            .places
            .entry(serde_json::to_string(told)?)
            .or_insert(self.rows.len());
        match self.rows.get_mut(place) {
            Some(alike) => alike.push(one),
            None => self.rows.push(vec![one]),
        }
        Ok(())
    }
}

fn staffing(cx: &mut Context<'_, '_>, directory: &Directory, pack: &policy::Pack) -> Result<Staffing> {
    let mut files = policy::base().files;
    files.extend(pack.files.clone());
    let digest = proof::crypto::digest_text;
    let names = policies::Names(directory);
    let mut assumed = None;
    let found = match PolicySet::compile(&files, "", policy::SCHEMA, &names, digest) {
        Ok(set) => {
            let rules = Rules::of_pack(&set, pack, directory);
            assumed = rules.assumed();
            of_services(cx, directory, &rules)?
        }
        Err(findings) => {
            let place = |finding: &policy::Finding| format!("{}:{}", finding.file, finding.line);
            let rows = findings.into_iter().map(|it| ((place(&it), it.text), Vec::new()));
            (rows.collect(), directory.services.len())
        }
    };
    Ok(describe_pack((pack.name, assumed), directory, found))
}

/// The missing parts of these rules for a service, with the best choice of author and implementer.
fn of_service(
    cx: &mut Context<'_, '_>,
    (directory, people): (&Directory, &[Vec<&Person>]),
    rules: &Rules<'_>,
    service: &ServiceKey,
) -> Result<BTreeSet<(String, String)>> {
    let mut lacks = BTreeSet::new();
    for (kind, risk) in [(Kind::Normal, Level::High), (Kind::Emergency, Level::High)] {
        let Some(mut file) = sample(cx, directory, service, (kind, risk))? else {
            continue;
        };
        file.change.content.touches = Touch::ALL.iter().copied().collect();
        let facts = rules.targets(&file, directory, cx.now);
        file.requirements = rules.set.require(&change_facts(&file, directory, &cx.tenant()), &facts);
        let is_own = |id: &str| rules.pack.is_none_or(|pack| id.starts_with(&format!("{pack}.")));
        let (mut best, mut found) = (usize::MAX, BTreeSet::new());
        let known = RefCell::new(BTreeMap::new());
        let barred = |who: Candidate, part| {
            let ask = || barring(cx, directory, (rules.set, &facts), &file, (&who.person.id, part));
            known.borrow_mut().entry((who.alike, part)).or_insert_with(ask).clone()
        };
        for (author, implementer) in pairs(&candidates(people, directory, &facts), &barred) {
            let stopped = [barred(author, Part::Author), barred(implementer, Part::Implementer)];
            let mut file = file.clone();
            file.change.authors = vec![author.person.id.clone()];
            file.change.requester = author.person.id.clone();
            file.change.content.implementers = vec![implementer.person.id.clone()];
            let mut here = lacking(cx, directory, &file, &|row| is_own(&row.obligation.id));
            let stopped = stopped.into_iter().flatten().filter(|reason| is_own(&reason.id));
            here.extend(stopped.map(|reason| (reason.id, format!("{} Nobody here could.", reason.reason))));
            if here.len() < best {
                best = here.len();
                found = here;
            }
            if best == 0 {
                break;
            }
        }
        lacks.extend(found);
    }
    Ok(lacks)
}

/// The policies that forbid a person their part of the work: to submit their change, or to begin.
fn barring(
    cx: &Context<'_, '_>,
    directory: &Directory,
    (set, targets): (&PolicySet, &[TargetFacts]),
    file: &ChangeFile,
    (person, part): (&PersonId, Part),
) -> Vec<PolicyReason> {
    let (act, parts) = match part {
        Part::Implementer => (Act::Start, vec![Part::Implementer]),
        _ => (Act::Submit, vec![Part::Requester, Part::Author]),
    };
    let actor = Actor {
        person: person.clone(),
        ..cx.actor.clone()
    };
    let facts = actor_facts(&actor, directory, parts, cx.now);
    let verdict = set.may(
        &facts,
        act.as_str(),
        Some((&change_facts(file, directory, &cx.tenant()), targets)),
    );
    if verdict.allowed { Vec::new() } else { verdict.reasons }
}

/// A person to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate<'a> {
    person: &'a Person,
    /// One number for all people with the same policy facts on this change: policies treat them alike.
    alike: usize,
}

/// People by kind: a kind has the same policy facts on every change, and no policy names its people.
fn kinds_of_people<'a>(
    cx: &Context<'_, '_>,
    directory: &'a Directory,
    set: &PolicySet,
) -> Result<Vec<Vec<&'a Person>>> {
    let named: BTreeSet<String> = set.sources().flat_map(|it| behind(&it.text, "Person::\"")).collect();
    let mut found = Kinds::default();
    for person in directory.people.values().filter(|person| person.active) {
        let actor = Actor {
            person: person.id.clone(),
            ..cx.actor.clone()
        };
        let mut facts = actor_facts(&actor, directory, Vec::new(), cx.now);
        if !named.contains(person.id.as_str()) {
            facts.person = PersonId(String::new());
        }
        found.add(&facts, person)?;
    }
    Ok(found.rows)
}

/// The people to try on these targets: each owner alone, and of the others a limited number of each kind. The others of a kind
/// would have the same result, and a directory may have tens of thousands.
fn candidates<'a>(kinds: &[Vec<&'a Person>], directory: &'a Directory, targets: &[TargetFacts]) -> Vec<Candidate<'a>> {
    let rows = targets.iter().flat_map(|target| &target.owners);
    let owners: BTreeSet<&PersonId> = rows.map(|(_, person)| person).collect();
    let mut found = Vec::new();
    for (alike, kind) in kinds.iter().enumerate() {
        let others = kind.iter().filter(|person| !owners.contains(&person.id));
        found.extend(others.take(MOST_TRIED).map(|person| Candidate { person, alike }));
    }
    let known = owners.into_iter().filter_map(|id| directory.people.get(id));
    let alone = known.filter(|person| person.active).zip(kinds.len()..);
    found.extend(alone.map(|(person, alike)| Candidate { person, alike }));
    found
}

/// Authors and implementers to try: first those whom no policy excludes from the act, then those without a deciding role.
fn pairs<'a>(
    people: &[Candidate<'a>],
    barred: &dyn Fn(Candidate, Part) -> Vec<PolicyReason>,
) -> Vec<(Candidate<'a>, Candidate<'a>)> {
    let authors = with(people, AUTHORS, &|who| barred(who, Part::Author).is_empty());
    let implementers = with(people, IMPLEMENTERS, &|who| barred(who, Part::Implementer).is_empty());
    let beside = |author: Candidate<'a>| implementers.iter().map(move |implementer| (author, *implementer));
    authors.into_iter().flat_map(beside).collect()
}

/// The first so many of those with one of the roles. Nobody beyond them is tried.
fn with<'a>(people: &[Candidate<'a>], roles: &[Role], is_free: &dyn Fn(Candidate) -> bool) -> Vec<Candidate<'a>> {
    let mut able: Vec<Candidate> = people.iter().copied().filter(|it| has_any(it.person, roles)).collect();
    able.sort_by_cached_key(|it| DECIDING.iter().filter(|role| it.person.roles.contains(role)).count());
    let (mut free, mut barred) = (Vec::new(), Vec::new());
    for who in able {
        if free.len() == MOST_TRIED {
            break;
        }
        match is_free(who) {
            true => free.push(who),
            false => barred.push(who),
        }
    }
    free.into_iter().chain(barred).take(MOST_TRIED).collect()
}

fn has_any(person: &Person, roles: &[Role]) -> bool {
    roles.iter().any(|role| person.roles.contains(role))
}

fn lacking(
    cx: &Context<'_, '_>,
    directory: &Directory,
    file: &ChangeFile,
    is_own: &dyn Fn(&TargetObligation) -> bool,
) -> BTreeSet<(String, String)> {
    let mut lacks = BTreeSet::new();
    for row in file.requirements.obligations.iter().filter(|row| is_own(row)) {
        let text = match &row.obligation.duty {
            Duty::Approval(rule) => {
                let needed = rule.count.max(rule.quorum.unwrap_or_default()) as usize;
                let few = targets_of(file, row)
                    .map(|target| able(file, directory, (&row.obligation.id, rule), target, cx.now))
                    .min_by_key(|holders| most_counted(rule, holders))
                    .unwrap_or_default();
                (most_counted(rule, &few) < needed).then(|| {
                    let people: BTreeSet<&PersonId> = few.iter().map(Holder::root).collect();
                    let names: Vec<String> = people.iter().map(|person| directory.login(person)).collect();
                    let there = if names.is_empty() {
                        "nobody".to_owned()
                    } else {
                        names.join(", ")
                    };
                    let fit = fitness(rule);
                    format!(
                        "It requires {needed} of {}{fit}; there is {there}.",
                        approvers_name(&rule.from)
                    )
                })
            }
            Duty::PeerReview {
                count,
                from: Some(group),
            } => {
                let mut members = directory.members(group);
                members.retain(|person| !file.change.authors.contains(person));
                (members.len() <= *count as usize).then(|| {
                    format!(
                        "It requires {count} members of the group {group} who neither wrote nor approve the \
                                      change."
                    )
                })
            }
            Duty::OutsideLook { from, .. } => directory
                .members(from)
                .is_empty()
                .then(|| format!("The group {from}, whose members review from outside, is empty.")),
            Duty::Validation { distinct_from, .. } => validator_lacks((directory, cx.now), file, distinct_from),
            _ => None,
        };
        lacks.extend(text.map(|text| (row.obligation.id.clone(), text)));
    }
    lacks
}

/// A rule's requirements on a person beyond the group, as text that follows the group: ` with the job function operations`.
pub(crate) fn fitness(rule: &obligation::ApprovalRule) -> String {
    let function = rule
        .function
        .as_ref()
        .map(|word| format!(" with the job function {word}"));
    let training = rule
        .training
        .as_ref()
        .map(|word| format!(" with a valid training {word}"));
    [function, training].into_iter().flatten().collect()
}

/// Whether nobody is left who could validate: a tester is named freely, so any independent person will do. When the tester must
/// not be an approver, every rule must still find its people without the tester.
fn validator_lacks((directory, now): (&Directory, Timestamp), file: &ChangeFile, apart: &[Party]) -> Option<String> {
    let barred = |person: &PersonId| {
        apart.iter().any(|party| match party {
            Party::Author => file.change.authors.contains(person),
            Party::Requester => &file.change.requester == person,
            Party::Implementer => file.change.content.implementers.contains(person),
            Party::Approver => is_needed_to_approve((directory, now), file, person),
        })
    };
    let mut people = directory
        .people
        .values()
        .filter(|person| person.active && !person.is_barred_from_deciding());
    let is_there = people.any(|person| !barred(&person.id));
    (!is_there).then(|| "Nobody is left who could validate the change.".to_owned())
}

/// Whether a rule with enough people has too few without this one.
fn is_needed_to_approve((directory, now): (&Directory, Timestamp), file: &ChangeFile, person: &PersonId) -> bool {
    file.requirements.obligations.iter().any(|row| {
        let Duty::Approval(rule) = &row.obligation.duty else {
            return false;
        };
        let needed = rule.count.max(rule.quorum.unwrap_or_default()) as usize;
        let mut targets = targets_of(file, row);
        targets.any(|target| {
            let all = able(file, directory, (&row.obligation.id, rule), target, now);
            let others: Vec<Holder> = all.iter().filter(|holder| holder.root() != person).cloned().collect();
            most_counted(rule, &all) >= needed && most_counted(rule, &others) < needed
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use model::core::enums::OwnershipRole;
    use serde_json::json;

    use super::*;

    #[test]
    fn who_owns_a_target_stands_for_nobody_else_and_nobody_for_them() {
        let mut directory = Directory::default();
        for number in 1..=7 {
            let id = format!("p{number}");
            let person: Person = serde_json::from_value(json!({
                "id": id, "version": 1, "login": id, "name": id, "roles": [], "zone": "UTC", "active": number < 7,
            }))
            .unwrap();
            directory.people.insert(person.id.clone(), person);
        }
        let alike: Vec<&Person> = directory.people.values().filter(|person| person.active).collect();
        let target: TargetFacts = serde_json::from_value(json!({
            "target": "1", "service": "pay", "criticality": "low", "regimes": [], "environment": "production",
            "is_production": true, "has_artifact": false, "owners": [],
        }))
        .unwrap();
        let owned_by = |people: &[&str]| TargetFacts {
            owners: people
                .iter()
                .map(|id| (OwnershipRole::Owner, PersonId((*id).to_owned())))
                .collect(),
            ..target.clone()
        };
        let tried = |targets: &[TargetFacts]| {
            let found = candidates(std::slice::from_ref(&alike), &directory, targets);
            found
                .into_iter()
                .map(|it| (it.person.login.clone(), it.alike))
                .collect::<Vec<_>>()
        };
        let row = |login: &str, alike| (login.to_owned(), alike);
        let first_four = [row("p1", 0), row("p2", 0), row("p3", 0), row("p4", 0)];
        assert_eq!(tried(std::slice::from_ref(&target)), first_four);
        assert_eq!(
            tried(&[owned_by(&["p1"]), owned_by(&["p5", "p7", "gone"])]),
            [
                row("p2", 0),
                row("p3", 0),
                row("p4", 0),
                row("p6", 0),
                row("p1", 1),
                row("p5", 2)
            ]
        );
    }
}
