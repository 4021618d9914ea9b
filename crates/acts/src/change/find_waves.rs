//! Shows the waves of a change, its members, and a dry run: a forecast of the planned waves.

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::{Change, Target};
use model::change::waiting_on::{self, Ahead};
use model::change::waves::kept_run::WaveRun;
use model::change::waves::member_list::Member;
use model::change::waves::member_outcome::MemberOutcome;
use model::change::waves::plan::WavePlan;
use model::core::act::actions::READ;
use model::core::enums::MemberState;
use model::core::refusal::Refusal;
use model::schedule::conflicts::{Found, Planned};
use store::change::changes;
use store::record::{self, Filter};

use crate::change::member_lists::Lists;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::change_conflicts::find_of;

/// The most members of one page of a list.
pub const MOST_LISTED: usize = 500;
/// The most shared members that a dry run names of another change.
const NAMED: usize = 20;

/// The waves of a change.
#[derive(Debug, Clone)]
pub struct Waves {
    /// The change.
    pub change: Change,
    /// The plan.
    pub plan: WavePlan,
    /// Their progress; `None` before the change has members.
    pub run: Option<WaveRun>,
    /// The logins of the people who may resume stopped waves.
    pub people: Vec<String>,
}

/// A member with all that is known of it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The target of the change.
    pub target: Target,
    /// The member.
    pub member: Member,
    /// The last reported outcome.
    pub outcome: Option<MemberOutcome>,
}

/// Which members are listed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only members of this wave.
    pub wave: Option<i64>,
    /// Only members in this state; `waiting` includes members without an outcome.
    pub state: Option<MemberState>,
    /// How many are skipped at the beginning.
    pub from: usize,
}

/// Another open change that shares members with this one.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Its key.
    pub key: String,
    /// How many members both have.
    pub count: usize,
    /// Some of them.
    pub members: Vec<String>,
}

/// A wave in a dry run.
#[derive(Debug, Clone)]
pub struct DryWave {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub wave: String,
    /// The wave's members by region; the empty region means none.
    pub regions: BTreeMap<String, usize>,
    /// How many members it has.
    pub count: usize,
    /// The duration in minutes by the plan, with its watch; `None` if the plan has none.
    pub minutes: Option<i64>,
}

/// The forecast of the planned waves.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The waves.
    pub waves: Vec<DryWave>,
    /// Whether all of them fit between the planned times; `None` if either is unknown.
    pub fits: Option<bool>,
    /// Conflicts of the change with others.
    pub conflicts: Vec<Found>,
    /// Open changes with the same members.
    pub shared: Vec<Shared>,
    /// The unmet conditions before the change starts: approvals and all else.
    pub missing: Vec<Ahead>,
}

/// The waves of a change.
///
/// # Errors
/// 403; 404 for a change that has none; the store's.
pub fn find_waves(cx: &mut Context<'_, '_>, key: &str) -> Result<Waves> {
    cx.allow(READ)?;
    waves_now(cx, key)
}

/// The same for an actor who has just changed the waves.
///
/// # Errors
/// 404, or the store's.
pub fn waves_now(cx: &mut Context<'_, '_>, key: &str) -> Result<Waves> {
    let file = cx.file(key)?;
    let directory = cx.directory()?;
    let target = file.change.content.targets.iter().find(|it| it.members.is_some());
    let gate = target.and_then(|it| model::change::waves::gate::wave_gate(&file, &directory, it, cx.now));
    let change = file.change;
    let plan = planned(&change)?;
    Ok(Waves {
        plan,
        run: change.wave_run.clone(),
        people: gate.map(|gate| gate.people).unwrap_or_default(),
        change,
    })
}

fn planned(change: &Change) -> Result<WavePlan> {
    let plan = change.content.wave_plan.clone();
    Ok(plan.ok_or_else(|| Refusal::not_found(format!("plan of waves of {}", change.key)))?)
}

/// Members of a change, by wave and name, at most [`MOST_LISTED`]; with how many there are. An actor who is scoped to
/// services sees only their members.
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_members(cx: &mut Context<'_, '_>, key: &str, wanted: &Wanted) -> Result<(Vec<Shown>, usize)> {
    cx.allow(READ)?;
    let change = cx.change(key)?;
    let scope = cx.scope()?;
    let mut outcomes = outcomes_of(cx, &change, wanted)?;
    let mut lists = Lists::default();
    let mut found = Vec::new();
    for target in &change.content.targets {
        let is_seen = scope.as_ref().is_none_or(|scope| scope.has(target.service.as_str()));
        let Some(list) = target.members.as_ref().filter(|_| is_seen) else {
            continue;
        };
        for member in lists.members(cx, &list.digest)? {
            let outcome = outcomes.remove(&(target.id.to_string(), member.name.clone()));
            if is_wanted(wanted, &member, outcome.as_ref()) {
                found.push((target, member, outcome));
            }
        }
    }
    found.sort_by(|(_, one, _), (_, other, _)| (one.wave, &one.name).cmp(&(other.wave, &other.name)));
    let all = found.len();
    let page = found.into_iter().skip(wanted.from).take(MOST_LISTED);
    let shown = page.map(|(target, member, outcome)| Shown {
        target: target.clone(),
        member,
        outcome,
    });
    Ok((shown.collect(), all))
}

fn is_wanted(wanted: &Wanted, member: &Member, outcome: Option<&MemberOutcome>) -> bool {
    let state = outcome.map_or(MemberState::Waiting, |it| it.state);
    wanted.wave.is_none_or(|wave| wave == member.wave) && wanted.state.is_none_or(|it| it == state)
}

fn outcomes_of(
    cx: &mut Context<'_, '_>,
    change: &Change,
    wanted: &Wanted,
) -> Result<BTreeMap<(String, String), MemberOutcome>> {
    let mut filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    if let Some(wave) = wanted.wave {
        filter = filter.equals("wave", wave);
    }
    let rows = record::bodies::<MemberOutcome>(cx.tx, &filter)?;
    let of_row = |row: MemberOutcome| ((row.target.clone(), row.member.clone()), row);
    Ok(rows.into_iter().map(of_row).collect())
}

/// A dry run: the waves with their members, conflicts, and unmet conditions. Nothing is written.
///
/// # Errors
/// 403; 404 for a change without waves; the store's.
pub fn dry_run(cx: &mut Context<'_, '_>, key: &str) -> Result<DryRun> {
    cx.allow(READ)?;
    let file = cx.file(key)?;
    let directory = cx.directory()?;
    let missing = waiting_on::ahead(&file, &directory, cx.now);
    let change = file.change;
    let plan = planned(&change)?;
    let mut lists = Lists::default();
    let scope = cx.scope()?;
    let is_seen = |target: &&Target| scope.as_ref().is_none_or(|scope| scope.has(target.service.as_str()));
    let seen: Vec<Target> = change.content.targets.iter().filter(is_seen).cloned().collect();
    let mut members = Vec::new();
    for list in seen.iter().filter_map(|it| it.members.as_ref()) {
        members.extend(lists.members(cx, &list.digest)?);
    }
    let waves = dry_waves(&change, &plan, &members);
    let minutes: Option<i64> = waves.iter().map(|wave| wave.minutes).sum();
    let window = change.planned_start.zip(change.window_end());
    let fits = window
        .zip(minutes)
        .map(|((start, end), minutes)| end.duration_since(start).as_mins() >= minutes);
    let conflicts = match Planned::of(&change) {
        Some(planned) => find_of(cx, &planned)?,
        None => Vec::new(),
    };
    Ok(DryRun {
        waves,
        fits,
        conflicts,
        shared: shared(cx, &change, &seen)?,
        missing,
    })
}

fn dry_waves(change: &Change, plan: &WavePlan, members: &[Member]) -> Vec<DryWave> {
    let each: Option<i64> = change.content.plan.iter().map(|step| step.minutes).sum();
    let each = each.filter(|minutes| *minutes > 0);
    let wave = |(at, rule): (usize, &model::change::waves::plan::WaveRule)| {
        let number = i64::try_from(at + 1).unwrap_or(i64::MAX);
        let mut regions: BTreeMap<String, usize> = BTreeMap::new();
        for member in members.iter().filter(|member| member.wave == number) {
            *regions.entry(member.region.clone()).or_default() += 1;
        }
        let count: usize = regions.values().sum();
        let at_once = plan
            .most_at_once
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(count);
        let turns = i64::try_from(count.div_ceil(at_once.max(1))).unwrap_or(i64::MAX);
        DryWave {
            number,
            wave: rule.wave.clone(),
            regions,
            count,
            minutes: each.map(|minutes| minutes.saturating_mul(turns).saturating_add(plan.watch_minutes)),
        }
    };
    plan.waves.iter().enumerate().map(wave).collect()
}

/// The open changes of the same services whose lists share members with this one; the key of a change that the actor
/// may not see is left out.
fn shared(cx: &mut Context<'_, '_>, change: &Change, seen: &[Target]) -> Result<Vec<Shared>> {
    let mut lists = Lists::default();
    let mut own: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for target in seen {
        let Some(list) = &target.members else { continue };
        let names = lists.members(cx, &list.digest)?.into_iter().map(|member| member.name);
        let place = (target.service.to_string(), target.environment.to_string());
        own.entry(place).or_default().extend(names);
    }
    let services: BTreeSet<&str> = own.keys().map(|(service, _)| service.as_str()).collect();
    let mut ids = BTreeSet::new();
    for service in services {
        ids.extend(changes::open_in(cx.tx, service)?);
    }
    ids.remove(change.id.as_str());
    let mut found = Vec::new();
    for id in ids {
        let Some(other) = cx.load_change(&id)? else { continue };
        let mut both = BTreeSet::new();
        for target in &other.content.targets {
            let place = (target.service.to_string(), target.environment.to_string());
            let (Some(list), Some(names)) = (&target.members, own.get(&place)) else {
                continue;
            };
            let theirs = lists.members(cx, &list.digest)?.into_iter().map(|member| member.name);
            both.extend(theirs.filter(|name| names.contains(name)));
        }
        if !both.is_empty() {
            let key = match cx.sees(&id)? {
                true => other.key,
                false => "another change".to_owned(),
            };
            found.push(Shared {
                key,
                count: both.len(),
                members: both.into_iter().take(NAMED).collect(),
            });
        }
    }
    Ok(found)
}
