//! The stored items of an agenda.

use model::cab::agenda::MOST_ITEMS;
use model::cab::agenda_item::AgendaItem;
use model::core::ids::RecordId;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The items of an agenda in their order.
///
/// # Errors
/// The store's.
pub fn items_of(cx: &mut Context<'_, '_>, agenda: &RecordId) -> Result<Vec<AgendaItem>> {
    let filter = Filter::new().equals("agenda", agenda.as_str()).order_by("place");
    let most = i64::try_from(MOST_ITEMS * 2).unwrap_or(i64::MAX);
    Ok(record::bodies::<AgendaItem>(cx.tx, &filter.limit(most))?)
}
