//! Member lists: content-addressed records in buckets, so that one member is found by reading one bucket.

use std::collections::BTreeMap;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, NoInput};
use crate::core::ids::{RecordId, ServiceKey};
use crate::core::typed::is_technical;
use crate::verbs;

/// The most members of one change.
pub const MOST_MEMBERS: usize = 10_000;
/// The longest name of a member, a region or a wave, in characters.
pub const NAME: usize = 100;
/// About so many members of a list share a bucket.
const BUCKET: usize = 128;
/// The separator between the parts of a member in its bucket; no name contains it.
const BETWEEN: char = '|';

/// One machine, site or device of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its technical name, unique in the target.
    pub name: String,
    /// Its region; empty for none.
    pub region: String,
    /// Whether it may go first.
    pub canary: bool,
    /// The number of its wave, from 1 on.
    pub wave: i64,
}

impl Member {
    fn line(&self) -> String {
        let canary = if self.canary { "canary" } else { "" };
        [self.name.as_str(), self.region.as_str(), canary, &self.wave.to_string()].join(&BETWEEN.to_string())
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut parts = line.split(BETWEEN);
        let (name, region, canary, wave) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            name: name.to_owned(),
            region: region.to_owned(),
            canary: canary == "canary",
            wave: wave.parse().ok()?,
        })
    }
}

/// Why a text names no member and no region; `None` where it may.
#[must_use]
pub fn why_no_name(text: &str) -> Option<String> {
    if text.is_empty() || text.chars().count() > NAME || !is_technical(text) || text.trim() != text {
        return Some(format!(
            "`{text}` is no technical name of at most {NAME} letters, digits and signs."
        ));
    }
    None
}

/// A member list as a target names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRef {
    /// The digest of the list, which is the id of its record.
    pub digest: String,
    /// How many members it has.
    pub count: i64,
}

/// A member list: the digests of its buckets. Its id is the digest over them, so that it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct MemberList {
    /// The digest of the list.
    pub id: RecordId,
    /// Grows with every save; a list is saved once.
    pub version: i64,
    /// The service whose target has it.
    #[card(column)]
    pub service: ServiceKey,
    /// How many members it has.
    pub count: i64,
    /// The digests of its buckets, in the order of their numbers.
    pub buckets: Vec<String>,
}

/// The card of lists.
pub const CARD: Card = Card {
    tag: "changes",
    command: "member-list",
    columns: &["id", "service", "count"],
    verbs: verbs! {
        List "list_member_lists" at "/member-lists" may READ => "List the member lists of changes";
        Show "show_member_list" at "/member-lists/{id}" may READ => "Show a member list with the digests of its buckets";
    },
    events: &[Event::new("member_list.kept", "list", "set the members of a change")],
    ..Card::of::<MemberList, NoInput>("member_list", "Member lists")
};

/// The record of a bucket and its card.
pub mod bucket {
    use super::{Card, Described, Deserialize, NoInput, Noun, READ, RecordId, Serialize};
    use crate::verbs;

    /// A bucket of a member list. Its id is the digest over its members, so that it never changes.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
    pub struct MemberBucket {
        /// The digest of the members.
        pub id: RecordId,
        /// Grows with every save; a bucket is saved once.
        pub version: i64,
        /// Each member with its region, its mark as a canary and its wave, in the order of names.
        pub members: Vec<String>,
    }

    /// The card.
    pub const CARD: Card = Card {
        tag: "changes",
        command: "member-bucket",
        columns: &["id"],
        verbs: verbs! {
            List "list_member_buckets" at "/member-buckets" may READ => "List the buckets of member lists";
            Show "show_member_bucket" at "/member-buckets/{id}" may READ => "Show a bucket of a member list";
        },
        ..Card::of::<MemberBucket, NoInput>("member_bucket", "Buckets of member lists")
    };
}

pub use bucket::MemberBucket;

impl MemberBucket {
    /// Its members.
    #[must_use]
    pub fn read(&self) -> Vec<Member> {
        self.members.iter().filter_map(|line| Member::from_line(line)).collect()
    }

    /// The member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Member> {
        self.read().into_iter().find(|member| member.name == name)
    }

    /// Whether its id is the digest over its members.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.id.as_str() == digest(&self.members)
    }
}

fn digest(texts: &[String]) -> String {
    proof::canonical::digest(&json!(texts)).unwrap_or_default()
}

/// The bucket of a name among so many.
fn place(name: &str, buckets: usize) -> usize {
    let hash = proof::crypto::digest_text(name.as_bytes());
    // The last hexadecimal digits of a SHA-256 are spread evenly.
    let tail = hash.get(hash.len().saturating_sub(8)..).unwrap_or_default();
    u32::from_str_radix(tail, 16).map_or(0, |number| number as usize % buckets.max(1))
}

impl MemberList {
    /// The digest of the bucket that would contain a name.
    #[must_use]
    pub fn bucket_of(&self, name: &str) -> Option<&str> {
        self.buckets.get(place(name, self.buckets.len())).map(String::as_str)
    }

    /// Whether its id is the digest over its buckets.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.id.as_str() == list_digest(self.service.as_str(), self.count, &self.buckets)
    }

    /// How a target names it.
    #[must_use]
    pub fn reference(&self) -> ListRef {
        ListRef {
            digest: self.id.to_string(),
            count: self.count,
        }
    }
}

fn list_digest(service: &str, count: i64, buckets: &[String]) -> String {
    proof::canonical::digest(&json!({"service": service, "count": count, "buckets": buckets})).unwrap_or_default()
}

/// A list and its buckets, each under its digest. Equal members give equal records, in whatever order they came.
#[must_use]
pub fn build(service: &ServiceKey, members: &[Member]) -> (MemberList, Vec<MemberBucket>) {
    let number = members.len().div_ceil(BUCKET).next_power_of_two();
    let mut buckets: Vec<BTreeMap<&str, String>> = vec![BTreeMap::new(); number];
    for member in members {
        buckets[place(&member.name, number)].insert(&member.name, member.line());
    }
    let buckets: Vec<MemberBucket> = buckets
        .into_iter()
        .map(|lines| {
            let members: Vec<String> = lines.into_values().collect();
            MemberBucket {
                id: RecordId(digest(&members)),
                version: 0,
                members,
            }
        })
        .collect();
    let digests: Vec<String> = buckets.iter().map(|bucket| bucket.id.to_string()).collect();
    let count = i64::try_from(members.len()).unwrap_or(i64::MAX);
    let list = MemberList {
        id: RecordId(list_digest(service.as_str(), count, &digests)),
        version: 0,
        service: service.clone(),
        count,
        buckets: digests,
    };
    (list, buckets)
}
