//! Links between records, read from both ends. A link in a change's own list is written there, by the change's rules; an effect
//! (`effects::mirror_links`) copies it to a row here.

use model::change::related_records::Deployment;
use model::core::enums::{ChangeRelation, RelationEnd, RelationKind, RelationOrigin, TimelineKind};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use model::incident::drift::finding::DriftFinding;
use model::incident::problem::ProblemRecord;
use model::incident::record_link::{
    CERTAIN, End, MOST, Reads, RecordLink, RecordLinkInput, has_no_rings, held_by_change, kind_of_key, way,
};
use model::incident::reference::{self, Reference};
use model::schedule::vendor_notice::VendorNotice;
use serde_json::{Value, json};
use store::change::changes;
use store::record::{self, Filter};

use crate::change::link_change::{link_change, unlink_change};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun::PlainNoun;
use crate::incident::keep::keep;
use crate::incident::note_entry::note;
use crate::incident::review_actions::{reopen_review, request_review};

/// A link as seen from one of its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The link.
    pub link: RecordLink,
    /// How it reads from here.
    pub reads: Reads,
    /// The record at the other end.
    pub other: End,
}

impl PlainNoun for RecordLink {
    type Input = RecordLinkInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: RecordLinkInput, mut reading: Reading<'_>) -> Result<Self> {
        let kind = input.kind.unwrap_or(RelationKind::Related);
        let mut from = resolved(cx, &mut reading, "from", &input.from)?;
        let mut to = resolved(cx, &mut reading, "to", &input.to)?;
        match kind {
            RelationKind::Caused => from = with_change(cx, from)?,
            RelationKind::FixedBy => to = with_change(cx, to)?,
            _ => {}
        }
        if from.is_some() && from == to {
            reading.wrong("to", "not_allowed", "A record cannot be linked to itself.");
        }
        reading.finish()?;
        let (Some(from), Some(to)) = (from, to) else {
            return Err(Error::Fault("an end of a link was not read".to_owned()));
        };
        check_new(cx, kind, &from, &to)?;
        let said = (input.confidence_ppm, input.reason);
        if let Some((own, holder, other)) = held_by_change(kind, &from, &to) {
            let body = json!({"kind": own.as_str(), "to": other.key});
            let id = link_change(cx, &holder.key, &body.as_object().cloned().unwrap_or_default())?;
            let link = loaded(cx, &id)?;
            return described(cx, link, said);
        }
        let link = Self {
            confidence_ppm: said.0.unwrap_or(CERTAIN),
            ..fresh(cx, kind, (from, to), said.1)?
        };
        add_link(cx, link)
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: RecordLinkInput, mut reading: Reading<'_>) -> Result<Self> {
        let is_other = |field: &str| match field {
            "from" => input.from != self.from,
            "to" => input.to != self.to,
            _ => input.kind != Some(self.kind),
        };
        for field in ["from", "kind", "to"] {
            if reading.says(field) && is_other(field) {
                let text = format!(
                    "`{field}` of a link cannot change. Remove the link and add another, so that both are in the history."
                );
                reading.wrong(field, "not_allowed", text);
            }
        }
        reading.finish()?;
        described(cx, self, (input.confidence_ppm.or(Some(CERTAIN)), input.reason))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_not_merged(cx, &self)?;
        if !self.is_of_change {
            return end_link(cx, self);
        }
        let holder = match self.kind {
            RelationKind::FixedBy => self.to.clone(),
            _ => self.from.clone(),
        };
        unlink_change(cx, &holder, &self.id)?;
        loaded(cx, &self.id)
    }
}

/// A link that the acting person sets now.
fn fresh(
    cx: &mut Context<'_, '_>,
    kind: RelationKind,
    (from, to): (End, End),
    reason: Option<String>,
) -> Result<RecordLink> {
    Ok(RecordLink {
        id: RecordId(cx.new_id()?),
        version: 0,
        from: from.key,
        from_kind: from.kind,
        kind,
        to: to.key,
        to_kind: to.kind,
        origin: RelationOrigin::Person,
        confidence_ppm: CERTAIN,
        reason,
        reasons_before: Vec::new(),
        is_of_change: false,
        by: cx.actor.person.clone(),
        at: cx.now,
        active: true,
        edited_by: None,
        edited_at: None,
        removed_by: None,
        removed_at: None,
    })
}

/// Writes a new link.
///
/// # Errors
/// The store's.
pub(crate) fn add_link(cx: &mut Context<'_, '_>, link: RecordLink) -> Result<RecordLink> {
    let data = json!({"from": link.from, "relation": link.kind, "to": link.to, "origin": link.origin});
    let added = keep(cx, "record_link.added", link, data)?;
    follow_cause(cx, &added)?;
    follow_review(cx, &added)?;
    Ok(added)
}

/// Takes a link back.
///
/// # Errors
/// The store's.
pub(crate) fn end_link(cx: &mut Context<'_, '_>, link: RecordLink) -> Result<RecordLink> {
    let ended = RecordLink {
        active: false,
        removed_by: Some(cx.actor.person.clone()),
        removed_at: Some(cx.now),
        ..link
    };
    let data = json!({"from": ended.from, "relation": ended.kind, "to": ended.to});
    let ended = keep(cx, "record_link.ended", ended, data)?;
    follow_cause(cx, &ended)?;
    Ok(ended)
}

/// Whether a change caused an incident, by the incident's links. A delivery's guess confirms nothing, but counts until the
/// change is cleared.
///
/// # Errors
/// The store's.
pub(crate) fn cause_by_links(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Option<ChangeRelation>> {
    let filter = Filter::new()
        .equals("to_key", incident.key.as_str())
        .equals("kind", RelationKind::Caused.as_str())
        .equals("active", true)
        .order_by("id");
    let mut found = record::bodies::<RecordLink>(cx.tx, &filter)?;
    found.retain(|link| link.from_kind == RelationEnd::Change);
    if found.iter().any(|link| link.origin != RelationOrigin::Source) {
        return Ok(Some(ChangeRelation::Confirmed));
    }
    let is_open = |link: &RecordLink| incident.cause_verdict(&link.from).is_none_or(|said| said.confirmed);
    Ok(found.iter().any(is_open).then_some(ChangeRelation::Suspected))
}

/// Updates the incident's flag from the links that name its cause. After the last such link was ended, the flag is “not
/// related” if people cleared the change; otherwise the change is suspected as before.
fn follow_cause(cx: &mut Context<'_, '_>, link: &RecordLink) -> Result<()> {
    let is_cause = link.kind == RelationKind::Caused && link.from_kind == RelationEnd::Change;
    if !is_cause || link.to_kind != RelationEnd::Incident {
        return Ok(());
    }
    let directory = cx.directory()?;
    let Some(incident) = directory.incidents.get(&link.to) else {
        return Ok(());
    };
    let by_links = cause_by_links(cx, incident)?;
    let is_confirmed = incident.confirmed_causes().next().is_some() || by_links == Some(ChangeRelation::Confirmed);
    let is_cleared = incident.cause_verdict(&link.from).is_some_and(|said| !said.confirmed);
    let relation = match (is_confirmed, is_cleared && by_links.is_none()) {
        (true, _) => ChangeRelation::Confirmed,
        (false, true) => ChangeRelation::Cleared,
        (false, false) => ChangeRelation::Suspected,
    };
    if incident.course.change_related == Some(relation) {
        return Ok(());
    }
    let mut moved = incident.clone();
    moved.course.change_related = Some(relation);
    let data = json!({"change": link.from, "change_related": relation});
    let moved = cx.put_estate("incident.relation_moved", moved, data)?;
    request_review(cx, &moved.key)
}

/// A further involved change makes a complete review a draft again: the review needs the change's answers, and an implementer
/// of the change may not complete the review. A closed incident keeps its review.
fn follow_review(cx: &mut Context<'_, '_>, link: &RecordLink) -> Result<()> {
    let (change, incident) = match (link.kind, link.from_kind, link.to_kind) {
        (RelationKind::Caused, RelationEnd::Change, RelationEnd::Incident) => (&link.from, &link.to),
        (RelationKind::FixedBy, RelationEnd::Incident, RelationEnd::Change) => (&link.to, &link.from),
        _ => return Ok(()),
    };
    let directory = cx.directory()?;
    let mut own = directory.incidents.get(incident);
    // Links of a duplicate count at the incident that remains.
    for _ in 0..MOST {
        let Some(next) = own.and_then(|it| it.course.duplicate_of.as_ref()) else {
            break;
        };
        own = directory.incidents.get(next);
    }
    let Some(own) = own.filter(|it| it.course.closed_at.is_none()) else {
        return Ok(());
    };
    if reopen_review(cx, &own.key)? {
        let text = format!("The review is a draft again: {change} was linked after it was complete.");
        note(cx, own, TimelineKind::Note, &text)?;
    }
    Ok(())
}

/// A merged incident stays merged, and so its link to the other incident stays.
fn check_not_merged(cx: &mut Context<'_, '_>, link: &RecordLink) -> Result<()> {
    if link.kind != RelationKind::DuplicateOf || merged_into(cx, &link.from)?.as_ref() != Some(&link.to) {
        return Ok(());
    }
    let text = format!("{} was merged into {}, which stays.", link.from, link.to);
    let satisfy = "Open a new incident that names this one.";
    Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()).into())
}

/// The incident into which another was merged.
fn merged_into(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<String>> {
    let directory = cx.directory()?;
    let incident = directory.incidents.get(key);
    Ok(incident.and_then(|incident| incident.course.duplicate_of.clone()))
}

/// Links two records as related, for a reason that a person gave elsewhere; nothing where they are linked so already.
///
/// # Errors
/// The store's.
pub(crate) fn relate(cx: &mut Context<'_, '_>, from: End, to: End, reason: Option<String>) -> Result<()> {
    let known = rows_of(cx, &from.key)?;
    let is_there = |link: &RecordLink| link.says_the_same(RelationKind::Related, &from.key, &to.key);
    if known.iter().any(is_there) || known.len() >= MOST {
        return Ok(());
    }
    let link = fresh(cx, RelationKind::Related, (from, to), reason)?;
    add_link(cx, link).map(drop)
}

/// Copies the causes and fixes of a duplicate to the incident that remains, with their origin: the links, and each change that
/// was confirmed as the cause. Closing that incident requires their review.
///
/// # Errors
/// The store's.
pub(crate) fn carry_over(cx: &mut Context<'_, '_>, duplicate: &Incident, into: &Incident) -> Result<()> {
    let own = End {
        kind: RelationEnd::Incident,
        key: into.key.clone(),
    };
    let mut wanted: Vec<(RelationKind, End, End, (RelationOrigin, i64))> = Vec::new();
    for link in rows_of(cx, &duplicate.key)? {
        let is_carried = matches!(link.kind, RelationKind::Caused | RelationKind::FixedBy);
        let said = (link.origin, link.confidence_ppm);
        match link.seen_from(&duplicate.key).filter(|_| is_carried) {
            Some((reads, other)) if reads.leads_away => wanted.push((link.kind, own.clone(), other, said)),
            Some((_, other)) => wanted.push((link.kind, other, own.clone(), said)),
            None => {}
        }
    }
    for key in duplicate.confirmed_causes() {
        let change = End {
            kind: RelationEnd::Change,
            key: key.to_owned(),
        };
        let said = (RelationOrigin::Person, CERTAIN);
        wanted.push((RelationKind::Caused, change, own.clone(), said));
    }
    // Links by people go before a delivery's guess about the same change.
    wanted.sort_by_key(|(.., (origin, _))| *origin == RelationOrigin::Source);
    for (kind, from, to, (origin, confidence_ppm)) in wanted {
        let known = rows_of(cx, &own.key)?;
        let is_said = |link: &RecordLink| link.origin != RelationOrigin::Source || origin == RelationOrigin::Source;
        let mut same = known.iter().filter(|link| link.says_the_same(kind, &from.key, &to.key));
        if same.any(is_said) || from == to {
            continue;
        }
        let reason = Some(format!("merged from {}", duplicate.key));
        let link = RecordLink {
            origin,
            confidence_ppm,
            ..fresh(cx, kind, (from, to), reason)?
        };
        add_link(cx, link)?;
    }
    Ok(())
}

/// Adds a link for a merge, so that both records show it.
///
/// # Errors
/// 409 `duplicate_already` for an incident that is a duplicate already; or the store's.
pub(crate) fn link_merged(cx: &mut Context<'_, '_>, duplicate: &str, into: &str, reason: &str) -> Result<()> {
    let known = rows_of(cx, duplicate)?;
    let is_original = |link: &&RecordLink| link.kind == RelationKind::DuplicateOf && link.from == duplicate;
    match known.iter().find(is_original) {
        Some(link) if link.to == into => return Ok(()),
        Some(link) => return Err(second_original(link).into()),
        None => {}
    }
    let end = |key: &str| End {
        kind: RelationEnd::Incident,
        key: key.to_owned(),
    };
    let ends = (end(duplicate), end(into));
    let link = fresh(cx, RelationKind::DuplicateOf, ends, Some(reason.to_owned()))?;
    add_link(cx, link).map(drop)
}

fn second_original(other: &RecordLink) -> Refusal {
    let text = format!("{} is a duplicate of {} already.", other.from, other.to);
    let satisfy = format!("Remove the link {} first; links cannot be replaced.", other.id);
    Refusal::not_now("duplicate_already", text, satisfy, Vec::new())
}

/// Ends the incident's own links by which a change caused it, such as a cause that came with a merge. The reason is kept on
/// each link before it ends.
///
/// # Errors
/// The store's.
pub(crate) fn end_carried(cx: &mut Context<'_, '_>, change: &str, incident: &str, reason: &str) -> Result<()> {
    let mut known = rows_of(cx, incident)?;
    known.retain(|link| !link.is_of_change && link.says_the_same(RelationKind::Caused, change, incident));
    for link in known {
        let link = described(cx, link, (None, Some(reason.to_owned())))?;
        end_link(cx, link)?;
    }
    Ok(())
}

/// Whether a link marks a change as the fix of an incident, including a link that came with a merge.
///
/// # Errors
/// The store's.
pub(crate) fn has_fix(cx: &mut Context<'_, '_>, incident: &str, change: &str) -> Result<bool> {
    let known = rows_of(cx, incident)?;
    Ok(known
        .iter()
        .any(|link| link.says_the_same(RelationKind::FixedBy, incident, change)))
}

/// An incident and all incidents merged into it, directly or through others: later links of a duplicate count too.
///
/// # Errors
/// The store's.
pub(crate) fn with_duplicates(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Vec<Incident>> {
    let directory = cx.directory()?;
    let mut found = vec![incident.clone()];
    let mut at = 0;
    while let Some(key) = found.get(at).map(|it| it.key.clone()) {
        let merged = directory.incidents.values();
        let merged = merged.filter(|it| it.course.duplicate_of.as_ref() == Some(&key));
        for duplicate in merged {
            if found.iter().all(|known| known.key != duplicate.key) {
                found.push(duplicate.clone());
            }
        }
        at += 1;
    }
    Ok(found)
}

fn loaded(cx: &mut Context<'_, '_>, id: &RecordId) -> Result<RecordLink> {
    let found = record::load::<RecordLink>(cx.tx, id.as_str())?;
    let found = found.ok_or_else(|| Error::Fault(format!("the link {id} of a change has no row of its own")))?;
    Ok(found.record)
}

/// Records on a link why it exists, or why it ends. A link without a row of its own cannot hold a reason.
///
/// # Errors
/// The store's.
pub(crate) fn give_reason(cx: &mut Context<'_, '_>, id: &RecordId, reason: &str) -> Result<()> {
    if let Some(found) = record::load::<RecordLink>(cx.tx, id.as_str())? {
        described(cx, found.record, (None, Some(reason.to_owned())))?;
    }
    Ok(())
}

/// The link with its certainty and reason; an equal link is left unchanged. Values given at creation are no edit of the link.
fn described(
    cx: &mut Context<'_, '_>,
    link: RecordLink,
    (confidence_ppm, reason): (Option<i64>, Option<String>),
) -> Result<RecordLink> {
    let next = RecordLink {
        confidence_ppm: confidence_ppm.unwrap_or(link.confidence_ppm),
        ..link.clone().with_reason(reason)
    };
    if next == link {
        return Ok(link);
    }
    let mut data =
        json!({"from": next.from, "relation": next.kind, "to": next.to, "confidence_ppm": next.confidence_ppm});
    if next.confidence_ppm != link.confidence_ppm {
        data["confidence_ppm_before"] = json!(link.confidence_ppm);
    }
    let is_being_made = link.at == cx.now && link.by == cx.actor.person;
    let next = match is_being_made {
        true => next,
        false => RecordLink {
            edited_by: Some(cx.actor.person.clone()),
            edited_at: Some(cx.now),
            ..next
        },
    };
    keep(cx, "record_link.edited", next, data)
}

/// The change of a deployment, which is the cause or the fix: its outcome and its review follow. A deployment of no change that
/// the acting person sees stays as it is.
fn with_change(cx: &mut Context<'_, '_>, end: Option<End>) -> Result<Option<End>> {
    let deployed = end.as_ref().filter(|it| it.kind == RelationEnd::Deployment);
    let Some(id) = deployed.map(|it| it.key.clone()) else {
        return Ok(end);
    };
    let mut row = record::load::<Deployment>(cx.tx, &id)?;
    // Another connection reported the same deployment first, and the change has that record.
    if let Some(first) = row.as_ref().and_then(|it| it.record.same_as.clone()) {
        row = record::load::<Deployment>(cx.tx, first.as_str())?;
    }
    let change = match row.and_then(|it| it.record.change_key) {
        Some(key) => find_end(cx, &key)?,
        None => None,
    };
    Ok(change.or(end))
}

/// The record that a text names; a text without a record is reported as an error.
fn resolved(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, field: &str, text: &str) -> Result<Option<End>> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = find_end(cx, text)?;
    if found.is_none() {
        let why = format!(
            "There is no record `{text}`. Name a change, an incident or a problem by its key, a deployment or a finding of drift by its \
             id, and a record of another system as `system:key`, such as `jira:OPS-7`."
        );
        reading.wrong(field, "unknown", why);
    }
    Ok(found)
}

/// The record that a text names, in the form of links: a record has one name in any case of the letters.
///
/// # Errors
/// The store's.
pub fn find_end(cx: &mut Context<'_, '_>, text: &str) -> Result<Option<End>> {
    let end = |kind, key: String| Some(End { kind, key });
    let upper = text.to_uppercase();
    match kind_of_key(text) {
        Some(RelationEnd::Change) => {
            let id = changes::id_of_key(cx.tx, &upper)?;
            let is_seen = id.map(|id| cx.sees(&id)).transpose()?.unwrap_or_default();
            return Ok(if is_seen { end(RelationEnd::Change, upper) } else { None });
        }
        Some(RelationEnd::Problem) => {
            let wanted = Filter::new().equals("key", upper.as_str());
            let is_there = record::count::<ProblemRecord>(cx.tx, &wanted)? > 0;
            return Ok(if is_there {
                end(RelationEnd::Problem, upper)
            } else {
                None
            });
        }
        Some(RelationEnd::Incident) => {
            let directory = cx.visible()?;
            let found = directory.incidents.get(&upper);
            return Ok(found.and_then(|incident| end(RelationEnd::Incident, incident.key.clone())));
        }
        _ => {}
    }
    if let Some(found) = record::load::<DriftFinding>(cx.tx, text)? {
        let place = found.record.service;
        let is_seen = match cx.scope()? {
            Some(scope) => !scope.is_bound() && place.is_some_and(|service| scope.has(service.as_str())),
            None => true,
        };
        return Ok(if is_seen {
            end(RelationEnd::Drift, text.to_owned())
        } else {
            None
        });
    }
    if record::load::<Deployment>(cx.tx, text)?.is_some() {
        return Ok(end(RelationEnd::Deployment, text.to_owned()));
    }
    if let Some(found) = record::load::<VendorNotice>(cx.tx, text)? {
        let services = found.record.services;
        let is_seen = match cx.scope()? {
            Some(scope) => !scope.is_bound() && services.iter().any(|service| scope.has(service.as_str())),
            None => true,
        };
        return Ok(if is_seen {
            end(RelationEnd::VendorNotice, text.to_owned())
        } else {
            None
        });
    }
    Ok(match reference::incident(&*cx.visible()?, text) {
        Ok(Reference::Incident(key)) => end(RelationEnd::Incident, key),
        Ok(Reference::Outside(text)) if is_plain_number(&text) => end(RelationEnd::Outside, text),
        Ok(Reference::Outside(_)) | Err(_) => None,
    })
}

/// Whether an outside reference is a system and a number, such as `jira:OPS-7`. The log shows the ends of links in clear, so a
/// reference that could contain a person's text is refused.
pub(crate) fn is_plain_number(text: &str) -> bool {
    let is_number = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    text.split_once(':').is_some_and(|(system, number)| {
        let is_system = system.len() <= 32 && system.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_system && number.len() <= 40 && number.bytes().all(is_number) && number.bytes().any(|it| it.is_ascii_digit())
    })
}

/// Refuses a link that is there, a second original of a duplicate, and a ring.
fn check_new(cx: &mut Context<'_, '_>, kind: RelationKind, from: &End, to: &End) -> Result<()> {
    let known = rows_of(cx, &from.key)?;
    // A person may confirm a link that a delivery supposed.
    let is_there =
        |link: &&RecordLink| link.origin != RelationOrigin::Source && link.says_the_same(kind, &from.key, &to.key);
    if let Some(same) = known.iter().find(is_there) {
        let text = format!("This link already exists: {}.", same.id);
        return Err(Refusal::field("to", "not_unique", text).into());
    }
    if kind == RelationKind::DuplicateOf {
        let is_original = |link: &&RecordLink| link.kind == kind && link.from == from.key;
        if let Some(other) = known.iter().find(is_original) {
            return Err(second_original(other).into());
        }
        if let Some(other) = merged_into(cx, &from.key)?.filter(|other| *other != to.key) {
            let text = format!("{} was merged into {other} already.", from.key);
            let satisfy = format!("Link {other} instead, which is the open one.");
            return Err(Refusal::not_now("duplicate_already", text, satisfy, Vec::new()).into());
        }
    }
    if known.len() >= MOST {
        let text = format!("{} has {MOST} links, which is the limit.", from.key);
        return Err(Refusal::not_now("too_many", text, "Remove one first.", Vec::new()).into());
    }
    if !has_no_rings(kind) {
        return Ok(());
    }
    let ring = way_over(cx, kind, (&to.key, &from.key))?;
    if ring.is_empty() {
        return Ok(());
    }
    let text = format!("The links would form a cycle: {} → {}.", from.key, ring.join(" → "));
    Err(Refusal::field("to", "circular", text).into())
}

/// The path from one record to another over links of a kind. For duplicates, a merged incident leads on to the incident into
/// which it was merged.
///
/// # Errors
/// The store's.
pub(crate) fn way_over(cx: &mut Context<'_, '_>, kind: RelationKind, (from, to): (&str, &str)) -> Result<Vec<String>> {
    let directory = cx.directory()?;
    let merged = |at: &str| {
        let incident = directory.incidents.get(at);
        incident.and_then(|incident| incident.course.duplicate_of.clone())
    };
    let next = |at: &str| -> Result<Vec<String>> {
        let filter = Filter::new()
            .equals("from_key", at)
            .equals("kind", kind.as_str())
            .equals("active", true);
        let found = record::bodies::<RecordLink>(cx.tx, &filter.order_by("id"))?;
        let mut keys: Vec<String> = found.into_iter().map(|link| link.to).collect();
        keys.extend(merged(at).filter(|_| kind == RelationKind::DuplicateOf));
        Ok(keys)
    };
    way(from, to, next)
}

fn rows_of(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<RecordLink>> {
    let mut found = Vec::new();
    for column in ["from_key", "to_key"] {
        let filter = Filter::new().equals(column, key).equals("active", true);
        found.extend(record::bodies::<RecordLink>(cx.tx, &filter.order_by("id"))?);
    }
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

/// The active links of a record, as seen from that record. Records that the reader may not see are left out.
///
/// # Errors
/// The store's.
pub fn find_links(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<Seen>> {
    let mut found = Vec::new();
    for link in rows_of(cx, key)? {
        let Some((reads, other)) = link.seen_from(key) else {
            continue;
        };
        if cx.scope()?.is_none() || find_end(cx, &other.key)?.is_some() {
            found.push(Seen { link, reads, other });
        }
    }
    Ok(found)
}

/// The links of the record that a text names.
///
/// # Errors
/// 403, 404, or the store's.
pub fn show_links(cx: &mut Context<'_, '_>, text: &str) -> Result<(End, Vec<Seen>)> {
    cx.allow(model::core::act::actions::READ)?;
    let end = find_end(cx, text)?.ok_or_else(|| Refusal::not_found(format!("record {text}")))?;
    let links = find_links(cx, &end.key)?;
    Ok((end, links))
}

/// An edit of a link: its time, its kind, its author, and how sure the link was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The event's id.
    pub event: String,
    /// The event's index in the log, once it has a place.
    pub index: Option<i64>,
    /// `record_link.added`, `record_link.edited` or `record_link.ended`.
    pub kind: String,
    /// The author: a person's id; `system` for deliveries.
    pub by: PersonId,
    /// When.
    pub at: jiff::Timestamp,
    /// How sure the link was before, in parts per million, where the edit moved it.
    pub confidence_ppm_before: Option<i64>,
}

/// The history of a link, the oldest first.
///
/// # Errors
/// 403, 404, or the store's.
pub fn show_history(cx: &mut Context<'_, '_>, id: &str) -> Result<Vec<Edited>> {
    let link = crate::core::noun::show::<RecordLink>(cx, id)?;
    let events = store::audit::event::of_subject(cx.tx, "record_link", link.id.as_str())?;
    let edited = events.into_iter().map(|event| {
        let leaf: Value = serde_json::from_slice(&event.bytes).unwrap_or_default();
        Edited {
            event: event.id,
            index: event.seq,
            kind: event.kind,
            by: PersonId::from(leaf["actor"].as_str().unwrap_or_default()),
            at: event.occurred_at,
            confidence_ppm_before: leaf["data"]["confidence_ppm_before"].as_i64(),
        }
    });
    Ok(edited.collect())
}
