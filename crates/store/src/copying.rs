//! A running copy of the embedded database in another folder or a bucket: a base of the main file, the write-ahead log behind it in
//! segments, and the files beside the database. A moment is restored from a base and the segments up to it.
//!
//! The place holds:
//! - `fence-00000001.json`, one for each host that took the copy over; only the host of the newest one writes,
//! - `alive.json`: when everything up to then was copied, and how far each tenant's log was,
//! - `generations/EPOCH-MILLISECONDS/`: `base-00001.zst` and so on, `base.json` once they are whole, and `00000001.wal` and so on,
//! - `files/`: evidence and segments of the archive as they lie beside the database.

mod copier;
mod files;
mod objects;
mod restore;
pub(crate) mod tail;
mod wal;

pub use copier::{Copied, Copier};
pub use objects::{Alive, Fence, Mark, Marks, alive, claim, fence};
pub use restore::{Restored, restore};
