//! Heads of a pull request: a push makes another question, and only the question about the latest head stays open.

use model::gate::provenance::OutsideCheck;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// Whether this pull request had this head before.
///
/// # Errors
/// The store's.
pub(crate) fn was_head(cx: &mut Context<'_, '_>, check: &OutsideCheck, before: &str) -> Result<bool> {
    let natural_key = format!(
        "{}@{before}#{}",
        check.repository.to_lowercase(),
        check.number.unwrap_or(0)
    );
    let other = format!("{}@{before}", check.reply_to);
    let filter = Filter::new()
        .equals("connection", check.connection.as_str())
        .one_of("natural_key", [natural_key.as_str(), other.as_str()]);
    Ok(record::count::<OutsideCheck>(cx.tx, &filter)? > 0)
}

/// The open questions about other heads of the same pull request: the earlier ones, and those of a later time than this one.
///
/// # Errors
/// The store's.
pub(crate) fn other_heads(
    cx: &mut Context<'_, '_>,
    check: &OutsideCheck,
) -> Result<(Vec<OutsideCheck>, Vec<OutsideCheck>)> {
    if check.number.is_none() || check.base.is_some() {
        return Ok((Vec::new(), Vec::new()));
    }
    let filter = Filter::new()
        .equals("service", check.service.as_str())
        .equals("is_over", false)
        .order_by("id");
    let mut found = record::bodies::<OutsideCheck>(cx.tx, &filter)?;
    found.retain(|it| {
        it.connection == check.connection
            && it.ask == check.ask
            && it.base.is_none()
            && it.number == check.number
            && it.repository.eq_ignore_ascii_case(&check.repository)
            && it.commit != check.commit
            && it.at != check.at
    });
    Ok(found.into_iter().partition(|it| it.at < check.at))
}
