//! The segments of the archive: each matches its id, and contains the changes that are listed in it. Its changes are
//! compared with the log row by row, as if they had never moved.

use store::compliance::archive;

use super::{Replay, report_progress};
use crate::compliance::archive_changes::strayed;
use crate::core::context::Context;
use crate::core::error::Result;

/// How many segments are opened at once.
const PAGE: i64 = 20;
/// The most reported changes whose segment is gone.
const LOST: i64 = 1_000;

impl Replay<'_> {
    /// Opens every segment from its storage and never from a cache.
    pub(super) fn check_archive(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        for change in archive::lost(cx.tx, LOST)? {
            let what = "The row names a segment of the archive that is gone.";
            self.find("archived_change", &change, Some("segment"), what);
        }
        let (mut after, mut done) = (String::new(), 0);
        loop {
            let page = archive::segments(cx.tx, &after, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = last.clone();
            done += page.len() as u64;
            for (id, changes) in page {
                match changes {
                    Ok(changes) => self.note_strayed(cx, &id, &changes)?,
                    Err(why) => self.past_damage(cx, ("archive_segment", &id), Err(why.into()))?,
                }
            }
            report_progress(self.progress, "archive_segment", done)?;
        }
    }

    fn note_strayed(&mut self, cx: &mut Context<'_, '_>, id: &str, changes: &[String]) -> Result<()> {
        for change in strayed(cx, id, changes)? {
            let what = "The segment holds this change, and its row names another segment or is gone.";
            self.find("archived_change", &change, Some("segment"), what);
        }
        Ok(())
    }
}
