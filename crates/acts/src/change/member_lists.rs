//! Member lists: stored under their digests, looked up one member at a time, and their effect on the gate.

use std::collections::BTreeMap;

use model::change::record::Change;
use model::change::waves::gate::GateMember;
use model::change::waves::member_list::{self, Member, MemberBucket, MemberList};
use model::change::waves::member_outcome::{MemberOutcome, id_of};
use model::core::card::NoInput;
use model::core::enums::Purpose;
use model::core::ids::{ServiceKey, TargetId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::gate::answer::GateRow;
use serde_json::json;
use store::record::{self, Record};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::gate_question::Question;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};

macro_rules! written_by_rules {
    ($($noun:ty => $what:literal),+ $(,)?) => {$(
        impl PlainNoun for $noun {
            type Input = NoInput;
            const IS_HISTORY: bool = true;

            fn key(&self) -> &str {
                self.id.as_str()
            }

            fn is_in_use(&self) -> bool {
                false
            }

            fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
                Err(Refusal::not_found($what).into())
            }
        }
    )+};
}

written_by_rules! {
    MemberList => "way to write a member list by hand",
    MemberBucket => "way to write a bucket by hand",
    MemberOutcome => "way to write an outcome without its change",
}

/// Stores the members of a service under their digest; a known list is unchanged.
///
/// # Errors
/// The store's.
pub(super) fn keep_list(cx: &mut Context<'_, '_>, service: &ServiceKey, members: &[Member]) -> Result<MemberList> {
    let (list, buckets) = member_list::build(service, members);
    if record::load::<MemberList>(cx.tx, list.id.as_str())?.is_some() {
        return Ok(list);
    }
    let mut written = Written::default();
    for bucket in buckets {
        if record::load::<MemberBucket>(cx.tx, bucket.id.as_str())?.is_none() {
            cx.put(&mut written, bucket)?;
        }
    }
    let list = cx.put(&mut written, list)?;
    let data = json!({"count": list.count, "service": list.service});
    let event = draft(
        "member_list.kept",
        (MemberList::TABLE, list.id.to_string()),
        cx.now,
        data,
    );
    cx.emit(vec![event], written)?;
    Ok(list)
}

/// Lists and buckets that one act has read.
#[derive(Default)]
pub(crate) struct Lists {
    lists: BTreeMap<String, Option<MemberList>>,
    buckets: BTreeMap<String, Option<MemberBucket>>,
}

impl Lists {
    fn list(&mut self, cx: &mut Context<'_, '_>, digest: &str) -> Result<Option<&MemberList>> {
        if !self.lists.contains_key(digest) {
            // A list that does not match its digest was written outside the product: it names nobody.
            let found = record::load::<MemberList>(cx.tx, digest)?.map(|stored| stored.record);
            self.lists.insert(digest.to_owned(), found.filter(MemberList::is_whole));
        }
        Ok(self.lists.get(digest).and_then(Option::as_ref))
    }

    fn bucket(&mut self, cx: &mut Context<'_, '_>, digest: &str) -> Result<Option<&MemberBucket>> {
        if !self.buckets.contains_key(digest) {
            let found = record::load::<MemberBucket>(cx.tx, digest)?.map(|stored| stored.record);
            self.buckets
                .insert(digest.to_owned(), found.filter(MemberBucket::is_whole));
        }
        Ok(self.buckets.get(digest).and_then(Option::as_ref))
    }

    /// One member of a list: only its list and one bucket are read, whatever the number of members.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn member(&mut self, cx: &mut Context<'_, '_>, list: &str, name: &str) -> Result<Option<Member>> {
        let bucket = self
            .list(cx, list)?
            .and_then(|list| list.bucket_of(name))
            .map(str::to_owned);
        let Some(bucket) = bucket else { return Ok(None) };
        Ok(self.bucket(cx, &bucket)?.and_then(|bucket| bucket.member(name)))
    }

    /// Every member of a list, in the order of names.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn members(&mut self, cx: &mut Context<'_, '_>, list: &str) -> Result<Vec<Member>> {
        let digests = self
            .list(cx, list)?
            .map(|list| list.buckets.clone())
            .unwrap_or_default();
        let mut found = Vec::new();
        for digest in digests {
            found.extend(self.bucket(cx, &digest)?.map(MemberBucket::read).unwrap_or_default());
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }
}

/// The known outcome of a member of a change; `None` if none was reported.
pub(crate) fn outcome_of(
    cx: &mut Context<'_, '_>,
    (change, target): (&Change, &TargetId),
    name: &str,
) -> Result<Option<MemberOutcome>> {
    let id = id_of(&change.id, target, name);
    Ok(record::load::<MemberOutcome>(cx.tx, &id)?.map(|stored| stored.record))
}

/// Adds the member in a question to the rows of targets with waves.
///
/// # Errors
/// The store's.
pub(crate) fn put_member(cx: &mut Context<'_, '_>, rows: &mut [GateRow], question: &Question) -> Result<()> {
    let Some(name) = &question.member else { return Ok(()) };
    let mut lists = Lists::default();
    for row in rows.iter_mut().filter(|row| row.purpose == Purpose::Deploy) {
        let Some(waves) = &row.waves else { continue };
        let member = lists.member(cx, &waves.list, name)?;
        let id = id_of(&row.change, &row.target, name);
        let known = match member {
            Some(_) => record::load::<MemberOutcome>(cx.tx, &id)?,
            None => None,
        };
        row.member = Some(GateMember {
            name: name.clone(),
            wave: member.map(|member| member.wave),
            state: known.map(|stored| stored.record.state),
        });
        if let Some(written) = &mut row.written {
            written.member.clone_from(&row.member);
        }
    }
    Ok(())
}

/// The member in a question about a target with waves.
pub(crate) struct MemberQuery {
    /// The member's name in the question.
    pub(crate) name: String,
    member: Option<Member>,
    outcome: Option<MemberOutcome>,
}

impl MemberQuery {
    /// The same in the form for the gate.
    pub(crate) fn for_gate(&self) -> GateMember {
        GateMember {
            name: self.name.clone(),
            wave: self.member.as_ref().map(|member| member.wave),
            state: self.outcome.as_ref().map(|outcome| outcome.state),
        }
    }

    /// The member with its outcome, if it is in the list.
    pub(crate) fn known(&self) -> Option<(Member, Option<MemberOutcome>)> {
        Some((self.member.clone()?, self.outcome.clone()))
    }
}

/// Looks up the member of a question; `None` for a rollback, and for a target without members.
pub(crate) fn find_member(
    cx: &mut Context<'_, '_>,
    (change, target): (&str, &TargetId),
    purpose: Purpose,
    question: &Question,
) -> Result<Option<MemberQuery>> {
    let Some(name) = question.member.clone().filter(|_| purpose == Purpose::Deploy) else {
        return Ok(None);
    };
    let change = cx.change(change)?;
    let found = change.content.targets.iter().find(|it| &it.id == target);
    let Some(list) = found.and_then(|target| target.members.clone()) else {
        return Ok(None);
    };
    let member = Lists::default().member(cx, &list.digest, &name)?;
    let outcome = match member {
        Some(_) => outcome_of(cx, (&change, target), &name)?,
        None => None,
    };
    Ok(Some(MemberQuery { name, member, outcome }))
}
