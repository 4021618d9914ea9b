//! The plan of the waves of a change: which members come first, when a wave halts, and how many go at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::change::waves::member_list::{MOST_MEMBERS, Member, NAME};
use crate::core::parse::Reading;

/// The most waves of a plan.
pub const MOST_WAVES: usize = 50;
/// The most regions of one wave.
pub const MOST_REGIONS: usize = 200;
/// The longest watch after a wave, in minutes: a week.
pub const MOST_WATCH_MINUTES: i64 = 7 * 24 * 60;
/// The failures in a wave that halt it by default.
pub const USUAL_FAILURES: i64 = 3;

/// The waves of a change, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavePlan {
    /// The waves, the first one first.
    pub waves: Vec<WaveRule>,
    /// The most members that are in progress at once; all of a wave unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_at_once: Option<i64>,
    /// The number of failures in one wave that halts it.
    pub halt_failures: i64,
    /// Whether an incident that begins on a service of the change halts it.
    pub halt_on_incident: bool,
    /// Whether a watch result that is no pass halts it.
    pub halt_on_watch: bool,
    /// The minutes between the last outcome of a wave and the beginning of the next; 0 where the plan names none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub watch_minutes: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(minutes: &i64) -> bool {
    *minutes == 0
}

impl WavePlan {
    /// Whether a wave follows another one without a minute between them.
    #[must_use]
    pub fn is_unwatched(&self) -> bool {
        self.waves.len() > 1 && self.watch_minutes <= 0
    }
}

/// The members of a wave, out of those that no earlier wave took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveRule {
    /// Its technical name.
    pub wave: String,
    /// Whether it takes members that the list marks as canaries alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub canary: bool,
    /// The regions from which it takes members; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
    /// The most members that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// The most members that it takes, as a share of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<i64>,
}

impl WaveRule {
    fn takes(&self, member: &Member) -> bool {
        (!self.canary || member.canary) && (self.regions.is_empty() || self.regions.contains(&member.region))
    }

    /// How many members it takes of `all`; a share takes at least one.
    fn room(&self, all: usize) -> usize {
        let of_size = self.size.map(|size| usize::try_from(size).unwrap_or(0));
        let share = |percent: i64| all.saturating_mul(usize::try_from(percent).unwrap_or(0)).div_ceil(100);
        of_size
            .into_iter()
            .chain(self.percent.map(share))
            .min()
            .unwrap_or(usize::MAX)
    }
}

/// Reads a plan; errors are collected in the reading.
pub fn read_plan(reading: &mut Reading<'_>) -> WavePlan {
    let waves = reading.objects("waves", read_rule).unwrap_or_default();
    if waves.is_empty() && reading.errors.is_empty() {
        reading.wrong("waves", "missing", "`waves` is missing: name at least one wave.");
    }
    check_waves(reading, &waves);
    WavePlan {
        waves,
        most_at_once: reading.integer("most_at_once", 1..=MOST_MEMBERS as i64),
        halt_failures: reading
            .integer("halt_failures", 1..=MOST_MEMBERS as i64)
            .unwrap_or(USUAL_FAILURES),
        halt_on_incident: reading.boolean("halt_on_incident").unwrap_or(true),
        halt_on_watch: reading.boolean("halt_on_watch").unwrap_or(true),
        // A watch of no minutes is none: a plan without a watch leaves the field out, where no rule requires one.
        watch_minutes: reading.integer("watch_minutes", 1..=MOST_WATCH_MINUTES).unwrap_or(0),
    }
}

fn read_rule(reading: &mut Reading<'_>) -> WaveRule {
    let rule = WaveRule {
        wave: reading.needed_technical("wave", NAME),
        canary: reading.boolean("canary").unwrap_or(false),
        regions: reading
            .technicals("regions", NAME)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        size: reading.integer("size", 1..=MOST_MEMBERS as i64),
        percent: reading.integer("percent", 1..=100),
    };
    if rule.regions.len() > MOST_REGIONS {
        let text = format!("A wave takes members of at most {MOST_REGIONS} regions.");
        reading.wrong("regions", "too_many", text);
    }
    rule
}

fn check_waves(reading: &mut Reading<'_>, waves: &[WaveRule]) {
    if waves.len() > MOST_WAVES {
        let text = format!("A plan has at most {MOST_WAVES} waves.");
        reading.wrong("waves", "too_many", text);
    }
    let mut names = BTreeSet::new();
    for (place, rule) in waves.iter().enumerate() {
        if !rule.wave.is_empty() && !names.insert(rule.wave.as_str()) {
            let text = format!("Two waves have the name `{}`.", rule.wave);
            reading.wrong(&format!("waves[{place}].wave"), "not_unique", text);
        }
    }
}

/// The members of several lists with their waves, in the order of the lists. `kept` names the waves of members that stay; the
/// plan places the others, in the order of their names, where a wave has room for them.
///
/// # Errors
/// The names of members that no wave takes: a plan starves nobody.
pub fn assign(plan: &WavePlan, lists: &mut [Vec<Member>], kept: &[BTreeMap<String, i64>]) -> Result<(), Vec<String>> {
    let all: usize = lists.iter().map(Vec::len).sum();
    let mut room: Vec<usize> = plan.waves.iter().map(|rule| rule.room(all)).collect();
    let mut open: Vec<&mut Member> = Vec::new();
    for (place, list) in lists.iter_mut().enumerate() {
        let known = kept.get(place);
        for member in list.iter_mut() {
            let wave = known.and_then(|known| known.get(&member.name)).copied();
            let at = wave.and_then(|wave| usize::try_from(wave - 1).ok());
            match at.filter(|at| *at < room.len()) {
                Some(at) => {
                    member.wave = wave.unwrap_or(1);
                    room[at] = room[at].saturating_sub(1);
                }
                None => open.push(member),
            }
        }
    }
    open.sort_by(|one, other| one.name.cmp(&other.name));
    let mut starved = Vec::new();
    for member in open {
        let mut rules = plan.waves.iter().enumerate();
        match rules.find(|(at, rule)| room[*at] > 0 && rule.takes(member)) {
            Some((at, _)) => {
                room[at] -= 1;
                member.wave = i64::try_from(at + 1).unwrap_or(1);
            }
            None => starved.push(member.name.clone()),
        }
    }
    if starved.is_empty() { Ok(()) } else { Err(starved) }
}
