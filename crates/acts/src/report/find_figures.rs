//! Finds figures and the rows behind them, from the projection of changes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::approval::one_hand;
use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::{EmergencyCause, Kind};
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::directory::impersonation::LinkedAccounts;
use model::report::change_outcome::ChangeOutcome;
use model::report::control_chart::{self, Chart};
use model::report::definition::{self, Definition, Exclusion, Formula, Measure, Population};
use model::report::emergency_causes::{CauseCount, causes};
use model::report::evaluate::{Base, Counted, FailureTerms, Question, Window};
use model::report::figure::{FEWEST_APPROVERS, Figure, by_group, figure, weekly, weekly_shares};
use model::report::population::{Dimension, Facts};
use model::report::sensitivity::{Variant, doubled, variants};
use model::report::share_chart::{ShareChart, share_chart};
use model::report::statistics::{self, Estimate, PPM};
use store::audit::log;
use store::record::{self, Filter};
use store::report::{change_outcome, projection};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::integration::beside::import_history;
use crate::report::former_teams::facts_of;
use crate::report::metric_query::{MetricQuery, check_places, find_approver, is_change_manager};
use crate::report::project_outcomes::NAME;

/// The most changes that a figure is computed from.
pub const MOST_CHANGES: usize = 100_000;

/// The rows of a window, with the directory's facts about them.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The changes.
    pub changes: Arc<Vec<ChangeOutcome>>,
    /// The facts from the directory.
    pub facts: Arc<Facts>,
    /// How far into the log the rows reach.
    pub position: i64,
    /// The size of the log.
    pub log_size: i64,
}

/// Rows whose deployments are put in order once for each window, however many figures are counted from them.
#[derive(Debug)]
pub struct Ordered<'r> {
    rows: &'r Rows,
    bases: RefCell<Vec<Rc<Base<'r>>>>,
}

impl<'r> Ordered<'r> {
    /// The rows, of which nothing is put in order yet.
    #[must_use]
    pub fn of(rows: &'r Rows) -> Self {
        Self {
            rows,
            bases: RefCell::default(),
        }
    }

    /// The rows as they were loaded.
    #[must_use]
    pub fn rows(&self) -> &'r Rows {
        self.rows
    }

    fn counted(&self, query: &MetricQuery) -> Vec<Counted<'r>> {
        let question = question(query);
        let known = self.bases.borrow().iter().find(|base| base.is_of(&question)).cloned();
        let base = known.unwrap_or_else(|| {
            let made = Rc::new(Base::of(&question, &self.rows.changes));
            self.bases.borrow_mut().push(Rc::clone(&made));
            made
        });
        base.evaluate(&question, &self.rows.facts, FailureTerms::DEFINED)
    }
}

/// A figure with its groups.
#[derive(Debug, Clone)]
pub struct FoundFigure {
    /// The metric.
    pub definition: &'static Definition,
    /// When.
    pub window: Window,
    /// The whole.
    pub whole: Figure,
    /// Each group, by its name.
    pub groups: BTreeMap<String, Figure>,
    /// Of failure rates by team or service: the rank correlation of failure rate and frequency over the groups with enough
    /// data, and how many there are.
    pub correlation: Option<(Option<Estimate>, usize)>,
    /// Of volumes: the weeks with their limits and shifts.
    pub chart: Option<Chart>,
    /// Of shares: the weeks with the limits of a p and a p′ chart.
    pub shares: Option<ShareChart>,
    /// How many are hits in each week of the window, the oldest first.
    pub course: Vec<u32>,
    /// Of times to approve: the group that would save most, with its share of the time in parts per million.
    pub bottleneck: Option<(String, i64)>,
    /// Where the definition changed within the window: each version with its part of the window and its figure, the oldest first.
    pub versions: Vec<VersionFigure>,
    /// Of emergencies: their causes, by rule and as reviews left them.
    pub causes: BTreeMap<EmergencyCause, CauseCount>,
    /// How far into the log the rows reach.
    pub position: i64,
    /// The size of the log.
    pub log_size: i64,
}

/// The figure of the part of a window in which one version of the definition was in force.
#[derive(Debug, Clone)]
pub struct VersionFigure {
    /// The version.
    pub definition: &'static Definition,
    /// Its part of the window.
    pub window: Window,
    /// The figure by this version.
    pub figure: Figure,
}

/// Loads the rows that figures of a window need, further back than the window.
///
/// # Errors
/// 403; 422 where there are more than [`MOST_CHANGES`]; the store's.
pub fn load_rows(cx: &mut Context<'_, '_>, window: Window) -> Result<Rows> {
    let (rows, since) = load_newest(cx, window, MOST_CHANGES)?;
    match since {
        Some(_) => Err(too_many()),
        None => Ok(rows),
    }
}

/// Loads the newest rows that figures of a window need, at most `most`. If there are more, figures count the part of the window
/// after the second result ([`Window::since_cut`]), and should state that.
///
/// # Errors
/// 403; the store's.
pub fn load_newest(cx: &mut Context<'_, '_>, window: Window, most: usize) -> Result<(Rows, Option<Timestamp>)> {
    cx.allow(actions::READ)?;
    let (wide, limit) = (window.wide(), i64::try_from(most).unwrap_or(i64::MAX));
    let cut = change_outcome::cut(cx.tx, wide.from, wide.to, limit)?;
    let (from, since) = kept(cx.now, window, cut);
    let stored = change_outcome::list(cx.tx, from, wide.to, limit)?;
    Ok((rows_from(cx, &stored)?, since))
}

/// From when on rows are read that are cut there, and from when on figures of them count.
pub(super) fn kept(now: Timestamp, window: Window, cut: Option<Timestamp>) -> (Timestamp, Option<Timestamp>) {
    // Rows that moved in the same microsecond as the first one that does not fit are left out with it.
    let after = |cut: Timestamp| cut.checked_add(SignedDuration::from_micros(1)).unwrap_or(cut);
    let from = cut.map_or(window.wide().from, after);
    // What lies ahead holds nothing: half of what is known is half of the time up to now.
    let known = Window {
        to: window.to.min(now),
        ..window
    };
    // Even where the whole window can be counted, it is not the one that was defined: less is looked back at.
    (from, cut.map(|_| known.since_cut(from).unwrap_or(window.from)))
}

/// Loads the rows of the changes of one kind that were created in a window, at most [`MOST_CHANGES`]: enough to count these alone.
///
/// # Errors
/// 403; the store's.
pub fn load_of_kind(cx: &mut Context<'_, '_>, window: Window, kind: Kind) -> Result<Rows> {
    cx.allow(actions::READ)?;
    let limit = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX);
    let stored = change_outcome::list_of_kind(cx.tx, kind.as_str(), (window.from, window.to), limit)?;
    rows_from(cx, &stored)
}

fn rows_from(cx: &mut Context<'_, '_>, stored: &[change_outcome::OutcomeRow]) -> Result<Rows> {
    let read = stored.iter().map(|row| serde_json::from_str(&row.body));
    let changes: Vec<ChangeOutcome> = read.collect::<std::result::Result<_, _>>()?;
    Ok(Rows {
        facts: Arc::new(facts_of(cx, &changes)?),
        changes: Arc::new(changes),
        position: projection::position(cx.tx, NAME)?,
        log_size: log::state(cx.tx)?.map_or(0, |state| state.size),
    })
}

/// The refusal of a window with more than [`MOST_CHANGES`].
fn too_many() -> Error {
    let text = format!("This window has more than {MOST_CHANGES} changes. Set `from` and `to` closer together.");
    Refusal::field("from", "too_many", text).into()
}

/// Narrows a question to the scope of the acting person; a place that they see nowhere is refused.
fn scoped(cx: &mut Context<'_, '_>, query: &MetricQuery) -> Result<MetricQuery> {
    check_places(&*cx.visible()?, &query.filter)?;
    let mut query = query.clone();
    if let Some(login) = &query.approver {
        query.filter.approver = Some(find_approver(cx, login)?);
    }
    if let Some(scope) = cx.scope()? {
        query.filter.within = Some(scope.services().iter().cloned().collect());
    }
    Ok(query)
}

/// Finds a figure.
///
/// # Errors
/// As [`load_rows`]; 422 for a place that is not known.
pub fn find_figure(cx: &mut Context<'_, '_>, query: &MetricQuery) -> Result<FoundFigure> {
    let rows = load_rows(cx, query.window)?;
    figure_of(cx, query, &Ordered::of(&rows))
}

/// The same from rows that are loaded.
///
/// # Errors
/// 422 for a place that is not known; the store's.
pub fn figure_of(cx: &mut Context<'_, '_>, query: &MetricQuery, rows: &Ordered<'_>) -> Result<FoundFigure> {
    let mut query = scoped(cx, query)?;
    if query.definition.formula == Formula::PerWeek {
        query.window = since_first_change(cx, query.window)?;
    }
    let counted = rows.counted(&query);
    let all: Vec<&Counted<'_>> = counted.iter().collect();
    let (definition, window) = (query.definition, query.window);
    // Only times to approve are of people.
    let reader = match definition.population {
        Population::Rules => reader_of_few(cx, window)?,
        _ => None,
    };
    let shown = |figure: Figure| shown_to(reader.as_ref(), figure);
    let groups = by_group(definition, &counted, window).into_iter();
    let mut groups: BTreeMap<String, Figure> = groups.map(|(name, figure)| (name, shown(figure))).collect();
    if query.by == Some(Dimension::Approver) {
        groups = own_or_all(cx, groups)?;
    }
    let is_volume = definition.formula == Formula::PerWeek;
    let course = weekly(&counted, window);
    let mut whole = shown(figure(definition, &all, window));
    if matches!(definition.population, Population::Deployments | Population::Changes) {
        let imported = import_history::left_out(cx, window, &query.filter)?;
        if imported > 0 {
            whole.excluded.insert(Exclusion::Imported, imported);
        }
    }
    Ok(FoundFigure {
        definition,
        window,
        whole,
        correlation: correlation(&query, &groups),
        chart: is_volume.then(|| control_chart::chart(&course)),
        shares: (definition.formula == Formula::Share).then(|| share_chart(&weekly_shares(&counted, window))),
        course,
        bottleneck: bottleneck(&query, &groups),
        versions: by_version(&query, rows, shown),
        causes: match definition.measure {
            Measure::Emergency => causes(&counted),
            _ => BTreeMap::new(),
        },
        groups,
        position: rows.rows.position,
        log_size: rows.rows.log_size,
    })
}

/// The acting person, when times of few approvers must be withheld from them: unless they are a change manager.
fn reader_of_few(cx: &mut Context<'_, '_>, window: Window) -> Result<Option<Reader>> {
    if is_change_manager(cx)? {
        return Ok(None);
    }
    Ok(Some(Reader {
        person: cx.actor.person.clone(),
        hands: one_hand::among(&*cx.directory()?, window.from),
    }))
}

/// A person who may not see how fast others decide.
struct Reader {
    person: PersonId,
    /// Which of the deciding accounts belong to one person.
    hands: LinkedAccounts,
}

/// A figure as a reader sees it; without one, as it is.
fn shown_to(reader: Option<&Reader>, figure: Figure) -> Figure {
    match reader {
        Some(reader) => figure.shown_to(&reader.person, &reader.hands),
        None => figure,
    }
}

/// The groups of approvers, by login: of the acting person alone unless they are a change manager.
fn own_or_all(cx: &mut Context<'_, '_>, groups: BTreeMap<String, Figure>) -> Result<BTreeMap<String, Figure>> {
    let (sees_all, directory) = (is_change_manager(cx)?, cx.directory()?);
    let me = cx.actor.person.as_str();
    let shown = groups.into_iter().filter(|(person, _)| sees_all || person == me);
    Ok(shown
        .map(|(person, figure)| (directory.login(&PersonId::from(person.as_str())), figure))
        .collect())
}

/// The figure of each version of the definition over its part of the window; none where one version was in force all the time.
fn by_version(query: &MetricQuery, rows: &Ordered<'_>, shown: impl Fn(Figure) -> Figure) -> Vec<VersionFigure> {
    let parts = definition::parts(query.definition, query.window, &query.zone);
    if parts.len() < 2 {
        return Vec::new();
    }
    let one = |(definition, window): (&'static Definition, Window)| {
        let part = MetricQuery {
            definition,
            window,
            by: None,
            ..query.clone()
        };
        let counted = rows.counted(&part);
        let all: Vec<&Counted<'_>> = counted.iter().collect();
        VersionFigure {
            definition,
            window,
            figure: shown(figure(definition, &all, window)),
        }
    };
    parts.into_iter().map(one).collect()
}

/// How much a figure depends on the window, and on the definition of failure.
///
/// # Errors
/// As [`find_figure`].
pub fn find_sensitivity(cx: &mut Context<'_, '_>, query: &MetricQuery) -> Result<Vec<Variant>> {
    let rows = load_rows(cx, doubled(query.window))?;
    sensitivity_of(cx, query, &rows)
}

fn sensitivity_of(cx: &mut Context<'_, '_>, query: &MetricQuery, rows: &Rows) -> Result<Vec<Variant>> {
    let query = scoped(cx, query)?;
    let reader = reader_of_few(cx, doubled(query.window))?;
    let first = first_change(cx)?;
    let found = variants(&question(&query), (rows.changes.as_slice(), rows.facts.as_ref()), first).into_iter();
    let shown = found.map(|it| Variant {
        figure: shown_to(reader.as_ref(), it.figure),
        ..it
    });
    Ok(shown.collect())
}

/// A figure with its rows and its dependencies.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The figure.
    pub figure: FoundFigure,
    /// The rows, including those not counted, the newest first.
    pub rows: Vec<RowOfFigure>,
    /// The figure under other lines; none where twice its window holds too many changes.
    pub variants: Vec<Variant>,
    /// From when on it counts, where its window holds more than [`MOST_CHANGES`].
    pub since: Option<Timestamp>,
}

/// Finds a figure, its rows and its dependencies, from rows that are loaded once. Of a window with more than [`MOST_CHANGES`]
/// the newest part is counted.
///
/// # Errors
/// 403; 422 for a place that is not known; the store's.
pub fn explain_figure(cx: &mut Context<'_, '_>, query: &MetricQuery) -> Result<Explained> {
    let (rows, cut) = load_newest(cx, doubled(query.window), MOST_CHANGES)?;
    let is_doubled = cut.is_none();
    // Twice the window may hold more changes than one figure is computed from.
    let (rows, since) = match (is_doubled, kind_of(query.definition)) {
        (true, _) => (rows, None),
        (false, Some(kind)) => (load_of_kind(cx, query.window, kind)?, None),
        (false, None) => load_newest(cx, query.window, MOST_CHANGES)?,
    };
    let counted = MetricQuery {
        window: query.window.from_on(since),
        ..query.clone()
    };
    let ordered = Ordered::of(&rows);
    Ok(Explained {
        figure: figure_of(cx, &counted, &ordered)?,
        rows: rows_of(cx, &counted, &ordered)?,
        variants: match is_doubled {
            true => sensitivity_of(cx, query, &rows)?,
            false => Vec::new(),
        },
        since: since.filter(|since| query.window.from < *since),
    })
}

/// The kind of changes that a metric counts alone, so that the rows of these are enough for its hits.
#[must_use]
pub fn kind_of(definition: &Definition) -> Option<Kind> {
    let is_volume = definition.formula == Formula::PerWeek && definition.measure == Measure::Emergency;
    is_volume.then_some(Kind::Emergency)
}

/// When the tenant's first change was created.
fn first_change(cx: &mut Context<'_, '_>) -> Result<Option<Timestamp>> {
    let oldest = Filter::new().order_by("number").limit(1);
    let first = record::bodies::<Change>(cx.tx, &oldest)?.into_iter().next();
    Ok(first.map(|first| first.created_at))
}

/// The window from the week of the tenant's first change on.
pub(super) fn since_first_change(cx: &mut Context<'_, '_>, window: Window) -> Result<Window> {
    Ok(first_change(cx)?.map_or(window, |first| window.since(first)))
}

fn question(query: &MetricQuery) -> Question<'_> {
    Question {
        definition: query.definition,
        window: query.window,
        filter: &query.filter,
        by: query.by,
    }
}

/// The rank correlation of failure rate and frequency over the groups with enough data.
fn correlation(query: &MetricQuery, groups: &BTreeMap<String, Figure>) -> Option<(Option<Estimate>, usize)> {
    let is_by = matches!(query.by, Some(Dimension::Team | Dimension::Service));
    if query.definition.measure != Measure::Failed || !is_by {
        return None;
    }
    let pair = |it: &Figure| Some((i64::try_from(it.of).ok()?, it.estimate?.value));
    let pairs: Vec<(i64, i64)> = groups.values().filter_map(pair).collect();
    Some((statistics::rank_correlation(&pairs), pairs.len()))
}

/// The group with the longest sum of times, and its share of those that have enough data.
fn bottleneck(query: &MetricQuery, groups: &BTreeMap<String, Figure>) -> Option<(String, i64)> {
    // Among approvers a share would reveal the others.
    if query.definition.measure != Measure::Approval || query.by == Some(Dimension::Approver) {
        return None;
    }
    let total: i64 = groups.values().filter_map(|it| it.total).sum();
    let (name, most) = groups.iter().max_by_key(|(_, it)| it.total.unwrap_or_default())?;
    let most = most.total.filter(|it| *it > 0)?;
    if groups.values().any(|it| it.is_withheld) {
        // If values are withheld, the slowest group cannot be known.
        return None;
    }
    Some((name.clone(), most.saturating_mul(PPM) / total.max(1)))
}

/// A row behind a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOfFigure {
    /// The change's key.
    pub key: String,
    /// The change's id.
    pub change: String,
    /// The service; empty where changes are counted.
    pub service: String,
    /// The environment; empty where changes are counted.
    pub environment: String,
    /// The approval rule; empty otherwise.
    pub rule: String,
    /// When it counts.
    pub at: Timestamp,
    /// `hit`, `miss`, or the reason of an exclusion.
    pub counted: &'static str,
    /// How long it took.
    pub minutes: Option<i64>,
}

/// Finds the rows behind a figure, including those not counted, the newest first.
///
/// # Errors
/// As [`find_figure`].
pub fn find_rows(cx: &mut Context<'_, '_>, query: &MetricQuery) -> Result<Vec<RowOfFigure>> {
    let rows = load_rows(cx, query.window)?;
    rows_of(cx, query, &Ordered::of(&rows))
}

fn rows_of(cx: &mut Context<'_, '_>, query: &MetricQuery, rows: &Ordered<'_>) -> Result<Vec<RowOfFigure>> {
    let query = scoped(cx, query)?;
    let counted = rows.counted(&query);
    let kept_from = reader_of_few(cx, query.window)?.map(|reader| rules_of_few(&counted, &reader));
    let is_kept = |it: &Counted<'_>| {
        let rules = kept_from.as_ref();
        rules.is_some_and(|rules| it.approval.is_some_and(|span| rules.contains(&span.rule)))
    };
    let one = |it: &Counted<'_>| RowOfFigure {
        key: it.row.key.clone(),
        change: it.row.change.clone(),
        service: it.target.map(|it| it.service.0.clone()).unwrap_or_default(),
        environment: it.target.map(|it| it.environment.0.clone()).unwrap_or_default(),
        rule: it.approval.map(|it| it.rule.clone()).unwrap_or_default(),
        at: it.at,
        counted: match (it.exclusion, it.is_hit) {
            (Some(why), _) => why.as_str(),
            (None, true) => "hit",
            (None, false) => "miss",
        },
        minutes: it.minutes.filter(|_| !is_kept(it)),
    };
    let mut found: Vec<RowOfFigure> = counted.iter().map(one).collect();
    found.reverse();
    Ok(found)
}

/// The rules of which a reader does not see the times, because too few people decided about them.
fn rules_of_few(counted: &[Counted<'_>], reader: &Reader) -> BTreeSet<String> {
    let mut deciders: BTreeMap<&str, BTreeSet<PersonId>> = BTreeMap::new();
    for span in counted.iter().filter_map(|it| it.approval) {
        deciders.entry(&span.rule).or_default().extend(span.approver.clone());
    }
    let are_few = |people: &BTreeSet<PersonId>| {
        let is_own = people.len() == 1 && people.contains(&reader.person);
        !people.is_empty() && reader.hands.count(people) < FEWEST_APPROVERS && !is_own
    };
    let few = deciders.into_iter().filter(|(_, people)| are_few(people));
    few.map(|(rule, _)| rule.to_owned()).collect()
}
