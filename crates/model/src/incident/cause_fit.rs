//! The probability that a candidate led to an incident, and how far back a service's candidates are searched. Both are fitted
//! from people's verdicts on earlier candidates. All code is pure and uses whole numbers, except the fit, whose result is
//! rounded.
//!
//! The probability is a logistic regression on a candidate's points in the ranking, the root of its lead over the best of the
//! others, and whether it was on a service of the incident itself, after Platt, “Probabilistic outputs for support vector
//! machines” (1999). It is judged by cross-validation over incidents: the Brier score (Brier, 1950) of each fifth, predicted by
//! the other four, must be below that of the bare share of confirmed candidates. Below [`LEAST_VERDICTS`] verdicts, or where
//! the points predict no better than that share, there is no probability.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::enums::CauseGap;
use crate::directory::snapshot::{CauseVerdict, Incident};
use crate::risk::forecast::fixed::{MOST_LOGIT, ONE, probability, root, rounded};
use crate::risk::forecast::logistic::{Column, Row, fit as fit_rows};

/// The fewest judged candidates for a probability.
pub const LEAST_VERDICTS: usize = 30;
/// The fewest confirmed, and the fewest cleared, among them.
pub const LEAST_EACH: usize = 5;
/// The most verdicts for training, from the newest incidents.
pub const MOST_VERDICTS: usize = 10_000;
/// From this probability on, in parts per million, the first candidate is named as the likeliest cause.
pub const SURE_PPM: i64 = 500_000;
/// The fewest confirmed causes for a service to get a search window of its own.
pub const LEAST_DELAYS: usize = 5;
/// The shortest learned search window, in hours.
pub const LEAST_HOURS: i64 = 1;
/// The most hours that a service learns: three days.
pub const MOST_LEARNED_HOURS: i64 = 72;
/// The most services with a window of their own, those with most confirmed causes.
pub const MOST_WINDOWS: usize = 1_000;

/// Into how many parts the incidents are divided to judge a fit.
const FOLDS: usize = 5;
/// The number of groups of similar probability in which predicted and confirmed candidates are compared.
const BINS: usize = 5;
/// The penalty on the square of a coefficient; a column is at most one.
const PENALTY: f64 = 0.1;
/// The most points of a candidate.
const MOST_POINTS: i64 = 100;

/// One person's verdict on one candidate, as training data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The key of the incident.
    pub incident: String,
    /// The key of the change.
    pub change: String,
    /// Its points in the ranking at the first verdict.
    pub points: i64,
    /// Its points less those of the best other candidate.
    pub lead: i64,
    /// Whether it was on a service of the incident itself.
    pub is_near: bool,
    /// Whether it led to the incident.
    pub confirmed: bool,
}

/// The probability of a candidate: log-odds in micro-logits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curve {
    /// The base value: a candidate elsewhere without points and without a lead.
    pub constant: i64,
    /// The weight of each point; never below zero.
    pub per_point: i64,
    /// The weight of each hundredth of the lead's root; never below zero.
    pub per_lead: i64,
    /// The weight of a candidate on a service of the incident itself; never below zero.
    pub near: i64,
}

/// The hours of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedWindow {
    /// The service's key.
    pub service: String,
    /// The length of the search window before an incident, in hours.
    pub hours: i64,
    /// The number of confirmed causes behind it.
    pub causes: i64,
}

/// Candidates with a similar predicted probability, each predicted by a fit that did not include them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictedBin {
    /// The number of candidates.
    pub candidates: i64,
    /// The mean predicted probability, in parts per million.
    pub told_ppm: i64,
    /// The share of them that was confirmed, in parts per million.
    pub confirmed_ppm: i64,
}

/// The result of a fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseFit {
    /// The probability of a candidate; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
    /// The reason why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<CauseGap>,
    /// The Brier score by cross-validation, in millionths; 0 is best.
    pub brier_ppm: i64,
    /// The Brier score of the share of confirmed candidates.
    pub base_brier_ppm: i64,
    /// The mean distance between predicted and confirmed over the bins, in millionths.
    pub error_ppm: i64,
    /// The bins, the least likely first.
    pub bins: Vec<PredictedBin>,
    /// The services with hours of their own, by their keys.
    pub windows: Vec<LearnedWindow>,
}

impl Curve {
    /// The probability of a candidate with these points and this lead, on the service itself or elsewhere, in parts per
    /// million; never 0 and never 1 million.
    #[must_use]
    pub fn ppm(&self, points: i64, lead: i64, is_near: bool) -> i64 {
        let points = points.clamp(0, MOST_POINTS);
        let near = if is_near { self.near } else { 0 };
        probability(self.constant + self.per_point * points + self.per_lead * root_of(lead) + near)
    }
}

/// The root of a lead in hundredths, with its sign: the first points of a lead matter more than the last.
fn root_of(lead: i64) -> i64 {
    let lead = lead.clamp(-MOST_POINTS, MOST_POINTS);
    let size = i64::try_from(root(i128::from(lead.abs()) * 10_000)).unwrap_or_default();
    size * lead.signum()
}

impl CauseFit {
    /// The hours that a service learned.
    #[must_use]
    pub fn hours_of(&self, service: &str) -> Option<i64> {
        let mut windows = self.windows.iter();
        windows.find(|it| it.service == service).map(|it| it.hours)
    }
}

/// The lead of each value over the best of the others; a single candidate leads by all its points.
#[must_use]
pub fn leads(points: &[i64]) -> Vec<i64> {
    let best_but = |own: usize| {
        let others = points.iter().enumerate().filter(|(at, _)| *at != own);
        others.map(|(_, it)| *it).max().unwrap_or_default()
    };
    points.iter().enumerate().map(|(at, it)| it - best_but(at)).collect()
}

/// The last verdict on each change of an incident, with the first verdict on that change. The first verdict has points from
/// before any verdict could move them, because a confirmed cause is a failed change. A verdict by somebody behind the change
/// that clears the change is no training data.
fn judged(incident: &Incident) -> Vec<(&CauseVerdict, &CauseVerdict)> {
    let rows = &incident.cause_verdicts;
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.change_key.as_str()).collect();
    let pairs = keys.into_iter().filter_map(|key| {
        let first = rows.iter().find(|row| row.change_key == key)?;
        Some((first, incident.cause_verdict(key)?))
    });
    pairs.filter(|(_, last)| last.confirmed || !last.is_own).collect()
}

/// The training data from the verdicts on candidates. A merged incident counts only in the incident that it was merged into.
pub fn labels<'i>(incidents: impl IntoIterator<Item = &'i Incident>) -> Vec<Label> {
    let mut incidents: Vec<&Incident> = learned(incidents).collect();
    incidents.sort_by(|one, other| (other.started_at, &other.key).cmp(&(one.started_at, &one.key)));
    let mut found = Vec::new();
    for incident in incidents {
        let rows = judged(incident).into_iter().filter_map(|(first, last)| {
            let rank = first.rank.as_ref()?;
            Some(Label {
                incident: incident.key.clone(),
                change: last.change_key.clone(),
                points: rank.points,
                lead: rank.lead,
                is_near: rank.is_near,
                confirmed: last.confirmed,
            })
        });
        found.extend(rows);
    }
    found.truncate(MOST_VERDICTS);
    found.sort();
    found
}

/// Precision at 1: in how many incidents the first candidate was the confirmed cause, and how many have a confirmed cause. The
/// ranking at the first verdict counts; where two candidates share the first place, none was the first.
#[must_use]
pub fn first_right(labels: &[Label]) -> (i64, i64) {
    let mut incidents: BTreeMap<&str, bool> = BTreeMap::new();
    for label in labels.iter().filter(|it| it.confirmed) {
        *incidents.entry(label.incident.as_str()).or_default() |= label.lead > 0;
    }
    let right = incidents.values().filter(|was_first| **was_first).count();
    (signed(right), signed(incidents.len()))
}

fn learned<'i>(incidents: impl IntoIterator<Item = &'i Incident>) -> impl Iterator<Item = &'i Incident> {
    let is_own = |it: &&Incident| it.course.duplicate_of.is_none() && !it.cause_verdicts.is_empty();
    incidents.into_iter().filter(is_own)
}

/// The hours of each service with enough confirmed causes.
pub fn windows<'i>(incidents: impl IntoIterator<Item = &'i Incident>) -> Vec<LearnedWindow> {
    let mut delays: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for incident in learned(incidents) {
        let confirmed = judged(incident).into_iter().filter(|(_, last)| last.confirmed);
        for minutes in confirmed.filter_map(|(first, _)| Some(first.rank.as_ref()?.delay_minutes)) {
            for service in &incident.services {
                delays.entry(service.as_str()).or_default().push(minutes);
            }
        }
    }
    let window = |(service, minutes): (&str, Vec<i64>)| {
        Some(LearnedWindow {
            service: service.to_owned(),
            hours: window_hours(&minutes)?,
            causes: signed(minutes.len()),
        })
    };
    let mut found: Vec<LearnedWindow> = delays.into_iter().filter_map(window).collect();
    if found.len() > MOST_WINDOWS {
        found.sort_by(|one, other| (other.causes, &one.service).cmp(&(one.causes, &other.service)));
        found.truncate(MOST_WINDOWS);
        found.sort_by(|one, other| one.service.cmp(&other.service));
    }
    found
}

/// The search window from the delays of confirmed causes, in minutes: the 95th percentile (nearest rank) and half as much
/// again, because causes beyond the earlier window were never candidates; rounded up, and within bounds. `None` for too few
/// causes.
#[must_use]
pub fn window_hours(delays: &[i64]) -> Option<i64> {
    if delays.len() < LEAST_DELAYS {
        return None;
    }
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 95).div_ceil(100).max(1);
    let minutes = sorted.get(rank - 1).copied()?.clamp(0, 60 * MOST_LEARNED_HOURS);
    let hours = (minutes * 3 + 119).div_euclid(120);
    Some(hours.clamp(LEAST_HOURS, MOST_LEARNED_HOURS))
}

/// Fits the probability of candidates. The same verdicts give the same fit, in whatever order they are named.
#[must_use]
pub fn fit(labels: &[Label], windows: Vec<LearnedWindow>) -> CauseFit {
    let mut labels = labels.to_vec();
    labels.sort();
    labels.dedup_by(|one, other| (&one.incident, &one.change) == (&other.incident, &other.change));
    let fit = CauseFit {
        windows,
        ..CauseFit::default()
    };
    let confirmed = labels.iter().filter(|it| it.confirmed).count();
    if labels.len() < LEAST_VERDICTS {
        return CauseFit {
            gap: Some(CauseGap::TooFew),
            ..fit
        };
    }
    if confirmed.min(labels.len() - confirmed) < LEAST_EACH {
        return CauseFit {
            gap: Some(CauseGap::OneSided),
            ..fit
        };
    }
    let (told, shares) = cross_validated(&labels);
    let (brier_ppm, base_brier_ppm) = (brier(&told), brier(&shares));
    let is_better = brier_ppm < base_brier_ppm;
    let (bins, error_ppm) = reliability(&told);
    CauseFit {
        curve: is_better.then(|| curve(&labels.iter().collect::<Vec<_>>())),
        gap: (!is_better).then_some(CauseGap::NotBetter),
        brier_ppm,
        base_brier_ppm,
        error_ppm,
        bins,
        ..fit
    }
}

/// A prediction in parts per million, and whether it came true.
type Prediction = (i64, bool);

/// The prediction for each candidate by a fit over the incidents of the other parts, and by their bare share of confirmed
/// candidates. Candidates of one incident are in one part, so that none is training data for its rival.
fn cross_validated(labels: &[Label]) -> (Vec<Prediction>, Vec<Prediction>) {
    let incidents: BTreeSet<&str> = labels.iter().map(|it| it.incident.as_str()).collect();
    let parts: BTreeMap<&str, usize> = incidents.into_iter().zip((0..FOLDS).cycle()).collect();
    let part = |it: &Label| parts.get(it.incident.as_str()).copied().unwrap_or_default();
    let (mut told, mut shares) = (Vec::new(), Vec::new());
    for fold in 0..FOLDS {
        let (own, others): (Vec<&Label>, Vec<&Label>) = labels.iter().partition(|it| part(it) == fold);
        if own.is_empty() {
            continue;
        }
        let curve = curve(&others);
        let hits = others.iter().filter(|it| it.confirmed).count();
        // Laplace's rule: one more of each kind, so that no share is 0 or 1.
        let share = rounded(
            i128::from(signed(hits) + 1) * i128::from(ONE),
            i128::from(signed(others.len()) + 2),
        );
        told.extend(
            own.iter()
                .map(|it| (curve.ppm(it.points, it.lead, it.is_near), it.confirmed)),
        );
        shares.extend(own.iter().map(|it| (share, it.confirmed)));
    }
    (told, shares)
}

fn curve(labels: &[&Label]) -> Curve {
    let part = |number: i64, whole: f64| f64::from(i32::try_from(number).unwrap_or(0)) / whole;
    let rows: Vec<Row> = labels
        .iter()
        .map(|it| Row {
            offset: 0.0,
            columns: vec![
                1.0,
                part(it.points.clamp(0, MOST_POINTS), 100.0),
                part(root_of(it.lead), 1_000.0),
                f64::from(u8::from(it.is_near)),
            ],
            failed: it.confirmed,
            weight: 1.0,
        })
        .collect();
    let penalised = Column {
        penalty: PENALTY,
        rising: true,
    };
    let constant = Column {
        penalty: 0.01,
        rising: false,
    };
    let found = fit_rows(&rows, &[constant, penalised, penalised, penalised]);
    let micro = |at: usize, scale: f64| found.get(at).map_or(0, |it| whole(it * scale));
    Curve {
        constant: micro(0, 1_000_000.0),
        per_point: micro(1, 10_000.0),
        per_lead: micro(2, 1_000.0),
        near: micro(3, 1_000_000.0),
    }
}

/// A coefficient rounded; larger log-odds make no difference.
fn whole(number: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "coefficients of a penalised fit are far below the limit of a whole number"
    )]
    let whole = number.round() as i64;
    whole.clamp(-MOST_LOGIT, MOST_LOGIT)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The mean square of prediction less outcome, in millionths.
fn brier(told: &[Prediction]) -> i64 {
    let squares = told.iter().map(|(ppm, is_true)| {
        let miss = i128::from(ppm - if *is_true { ONE } else { 0 });
        miss * miss
    });
    let sum: i128 = squares.sum();
    rounded(sum, i128::from(ONE) * i128::from(signed(told.len()).max(1)))
}

/// Predictions against outcomes in groups of like probability, and the mean distance of the two.
fn reliability(told: &[Prediction]) -> (Vec<PredictedBin>, i64) {
    let width = ONE / signed(BINS);
    let mut groups: BTreeMap<i64, Vec<Prediction>> = BTreeMap::new();
    for (ppm, is_true) in told {
        let bin = (ppm / width).clamp(0, signed(BINS) - 1);
        groups.entry(bin).or_default().push((*ppm, *is_true));
    }
    let mut distance: i128 = 0;
    let bins = groups.values().map(|rows| {
        let count = i128::from(signed(rows.len()));
        let sum: i128 = rows.iter().map(|(ppm, _)| i128::from(*ppm)).sum();
        let hits = i128::from(signed(rows.iter().filter(|(_, is_true)| *is_true).count())) * i128::from(ONE);
        distance += (sum - hits).abs();
        PredictedBin {
            candidates: signed(rows.len()),
            told_ppm: rounded(sum, count),
            confirmed_ppm: rounded(hits, count),
        }
    });
    let bins: Vec<PredictedBin> = bins.collect();
    (bins, rounded(distance, i128::from(signed(told.len()).max(1))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Value, json};

    use super::*;

    fn label(incident: usize, change: &str, (points, lead): (i64, i64), confirmed: bool) -> Label {
        Label {
            incident: format!("INC-{}", 100 + incident),
            change: change.to_owned(),
            points,
            lead,
            is_near: true,
            confirmed,
        }
    }

    /// Incidents with a candidate far ahead that was confirmed, and one far behind that was cleared.
    fn clear_cut(incidents: usize) -> Vec<Label> {
        let of = |it: usize| [label(it, "CHG-1", (80, 40), true), label(it, "CHG-2", (40, -40), false)];
        (0..incidents).flat_map(of).collect()
    }

    #[test]
    fn points_that_tell_give_a_probability_that_rises_with_them() {
        let fit = fit(&clear_cut(40), Vec::new());
        let curve = fit.curve.clone().unwrap();
        assert!(
            curve.ppm(80, 40, true) > 900_000 && curve.ppm(40, -40, true) < 100_000,
            "{curve:?}"
        );
        assert!(fit.brier_ppm < fit.base_brier_ppm && fit.gap.is_none(), "{fit:?}");
        for points in 0..100 {
            assert!(curve.ppm(points, 0, false) <= curve.ppm(points + 1, 0, false));
            assert!(curve.ppm(50, points - 50, true) <= curve.ppm(50, points - 49, true));
            assert!(curve.ppm(points, 0, false) <= curve.ppm(points, 0, true));
        }
        assert_eq!(
            curve.ppm(1_000, 1_000, true),
            curve.ppm(100, 100, true),
            "no number lies outside"
        );
    }

    #[test]
    fn the_order_and_repetitions_of_verdicts_change_nothing() {
        let labels = clear_cut(20);
        let mut turned = labels.clone();
        turned.reverse();
        turned.extend(labels.clone());
        assert_eq!(fit(&turned, Vec::new()), fit(&labels, Vec::new()));
    }

    #[test]
    fn without_enough_verdicts_of_each_kind_or_a_gain_there_is_no_probability() {
        let gap = |labels: &[Label]| {
            let fit = fit(labels, Vec::new());
            (fit.curve.is_some(), fit.gap)
        };
        assert_eq!(gap(&[]), (false, Some(CauseGap::TooFew)));
        assert_eq!(gap(&clear_cut(14)), (false, Some(CauseGap::TooFew)));
        assert_eq!(gap(&clear_cut(15)), (true, None));
        let few = |confirmed: usize| -> Vec<Label> {
            (0..30).map(|it| label(it, "CHG-1", (50, 0), it < confirmed)).collect()
        };
        assert_eq!(gap(&few(4)), (false, Some(CauseGap::OneSided)));
        assert_eq!(gap(&few(26)), (false, Some(CauseGap::OneSided)));
        // Points carry no information here and half is confirmed: both predictions are one half in each part.
        let alike: Vec<Label> = (0..40).map(|it| label(it, "CHG-1", (50, 0), it % 2 == 0)).collect();
        assert_eq!(gap(&alike), (false, Some(CauseGap::NotBetter)));
    }

    #[test]
    fn the_score_and_the_distance_are_those_of_their_formulas() {
        let told = [(800_000, true), (200_000, false)];
        assert_eq!(brier(&told), 40_000);
        let (bins, error) = reliability(&told);
        assert_eq!((bins.len(), error), (2, 200_000));
        assert_eq!((bins[1].told_ppm, bins[1].confirmed_ppm), (800_000, 1_000_000));
    }

    #[test]
    fn the_root_of_a_lead_has_its_sign() {
        assert_eq!([100, 4, 0, -4, -1_000].map(root_of), [1_000, 200, 0, -200, -1_000]);
    }

    #[test]
    fn a_lead_is_over_the_best_of_the_others() {
        assert_eq!(leads(&[70, 64, 10]), [6, -6, -60]);
        assert_eq!(leads(&[50]), [50]);
        assert_eq!(leads(&[]), [] as [i64; 0]);
    }

    #[test]
    fn hours_follow_from_the_delays_within_their_bounds() {
        assert_eq!(window_hours(&[10, 20, 30, 40]), None, "too few");
        assert_eq!(window_hours(&[10, 20, 30, 40, 50]), Some(2), "75 minutes");
        assert_eq!(window_hours(&[0; 5]), Some(LEAST_HOURS));
        assert_eq!(window_hours(&[i64::MAX; 5]), Some(MOST_LEARNED_HOURS));
    }

    fn incident(key: &str, rows: Value, more: Value) -> Incident {
        let mut body = json!({"id": key, "version": 1, "key": key, "title": "t", "severity": 3, "services": ["pay"],
            "started_at": "2026-11-20T08:00:00Z", "cause_verdicts": rows});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }

    fn verdict(confirmed: bool, points: i64, is_own: bool) -> Value {
        json!({"change": "c", "change_key": "CHG-1", "confirmed": confirmed, "reason": "r", "by": "p",
            "at": "2026-11-20T09:00:00Z", "is_own": is_own, "rank": {"points": points, "lead": 3, "is_near": true, "delay_minutes": 30}})
    }

    #[test]
    fn the_last_verdict_counts_with_the_points_of_the_first() {
        let twice = incident(
            "INC-1",
            json!([verdict(true, 60, false), verdict(false, 67, false)]),
            json!({}),
        );
        let found = labels([&twice]);
        assert_eq!((found.len(), found[0].points, found[0].confirmed), (1, 60, false));
    }

    #[test]
    fn clearing_an_own_change_a_duplicate_and_an_unranked_verdict_teach_nothing() {
        let own = incident("INC-1", json!([verdict(false, 60, true)]), json!({}));
        let merged = incident(
            "INC-2",
            json!([verdict(true, 60, false)]),
            json!({"duplicate_of": "INC-1"}),
        );
        let unranked = json!({"change": "c", "change_key": "CHG-1", "confirmed": true, "reason": "r", "by": "p",
            "at": "2026-11-20T09:00:00Z"});
        let unranked = incident("INC-3", json!([unranked]), json!({}));
        assert_eq!(labels([&own, &merged, &unranked]), []);
        let confessed = incident("INC-4", json!([verdict(true, 60, true)]), json!({}));
        assert_eq!(
            labels([&confessed]).len(),
            1,
            "who confirms an own change gains nothing by it"
        );
    }

    #[test]
    fn the_first_is_right_where_it_alone_led_and_was_the_cause() {
        let row = |incident: &str, change: &str, lead: i64, confirmed: bool| Label {
            incident: incident.to_owned(),
            change: change.to_owned(),
            points: 50,
            lead,
            is_near: true,
            confirmed,
        };
        let labels = [
            row("INC-1", "CHG-1", 9, true),
            row("INC-1", "CHG-2", -9, false),
            row("INC-2", "CHG-1", 9, false),
            row("INC-2", "CHG-3", -9, true),
            row("INC-3", "CHG-4", 0, true),
            row("INC-4", "CHG-5", 9, false),
        ];
        assert_eq!(first_right(&labels), (1, 3), "second, tied, and without a cause");
        assert_eq!(first_right(&[]), (0, 0));
    }

    #[test]
    fn a_service_learns_hours_from_its_own_causes_alone() {
        let of = |number: usize| incident(&format!("INC-{number}"), json!([verdict(true, 60, false)]), json!({}));
        let found: Vec<Incident> = (0..5).map(of).collect();
        let learned = windows(&found);
        assert_eq!((learned.len(), learned[0].hours, learned[0].causes), (1, 1, 5));
        assert_eq!(windows(&found[..4]), []);
        let fit = fit(&labels(&found), learned);
        assert_eq!((fit.hours_of("pay"), fit.hours_of("shop")), (Some(1), None));
    }
}
