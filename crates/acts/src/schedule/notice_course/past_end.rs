//! Asks the owners how a vendor's maintenance ended when its announced end is past. Such a notice is no maintenance any more,
//! and without an answer it would never be reviewed. The answer closes the question: the notice is completed, cancelled, or has
//! another end.

use model::core::enums::{AboutKind, ActionKind};
use model::core::parse::later;
use model::directory::vendor::Vendor;
use model::notify::action_item::{About, NewItem, Owner};
use model::schedule::vendor_notice::{GRACE, VendorNotice};
use store::queue::timer::{self, NewTimer};
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items;

/// The table of the records that the timers are about.
pub(crate) const TABLE: &str = "vendor_notice";
const KIND: &str = "past_end";

/// Keeps the timer and the question in line with a notice that was written.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, notice: &VendorNotice) -> Result<()> {
    let is_live = notice.state.is_live();
    if is_live {
        set_timer(cx, notice)?;
    } else {
        timer::cancel(cx.tx, TABLE, notice.id.as_str(), KIND)?;
    }
    if notice.is_past_end(cx.now) {
        return Ok(());
    }
    let reason = match is_live {
        true => "The vendor named another end.",
        false => "The notice has its end.",
    };
    let about = About::new(AboutKind::Vendor, notice.vendor.as_str());
    action_items::settle_by_rule(cx, ActionKind::Other, &about, &part(notice), reason).map(drop)
}

/// Opens the question for the owners of the services, if it is still open.
///
/// # Errors
/// The store's. A notice that is gone is no error.
pub(crate) fn open_end_question(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(notice) = record::load::<VendorNotice>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if !notice.state.is_live() {
        return Ok(());
    }
    if cx.now < later(notice.ends_at, GRACE) {
        return set_timer(cx, &notice);
    }
    let directory = cx.directory()?;
    let vendor = directory.vendor(&notice.vendor);
    let name = vendor.map_or_else(|| notice.vendor.clone(), Vendor::called);
    let item = NewItem {
        part: part(&notice),
        text: Some(format!(
            "{} ({}) was to end at {}, and the vendor has not recorded how it ended. Ask the vendor, and set the notice to completed or \
             cancelled.",
            notice.title, notice.reference, notice.ends_at
        )),
        services: notice.services.clone(),
        owner: Owner::ServiceOwner,
        ..NewItem::new(
            ActionKind::Other,
            About::new(AboutKind::Vendor, notice.vendor.as_str()),
            format!("Find out how maintenance by {name} ended"),
        )
    };
    action_items::open(cx, item).map(drop)
}

fn set_timer(cx: &mut Context<'_, '_>, notice: &VendorNotice) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: notice.id.as_str(),
        kind: KIND,
        run_at: later(notice.ends_at, GRACE),
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Distinguishes the question about a notice from those about others of the vendor.
fn part(notice: &VendorNotice) -> String {
    format!("end/{}", notice.id)
}
