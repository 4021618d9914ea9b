//! The quarterly comparison of rules with the outcomes of a quarter's changes: rules that required much and found nothing,
//! changes that failed under light rules, and wrong risk ratings. A risk table follows from the comparison and is tested on the
//! same changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::enums::{Category, FindingKind, Kind, Level, RiskRating, Touch};
use crate::report::statistics::{median, share};
use crate::risk::assessment::RiskTable;
use crate::risk::closed_change::{ClosedChange, LEAST_CHANGES, LEAST_FAILED, Rate, RuleEffort};
use crate::risk::parameter_proposal::ParameterProposal;
use crate::risk::rule_removal::RuleRemoval;
use crate::risk::terms::RiskTerms;

/// The fewest changes on which a rule must have applied: after 30 without a finding, Wilson's interval leaves at most 11.4 %.
pub const LEAST_ASKED: usize = 30;
/// The fewest review answers for a cell of the table; more than half of them must agree.
pub const LEAST_ANSWERS: usize = 3;
/// The most groups that are found; the changes of each are removed before the next search.
pub const MOST_GROUPS: usize = 5;
/// The most findings of one kind.
pub const MOST_FINDINGS: usize = 20;
/// The most changes that a finding names.
pub const MOST_KEYS: usize = 50;
/// The most changes that a back-test lists.
pub const MOST_ROWS: usize = 200;

/// The rules by which risk is computed: the table and its terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskRules {
    /// The table.
    pub table: RiskTable,
    /// The terms.
    pub terms: RiskTerms,
}

impl RiskRules {
    /// The risk of a change under these rules.
    #[must_use]
    pub fn level(&self, change: &ClosedChange) -> Level {
        let least = self.terms.complexity_of(&change.touches, change.category);
        let least = least.unwrap_or(Level::None);
        self.table.level(change.impact, Some(change.complexity.max(least)))
    }
}

/// Something that the comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind of finding.
    pub kind: FindingKind,
    /// The rule's id, the group, or the cell of the table.
    pub subject: String,
    /// The number of changes, or of review answers, in the comparison.
    pub of: i64,
    /// The number of failures, or of answers with this rating.
    pub hits: i64,
    /// The share that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The same of all other changes under light rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rate>,
    /// The total time of the rule, in minutes.
    #[serde(default)]
    pub minutes: i64,
    /// The changes behind it, at most [`MOST_KEYS`].
    pub changes: Vec<String>,
}

/// A change with another risk under the proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerouted {
    /// Its key.
    pub key: String,
    /// Its risk under the current rules.
    pub from: Level,
    /// Its risk by the proposal.
    pub to: Level,
    /// Whether it failed.
    pub has_failed: bool,
}

/// The proposal tried on the changes of the quarter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackTest {
    /// The number of tested changes.
    pub changes: i64,
    /// The number of changes to which the current rules give the risk at their approval. Only these are compared.
    pub reproduced: i64,
    /// The number of changes with another risk.
    pub rerouted: i64,
    /// The number of failed changes that would have had more review.
    pub failures_met: i64,
    /// The median time of the new risk less that of the old risk, summed over the changes with another risk; in minutes.
    pub minutes_added: i64,
    /// The number of these changes without a time, because no change of the quarter had the new risk.
    pub without_minutes: i64,
    /// The changes that get another risk, at most [`MOST_ROWS`].
    pub rows: Vec<Rerouted>,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The number of compared changes.
    pub changes: i64,
    /// The number of closed changes beyond the limit.
    pub left_out: i64,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The rules in force.
    pub before: RiskRules,
    /// The proposed rules, where the table or its terms meet a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<RiskRules>,
    /// The proposal on the same changes; without one, the rules in force.
    pub back_test: BackTest,
    /// Other values for policy parameters, each with its own back-test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterProposal>,
    /// Rules that could be removed because they found nothing, each with its own back-test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removals: Vec<RuleRemoval>,
    /// The digest of the policies that parameters and rules are of.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policies: String,
}

impl Comparison {
    /// Whether there is anything to propose: a risk table, parameter values, or the removal of rules.
    #[must_use]
    pub fn has_proposal(&self) -> bool {
        self.proposal.is_some() || self.changes_policies()
    }

    /// Whether it would propose a set of policies.
    #[must_use]
    pub fn changes_policies(&self) -> bool {
        !self.parameters.is_empty() || !self.removals.is_empty()
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn keys<'c>(changes: impl IntoIterator<Item = &'c ClosedChange>) -> Vec<String> {
    let keys = changes.into_iter().map(|it| it.key.clone());
    keys.take(MOST_KEYS).collect()
}

/// Compares the rules with the closed changes of a quarter. The same changes give the same comparison.
#[must_use]
pub fn compare(changes: &[ClosedChange], before: RiskRules, left_out: usize) -> Comparison {
    let groups = under_ruled(changes);
    let (mut rated, too_low) = rated_wrong(changes);
    let proposal = propose(changes, &before, &groups, &too_low);
    let mut findings = useless_rules(changes);
    findings.extend(groups.into_iter().map(|(_, finding)| finding));
    findings.append(&mut rated);
    let back_test = try_on(changes, &before, proposal.as_ref().unwrap_or(&before));
    Comparison {
        changes: signed(changes.len()),
        left_out: signed(left_out),
        findings,
        before,
        proposal,
        back_test,
        parameters: Vec::new(),
        removals: Vec::new(),
        policies: String::new(),
    }
}

/// Whether a rule came with the base set. That set is the minimum for every change, so no rule of it is called useless: a
/// quarter without objections from owners or security is no argument against their approval.
fn is_of_base(rule: &str) -> bool {
    rule.starts_with("base.")
}

/// Rules beside the base set that applied to many changes and found nothing in any of them; the slowest first.
fn useless_rules(changes: &[ClosedChange]) -> Vec<Finding> {
    let mut by_rule: BTreeMap<&str, Vec<(&ClosedChange, RuleEffort)>> = BTreeMap::new();
    for change in changes.iter().filter(|it| !it.is_late) {
        for (rule, asked) in change.rules.iter().filter(|(rule, _)| !is_of_base(rule)) {
            by_rule.entry(rule).or_default().push((change, *asked));
        }
    }
    by_rule.retain(|_, rows| rows.len() >= LEAST_ASKED && rows.iter().all(|(_, asked)| !asked.has_found));
    let finding = |(rule, rows): (&str, Vec<(&ClosedChange, RuleEffort)>)| Finding {
        kind: FindingKind::UselessRule,
        subject: rule.to_owned(),
        of: signed(rows.len()),
        hits: 0,
        rate: share(0, rows.len() as u64).map(Rate::from),
        rest: None,
        minutes: rows.iter().map(|(_, asked)| asked.minutes).sum(),
        changes: keys(rows.iter().map(|(change, _)| *change)),
    };
    let mut found: Vec<Finding> = by_rule.into_iter().map(finding).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.minutes));
    found.truncate(MOST_FINDINGS);
    found
}

/// The common property of a group of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Category(Category),
    Kind(Kind),
    Touch(Touch),
}

impl Group {
    fn all() -> impl Iterator<Item = Self> {
        let categories = Category::ALL.iter().copied().map(Self::Category);
        let kinds = Kind::ALL.iter().copied().map(Self::Kind);
        categories
            .chain(Touch::ALL.iter().copied().map(Self::Touch))
            .chain(kinds)
    }

    fn holds(self, change: &ClosedChange) -> bool {
        match self {
            Self::Category(category) => change.category == category,
            Self::Kind(kind) => change.kind == kind,
            Self::Touch(touch) => change.touches.contains(&touch),
        }
    }

    fn subject(self) -> String {
        match self {
            Self::Category(category) => format!("category {category}"),
            Self::Kind(kind) => format!("kind {kind}"),
            Self::Touch(touch) => format!("touches {touch}"),
        }
    }
}

/// Groups whose changes failed more often than all others, each below high risk, where the shipped rules require less. The
/// worst group is removed before the next search, so that it is not found again under another name.
fn under_ruled(changes: &[ClosedChange]) -> Vec<(Group, Finding)> {
    let is_light = |it: &&ClosedChange| it.risk < Level::High && it.has_failed.is_some();
    let mut light: Vec<&ClosedChange> = changes.iter().filter(is_light).collect();
    let mut found = Vec::new();
    while found.len() < MOST_GROUPS {
        // Between two equally bad groups, the earlier one in the list of groups.
        let mut judged: Vec<(Group, Finding)> = Group::all().filter_map(|group| judged(group, &light)).collect();
        judged.sort_by_key(|(_, it)| std::cmp::Reverse(it.rate.map(|rate| rate.low_ppm)));
        let Some((group, finding)) = judged.into_iter().next() else {
            break;
        };
        light.retain(|change| !group.holds(change));
        found.push((group, finding));
    }
    found
}

/// The finding about a group, if its interval is above that of the rest.
fn judged(group: Group, light: &[&ClosedChange]) -> Option<(Group, Finding)> {
    let (of, rest): (Vec<&ClosedChange>, Vec<&ClosedChange>) =
        light.iter().copied().partition(|change| group.holds(change));
    let failed: Vec<&ClosedChange> = of.iter().copied().filter(|it| it.is_failure()).collect();
    if of.len() < LEAST_CHANGES || rest.len() < LEAST_CHANGES || failed.len() < LEAST_FAILED {
        return None;
    }
    let others = rest.iter().filter(|it| it.is_failure()).count();
    let rate = share(failed.len() as u64, of.len() as u64)?;
    let other = share(others as u64, rest.len() as u64)?;
    if rate.low <= other.high {
        return None;
    }
    let finding = Finding {
        kind: FindingKind::UnderRuled,
        subject: group.subject(),
        of: signed(of.len()),
        hits: signed(failed.len()),
        rate: Some(rate.into()),
        rest: Some(other.into()),
        minutes: 0,
        changes: keys(failed),
    };
    Some((group, finding))
}

/// Cells of the table with a risk that reviews call wrong, and cells with a risk that they call too low.
fn rated_wrong(changes: &[ClosedChange]) -> (Vec<Finding>, Vec<(usize, usize)>) {
    let mut by_cell: BTreeMap<(usize, usize), Vec<(&ClosedChange, RiskRating)>> = BTreeMap::new();
    for change in changes {
        let ratings = change.ratings.iter().map(|rating| (change, *rating));
        by_cell.entry(change.cell()).or_default().extend(ratings);
    }
    by_cell.retain(|_, ratings| ratings.len() >= LEAST_ANSWERS);
    let (mut findings, mut too_low) = (Vec::new(), Vec::new());
    for (cell, ratings) in by_cell {
        for (wrong, kind) in [
            (RiskRating::TooLow, FindingKind::RatedTooLow),
            (RiskRating::TooHigh, FindingKind::RatedTooHigh),
        ] {
            let said: Vec<&ClosedChange> = ratings.iter().filter(|it| it.1 == wrong).map(|it| it.0).collect();
            if said.len() * 2 <= ratings.len() {
                continue;
            }
            if wrong == RiskRating::TooLow {
                too_low.push(cell);
            }
            findings.push(Finding {
                kind,
                subject: cell_name(cell),
                of: signed(ratings.len()),
                hits: signed(said.len()),
                rate: share(said.len() as u64, ratings.len() as u64).map(Rate::from),
                rest: None,
                minutes: 0,
                changes: keys(said),
            });
        }
    }
    (findings, too_low)
}

fn cell_name((row, column): (usize, usize)) -> String {
    let row = ["none", "low", "medium", "high"][row.min(3)];
    let column = ["low", "medium", "high"][column.min(2)];
    format!("impact {row}, complexity {column}")
}

/// The table that meets the findings, where it differs. It only requires more: ratings that were too high are left to people.
fn propose(
    changes: &[ClosedChange],
    before: &RiskRules,
    groups: &[(Group, Finding)],
    too_low: &[(usize, usize)],
) -> Option<RiskRules> {
    let mut rules = before.clone();
    for (group, _) in groups {
        let is_missed = |it: &&ClosedChange| {
            group.holds(it) && it.is_failure() && it.risk < Level::High && before.level(it) == it.risk
        };
        let failed: Vec<&ClosedChange> = changes.iter().filter(is_missed).collect();
        raise_for(&mut rules, *group, &failed);
    }
    for cell in too_low {
        raise_cell(&mut rules.table, *cell);
    }
    (rules != *before).then_some(rules)
}

/// Raises the rules until at least half of the failed changes would have had a higher risk. First choice is the least
/// complexity of their category or touches, because it affects no other changes; else the cells with most failures.
fn raise_for(rules: &mut RiskRules, group: Group, failed: &[&ClosedChange]) {
    let needed = failed.len().div_ceil(2);
    let is_met = |rules: &RiskRules| failed.iter().filter(|it| rules.level(it) > it.risk).count() >= needed;
    for level in [Level::Medium, Level::High] {
        let mut tried = rules.clone();
        let known = match group {
            Group::Category(category) => tried.terms.categories.insert(category, level),
            Group::Touch(touch) => tried.terms.complexity.insert(touch, level),
            Group::Kind(_) => break,
        };
        if known.is_none_or(|known| known < level) && is_met(&tried) {
            *rules = tried;
            return;
        }
    }
    let mut cells: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for change in failed {
        *cells.entry(change.cell()).or_default() += 1;
    }
    let mut cells: Vec<((usize, usize), usize)> = cells.into_iter().collect();
    cells.sort_by_key(|(cell, count)| (std::cmp::Reverse(*count), *cell));
    for (cell, _) in cells {
        if is_met(rules) {
            return;
        }
        raise_cell(&mut rules.table, cell);
    }
}

/// Raises a cell by one level, and the cells that may not be below it.
fn raise_cell(table: &mut RiskTable, (row, column): (usize, usize)) {
    let RiskTable(cells) = table;
    cells[row][column] = match cells[row][column] {
        Level::None | Level::Low => Level::Medium,
        Level::Medium | Level::High => Level::High,
    };
    let places = (0..4_usize).flat_map(|row| (0..3_usize).map(move |column| (row, column)));
    for (row, column) in places {
        let left = column.checked_sub(1).map_or(Level::None, |left| cells[row][left]);
        let above = row.checked_sub(1).map_or(Level::None, |above| cells[above][column]);
        cells[row][column] = cells[row][column].max(left).max(above);
    }
}

/// Tests rules on the changes whose recorded risk the current rules reproduce.
fn try_on(changes: &[ClosedChange], before: &RiskRules, after: &RiskRules) -> BackTest {
    let reproduced: Vec<&ClosedChange> = changes.iter().filter(|it| before.level(it) == it.risk).collect();
    let mut minutes: BTreeMap<Level, Vec<i64>> = BTreeMap::new();
    for change in reproduced.iter().filter(|it| !it.is_late) {
        minutes.entry(change.risk).or_default().push(change.minutes());
    }
    let usual = |level: Level| {
        let mut of = minutes.get(&level)?.clone();
        of.sort_unstable();
        median(&of).map(|it| it.value)
    };
    let mut found = BackTest {
        changes: signed(changes.len()),
        reproduced: signed(reproduced.len()),
        ..BackTest::default()
    };
    for change in reproduced {
        let to = after.level(change);
        if to == change.risk {
            continue;
        }
        found.rerouted += 1;
        found.failures_met += i64::from(change.is_failure() && to > change.risk);
        match usual(to).zip(usual(change.risk)) {
            Some((to, from)) => found.minutes_added += to - from,
            None => found.without_minutes += 1,
        }
        if found.rows.len() < MOST_ROWS {
            found.rows.push(Rerouted {
                key: change.key.clone(),
                from: change.risk,
                to,
                has_failed: change.is_failure(),
            });
        }
    }
    found
}
