//! Vendors' notices of their own maintenance, by people and by deliveries. The owners of the services acknowledge each; nobody
//! approves it, for the vendor decides. Once it is over, the announced course is compared with the actual one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::enums::{AboutKind, ActionKind, Closing, NoticeState};
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Mapping;
use model::directory::vendor::Vendor;
use model::integration::signal::{self, Notice};
use model::notify::action_item::{About, Due, NewItem, Owner, natural_key as item_key};
use model::schedule::calendar::Span;
use model::schedule::vendor_notice::{LONGEST, MOST, TEXT, VendorNotice, VendorNoticeInput, check, natural_key};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::notify::action_items;
use crate::schedule::notice_course::{past_end, take_up};
use crate::schedule::tell_notice;

/// The most notices of a list, the newest first.
const LISTED: i64 = 500;

impl PlainNoun for VendorNotice {
    type Input = VendorNoticeInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().descending_by("id").limit(LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: VendorNoticeInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input, cx.now);
        let directory = cx.directory()?;
        if !input.vendor.is_empty() && directory.vendor(&input.vendor).is_none() {
            let text = format!(
                "There is no vendor `{}`. `assent vendor list` names them.",
                input.vendor
            );
            reading.wrong("vendor", "unknown", text);
        }
        reading.finish()?;
        let known = known(cx, &input.vendor, &input.reference)?;
        if known.is_none() && is_full(cx)? {
            let text = format!("{MOST} notices of vendors are current or upcoming.");
            return Err(Refusal::not_now("too_many", text, "Cancel those that no longer apply.", Vec::new()).into());
        }
        let natural_key = natural_key(&input.vendor, &input.reference);
        let base = of_input(input, known.as_ref());
        let notice = Self {
            id: match &known {
                Some(known) => known.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: known.as_ref().map_or(0, |it| it.version),
            natural_key,
            told_at: cx.now,
            // A repeated notice without these fields keeps them.
            actual_start: base.actual_start.or(known.as_ref().and_then(|it| it.actual_start)),
            actual_end: base.actual_end.or(known.as_ref().and_then(|it| it.actual_end)),
            ..base
        };
        keep(cx, known, notice)
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: VendorNoticeInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input, cx.now);
        if (&input.vendor, &input.reference) != (&self.vendor, &self.reference) {
            let text = "Vendor and reference identify a notice and cannot change. Cancel this one and record another.";
            reading.wrong("reference", "not_allowed", text);
        }
        reading.finish()?;
        let edited = Self {
            told_at: cx.now,
            ..of_input(input, Some(&self))
        };
        keep(cx, Some(self), edited)
    }

    fn page(&self) -> Option<String> {
        Some(format!("/vendor-notices/{}/change", self.id))
    }

    fn further(&self, cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, Vec<String>)>> {
        let past_end = self.is_past_end(cx.now).then(|| self.ends_at.to_string());
        Ok(vec![
            ("Change", self.change.iter().cloned().collect()),
            ("Past its end since", past_end.into_iter().collect()),
        ])
    }

    /// Adds the services whose owners have not acknowledged a notice, the review of one that is over, and the mark of one that
    /// is past its end.
    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let directory = cx.directory()?;
        let vendors: BTreeSet<&str> = records.iter().map(|it| it.vendor.as_str()).collect();
        let mut open: BTreeSet<String> = BTreeSet::new();
        for vendor in vendors {
            let items = action_items::open_about(cx, &About::new(AboutKind::Vendor, vendor))?;
            let waiting = items.into_iter().filter(|it| it.acknowledged_at.is_none());
            open.extend(waiting.map(|it| it.natural_key));
        }
        for (record, value) in records.iter().zip(values) {
            let waits = |service: &&ServiceKey| {
                let about = About::new(AboutKind::Vendor, record.vendor.as_str());
                open.contains(&item_key(ActionKind::Acknowledge, &about, &part(record, service)))
            };
            let waiting: Vec<&ServiceKey> = record.services.iter().filter(waits).collect();
            value["unacknowledged"] = json!(waiting);
            value["is_past_end"] = json!(record.is_past_end(cx.now));
            if let Some(review) = record.review(directory.incidents.values()) {
                value["review"] = json!(review);
            }
        }
        Ok(())
    }
}

/// The notice that an input makes, with the id, version and natural key of the one before.
fn of_input(input: VendorNoticeInput, known: Option<&VendorNotice>) -> VendorNotice {
    VendorNotice {
        id: known.map_or_else(|| RecordId(String::new()), |it| it.id.clone()),
        version: known.map_or(0, |it| it.version),
        natural_key: known.map_or_else(String::new, |it| it.natural_key.clone()),
        change: known.and_then(|it| it.change.clone()),
        told_at: input.starts_at,
        vendor: input.vendor,
        reference: input.reference,
        title: input.title,
        text: input.text,
        services: input.services,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        impact: input.impact,
        state: input.state,
        actual_start: input.actual_start,
        actual_end: input.actual_end,
    }
}

fn known(cx: &mut Context<'_, '_>, vendor: &str, reference: &str) -> Result<Option<VendorNotice>> {
    let filter = Filter::new().equals("natural_key", natural_key(vendor, reference).as_str());
    Ok(record::find_one::<VendorNotice>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// Whether as many notices lie ahead as readers can bear.
fn is_full(cx: &mut Context<'_, '_>) -> Result<bool> {
    let live = [NoticeState::Announced, NoticeState::UnderWay].map(NoticeState::as_str);
    let filter = Filter::new().one_of("state", live).more("ends_at", cx.now);
    Ok(record::count::<VendorNotice>(cx.tx, &filter)? >= MOST)
}

/// Distinguishes the item of a service from those of others.
fn part(notice: &VendorNotice, service: &ServiceKey) -> String {
    format!("{}/{service}", notice.id)
}

/// Saves a notice with its event and its action items. A notice that differs only in its report time writes nothing.
fn keep(cx: &mut Context<'_, '_>, known: Option<VendorNotice>, mut notice: VendorNotice) -> Result<VendorNotice> {
    match notice.state {
        NoticeState::UnderWay => notice.actual_start = notice.actual_start.or(Some(cx.now)),
        NoticeState::Completed => notice.actual_end = notice.actual_end.or(Some(cx.now)),
        NoticeState::Announced | NoticeState::Cancelled => {}
    }
    if let Some(known) = &known
        && *known
            == (VendorNotice {
                told_at: known.told_at,
                ..notice.clone()
            })
    {
        return Ok(known.clone());
    }
    let directory = cx.directory()?;
    let review = notice.review(directory.incidents.values());
    let data = json!({
        "vendor": notice.vendor, "reference": notice.reference, "services": notice.services,
        "starts_at": notice.starts_at.to_string(), "ends_at": notice.ends_at.to_string(), "impact": notice.impact,
        "state": notice.state, "review": review,
    });
    let saved = cx.put_estate(kind(known.as_ref(), notice.state), notice, data)?;
    follow(cx, known.as_ref(), &saved)?;
    past_end::follow(cx, &saved)?;
    take_up::open_owner_item(cx, known.as_ref(), &saved)?;
    if review.is_some_and(|it| !it.is_as_announced) {
        open_review(cx, &saved)?;
    }
    tell_notice::notify_course(cx, known.as_ref(), &saved)?;
    Ok(saved)
}

fn kind(known: Option<&VendorNotice>, state: NoticeState) -> &'static str {
    if known.is_some_and(|it| it.state == state) {
        return "vendor_notice.edited";
    }
    match state {
        NoticeState::Announced => "vendor_notice.announced",
        NoticeState::UnderWay => "vendor_notice.started",
        NoticeState::Completed => "vendor_notice.completed",
        NoticeState::Cancelled => "vendor_notice.cancelled",
    }
}

/// Keeps the acknowledgements: one for each service while the maintenance is not over, and new ones for another plan.
fn follow(cx: &mut Context<'_, '_>, known: Option<&VendorNotice>, notice: &VendorNotice) -> Result<()> {
    let about = About::new(AboutKind::Vendor, notice.vendor.as_str());
    let is_live = notice.state.is_live();
    let before = known.map(|it| it.services.clone()).unwrap_or_default();
    let gone = before.iter().filter(|it| !is_live || !notice.services.contains(*it));
    for service in gone {
        let reason = match notice.state {
            NoticeState::Cancelled => "The vendor cancelled it.",
            NoticeState::Completed => "The maintenance is over.",
            _ => "It no longer concerns the service.",
        };
        action_items::settle_by_rule(cx, ActionKind::Acknowledge, &about, &part(notice, service), reason)?;
    }
    if !is_live {
        return Ok(());
    }
    let has_other_plan = known.is_some_and(|it| it.has_other_plan(notice) || !it.state.is_live());
    for service in &notice.services {
        let part = part(notice, service);
        let is_new = !before.contains(service);
        if has_other_plan {
            let reason = "The vendor changed the plan; the new one must be acknowledged again.";
            action_items::settle_by_rule(cx, ActionKind::Acknowledge, &about, &part, reason)?;
        }
        if is_new || has_other_plan {
            let item = acknowledgement(cx, notice, service, (&about, part))?;
            action_items::open(cx, item)?;
        }
    }
    Ok(())
}

fn acknowledgement(
    cx: &mut Context<'_, '_>,
    notice: &VendorNotice,
    service: &ServiceKey,
    (about, part): (&About, String),
) -> Result<NewItem> {
    let name = vendor_name(cx, &notice.vendor)?;
    Ok(NewItem {
        part,
        text: Some(format!(
            "{name} announces {} ({}) from {} to {}; impact: {}. The vendor decides on it, so no approval is needed.",
            notice.title, notice.reference, notice.starts_at, notice.ends_at, notice.impact
        )),
        services: [service.clone()].into(),
        owner: Owner::ServiceOwner,
        // At the latest when it begins, and at once where that is over.
        due: match notice.starts_at > cx.now {
            true => Due::At(notice.starts_at),
            false => Due::Within(Span::Minutes(60)),
        },
        closing: Closing::Person,
        ..NewItem::new(
            ActionKind::Acknowledge,
            about.clone(),
            format!("Acknowledge maintenance of {service} by {name}"),
        )
    })
}

/// Opens an item for the owners to review maintenance that went otherwise than announced.
fn open_review(cx: &mut Context<'_, '_>, notice: &VendorNotice) -> Result<()> {
    let name = vendor_name(cx, &notice.vendor)?;
    let about = About::new(AboutKind::Vendor, notice.vendor.as_str());
    let item = NewItem {
        part: format!("review/{}", notice.id),
        text: Some(format!(
            "{} ({}) did not go as announced. The notice shows the times and the incidents.",
            notice.title, notice.reference
        )),
        services: notice.services.clone(),
        owner: Owner::ServiceOwner,
        closing: Closing::Person,
        ..NewItem::new(ActionKind::Other, about, format!("Review maintenance by {name}"))
    };
    action_items::open(cx, item).map(drop)
}

fn vendor_name(cx: &mut Context<'_, '_>, key: &str) -> Result<String> {
    Ok(cx
        .directory()?
        .vendor(key)
        .map_or_else(|| key.to_owned(), Vendor::called))
}

/// Applies a delivered notice; returns the result as text. A delivery that no vendor or no service is known for is a complaint,
/// which stays with the delivery.
///
/// # Errors
/// The store's.
pub fn take_notice(cx: &mut Context<'_, '_>, connection: &str, it: &Notice) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let directory = cx.directory()?;
    let Some(vendor) = directory
        .vendors
        .iter()
        .find(|it| it.connection.as_ref() == Some(&connection.id))
    else {
        return Ok(format!(
            "complaint: no vendor names the connection {}; set `connection` of the vendor",
            connection.id
        ));
    };
    let is_named = |row: &&Mapping| it.components.iter().any(|name| row.is_of(name));
    let mapped: BTreeSet<ServiceKey> = connection
        .map
        .iter()
        .filter(is_named)
        .map(|row| row.service.clone())
        .collect();
    if mapped.is_empty() {
        return Ok(format!(
            "complaint: {} of {} is about {}, which the connection’s map names as no service; map them, and take the delivery again",
            it.title,
            vendor.called(),
            it.components.join(", ")
        ));
    }
    if it.ends_at.duration_since(it.starts_at) > LONGEST {
        return Ok(format!("complaint: {} lasts longer than 31 days", it.title));
    }
    let known = known(cx, &vendor.key, &it.reference)?;
    // A sender whose clock is ahead does not keep later notices out.
    let told_at = it.told_at.min(cx.now);
    if known.as_ref().is_some_and(|known| known.told_at > told_at) {
        return Ok(format!("noted: a newer notice of {} is known", it.reference));
    }
    if known.is_none() && is_full(cx)? {
        return Ok(format!(
            "complaint: {MOST} notices of vendors are under way or lie ahead already"
        ));
    }
    let is_new = known.is_none();
    let saved = write_down(cx, known, (vendor, mapped), it)?;
    let word = if is_new { "recorded" } else { "renewed" };
    Ok(format!("{word} the notice {}: {}", saved.reference, saved.state))
}

/// Records a notice that came by mail; the inner error is why it is not taken.
///
/// # Errors
/// The store's.
pub(crate) fn record_mailed(
    cx: &mut Context<'_, '_>,
    vendor: &Vendor,
    services: BTreeSet<ServiceKey>,
    it: &Notice,
) -> Result<std::result::Result<VendorNotice, String>> {
    if it.ends_at.duration_since(it.starts_at) > LONGEST {
        return Ok(Err("the maintenance lasts longer than 31 days".to_owned()));
    }
    let known = known(cx, &vendor.key, &it.reference)?;
    if known.is_none() && is_full(cx)? {
        return Ok(Err(format!("{MOST} notices are under way or lie ahead already")));
    }
    Ok(Ok(write_down(cx, known, (vendor, services), it)?))
}

fn write_down(
    cx: &mut Context<'_, '_>,
    known: Option<VendorNotice>,
    (vendor, services): (&Vendor, BTreeSet<ServiceKey>),
    it: &Notice,
) -> Result<VendorNotice> {
    let id = match &known {
        Some(known) => known.id.clone(),
        None => RecordId(cx.new_id()?),
    };
    let notice = VendorNotice {
        id,
        told_at: it.told_at.min(cx.now),
        services,
        ..of_delivery(it, &vendor.key, known.as_ref(), cx.now)
    };
    keep(cx, known, notice)
}

/// A delivered notice in its stored form. A time is the vendor's, else the known one, else the report time; a past event never
/// lies in the future.
fn of_delivery(it: &Notice, vendor: &str, known: Option<&VendorNotice>, now: Timestamp) -> VendorNotice {
    let said = |state: NoticeState| (it.state == state).then_some(it.told_at.min(now));
    let is_past = |at: &Timestamp| *at <= now;
    let begun = it.actual_start.filter(is_past).or(known.and_then(|it| it.actual_start));
    let ended = it.actual_end.filter(is_past).or(known.and_then(|it| it.actual_end));
    VendorNotice {
        id: RecordId(String::new()),
        version: known.map_or(0, |it| it.version),
        natural_key: natural_key(vendor, &it.reference),
        vendor: vendor.to_owned(),
        reference: it.reference.clone(),
        title: signal::shortened(&it.title.replace(['\n', '\t'], " "), LINE),
        text: it.text.as_deref().map(|text| signal::shortened(text, TEXT)),
        services: BTreeSet::new(),
        starts_at: it.starts_at,
        ends_at: it.ends_at,
        impact: it.impact,
        state: it.state,
        actual_start: begun.or(said(NoticeState::UnderWay)),
        actual_end: ended.or(said(NoticeState::Completed)),
        told_at: it.told_at,
        change: known.and_then(|it| it.change.clone()),
    }
}
