//! Events of a vendor's calendar are notices of its maintenance: a new event is announced, a removed one is cancelled.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::core::enums::{NoticeImpact, NoticeState};
use model::directory::vendor::Vendor;
use model::integration::signal::Notice;
use model::schedule::outside_calendar::OutsideCalendar;
use model::schedule::vendor_notice::{VendorNotice, natural_key};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::take_notice::record_mailed;

/// The most events of one import that become notices; the others stay maintenance by the calendar alone.
const MOST: usize = 200;

/// Brings the notices of a vendor in line with its calendar, as it was and as it is. An event that cannot be a notice, because
/// it is too long or too many lie ahead, stays an event of the calendar.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, before: &OutsideCalendar, after: &OutsideCalendar) -> Result<()> {
    let directory = cx.directory()?;
    let Some(vendor) = after.vendor.as_deref().and_then(|key| directory.vendor(key)) else {
        return Ok(());
    };
    let services = match after.services.is_empty() {
        true => vendor.services.clone(),
        false => after.services.clone(),
    };
    if services.is_empty() {
        return Ok(());
    }
    let was = match before.vendor == after.vendor && before.services == after.services {
        true => events(before),
        false => BTreeMap::new(),
    };
    let is = events(after);
    let fresh = is
        .iter()
        .filter(|(span, title)| was.get(*span) != Some(*title) && span.1 > cx.now);
    let fresh: Vec<Notice> = fresh
        .take(MOST)
        .map(|(span, title)| notice(after, (*span, title.as_str()), NoticeState::Announced, cx.now))
        .collect();
    let gone = was
        .iter()
        .filter(|(span, _)| !is.contains_key(*span) && span.0 > cx.now);
    let gone: Vec<Notice> = gone
        .map(|(span, title)| notice(after, (*span, title.as_str()), NoticeState::Cancelled, cx.now))
        .collect();
    for it in gone {
        let known = known(cx, vendor, &it.reference)?;
        if let Some(known) = known.filter(|known| known.state == NoticeState::Announced) {
            // A refused notice stays an event, so its reason is reported to nobody.
            record_mailed(cx, vendor, services.clone(), &kept(it, known)).map(drop)?;
        }
    }
    let earlier = events(before);
    for it in fresh {
        let is_new = !earlier.contains_key(&(it.starts_at, it.ends_at));
        let is_open = |state: NoticeState| match state {
            NoticeState::Announced => true,
            NoticeState::Cancelled => is_new,
            NoticeState::UnderWay | NoticeState::Completed => false,
        };
        let it = match known(cx, vendor, &it.reference)? {
            Some(known) if is_open(known.state) => kept(it, known),
            // The states “under way”, “over” and “cancelled” come from a source that knows more than the calendar.
            Some(_) => continue,
            None => it,
        };
        record_mailed(cx, vendor, services.clone(), &it).map(drop)?;
    }
    Ok(())
}

/// A notice by the calendar with the fields that only people or the vendor set.
fn kept(it: Notice, known: VendorNotice) -> Notice {
    Notice {
        text: known.text,
        impact: known.impact,
        ..it
    }
}

fn known(cx: &mut Context<'_, '_>, vendor: &Vendor, reference: &str) -> Result<Option<VendorNotice>> {
    let filter = Filter::new().equals("natural_key", natural_key(&vendor.key, reference).as_str());
    Ok(record::find_one::<VendorNotice>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// The events of a calendar by their times, with their titles.
fn events(calendar: &OutsideCalendar) -> BTreeMap<(Timestamp, Timestamp), String> {
    calendar
        .events()
        .map(|it| ((it.starts_at, it.ends_at), it.title))
        .collect()
}

fn notice(
    calendar: &OutsideCalendar,
    ((starts_at, ends_at), title): ((Timestamp, Timestamp), &str),
    state: NoticeState,
    now: Timestamp,
) -> Notice {
    let title = match title.trim() {
        "" => "Maintenance",
        title => title,
    };
    Notice {
        reference: format!(
            "calendar/{}/{}-{}",
            calendar.id,
            starts_at.as_second(),
            ends_at.as_second()
        ),
        title: title.to_owned(),
        text: None,
        components: Vec::new(),
        starts_at,
        ends_at,
        // A calendar has no impact, and maintenance without any impact needs no notice.
        impact: NoticeImpact::Degraded,
        state,
        actual_start: None,
        actual_end: None,
        told_at: now,
    }
}
