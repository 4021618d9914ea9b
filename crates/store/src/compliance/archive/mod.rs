//! The archive: records of changes that ended long ago move out of their rows into compressed segments.
//!
//! A row whose body was moved keeps its columns, so that lists, filters and search find it as before; its body names the change
//! whose segment holds it. Code that reads the bodies of records or texts uses `fill`, and code that writes a moved row brings
//! its whole change back first ([`thaw`]): no other code needs to know of the archive.
//!
//! Moving has four steps, and a process that is killed between two of them loses nothing: [`gather`] reads, [`announce`] notes
//! the file that will be written, [`Gathered::write`] writes and syncs it, [`move_in`] points to it and empties the rows in one
//! transaction. A file that was announced and never pointed to is removed by [`collect_garbage`].
//!
//! With a bucket, segments are objects in it. They are written, read and removed outside of transactions ([`Gathered::write`],
//! [`crate::bucket`], [`Garbage::remove`]).

mod figures;
mod fill;
mod moving;
mod place;
mod segment;

#[cfg(test)]
pub(crate) use figures::TO_ARCHIVE;
pub use figures::{
    ArchiveState, Garbage, HeldChange, announced, bucket_garbage, collect_garbage, due, forget_garbage, held, lost,
    notice_garbage, segments, state, sums, waiting,
};
pub use fill::segment_of;
pub(crate) use fill::{MARK, fill, fill_row, fill_text, fill_texts, holds};
pub use moving::{Gathered, announce, gather, move_in, thaw};
pub(crate) use moving::{thaw_row, thaw_text};
