//! Retention rules: how long a regime requires a kind of record to be kept. A rule erases nothing; it keeps the retention of
//! the tenant from erasing or archiving too early. The shipped rules are switched off.

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::compliance::erasure::Retention;
use crate::core::act::actions::{AUDIT, SET_POLICY};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::{KeptKind, RetentionRegime};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::Reading;
use crate::verbs;

/// The longest key, in characters.
const KEY: usize = 40;

/// For how long a regime asks to keep a kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct RetentionRule {
    /// The record's id: its key.
    pub id: RecordId,
    /// Grows with every save; 0 for a shipped rule that nobody changed.
    pub version: i64,
    /// Its regime and its kind of record, such as sox-change.
    #[card(most = KEY, column)]
    pub key: String,
    /// The person or authority that requests it.
    #[card(words)]
    pub regime: RetentionRegime,
    /// The kind of record.
    #[card(words)]
    pub record_kind: KeptKind,
    /// The minimum number of days for which texts, files and raw bodies are kept.
    #[card(most = Retention::MOST)]
    pub keep_days: i64,
    /// The number of these days for which changes stay outside the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = Retention::MOST)]
    pub hot_days: Option<i64>,
    /// Whether it is switched on.
    #[card(column)]
    pub active: bool,
    /// The person who set it: a login; none for shipped rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub by: Option<PersonId>,
}

/// For how long a regime asks to keep a kind of record. Days that are left out stay as they are.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct RetentionRuleInput {
    /// The person or authority that requests it.
    #[card(words, needed, example = "sox")]
    pub regime: Option<RetentionRegime>,
    /// The kind of record.
    #[card(label = "Kind of record", words, needed, option = "kind", example = "change")]
    pub record_kind: Option<KeptKind>,
    /// The minimum number of days for which the record is kept; by default what the regime requires.
    #[card(most = Retention::MOST, option = "keep", example = "2557")]
    pub keep_days: Option<i64>,
    /// The number of these days for which changes stay outside the archive.
    #[card(most = Retention::MOST, option = "hot", example = "92")]
    pub hot_days: Option<i64>,
    /// Whether it is switched on; off by default.
    #[card(label = "Switched on", option = "on", example = "true")]
    pub active: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "retention-rule",
    columns: &["key", "regime", "record_kind", "keep_days", "hot_days", "active"],
    verbs: verbs! {
        List "list_retention_rules" at "/retention-rules" may AUDIT => "List the retention periods required by regimes", token Audit;
        Set "set_retention_rule" at "/retention-rules" may SET_POLICY => "Set, switch on or switch off a retention rule", token Admin;
        Show "show_retention_rule" at "/retention-rules/{key}" may AUDIT => "Show a retention rule", token Audit;
    },
    events: &[Event::new("retention_rule.set", "clock", "set a retention rule")],
    page: Some(Page {
        path: "/retention-rules",
        byline: "Retention periods required by regimes. An active rule prevents earlier erasure or archiving; the \
            longest rule applies.",
        empty: "There is no retention rule.",
        labels: ["Set a retention rule", "Change it", "End it"],
    }),
    ..Card::of::<RetentionRule, RetentionRuleInput>("retention_rule", "Retention rules")
};

/// The minimum of a regime: days kept, and days out of the archive. SOX: 7 years (17 CFR 210.2-06). HIPAA: 6 years (45 CFR
/// 164.316(b)(2)(i)). PCI DSS 4.0: 12 months, the last 3 immediately available (10.5.1). Years and months count with their leap
/// day.
#[must_use]
pub fn least(regime: RetentionRegime, kind: KeptKind) -> (i64, Option<i64>) {
    match (regime, kind) {
        (RetentionRegime::Sox, _) => (2_557, None),
        (RetentionRegime::Hipaa, _) => (2_192, None),
        (RetentionRegime::PciDss, KeptKind::Change) => (366, Some(92)),
        (RetentionRegime::PciDss, KeptKind::Delivery) => (366, None),
        (RetentionRegime::Own, _) => (Retention::FEWEST, None),
    }
}

/// The regimes and kinds that have a shipped rule.
const SHIPPED: [(RetentionRegime, KeptKind); 6] = [
    (RetentionRegime::Hipaa, KeptKind::Change),
    (RetentionRegime::Hipaa, KeptKind::Delivery),
    (RetentionRegime::PciDss, KeptKind::Change),
    (RetentionRegime::PciDss, KeptKind::Delivery),
    (RetentionRegime::Sox, KeptKind::Change),
    (RetentionRegime::Sox, KeptKind::Delivery),
];

/// The key of a rule.
#[must_use]
pub fn key_of(regime: RetentionRegime, kind: KeptKind) -> String {
    format!("{}-{}", regime.as_str().replace('_', "-"), kind.as_str())
}

/// The rules that ship, all off.
#[must_use]
pub fn shipped() -> Vec<RetentionRule> {
    SHIPPED.into_iter().map(|(regime, kind)| usual(regime, kind)).collect()
}

/// A rule with the minimum of its regime, off.
#[must_use]
pub fn usual(regime: RetentionRegime, kind: KeptKind) -> RetentionRule {
    let key = key_of(regime, kind);
    let (keep_days, hot_days) = least(regime, kind);
    RetentionRule {
        id: RecordId::from(key.as_str()),
        version: 0,
        key,
        regime,
        record_kind: kind,
        keep_days,
        hot_days,
        active: false,
        by: None,
    }
}

/// The shipped rules with those of the tenant in their places, in the order of their keys.
#[must_use]
pub fn all(own: Vec<RetentionRule>) -> Vec<RetentionRule> {
    let mut found = shipped();
    found.retain(|rule| own.iter().all(|it| it.key != rule.key));
    found.extend(own);
    found.sort_by(|one, other| one.key.cmp(&other.key));
    found
}

/// Notes days that are fewer than the regime's minimum, or that contradict each other.
pub fn check(reading: &mut Reading<'_>, rule: &RetentionRule) {
    let (keep, hot) = least(rule.regime, rule.record_kind);
    let regime = rule.regime.as_str();
    if rule.keep_days < keep || rule.keep_days > Retention::MOST {
        let text = format!(
            "`keep_days` must be from {keep} to {}: {regime} requires at least {keep} days.",
            Retention::MOST
        );
        reading.wrong("keep_days", "less_than_regime", text);
    }
    if rule.record_kind == KeptKind::Delivery && rule.hot_days.is_some() {
        let text = "Only changes can be archived; leave out `hot_days` for deliveries.";
        reading.wrong("hot_days", "not_asked", text);
        return;
    }
    if hot.is_some_and(|hot| rule.hot_days.is_none_or(|days| days < hot)) {
        let least = hot.unwrap_or_default();
        let text = format!(
            "`hot_days` must be at least {least}: {regime} requires the last {least} days outside the \
            archive."
        );
        reading.wrong("hot_days", "less_than_regime", text);
    }
    if rule.hot_days.is_some_and(|days| days > rule.keep_days) {
        let text = "`hot_days` must be at most `keep_days`: erased records cannot stay outside the archive.";
        reading.wrong("hot_days", "out_of_range", text);
    }
}

/// The rule with the most days of a kind.
#[must_use]
pub fn longest(rules: &[RetentionRule], kind: KeptKind) -> Option<&RetentionRule> {
    let on = rules.iter().filter(|rule| rule.active && rule.record_kind == kind);
    on.max_by_key(|rule| rule.keep_days)
}

/// The rule that keeps changes out of the archive for the most days.
#[must_use]
pub fn hottest(rules: &[RetentionRule]) -> Option<&RetentionRule> {
    let on = rules.iter().filter(|rule| rule.active && rule.hot_days.is_some());
    on.max_by_key(|rule| rule.hot_days)
}

/// The retention in effect under rules: nothing is erased or archived before the longest time of the rules.
#[must_use]
pub fn applied(retention: Retention, rules: &[RetentionRule]) -> Retention {
    let least = |days: Option<i64>, rule: Option<i64>| days.map(|days| days.max(rule.unwrap_or_default()));
    let kept = |kind| longest(rules, kind).map(|rule| rule.keep_days);
    Retention {
        changes_days: least(retention.changes_days, kept(KeptKind::Change)),
        deliveries_days: least(retention.deliveries_days, kept(KeptKind::Delivery)),
        archive_days: least(retention.archive_days, hottest(rules).and_then(|rule| rule.hot_days)),
    }
}

/// The parts of a retention that are shorter than the rules require: the field, and the reason.
#[must_use]
pub fn too_early(retention: Retention, rules: &[RetentionRule]) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut compare = |field: &'static str, days: Option<i64>, rule: Option<(&str, i64)>| {
        if let (Some(days), Some((key, least))) = (days, rule)
            && days < least
        {
            let text =
                format!("`{field}` must be at least {least}: the active retention rule `{key}` requires {least} days.");
            found.push((field, text));
        }
    };
    let kept = |kind| longest(rules, kind).map(|rule| (rule.key.as_str(), rule.keep_days));
    compare("changes_days", retention.changes_days, kept(KeptKind::Change));
    compare("deliveries_days", retention.deliveries_days, kept(KeptKind::Delivery));
    let hot = hottest(rules).and_then(|rule| Some((rule.key.as_str(), rule.hot_days?)));
    compare("archive_days", retention.archive_days, hot);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(regime: RetentionRegime, kind: KeptKind) -> RetentionRule {
        RetentionRule {
            active: true,
            ..usual(regime, kind)
        }
    }

    #[test]
    fn shipped_rules_are_off_and_keep_what_their_regime_asks_for() {
        let rules = shipped();
        assert!(rules.iter().all(|rule| !rule.active));
        let days: Vec<i64> = rules.iter().map(|rule| rule.keep_days).collect();
        assert_eq!(days, [2_192, 2_192, 366, 366, 2_557, 2_557]);
        let short = Retention {
            changes_days: Some(90),
            deliveries_days: Some(90),
            archive_days: Some(90),
        };
        assert_eq!(applied(short, &rules), short);
        assert!(too_early(short, &rules).is_empty());
    }

    #[test]
    fn the_longest_rule_counts_and_for_ever_stays_for_ever() {
        let rules = [
            on(RetentionRegime::PciDss, KeptKind::Change),
            on(RetentionRegime::Hipaa, KeptKind::Change),
        ];
        let short = Retention {
            changes_days: Some(400),
            deliveries_days: Some(90),
            archive_days: Some(91),
        };
        let kept = applied(short, &rules);
        assert_eq!(
            (kept.changes_days, kept.deliveries_days, kept.archive_days),
            (Some(2_192), Some(90), Some(92))
        );
        let fields: Vec<&str> = too_early(short, &rules).iter().map(|(field, _)| *field).collect();
        assert_eq!(fields, ["changes_days", "archive_days"]);
        assert_eq!(applied(Retention::default(), &rules), Retention::default());
    }

    #[test]
    fn a_rule_of_the_tenant_takes_the_place_of_the_shipped_one() {
        let longer = RetentionRule {
            keep_days: 3_000,
            ..on(RetentionRegime::Sox, KeptKind::Change)
        };
        let rules = all(vec![longer.clone()]);
        assert_eq!(rules.len(), shipped().len());
        assert_eq!(longest(&rules, KeptKind::Change), Some(&longer));
    }
}
