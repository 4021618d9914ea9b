//! Links between records of any kind: one record with two ends, read from both of them.
//!
//! A link that a change holds itself (`caused`, `fixes`, `depends_on`, `follows_up`) has its row here too, written in the same
//! transaction, so that the other end shows it. Such a row has the id of the change's link, and is ended with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::related_records::Link;
use crate::core::act::actions::{READ, SET_INCIDENT};
use crate::core::card::{Card, Event};
use crate::core::enums::{LinkKind, RelationEnd, RelationKind, RelationOrigin};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::verbs;

/// Certainty, in parts per million.
pub const CERTAIN: i64 = 1_000_000;
/// The confidence of a link from a delivery alone.
pub const SUPPOSED: i64 = 500_000;
/// The most links of one record.
pub const MOST: usize = 500;
/// The most former reasons that a link keeps.
pub const MOST_REASONS: usize = 50;
/// The most records that are searched for a ring.
pub const MOST_IN_RING: usize = 10_000;

/// A link between two records, read from both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct RecordLink {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The record that it leads from: a key, the id of a deployment, or a reference to another system.
    #[card(column = "from_key")]
    pub from: String,
    /// What kind of record that is.
    #[card(words)]
    pub from_kind: RelationEnd,
    /// How the two relate.
    #[card(words, column)]
    pub kind: RelationKind,
    /// The record that it leads to.
    #[card(column = "to_key")]
    pub to: String,
    /// What kind of record that is.
    #[card(words)]
    pub to_kind: RelationEnd,
    /// Where it comes from.
    #[card(words)]
    pub origin: RelationOrigin,
    /// How sure it is, in parts per million.
    #[card(most = CERTAIN)]
    pub confidence_ppm: i64,
    /// Why it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// The reasons that it had before, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub reasons_before: Vec<String>,
    /// Whether a change holds it among its own links.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_change: bool,
    /// Who set it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Who last edited how sure it is, or why: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Whether it counts; one that was taken back stays in the history alone.
    #[card(column)]
    pub active: bool,
    /// Who took it back: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

/// A link between two records.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct RecordLinkInput {
    /// The record that it leads from: a key, the id of a deployment, or a reference such as `jira:OPS-7`.
    #[card(positional, example = "INC-101")]
    pub from: String,
    /// How the two relate, read from the first to the second.
    #[card(words, needed, example = "related", usual = "related")]
    pub kind: Option<RelationKind>,
    /// The record that it leads to.
    #[card(positional, example = "INC-102")]
    pub to: String,
    /// How sure it is, in parts per million; certain unless said.
    #[card(most = CERTAIN, option = "confidence", example = "900000")]
    pub confidence_ppm: Option<i64>,
    /// Why it is there.
    #[card(most = TEXT, text, example = "The same queue was full.")]
    pub reason: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "record-link",
    patch: "RecordLinkPatch",
    columns: &["id", "from", "kind", "to", "origin", "confidence_ppm", "reason"],
    verbs: verbs! {
        List "list_record_links" at "/record-links" may READ => "List links between records";
        Add "link_records" at "/record-links" may SET_INCIDENT => "Link two records";
        Show "show_record_link" at "/record-links/{id}" may READ => "Show a link between records";
        Edit "edit_record_link" at "/record-links/{id}" may SET_INCIDENT => "Set the confidence of a link, with a reason";
        End "unlink_records" at "/record-links/{id}" may SET_INCIDENT => "Remove a link between records";
    },
    events: &[
        Event::new("record_link.added", "right", "linked two records"),
        Event::new("record_link.edited", "edit", "changed a link between records"),
        Event::new("record_link.ended", "x", "removed a link between records"),
    ],
    ..Card::of::<RecordLink, RecordLinkInput>("record_link", "Links between records")
};

/// A record at an end of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Its kind.
    pub kind: RelationEnd,
    /// Its key.
    pub key: String,
}

/// A link from the view of one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reads {
    /// How the two relate.
    pub kind: RelationKind,
    /// Whether it leads away from this end.
    pub leads_away: bool,
}

impl Reads {
    /// The label: “caused by”, “fixes”.
    #[must_use]
    pub fn words(self) -> &'static str {
        match (self.kind, self.leads_away) {
            (RelationKind::Caused, true) => "caused",
            (RelationKind::Caused, false) => "caused by",
            (RelationKind::FixedBy, true) => "fixed by",
            (RelationKind::FixedBy, false) => "fixes",
            (RelationKind::Related, _) => "related to",
            (RelationKind::DuplicateOf, true) => "duplicate of",
            (RelationKind::DuplicateOf, false) => "has the duplicate",
            (RelationKind::BlockedBy, true) => "blocked by",
            (RelationKind::BlockedBy, false) => "blocks",
        }
    }
}

impl RecordLink {
    /// The link from the view of an end, and the record at the other end; `None` where the key is at neither end.
    #[must_use]
    pub fn seen_from(&self, key: &str) -> Option<(Reads, End)> {
        let reads = |leads_away| Reads {
            kind: self.kind,
            leads_away,
        };
        let end = |kind: RelationEnd, key: &str| End {
            kind,
            key: key.to_owned(),
        };
        if self.from == key {
            return Some((reads(true), end(self.to_kind, &self.to)));
        }
        (self.to == key).then(|| (reads(false), end(self.from_kind, &self.from)))
    }

    /// The link with another reason; the former reason is kept.
    #[must_use]
    pub fn with_reason(mut self, reason: Option<String>) -> Self {
        if self.reason != reason {
            self.reasons_before.extend(self.reason.take());
            let over = self.reasons_before.len().saturating_sub(MOST_REASONS);
            self.reasons_before.drain(..over);
            self.reason = reason;
        }
        self
    }

    /// Whether another link has the same meaning for the same two records.
    #[must_use]
    pub fn says_the_same(&self, kind: RelationKind, from: &str, to: &str) -> bool {
        let is_same = self.from == from && self.to == to;
        let is_turned = self.from == to && self.to == from && kind == RelationKind::Related;
        self.kind == kind && (is_same || is_turned)
    }
}

/// The kind of record that a key names by its form; `None` for what has no key of ours: a deployment or an outside reference.
#[must_use]
pub fn kind_of_key(key: &str) -> Option<RelationEnd> {
    let (prefix, number) = key.split_once('-')?;
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let kind = match prefix.to_ascii_uppercase().as_str() {
        "CHG" => RelationEnd::Change,
        "INC" => RelationEnd::Incident,
        "PRB" => RelationEnd::Problem,
        "DRF" => RelationEnd::Drift,
        _ => return None,
    };
    is_number.then_some(kind)
}

/// The link between records that equals a change's own link: its kind and whether it leads away from the change. `None` for
/// links that order changes among themselves.
#[must_use]
pub fn of_change(link: &Link) -> Option<(RelationKind, bool)> {
    match link.kind {
        LinkKind::Caused => Some((RelationKind::Caused, true)),
        LinkKind::Fixes => Some((RelationKind::FixedBy, false)),
        LinkKind::DependsOn => Some((RelationKind::BlockedBy, true)),
        LinkKind::FollowsUp => Some((RelationKind::Related, true)),
        LinkKind::ParentOf | LinkKind::Replaces | LinkKind::InRelease => None,
    }
}

/// The change's own link that equals a link between two records, with the record that holds it: the kind, the change and the
/// other record. `None` if no change holds such a link.
#[must_use]
pub fn held_by_change<'e>(kind: RelationKind, from: &'e End, to: &'e End) -> Option<(LinkKind, &'e End, &'e End)> {
    let takes = |end: &End| {
        matches!(
            end.kind,
            RelationEnd::Change | RelationEnd::Incident | RelationEnd::Outside
        )
    };
    let is_change = |end: &End| end.kind == RelationEnd::Change;
    match kind {
        RelationKind::Caused if is_change(from) && takes(to) => Some((LinkKind::Caused, from, to)),
        RelationKind::FixedBy if is_change(to) && takes(from) => Some((LinkKind::Fixes, to, from)),
        RelationKind::BlockedBy if is_change(from) && is_change(to) => Some((LinkKind::DependsOn, from, to)),
        _ => None,
    }
}

/// Whether links of this kind may not form a ring.
#[must_use]
pub fn has_no_rings(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::DuplicateOf | RelationKind::BlockedBy)
}

/// The path from one record to another over links, both included; empty where there is none. `next` are the records that a
/// record links to.
pub fn way<E>(
    from: &str,
    to: &str,
    mut next: impl FnMut(&str) -> std::result::Result<Vec<String>, E>,
) -> std::result::Result<Vec<String>, E> {
    let mut came_from: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = BTreeSet::from([from.to_owned()]);
    let mut open = VecDeque::from([from.to_owned()]);
    while let Some(at) = open.pop_front() {
        if at == to {
            let mut way = vec![at.clone()];
            while let Some(before) = came_from.get(&way[way.len() - 1]) {
                way.push(before.clone());
            }
            way.reverse();
            return Ok(way);
        }
        for key in next(&at)? {
            if seen.len() < MOST_IN_RING && seen.insert(key.clone()) {
                came_from.insert(key.clone(), at.clone());
                open.push_back(key);
            }
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_leads_over_links_and_none_is_empty() {
        let next = |at: &str| -> Result<Vec<String>, ()> {
            Ok(match at {
                "INC-1" => vec!["INC-2".to_owned()],
                "INC-2" => vec!["INC-3".to_owned(), "INC-1".to_owned()],
                _ => Vec::new(),
            })
        };
        assert_eq!(
            way("INC-1", "INC-3", next),
            Ok(["INC-1", "INC-2", "INC-3"].map(str::to_owned).to_vec())
        );
        assert_eq!(way("INC-3", "INC-1", next), Ok(Vec::new()));
    }

    #[test]
    fn keys_name_their_kind() {
        let told = ["CHG-1042", "inc-101", "PRB-1", "DRF-3", "jira:OPS-7", "INC-", "INC-x"].map(kind_of_key);
        let wanted = [
            Some(RelationEnd::Change),
            Some(RelationEnd::Incident),
            Some(RelationEnd::Problem),
            Some(RelationEnd::Drift),
            None,
            None,
            None,
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_change_holds_what_revises_its_outcome_and_what_holds_its_start() {
        let end = |kind, key: &str| End {
            kind,
            key: key.to_owned(),
        };
        let (change, incident) = (end(RelationEnd::Change, "CHG-1"), end(RelationEnd::Incident, "INC-1"));
        let problem = end(RelationEnd::Problem, "PRB-1");
        let held = |kind, from, to| held_by_change(kind, from, to).map(|(kind, holder, _)| (kind, holder.key.as_str()));
        assert_eq!(
            held(RelationKind::Caused, &change, &incident),
            Some((LinkKind::Caused, "CHG-1"))
        );
        assert_eq!(
            held(RelationKind::FixedBy, &incident, &change),
            Some((LinkKind::Fixes, "CHG-1"))
        );
        assert_eq!(held(RelationKind::FixedBy, &problem, &change), None);
        assert_eq!(held(RelationKind::Caused, &incident, &change), None);
        assert_eq!(held(RelationKind::Related, &change, &incident), None);
    }
}
