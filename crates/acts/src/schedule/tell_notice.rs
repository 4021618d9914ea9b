//! Notifies the watchers of the services and the contacts of the business units of a vendor's maintenance: when it is
//! announced, rescheduled, begun, ended or cancelled. A person who must acknowledge the notice gets no second letter.

use std::collections::BTreeSet;

use model::core::enums::{AboutKind, NoticeState};
use model::core::ids::PersonId;
use model::directory::vendor::Vendor;
use model::notify::action_item::About;
use model::notify::business_unit::BusinessUnit;
use model::notify::communication::watchers;
use model::schedule::vendor_notice::VendorNotice;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::noun::PlainNoun;
use crate::core::write::{Written, draft};
use crate::notify::action_items;

/// The topic of the letters.
pub const TOPIC: &str = "vendor_notice";
/// The most people who are notified.
const MOST_TOLD: usize = 500;

/// Notifies people of a notice's course; an update without a new plan or state is no news.
///
/// # Errors
/// The store's.
pub(crate) fn notify_course(
    cx: &mut Context<'_, '_>,
    known: Option<&VendorNotice>,
    notice: &VendorNotice,
) -> Result<()> {
    let directory = cx.directory()?;
    let name = directory
        .vendor(&notice.vendor)
        .map_or_else(|| notice.vendor.clone(), Vendor::called);
    let Some(subject) = subject(&name, known, notice) else {
        return Ok(());
    };
    let people = people(cx, notice)?;
    if people.is_empty() {
        return Ok(());
    }
    let url = format!("{}/t/{}/vendor-notices", cx.services.tools().public_url, cx.tenant());
    let text = format!(
        "{} ({}) from {} to {}; impact: {}. The vendor decides on it.\nYou receive this because you watch one of its services, \
         or are a contact of a business unit that uses one.\n{url}\n",
        notice.title, notice.reference, notice.starts_at, notice.ends_at, notice.impact
    );
    let mut written = Written::default();
    for person in &people {
        let dedup = format!("vendor_notice/{}/{}/{person}", notice.id, notice.version);
        save_message(cx, &mut written, person, None, (TOPIC, &subject, &text, &dedup))?;
    }
    let data = json!({
        "vendor": notice.vendor, "reference": notice.reference, "state": notice.state, "people": people.len(),
    });
    let event = draft(
        "vendor_notice.told",
        ("vendor_notice", notice.id.0.clone()),
        cx.now,
        data,
    );
    cx.emit(vec![event], written)
}

/// The subject of a letter; `None` where there is no news.
fn subject(name: &str, known: Option<&VendorNotice>, notice: &VendorNotice) -> Option<String> {
    let title = &notice.title;
    if known.is_none_or(|it| it.state != notice.state) {
        return Some(match notice.state {
            NoticeState::Announced => format!("{name} announces maintenance: {title}"),
            NoticeState::UnderWay => format!("{name} began its maintenance: {title}"),
            NoticeState::Completed => format!("{name} ended its maintenance: {title}"),
            NoticeState::Cancelled => format!("{name} cancelled its maintenance: {title}"),
        });
    }
    let is_other = known.is_some_and(|it| it.has_other_plan(notice) || it.services != notice.services);
    (notice.state.is_live() && is_other).then(|| format!("{name} changed the plan of its maintenance: {title}"))
}

/// The people to notify.
fn people(cx: &mut Context<'_, '_>, notice: &VendorNotice) -> Result<BTreeSet<PersonId>> {
    let directory = cx.directory()?;
    let mut found = watchers(&directory, &notice.services);
    for unit in BusinessUnit::listed(cx)? {
        if !unit.services.is_disjoint(&notice.services) {
            found.extend(unit.contacts);
        }
    }
    let about = About::new(AboutKind::Vendor, notice.vendor.as_str());
    let items = action_items::open_about(cx, &about)?.into_iter();
    let items = items.filter(|item| item.acknowledged_at.is_none() && item.natural_key.contains(notice.id.as_str()));
    let asked: BTreeSet<PersonId> = items.filter_map(|item| item.owner).collect();
    found.retain(|person| {
        directory.is_active(person) && !asked.contains(person) && directory.sees_services(person, &notice.services)
    });
    Ok(found.into_iter().take(MOST_TOLD).collect())
}
