//! Reports on the ownership matrix: targets that nobody can approve, and approvers who could approve only with themselves.
//! Each service in each environment is judged by the active policies as a change of each kind would be, without a change.

use std::collections::{BTreeMap, BTreeSet};

use model::approval::authority::{able, approvers_name, hangs_on_one, most_counted, targets_of};
use model::approval::obligation::{ApprovalRule, Asked, Duty};
use model::cab::board::could_attend;
use model::change::change_file::ChangeFile;
use model::change::record::Change;
use model::core::act;
use model::core::enums::{Category, Kind, Level, Touch};
use model::core::ids::{PersonId, ServiceKey};
use model::directory::ownership_matrix::Place;
use model::directory::snapshot::{Directory, Holder};
use policy::PolicySet;
use serde::Serialize;
use serde_json::json;

use crate::case::judge;
use crate::core::context::Context;
use crate::core::error::Result;

/// A rule that a target cannot meet, or only if all of its possible approvers decide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The policy.
    pub rule: String,
    /// The required approvers, as readable text.
    pub asks: String,
    /// How many it needs: of a board, as many as its quorum.
    pub needed: u32,
    /// The possible approvers: logins.
    pub found: Vec<String>,
    /// Why there are no more, as far as the matrix shows.
    pub why: Vec<String>,
    /// Whether one person alone could decide for every rule of this target, and so never on their own change.
    pub is_single: bool,
}

/// The two reports over a part of the services.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Too few can decide.
    pub unapprovable: Vec<Finding>,
    /// Just enough can: when one of them writes the change, or is away, nobody can decide.
    pub alone: Vec<Finding>,
    /// The service behind which the next part begins.
    pub next: Option<String>,
}

/// Checks the services after a key, at most `limit` of them.
///
/// # Errors
/// 403, or the store's.
pub fn find_unapprovable(cx: &mut Context<'_, '_>, after: &str, limit: usize) -> Result<Report> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let mut behind = directory.services.keys().filter(|key| key.as_str() > after);
    let services: Vec<&ServiceKey> = behind.by_ref().take(limit).collect();
    let mut report = Report {
        next: behind.next().and(services.last().map(|key| key.0.clone())),
        ..Report::default()
    };
    for service in services {
        look(cx, &directory, service, &mut report)?;
    }
    Ok(report)
}

/// The effect of an import on approvals.
#[derive(Debug, Clone, Default)]
pub struct Loss {
    /// Where enough people can decide now, and too few could then.
    pub no_longer_approvable: Vec<Finding>,
    /// How many services were examined.
    pub services_looked_at: usize,
    /// How many were not, because there are too many.
    pub services_not_looked_at: usize,
}

/// Computes the approvals that existing services lose with a future directory: at most `limit` of them, and first those that
/// are `named`.
///
/// # Errors
/// The store's.
pub fn find_loss(
    cx: &mut Context<'_, '_>,
    to_be: &Directory,
    named: &BTreeSet<ServiceKey>,
    limit: usize,
) -> Result<Loss> {
    let before = cx.directory()?;
    let (first, others): (Vec<&ServiceKey>, Vec<&ServiceKey>) =
        before.services.keys().partition(|key| named.contains(*key));
    let services: Vec<&ServiceKey> = first.into_iter().chain(others).collect();
    let looked_at = services.len().min(limit);
    let mut loss = Loss {
        services_looked_at: looked_at,
        services_not_looked_at: services.len() - looked_at,
        ..Loss::default()
    };
    for service in services.into_iter().take(limit) {
        let mut then = Report::default();
        look(cx, to_be, service, &mut then)?;
        if then.unapprovable.is_empty() {
            continue;
        }
        let mut now = Report::default();
        look(cx, &before, service, &mut now)?;
        let is_known = |finding: &Finding| {
            let is_same = |it: &Finding| (&it.environment, &it.rule) == (&finding.environment, &finding.rule);
            now.unapprovable.iter().any(is_same)
        };
        let lost = then.unapprovable.into_iter().filter(|finding| !is_known(finding));
        loss.no_longer_approvable.extend(lost);
    }
    Ok(loss)
}

/// A kind of change by which rules are looked for.
struct KindOf {
    kind: Kind,
    risk: Level,
    touches: BTreeSet<Touch>,
    category: Option<Category>,
}

/// The kinds of change that a set may distinguish: of every risk and as an emergency, and where the set reads them, touching
/// each thing alone and all at once, and of each category.
fn samples(policies: &PolicySet) -> Vec<KindOf> {
    let plain = |kind, risk| KindOf {
        kind,
        risk,
        touches: BTreeSet::new(),
        category: None,
    };
    let mut found: Vec<KindOf> = [Level::Low, Level::Medium, Level::High]
        .into_iter()
        .map(|risk| plain(Kind::Normal, risk))
        .collect();
    found.push(plain(Kind::Emergency, Level::High));
    let looks_at = |word: &str| policies.sources().any(|source| source.text.contains(word));
    if looks_at("touches") {
        let mut each: Vec<BTreeSet<Touch>> = Touch::ALL.iter().map(|it| BTreeSet::from([*it])).collect();
        each.push(Touch::ALL.iter().copied().collect());
        for touches in each {
            for kind in [Kind::Normal, Kind::Emergency] {
                let touches = touches.clone();
                found.push(KindOf {
                    touches,
                    ..plain(kind, Level::High)
                });
            }
        }
    }
    if looks_at("category") {
        found.extend(Category::ALL.iter().map(|category| KindOf {
            category: Some(*category),
            ..plain(Kind::Normal, Level::High)
        }));
    }
    found
}

fn look(cx: &mut Context<'_, '_>, directory: &Directory, service: &ServiceKey, report: &mut Report) -> Result<()> {
    let mut seen: BTreeMap<(String, String), (Finding, bool, bool)> = BTreeMap::new();
    let mut people: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    let (policies, tenant) = (cx.policies()?, cx.tenant());
    for kind_of in samples(&policies) {
        let Some(mut file) = sample(cx, directory, service, (kind_of.kind, kind_of.risk))? else {
            continue;
        };
        file.change.content.touches = kind_of.touches;
        file.change.content.category = kind_of.category.unwrap_or(file.change.content.category);
        file.requirements = judge::judge_draft(&policies, &tenant, (directory, cx.now), &file);
        for row in &file.requirements.obligations {
            let Duty::Approval(rule) = &row.obligation.duty else {
                continue;
            };
            let rule_id = row.obligation.id.as_str();
            for target in targets_of(&file, row) {
                let holders = able(&file, directory, (rule_id, rule), target, cx.now);
                let place = target.environment.0.clone();
                let everyone = people.entry(place.clone()).or_default();
                everyone.extend(holders.iter().map(|holder| holder.person.clone()));
                let why = reasons(directory, rule, &Place::from(target), cx);
                let found = finding(directory, (service, &place), (rule_id, rule), &holders, why);
                let spare = spare_at_board(&file, directory, rule);
                let is_short = most_counted(rule, &holders) < rule.count as usize || spare.is_some_and(|it| it < 0);
                let staffed = (found, is_short, hangs_on_one(rule, &holders) || spare == Some(0));
                // Of several kinds of change under a rule, the one that the rule stops is reported.
                match seen.get(&(place.clone(), rule_id.to_owned())) {
                    Some((_, true, _)) => {}
                    _ => drop(seen.insert((place, rule_id.to_owned()), staffed)),
                }
            }
        }
    }
    for ((place, _), (mut found, is_short, is_just_enough)) in seen {
        found.is_single = people.get(&place).is_some_and(|people| people.len() == 1);
        if is_short {
            report.unapprovable.push(found);
        } else if is_just_enough {
            report.alone.push(found);
        }
    }
    Ok(())
}

/// How many more of a rule's board could meet than its quorum needs; `None` where the rule needs no meeting.
fn spare_at_board(file: &ChangeFile, directory: &Directory, rule: &ApprovalRule) -> Option<i64> {
    let could = i64::try_from(could_attend(file, directory, rule)?).unwrap_or(i64::MAX);
    Some(could - i64::from(rule.quorum?))
}

fn finding(
    directory: &Directory,
    (service, place): (&ServiceKey, &str),
    (rule_id, rule): (&str, &ApprovalRule),
    holders: &[Holder],
    why: Vec<String>,
) -> Finding {
    let rights: BTreeSet<&PersonId> = holders.iter().map(Holder::root).collect();
    Finding {
        service: service.0.clone(),
        environment: place.to_owned(),
        rule: rule_id.to_owned(),
        asks: approvers_name(&rule.from),
        needed: rule.count.max(rule.quorum.unwrap_or_default()),
        found: rights.into_iter().map(|person| directory.login(person)).collect(),
        why,
        is_single: false,
    }
}

/// Matching rows and members of a group that cannot approve.
fn reasons(directory: &Directory, rule: &ApprovalRule, place: &Place<'_>, cx: &Context<'_, '_>) -> Vec<String> {
    let Some(role) = rule.from.ownership_role() else {
        let keys = match &rule.from {
            Asked::Group(key) => std::slice::from_ref(key),
            Asked::Groups(keys) => keys.as_slice(),
            _ => &[],
        };
        let idle = |person: &&PersonId| directory.is_active(person) && !directory.takes_part(person);
        let members = keys
            .iter()
            .filter_map(|key| directory.groups.get(key))
            .flat_map(|it| &it.members);
        let told = members.filter(idle).map(|person| {
            let login = directory.login(person);
            format!("{login} has no role here, which is needed to read a change")
        });
        return told.collect();
    };
    directory
        .lines(place, role, cx.now)
        .into_iter()
        .flat_map(|line| {
            let scope = line.scope;
            line.idle.into_iter().map(move |(_, why)| format!("{scope}: {why}"))
        })
        .collect()
}

/// A change by nobody to one service in every environment.
pub(crate) fn sample(
    cx: &Context<'_, '_>,
    directory: &Directory,
    service: &ServiceKey,
    (kind, risk): (Kind, Level),
) -> Result<Option<ChangeFile>> {
    let targets: Vec<serde_json::Value> = directory
        .environments
        .keys()
        .enumerate()
        .map(|(place, key)| json!({"id": (place + 1).to_string(), "service": service, "environment": key}))
        .collect();
    if targets.is_empty() {
        return Ok(None);
    }
    let change: Change = serde_json::from_value(json!({
        "id": "", "version": 0, "key": "", "number": 0, "state": "authorizing", "requester": "",
        "created_at": cx.now, "updated_at": cx.now, "kind": kind, "title": "", "category": "application",
        "targets": targets, "impact": {"data": risk, "availability": risk, "compliance": risk}, "complexity": risk,
        "owner": "", "risk": {"level": risk, "score": 0, "reasons": []},
        "digests": {"what": "", "when": "", "content": ""}, "target_records": [], "authors": [],
    }))?;
    Ok(Some(ChangeFile::new(change)))
}
