//! Edits by a JSON Merge Patch (`PATCH`), which voids exactly the parts that it touches.

use model::change::write;
use model::core::body::Body;
use model::core::enums::Origin;

use crate::core::context::Context;
use crate::core::error::Result;

/// Edits by a JSON Merge Patch (`PATCH`), which voids exactly the parts that it touches.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn edit_change(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    edit_change_filled(cx, key, body, &[])
}

/// The same with some fields filled in from an earlier change (`fill_from_similar`): no person wrote these for it.
///
/// # Errors
/// As [`edit_change`].
pub fn edit_change_filled(cx: &mut Context<'_, '_>, key: &str, body: &Body, filled: &[&str]) -> Result<()> {
    cx.on_change(key, |case| {
        write::edit(case, body)?;
        let filled = filled.iter().filter(|field| body.contains_key(**field));
        let origins = filled.map(|field| ((*field).to_owned(), Origin::Derived));
        case.file.change.origins.extend(origins);
        Ok(())
    })
}
