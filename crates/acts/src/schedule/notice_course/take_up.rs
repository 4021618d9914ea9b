//! Takes a vendor's notice up as a change here: with an owner, the announced window and the approvals of any other change. The
//! vendor's work stays the vendor's decision; the change only decides on the work here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::read_content::new_change::NewChange;
use model::change::record::Change;
use model::core::act::Act;
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind, Closing, NoticeImpact, RelationEnd, State};
use model::core::parse::{LINE, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::vendor::Vendor;
use model::incident::record_link::End;
use model::integration::signal;
use model::notify::action_item::{About, NewItem, Owner};
use model::notify::item_clock;
use model::schedule::vendor_notice::{IN_LINE, VendorNotice};
use serde_json::{Value, json};

use crate::change::create_change::create_change;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun;
use crate::incident::link_records::relate;
use crate::notify::action_items;

/// A notice for its page and its change; a scoped person sees those that concern no other service.
///
/// # Errors
/// 403, 404, or the store's.
pub fn show_notice(cx: &mut Context<'_, '_>, id: &str) -> Result<VendorNotice> {
    let notice = noun::show::<VendorNotice>(cx, id)?;
    if let Some(scope) = cx.scope()?
        && !notice.services.iter().all(|service| scope.has(service.as_str()))
    {
        return Err(Refusal::not_found(format!("vendor-notice {id}")).into());
    }
    Ok(notice)
}

/// Drafts the change that takes up a notice (`POST /vendor-notices/{id}/changes`) and links the two.
///
/// # Errors
/// 403, 404; 409 `not_in_state` for a notice that is over or cancelled, `taken_up` while another change takes it up; the
/// store's.
pub fn take_up_notice(cx: &mut Context<'_, '_>, id: &str) -> Result<VendorNotice> {
    cx.allow(Act::Create.as_str())?;
    let notice = show_notice(cx, id)?;
    check_open(cx, &notice)?;
    let directory = cx.directory()?;
    let body = draft_of(&notice, &directory, cx.now);
    let key = create_change(cx, &body, &[])?;
    let data = json!({"vendor": notice.vendor, "reference": notice.reference, "change": key});
    let taken_up = VendorNotice {
        change: Some(key.clone()),
        ..notice
    };
    let saved = cx.put_estate("vendor_notice.taken_up", taken_up, data)?;
    let from = End {
        kind: RelationEnd::VendorNotice,
        key: saved.id.0.clone(),
    };
    let to = End {
        kind: RelationEnd::Change,
        key,
    };
    relate(cx, from, to, None)?;
    Ok(saved)
}

/// Refuses a notice without remaining time, and a second change while the first one goes on.
fn check_open(cx: &mut Context<'_, '_>, notice: &VendorNotice) -> Result<()> {
    if !notice.state.is_live() || notice.is_past_end(cx.now) {
        let text = "This maintenance has ended or was cancelled.";
        let satisfy = "Set another end on the notice if the vendor continues.";
        return Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()).into());
    }
    let Some(key) = &notice.change else {
        return Ok(());
    };
    let is_off = |change: &Change| matches!(change.state, State::Cancelled | State::Rejected);
    if change_of(cx, key)?.as_ref().is_some_and(is_off) {
        return Ok(());
    }
    let text = format!("{key} already covers this maintenance.");
    let satisfy = "Work on that change, or cancel it first.";
    Err(Refusal::not_now("taken_up", text, satisfy, Vec::new()).into())
}

/// The change with this key, where the acting person sees it.
fn change_of(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Change>> {
    match cx.change(key) {
        Ok(change) => Ok(Some(change)),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The draft: the vendor's announcement, the announced window, the owner of the first service that has one, and the vendor's
/// people as implementers.
fn draft_of(notice: &VendorNotice, directory: &Directory, now: Timestamp) -> Body {
    let vendor = directory.vendor(&notice.vendor);
    let name = vendor.map_or_else(|| notice.vendor.clone(), Vendor::called);
    let said = notice.text.as_deref().unwrap_or(&notice.title);
    let description = format!("{name} announces maintenance as {}: {said}", notice.reference);
    let production = directory.environments.values().filter(|it| it.is_production);
    let production = production.min_by_key(|it| it.key.clone());
    let targets: Vec<Value> = notice
        .services
        .iter()
        .filter(|key| directory.services.contains_key(*key))
        .filter_map(|key| Some(json!({"service": key, "environment": production?.key})))
        .collect();
    let members = vendor.into_iter().flat_map(|it| &it.members);
    let implementers: Vec<String> = members
        .filter(|person| directory.is_active(person))
        .map(|person| directory.login(person))
        .collect();
    let why = "The vendor decides on the maintenance. This change prepares for it, watches it and reviews it.";
    let nobody = BTreeSet::new();
    let (owner, _) = item_clock::resolve(directory, &Owner::ServiceOwner, (&notice.services, &nobody), now);
    let draft = NewChange {
        title: signal::shortened(&format!("{name}: {}", notice.title), LINE),
        description: Some(signal::shortened(&description, TEXT)),
        justification: Some(why.to_owned()),
        targets,
        implementers,
        planned_start: Some(notice.starts_at),
        planned_end: Some(notice.ends_at),
        disruption: Some(disruption(notice)),
        owner: owner.map(|owner| directory.login(&owner)),
        ..NewChange::default()
    };
    draft.into_body()
}

fn disruption(notice: &VendorNotice) -> Value {
    let minutes = notice.ends_at.duration_since(notice.starts_at).as_mins();
    match notice.impact {
        NoticeImpact::None => json!({"kind": "none"}),
        NoticeImpact::Degraded => json!({"kind": "degraded", "minutes": minutes}),
        NoticeImpact::Outage => json!({"kind": "outage", "minutes": minutes}),
    }
}

/// Opens an item for the change's owner to update the change to the vendor's present plan.
///
/// # Errors
/// The store's.
pub(crate) fn open_owner_item(
    cx: &mut Context<'_, '_>,
    known: Option<&VendorNotice>,
    notice: &VendorNotice,
) -> Result<()> {
    let (Some(known), Some(key)) = (known, &notice.change) else {
        return Ok(());
    };
    let is_off = !notice.state.is_live() && known.state != notice.state;
    if !is_off && !known.has_other_plan(notice) && known.services == notice.services {
        return Ok(());
    }
    let change = change_of(cx, key)?.filter(|change| change.state.is_before_start());
    let Some(change) = change else {
        return Ok(());
    };
    let item = NewItem {
        part: format!("{IN_LINE}{}", notice.id),
        text: Some(format!(
            "The vendor changed the plan of {} ({}), cancelled it or completed it. Compare the times and services of the \
             change with the notice, or cancel the change.",
            notice.title, notice.reference
        )),
        services: notice.services.clone(),
        owner: Owner::Person(change.content.owner.clone()),
        closing: Closing::Person,
        ..NewItem::new(
            ActionKind::Other,
            About::new(AboutKind::Change, change.key.as_str()),
            format!("Bring {} in line with the vendor’s notice", change.key),
        )
    };
    action_items::open(cx, item).map(drop)
}
