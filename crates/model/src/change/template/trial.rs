//! Trials of templates: half of the uses of a template follow a variant of it. Which half, a digest of the change's id decides. Both
//! templates are approved by two people beforehand, as every template is; the one that wins is proposed as the next version.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{PROPOSE_TEMPLATE, READ};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::ids::{PersonId, RecordId};
use crate::report::statistics::{Estimate, share};
use crate::verbs;

/// The most trials of a tenant that run.
pub const MOST: usize = 50;
/// A trial with fewer uses on one side has no result.
pub const MINIMUM: u64 = 20;
/// The highest version of a template.
const VERSIONS: usize = 1_000_000;

/// A trial of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct TemplateTrial {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The template: a key.
    #[card(column)]
    pub template: String,
    /// The template that half of the uses follow instead: a key.
    #[card(column)]
    pub variant: String,
    /// The version of the template; another one ends the assignment.
    #[card(most = VERSIONS, optional)]
    pub template_version: i64,
    /// The version of the variant; another one ends the assignment.
    #[card(most = VERSIONS, optional)]
    pub variant_version: i64,
    /// When it began.
    #[card(optional)]
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who began it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// Whether it runs.
    #[card(column)]
    pub active: bool,
}

/// A trial: half of the uses of a template follow a variant of it, until it is ended.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct TemplateTrialInput {
    /// The template: a key.
    #[card(positional, example = "restart-pod")]
    pub template: String,
    /// The variant template for half of the uses: a key. It must be approved for the same services and environments.
    #[card(example = "restart-pod-short")]
    pub variant: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "changes",
    command: "template-trial",
    columns: &["id", "template", "variant", "started_at", "ended_at", "result.verdict"],
    shown: SHOWN,
    verbs: verbs! {
        List "list_template_trials" at "/template-trials" may READ => "List the trials of templates that run";
        Add "add_template_trial" at "/template-trials" may PROPOSE_TEMPLATE => "Try a variant of a template on half of its uses";
        Show "show_template_trial" at "/template-trials/{id}" may READ => "Show a trial with its result";
        End "end_template_trial" at "/template-trials/{id}" may PROPOSE_TEMPLATE => "End a trial; the result stays";
    },
    events: &[
        Event::new("template_trial.added", "flag", "began a trial of a template"),
        Event::new("template_trial.ended", "x", "ended a trial of a template"),
    ],
    page: Some(Page {
        path: "/template-trials",
        byline: "Half of the uses of a template follow a variant. The variant is kept where rework falls: it is then proposed as the \
                 next version, which two people approve.",
        empty: "No trial runs.",
        labels: ["Try a variant", "", "End the trial"],
    }),
    ..Card::of::<TemplateTrial, TemplateTrialInput>("template_trial", "Trials of templates")
};

const SHOWN: &[Field] = &[Field::shown(
    "result",
    Kind::Object,
    "Uses and reworked uses of the template and of the variant, the difference in parts per million with its interval, and the \
     verdict: keep, drop, unclear or not_enough.",
)
.needed()];

/// Whether a change with this id follows the variant.
#[must_use]
pub fn is_in_variant(change: &str) -> bool {
    let digest = proof::crypto::digest_text(change.as_bytes());
    let last = digest.chars().next_back().and_then(|letter| letter.to_digit(16));
    last.is_some_and(|digit| digit % 2 == 1)
}

/// How many uses one side has, and how many of them were reworked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Submitted changes.
    pub uses: u64,
    /// Uses that were returned, or edited in their content after submission.
    pub reworked: u64,
}

/// The result of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialVerdict {
    /// Rework fell: the interval lies below zero.
    Keep,
    /// Rework rose: the interval lies above zero.
    Drop,
    /// The interval has zero in it.
    Unclear,
    /// One side has too few uses.
    NotEnough,
}

impl TrialVerdict {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Unclear => "unclear",
            Self::NotEnough => "not_enough",
        }
    }
}

/// The reworked share of the variant less that of the template, in parts per million, with Newcombe's hybrid score interval
/// (1998, method 10) for 95 of 100; `None` where a side has no use.
#[must_use]
pub fn difference(template: Side, variant: Side) -> Option<Estimate> {
    let (one, other) = (
        share(template.reworked, template.uses)?,
        share(variant.reworked, variant.uses)?,
    );
    let value = other.value - one.value;
    let below = length(other.value - other.low, one.high - one.value);
    let above = length(other.high - other.value, one.value - one.low);
    Some(Estimate {
        value,
        low: value - below,
        high: value + above,
    })
}

/// The length of two sides at a right angle.
fn length(one: i64, other: i64) -> i64 {
    let square = one.saturating_mul(one).saturating_add(other.saturating_mul(other));
    square.max(0).isqrt()
}

/// The result of a trial.
#[must_use]
pub fn verdict(template: Side, variant: Side) -> TrialVerdict {
    if template.uses < MINIMUM || variant.uses < MINIMUM {
        return TrialVerdict::NotEnough;
    }
    match difference(template, variant) {
        Some(it) if it.high < 0 => TrialVerdict::Keep,
        Some(it) if it.low > 0 => TrialVerdict::Drop,
        _ => TrialVerdict::Unclear,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn side(reworked: u64, uses: u64) -> Side {
        Side { uses, reworked }
    }

    #[test]
    fn about_half_of_the_ids_follow_the_variant_and_each_always_the_same() {
        let chosen = |id: u32| is_in_variant(&format!("01J8{id:08}"));
        let count = (0..2_000).filter(|id| chosen(*id)).count();
        // 2,000 throws of a coin lie within 900 and 1,100 but once in 100,000.
        assert!((900..=1_100).contains(&count), "{count}");
        assert!((0..100).all(|id| chosen(id) == chosen(id)));
    }

    #[test]
    fn a_variant_is_kept_only_where_the_interval_lies_below_zero() {
        assert_eq!(verdict(side(20, 40), side(4, 40)), TrialVerdict::Keep);
        assert_eq!(verdict(side(4, 40), side(20, 40)), TrialVerdict::Drop);
        assert_eq!(verdict(side(10, 40), side(9, 40)), TrialVerdict::Unclear);
        assert_eq!(verdict(side(19, 19), side(0, 40)), TrialVerdict::NotEnough);
        assert_eq!(verdict(Side::default(), Side::default()), TrialVerdict::NotEnough);
    }

    #[test]
    fn the_interval_of_the_difference_is_newcombes() {
        // Newcombe 1998, table II (a): 56/70 less 48/80 is 0.2 with 0.0524 to 0.3339 by method 10.
        let found = difference(side(48, 80), side(56, 70)).unwrap();
        assert_eq!(found.value, 200_000);
        assert!((found.low - 52_400).abs() <= 100, "{found:?}");
        assert!((found.high - 333_900).abs() <= 100, "{found:?}");
        assert_eq!(difference(side(0, 0), side(1, 2)), None);
    }
}
