//! Saves a record that is no part of the directory in memory, with its event.

use serde_json::Value;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Versioned, Written, draft};

/// Saves a record with its event.
///
/// # Errors
/// The store's; `Stale` when another writer was faster.
pub(crate) fn keep<R: Versioned>(cx: &mut Context<'_, '_>, kind: &'static str, record: R, data: Value) -> Result<R> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, record)?;
    let event = draft(kind, (R::TABLE, saved.id().to_owned()), cx.now, data);
    cx.emit(vec![event], written)?;
    Ok(saved)
}
