//! Opens a tenant's log: its keys, and the signed checkpoint of no entries.

use proof::merkle::empty_root;
use proof::note::Checkpoint;
use store::audit::keys;
use store::audit::log;

use crate::core::context::Room;
use crate::core::error::Result;
use crate::core::log_tiles::signed;
use crate::core::signing_keys;

/// Makes what the log of the room's tenant needs; what is there already stays as it is. The system's own log is opened
/// by the same act in the room of [`store::SYSTEM_TENANT`].
///
/// # Errors
/// A fault of the entropy or the keys, or the store's.
pub fn open_log(room: &mut Room<'_, '_>) -> Result<()> {
    for purpose in [signing_keys::PERMIT, signing_keys::LOG, signing_keys::COSIGNER] {
        if keys::list(room.tx, purpose)?.is_empty() {
            signing_keys::make(room, purpose, room.recorded_at)?;
        }
    }
    if log::state(room.tx)?.is_some() {
        return Ok(());
    }
    let origin = signing_keys::log_origin(room)?;
    let checkpoint = Checkpoint {
        origin,
        size: 0,
        root: empty_root(),
    };
    let seconds = u64::try_from(room.recorded_at.as_second()).unwrap_or_default();
    let note = signed(room, &checkpoint, seconds)?;
    log::create(room.tx, &proof::crypto::hash_text(&checkpoint.root), &note)?;
    let first = log::Checkpoint {
        size: 0,
        note,
        at: room.recorded_at,
    };
    log::save_checkpoint(room.tx, &first)?;
    Ok(())
}
