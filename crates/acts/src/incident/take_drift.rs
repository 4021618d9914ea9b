//! Takes a report of drift: maps each difference to a service, matches it with permits and changes, silences expected ones, and
//! keeps a finding of the others. The same difference again is the same finding; a finding whose difference is gone is closed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::change::related_records::Permit;
use model::core::enums::{DriftEnding, DriftOutcome, DriftState, PermitState, State};
use model::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::directory::snapshot::Connection;
use model::incident::drift::baseline::DriftBaseline;
use model::incident::drift::finding::DriftFinding;
use model::incident::drift::matching::{self, Explanation, MOST_DAYS, Place, Seen, Span, Step};
use model::incident::drift::rule::{self, DriftRule};
use model::incident::drift::source::DriftSource;
use model::incident::drift::{Difference, DriftReport, WHOLE};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::incident::alert_drift;

/// The most closed changes that differences are matched with, the newest first.
const MOST_CHANGES: i64 = 5_000;
/// The most permits that differences are matched with.
const MOST_PERMITS: i64 = 5_000;
/// The most findings of one source in one report.
const MOST_THERE: i64 = 10_000;
/// How many findings are loaded by their keys at once.
const AT_ONCE: usize = 200;

/// Applies a report; returns the result as text.
///
/// # Errors
/// The store's.
pub fn take_drift(cx: &mut Context<'_, '_>, connection: &str, report: &DriftReport) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    if report.is_log && report.differences.is_empty() {
        return Ok("noted: nothing in it wrote to what is configured".to_owned());
    }
    let source = source_of(cx, &connection, report)?;
    if let Some(last) = source
        .complete_at
        .filter(|last| !report.is_log && report.taken_at <= *last)
    {
        return Ok(format!(
            "noted: a report of {last} is as new, so this one of {} changes nothing",
            report.taken_at
        ));
    }
    let mut taking = Taking::open(cx, &connection, source, report)?;
    let mut differences: Vec<&Difference> = report.differences.iter().collect();
    differences.sort_by_key(|it| it.at);
    for difference in differences {
        taking.see(cx, difference)?;
    }
    taking.find_gone(report);
    taking.save(cx, report)
}

/// The source of a report as it is kept, or a new one.
fn source_of(cx: &mut Context<'_, '_>, connection: &Connection, report: &DriftReport) -> Result<DriftSource> {
    let filter = Filter::new()
        .equals("connection", connection.id.as_str())
        .equals("scope", report.scope.as_str())
        .order_by("id");
    if let Some(stored) = record::find_one::<DriftSource>(cx.tx, &filter)? {
        return Ok(stored.record);
    }
    Ok(DriftSource {
        id: RecordId(cx.new_id()?),
        version: 0,
        connection: connection.id.clone(),
        scope: report.scope.clone(),
        reported_at: report.taken_at,
        complete_at: None,
        reports: 0,
        differences: 0,
        expected: 0,
    })
}

/// Names a difference: the same difference again is the same finding.
pub(crate) fn natural_key(source: &RecordId, address: &str, attribute: &str) -> String {
    let parts = json!([source, address, attribute]).to_string();
    proof::crypto::digest_text(parts.as_bytes())
}

/// A finding before and after a report.
struct Row {
    before: Option<DriftFinding>,
    after: DriftFinding,
    is_seen: bool,
    is_touched: bool,
}

/// The records with which differences are matched.
struct Work {
    changes: Vec<Change>,
    permits: Vec<Permit>,
}

/// A report that is being taken.
struct Taking {
    source: DriftSource,
    span: Span,
    rules: Vec<DriftRule>,
    baselines: Vec<DriftBaseline>,
    rows: BTreeMap<String, Row>,
    work: Option<Work>,
    earliest: Timestamp,
    expected: i64,
}

impl Taking {
    fn open(
        cx: &mut Context<'_, '_>,
        connection: &Connection,
        source: DriftSource,
        report: &DriftReport,
    ) -> Result<Self> {
        let of_it = || {
            Filter::new()
                .equals("connection", connection.id.as_str())
                .equals("active", true)
        };
        let rules = record::bodies::<DriftRule>(cx.tx, &of_it().order_by("id"))?;
        let baselines = record::bodies::<DriftBaseline>(cx.tx, &of_it().equals("approved", true).order_by("id"))?;
        let span = Span::of_report(source.complete_at, report.taken_at);
        let mut earliest = report
            .differences
            .iter()
            .filter_map(|it| it.at)
            .min()
            .unwrap_or(span.since)
            .min(span.since);
        let rows = known(cx, &source, report)?;
        for row in rows.values().filter(|row| row.after.is_open()) {
            earliest = earliest.min(row.after.since);
        }
        let oldest = cx
            .now
            .checked_sub(SignedDuration::from_hours(24 * (MOST_DAYS + 1)))
            .unwrap_or(Timestamp::MIN);
        Ok(Self {
            source,
            span,
            rules,
            baselines,
            rows,
            work: None,
            earliest: earliest.max(oldest),
            expected: 0,
        })
    }

    fn place_of(&self, address: &str) -> Option<Place> {
        let found = rule::first(&self.rules, address)?;
        Some(Place {
            service: found.service.clone(),
            environment: found.environment.clone(),
            config_item: found.config_item.clone(),
            rule: found.id.clone(),
        })
    }

    /// Judges one difference.
    fn see(&mut self, cx: &mut Context<'_, '_>, difference: &Difference) -> Result<()> {
        let key = natural_key(&self.source.id, &difference.address, &difference.attribute);
        let place = self.place_of(&difference.address);
        let known = self.rows.get(&key).map(|row| row.after.clone());
        let is_same = known.as_ref().is_some_and(|it| is_same(it, difference));
        let span = match (&known, difference.at) {
            (_, Some(at)) => Span::of_event(at),
            (Some(known), None) if is_same => Span {
                since: known.since,
                until: known.appeared_at,
            },
            _ => self.span,
        };
        let asked = (difference.address.as_str(), difference.attribute.as_str());
        let baseline = self
            .baselines
            .iter()
            .find(|it| it.silences(place.as_ref(), asked, cx.now));
        let baseline = baseline.map(|it| it.id.clone());
        let explanation = match &place {
            Some(place) if baseline.is_none() => {
                self.explained(cx, place, difference, known.as_ref().filter(|_| is_same), span)?
            }
            _ => None,
        };
        let holds = match known.as_ref().filter(|it| it.state == DriftState::Decided) {
            Some(known) => holds(cx, known)?,
            None => true,
        };
        let seen = Seen {
            is_expected: baseline.is_some(),
            is_explained: explanation.is_some(),
            is_same,
            holds,
            is_event: difference.at.is_some(),
        };
        let step = matching::step(known.as_ref(), seen);
        if seen.is_expected {
            self.expected += 1;
        }
        if step == Step::Ignored {
            if let Some(row) = self.rows.get_mut(&key) {
                row.is_seen = true;
            }
            return Ok(());
        }
        let fresh = match known {
            Some(known) => known,
            None => self.fresh(cx, &key, difference, span)?,
        };
        let seen_at = difference.at.unwrap_or(self.span.until);
        let after = applied(
            fresh,
            difference,
            (place, span, is_same),
            seen_at,
            (step, explanation, baseline),
        );
        let row = self.rows.entry(key).or_insert_with(|| Row {
            before: None,
            after: after.clone(),
            is_seen: true,
            is_touched: true,
        });
        (row.after, row.is_seen, row.is_touched) = (after, true, true);
        Ok(())
    }

    fn fresh(&self, cx: &Context<'_, '_>, key: &str, difference: &Difference, span: Span) -> Result<DriftFinding> {
        Ok(DriftFinding {
            id: RecordId(cx.new_id()?),
            version: 0,
            source: self.source.id.clone(),
            connection: self.source.connection.clone(),
            natural_key: key.to_owned(),
            address: difference.address.clone(),
            attribute: difference.attribute.clone(),
            found: None,
            artifact: None,
            service: None,
            environment: None,
            config_item: None,
            rule: None,
            state: DriftState::Open,
            is_there: true,
            since: span.since,
            appeared_at: span.until,
            first_seen: span.until,
            last_seen: span.until,
            count: 0,
            doer: None,
            outcome: None,
            change: None,
            explained_by: None,
            permit: None,
            baseline: None,
            reason: None,
            by: None,
            decided_at: None,
            ending: None,
        })
    }

    /// Finds the explanation of a difference. An earlier explanation is tried first, however old it is.
    fn explained(
        &mut self,
        cx: &mut Context<'_, '_>,
        place: &Place,
        difference: &Difference,
        same: Option<&DriftFinding>,
        span: Span,
    ) -> Result<Option<Explanation>> {
        let artifact = difference.digest.as_deref();
        let before = same.filter(|it| it.ending == Some(DriftEnding::Explained));
        if let Some(before) = before
            && still_explains(cx, before, place, (artifact, span))?
        {
            return Ok(before.change.clone().map(|change| Explanation {
                change,
                permit: before.permit.clone(),
            }));
        }
        if self.work.is_none() {
            self.work = Some(work_since(cx, &self.rules, self.earliest)?);
        }
        let work = self.work.as_ref().map(|it| (&it.changes[..], &it.permits[..]));
        Ok(work.and_then(|work| matching::explain(place, artifact, span, work, cx.now)))
    }

    /// Closes findings that the source checked and did not find any more.
    fn find_gone(&mut self, report: &DriftReport) {
        if report.is_log {
            return;
        }
        let looked_at: BTreeSet<&str> = report
            .clean
            .iter()
            .map(String::as_str)
            .chain(report.differences.iter().map(|it| it.address.as_str()))
            .collect();
        for row in self.rows.values_mut().filter(|row| !row.is_seen && row.after.is_there) {
            let is_whole = row.after.address == WHOLE.0 && !report.is_too_long();
            if !report.is_complete && !is_whole && !looked_at.contains(row.after.address.as_str()) {
                continue;
            }
            let it = &mut row.after;
            (it.state, it.ending, it.is_there) = (DriftState::Closed, Some(DriftEnding::Gone), false);
            row.is_touched = true;
        }
    }

    /// Writes the result of the report, and notifies the owners of open findings.
    fn save(mut self, cx: &mut Context<'_, '_>, report: &DriftReport) -> Result<String> {
        let mut counts: BTreeMap<&'static str, i64> = BTreeMap::new();
        let (mut opened, mut places) = (Vec::new(), BTreeSet::new());
        let rows = std::mem::take(&mut self.rows);
        for row in rows.into_values().filter(|row| row.is_touched) {
            let kind = kind_of(&row);
            *counts.entry(counted_as(kind, &row.after)).or_default() += 1;
            let mut data = alert_drift::grounds(&row.after);
            if kind == "drift_finding.reopened" {
                data["outcome_before"] = json!(row.before.as_ref().and_then(|it| it.outcome));
            }
            let mut written = Written::default();
            let saved = cx.put(&mut written, row.after)?;
            cx.emit(
                vec![draft(kind, ("drift_finding", saved.id.0.clone()), cx.now, data)],
                written,
            )?;
            let is_moved = row.before.as_ref().is_some_and(|it| it.service != saved.service);
            // The decision may be carried out by now.
            if is_moved || kind != "drift_finding.seen" || saved.state == DriftState::Decided {
                places.insert(saved.service.clone());
                places.extend(row.before.map(|it| it.service));
            }
            if matches!(kind, "drift_finding.opened" | "drift_finding.reopened") {
                opened.push(saved);
            }
        }
        let source = DriftSource {
            reported_at: report.taken_at.max(self.source.reported_at),
            complete_at: if report.is_complete {
                Some(report.taken_at)
            } else {
                self.source.complete_at
            },
            reports: self.source.reports + 1,
            differences: i64::try_from(report.count).unwrap_or(i64::MAX),
            expected: self.expected,
            ..self.source
        };
        let mut written = Written::default();
        let source = cx.put(&mut written, source)?;
        alert_drift::alert(cx, &mut written, &source, &opened)?;
        let mut data = json!(counts);
        data["expected"] = json!(self.expected);
        data["differences"] = json!(report.count);
        let event = draft(
            "drift_source.reported",
            ("drift_source", source.id.0.clone()),
            cx.now,
            data,
        );
        cx.emit(vec![event], written)?;
        for service in places {
            alert_drift::follow(cx, &source.id, service.as_ref())?;
        }
        Ok(describe(report, &counts, self.expected))
    }
}

/// The findings that a report may be about: the open ones, and those named in the report.
fn known(cx: &mut Context<'_, '_>, source: &DriftSource, report: &DriftReport) -> Result<BTreeMap<String, Row>> {
    let mut found = Vec::new();
    let own = || Filter::new().equals("source", source.id.as_str());
    if source.version > 0 && !report.is_log {
        let there = own().equals("is_there", true).order_by("id").limit(MOST_THERE);
        found.extend(record::bodies::<DriftFinding>(cx.tx, &there)?);
    }
    let keys: BTreeSet<String> = report
        .differences
        .iter()
        .map(|it| natural_key(&source.id, &it.address, &it.attribute))
        .collect();
    let keys: Vec<String> = keys.into_iter().collect();
    if source.version > 0 {
        for some in keys.chunks(AT_ONCE) {
            let named = own().one_of("natural_key", some.to_vec()).order_by("id");
            found.extend(record::bodies::<DriftFinding>(cx.tx, &named)?);
        }
    }
    let rows = found.into_iter().map(|finding| {
        let row = Row {
            before: Some(finding.clone()),
            after: finding,
            is_seen: false,
            is_touched: false,
        };
        (row.after.natural_key.clone(), row)
    });
    Ok(rows.collect())
}

/// Whether a difference is the known one: the found value is the same, and the difference was never away. When a source does
/// not report the found value, only an open difference counts as the same: lawful work explains nothing that comes after it. A
/// later event that writes the value about which people decided is no new difference.
fn is_same(known: &DriftFinding, difference: &Difference) -> bool {
    let is_decided = known.state == DriftState::Decided && known.found.is_some() && known.found == difference.found;
    match difference.at {
        Some(at) => at <= known.appeared_at || is_decided,
        None => {
            let is_told = difference.found.is_some() || known.ending != Some(DriftEnding::Explained);
            known.is_there && known.found == difference.found && is_told
        }
    }
}

/// The changes and permits that may explain a difference since a time.
fn work_since(cx: &mut Context<'_, '_>, rules: &[DriftRule], since: Timestamp) -> Result<Work> {
    let under_way = Filter::new()
        .one_of("state", [State::Implementing, State::Reviewing].map(State::as_str))
        .order_by("number");
    let mut changes = record::bodies::<Change>(cx.tx, &under_way)?;
    // A closed change was saved after its work ended.
    let closed = Filter::new()
        .also_one_of("state", [State::Closed.as_str()])
        .at_least("updated_at", since - matching::TOLERANCE)
        .descending_by("updated_at")
        .limit(MOST_CHANGES);
    changes.extend(record::bodies::<Change>(cx.tx, &closed)?);
    let places: BTreeSet<(&ServiceKey, &EnvironmentKey)> =
        rules.iter().map(|it| (&it.service, &it.environment)).collect();
    changes.retain(|it| {
        it.content
            .targets
            .iter()
            .any(|target| places.contains(&(&target.service, &target.environment)))
    });
    let mut permits = Vec::new();
    for (service, environment) in places {
        // A permit is used before it expires.
        let filter = Filter::new()
            .equals("service", service.as_str())
            .equals("environment", environment.as_str())
            .at_least("expires_at", since - matching::TOLERANCE)
            .descending_by("expires_at")
            .limit(MOST_PERMITS);
        permits.extend(record::bodies::<Permit>(cx.tx, &filter)?);
    }
    Ok(Work { changes, permits })
}

/// Whether the change or permit that explained a difference still does: facts change afterwards.
fn still_explains(
    cx: &mut Context<'_, '_>,
    known: &DriftFinding,
    place: &Place,
    (artifact, span): (Option<&str>, Span),
) -> Result<bool> {
    if let Some(permit) = &known.permit {
        let Some(permit) = record::load::<Permit>(cx.tx, permit.as_str())?.map(|it| it.record) else {
            return Ok(false);
        };
        let change = cx.load_change(permit.change.as_str())?;
        return Ok(permit.state == PermitState::Issued && matching::is_for(&permit, place, change.as_slice()));
    }
    let Some(change) = alert_drift::change_named(cx, known.change.as_deref())? else {
        return Ok(false);
    };
    Ok(matching::explains(&change, place, artifact, span, cx.now))
}

/// Whether the decision about a finding is still valid.
fn holds(cx: &mut Context<'_, '_>, known: &DriftFinding) -> Result<bool> {
    let Some(outcome) = known.outcome else { return Ok(false) };
    if outcome == DriftOutcome::Revert {
        return Ok(true);
    }
    let (Some(service), Some(environment)) = (&known.service, &known.environment) else {
        return Ok(false);
    };
    let change = alert_drift::change_named(cx, known.change.as_deref())?;
    Ok(change.is_some_and(|it| matching::carries(&it, outcome, (service, environment), known.since)))
}

/// A finding after a step.
fn applied(
    known: DriftFinding,
    difference: &Difference,
    (place, span, is_same): (Option<Place>, Span, bool),
    seen_at: Timestamp,
    (step, explanation, baseline): (Step, Option<Explanation>, Option<RecordId>),
) -> DriftFinding {
    let is_news = difference.at.is_none_or(|at| known.count == 0 || at > known.last_seen);
    let mut it = DriftFinding {
        last_seen: known.last_seen.max(seen_at),
        count: known.count + i64::from(is_news),
        is_there: true,
        ..known
    };
    if let Some(place) = place {
        it.service = Some(place.service);
        it.environment = Some(place.environment);
        it.config_item = place.config_item;
        it.rule = Some(place.rule);
    } else {
        (it.service, it.environment, it.config_item, it.rule) = (None, None, None, None);
    }
    if !is_same {
        it.found.clone_from(&difference.found);
        it.artifact.clone_from(&difference.digest);
        it.doer.clone_from(&difference.doer);
        (it.since, it.appeared_at) = (span.since, span.until.max(it.appeared_at));
    }
    match step {
        Step::Opened => it = it.opened(),
        Step::Closed(ending) => {
            it.state = DriftState::Closed;
            it.ending = Some(ending);
            it.baseline = baseline;
            if let Some(explanation) = explanation {
                // The change that people named in their decision stays; another explanation is added beside it.
                if it.outcome.is_none() || it.change.is_none() {
                    it.change = Some(explanation.change);
                } else if it.change.as_ref() != Some(&explanation.change) {
                    it.explained_by = Some(explanation.change);
                }
                it.permit = explanation.permit;
            }
        }
        Step::Again | Step::Ignored => {}
    }
    it
}

/// The event that a report makes of a finding.
fn kind_of(row: &Row) -> &'static str {
    let after = &row.after;
    let is_as_before = |it: &DriftFinding| it.state == after.state && it.ending == after.ending;
    if row.before.as_ref().is_some_and(is_as_before) {
        return "drift_finding.seen";
    }
    match (after.state, after.ending, &row.before) {
        (DriftState::Closed, Some(DriftEnding::Explained), _) => "drift_finding.explained",
        (DriftState::Closed, ..) => "drift_finding.closed",
        (.., None) => "drift_finding.opened",
        (.., Some(_)) => "drift_finding.reopened",
    }
}

fn counted_as(kind: &str, after: &DriftFinding) -> &'static str {
    match kind {
        "drift_finding.opened" => "new",
        "drift_finding.reopened" => "reopened",
        "drift_finding.explained" => "explained",
        "drift_finding.closed" if after.ending == Some(DriftEnding::Gone) => "gone",
        "drift_finding.closed" => "closed",
        _ => "known",
    }
}

fn describe(report: &DriftReport, counts: &BTreeMap<&'static str, i64>, expected: i64) -> String {
    if report.is_too_long() {
        return format!(
            "the report has {} differences, more than are read one by one: it is one finding, and the delivery is kept",
            report.count
        );
    }
    let mut parts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if expected > 0 {
        parts.push(format!("{expected} expected"));
    }
    if parts.is_empty() {
        parts.push("nothing new".to_owned());
    }
    format!("{} differences: {}", report.count, parts.join(", "))
}
