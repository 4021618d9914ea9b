//! The record of a fit of candidates: written once, never changed. Its digest names the fit behind a probability.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_POLICY};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::enums::CauseGap;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::incident::cause_fit::{CauseFit, LEAST_DELAYS, Label, first_right};
use crate::risk::forecast::fixed::ONE;
use crate::risk::forecast::model_record::quarter;
use crate::verbs;

/// The longest fit as JSON, in characters. Its lists are bounded, so it stays below.
pub const REPORT: usize = 200_000;
/// The version of the fit's formula; it is part of the digest.
const FORMULA: i64 = 1;

/// How likely candidates of incidents led to them, and how far back services look, fitted from what people said of candidates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct CauseModel {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; a fit is saved once.
    pub version: i64,
    /// When it was fitted; nothing later was known to it.
    #[card(column)]
    pub fitted_at: Timestamp,
    /// The digest of the formula, of the verdicts and of the fit.
    pub digest: String,
    /// How many judged candidates it learned from.
    pub verdicts: i64,
    /// How many of them were confirmed.
    pub confirmed: i64,
    /// Why it gives no probability; absent where it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub gap: Option<CauseGap>,
    /// The Brier score by cross-validation, in millionths; 0 is best.
    #[card(most = ONE)]
    pub brier_ppm: i64,
    /// The Brier score of the share of confirmed candidates alone, in millionths.
    #[card(most = ONE)]
    pub base_brier_ppm: i64,
    /// The mean distance of told and confirmed probabilities, in millionths.
    #[card(most = ONE)]
    pub error_ppm: i64,
    /// How many incidents have a confirmed cause among their candidates; absent in older fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<i64>,
    /// In how many of these the first candidate was the cause (precision at 1); a shared first place counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_right: Option<i64>,
    /// The fit as JSON; answers show it as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = REPORT)]
    pub report: Option<String>,
    /// Who asked for it: a login; absent where it was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// Why it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
}

/// A fit that is made at once, from the verdicts so far.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct CauseModelInput {
    /// The reason for fitting the model now.
    #[card(label = "Why", text, example = "Twenty incidents were reviewed this week")]
    pub reason: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "cause-model",
    columns: &[
        "fitted_at",
        "verdicts",
        "confirmed",
        "gap",
        "brier_ppm",
        "base_brier_ppm",
        "error_ppm",
        "explained",
        "first_right",
    ],
    shown: &[Field::shown(
        "fit",
        Kind::Object,
        "The curve, the bins of predicted and confirmed probabilities, and the hours of services.",
    )],
    verbs: verbs! {
        List "list_cause_models" at "/cause-models" may READ => "List the fits of candidates of incidents";
        Add "fit_cause_model" at "/cause-models" may SET_POLICY => "Fit the probability of candidates from the verdicts so far", token Admin, called "fit";
        Show "show_cause_model" at "/cause-models/{id}" may READ => "Show a fit of candidates of incidents";
    },
    events: &[Event::new(
        "cause_model.fitted",
        "chart",
        "fitted the probability of candidates",
    )],
    page: Some(Page {
        path: "/cause-models",
        byline: "The probability that a candidate led to an incident, from people's verdicts on earlier candidates. \
            No probability is shown below 30 verdicts, or if the points predict no better than the share of \
            confirmed candidates.",
        empty: "No model was fitted yet.",
        labels: ["Fit it now", "Change it", "End it"],
    }),
    ..Card::of::<CauseModel, CauseModelInput>("cause_model", "Probability of candidates")
};

impl CauseModel {
    /// The record of a fit of these verdicts; `id`, `by` and `reason` are the caller's.
    ///
    /// # Errors
    /// The library's, were a fit no JSON.
    pub fn of(labels: &[Label], fit: &CauseFit, now: Timestamp) -> serde_json::Result<Self> {
        let confirmed = labels.iter().filter(|it| it.confirmed).count();
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (right, explained) = first_right(labels);
        Ok(Self {
            id: RecordId::default(),
            version: 0,
            fitted_at: now,
            digest: digest(labels, fit),
            verdicts: signed(labels.len()),
            confirmed: signed(confirmed),
            gap: fit.gap,
            brier_ppm: fit.brier_ppm,
            base_brier_ppm: fit.base_brier_ppm,
            error_ppm: fit.error_ppm,
            explained: Some(explained),
            first_right: Some(right),
            report: Some(serde_json::to_string(fit)?),
            by: None,
            reason: None,
        })
    }

    /// The fit that it holds; `None` where it is none that this program reads.
    #[must_use]
    pub fn fit(&self) -> Option<CauseFit> {
        serde_json::from_str(self.report.as_deref()?).ok()
    }
}

fn digest(labels: &[Label], fit: &CauseFit) -> String {
    let rows: Vec<serde_json::Value> = labels
        .iter()
        .map(|it| serde_json::json!([it.incident, it.change, it.points, it.lead, it.is_near, it.confirmed]))
        .collect();
    let value = serde_json::json!({"formula": FORMULA, "verdicts": rows, "fit": fit});
    // Whole numbers and texts always have a canonical form; were it ever to fail, an empty digest names no fit.
    proof::canonical::digest(&value).unwrap_or_default()
}

/// Whether another fit is due: once there is something to learn, then with a quarter more verdicts, or with any more in a new
/// quarter of the year.
#[must_use]
pub fn is_due(last: Option<&CauseModel>, verdicts: usize, now: Timestamp) -> bool {
    let verdicts = i64::try_from(verdicts).unwrap_or(i64::MAX);
    let Some(last) = last else {
        return verdicts >= i64::try_from(LEAST_DELAYS).unwrap_or(i64::MAX);
    };
    let has_grown = verdicts.saturating_mul(4) >= last.verdicts.saturating_mul(5) && verdicts > last.verdicts;
    let is_of_another_quarter = last.fitted_at < now && quarter(last.fitted_at) != quarter(now);
    has_grown || is_of_another_quarter && verdicts > last.verdicts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::incident::cause_fit::fit;

    fn label(number: usize, points: i64) -> Label {
        Label {
            incident: format!("INC-{number}"),
            change: "CHG-1".to_owned(),
            points,
            lead: 0,
            is_near: true,
            confirmed: number.is_multiple_of(2),
        }
    }

    #[test]
    fn the_digest_names_the_verdicts_and_the_fit() {
        let now: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let of = |points: i64| {
            let labels: Vec<Label> = (0..40).map(|it| label(it, points)).collect();
            CauseModel::of(&labels, &fit(&labels, Vec::new()), now).unwrap()
        };
        assert_eq!(of(50).digest, of(50).digest);
        assert_ne!(of(50).digest, of(51).digest);
        assert_eq!((of(50).verdicts, of(50).confirmed), (40, 20));
        assert_eq!(of(50).fit().unwrap().gap, of(50).gap);
    }

    #[test]
    fn a_fit_is_due_with_enough_new_verdicts_or_some_in_a_new_quarter() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = at("2026-11-20T08:00:00Z");
        assert!(!is_due(None, 4, now) && is_due(None, 5, now));
        let labels: Vec<Label> = (0..40).map(|it| label(it, 50)).collect();
        let last = CauseModel::of(&labels, &fit(&labels, Vec::new()), now).unwrap();
        let later = at("2027-01-02T08:00:00Z");
        assert!(!is_due(Some(&last), 49, now) && is_due(Some(&last), 50, now));
        assert!(!is_due(Some(&last), 40, later) && is_due(Some(&last), 41, later));
    }
}
