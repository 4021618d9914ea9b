//! Opens a tenant's log: its keys, and the signed checkpoint of an empty log.

use proof::merkle::empty_root;
use proof::note::Checkpoint;
use store::audit::{keys, log};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_tiles::signed;
use crate::core::signing_keys;

/// Creates the rows that the log of the context's tenant needs; existing ones stay. The system's own log is opened by
/// the same act in the context of [`store::SYSTEM_TENANT`].
///
/// # Errors
/// A fault of the entropy or the keys, or the store's.
pub fn open_log(cx: &mut Context<'_, '_>) -> Result<()> {
    for purpose in [signing_keys::PERMIT, signing_keys::LOG, signing_keys::COSIGNER] {
        if keys::list(cx.tx, purpose)?.is_empty() {
            signing_keys::make(cx, purpose, cx.recorded_at)?;
        }
    }
    if log::state(cx.tx)?.is_some() {
        return Ok(());
    }
    let origin = signing_keys::log_origin(cx)?;
    let checkpoint = Checkpoint {
        origin,
        size: 0,
        root: empty_root(),
    };
    let seconds = u64::try_from(cx.recorded_at.as_second()).unwrap_or_default();
    let note = signed(cx, &checkpoint, seconds)?;
    log::create(cx.tx, &proof::crypto::hash_text(&checkpoint.root), &note)?;
    let first = log::Checkpoint {
        size: 0,
        note,
        at: cx.recorded_at,
    };
    log::save_checkpoint(cx.tx, &first, None)?;
    Ok(())
}
