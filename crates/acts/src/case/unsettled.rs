//! Open changes that an act on the directory left to be evaluated again. The act raises the directory's counter and
//! records that in one row. From its commit on, nothing relies on the outdated results: a verb settles its own change
//! first, a gate question evaluates the row that it finds, and changes with a valid permit were evaluated in the act.
//! The settler ([`crate::effects::settle_left`]) works off the others.

use model::change::change_file::ChangeFile;
use store::change::unsettled::{self, Unsettled};

use crate::case::settle_one::settle_one;
use crate::core::context::Context;
use crate::core::error::Result;

impl Context<'_, '_> {
    /// The progress of evaluating open changes; `None` if all of them are settled.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn unsettled(&mut self) -> Result<Option<Unsettled>> {
        let generation = self.generation()?;
        if self.services.is_settled(self.tx.tenant(), generation) {
            return Ok(None);
        }
        let found = unsettled::state(self.tx)?;
        // The act's own writes may never be committed.
        if found.is_none() && !self.has_touched_directory() {
            self.services.note_settled(self.tx.tenant(), generation);
        }
        Ok(found)
    }

    /// Whether an open change must be evaluated again before anything relies on it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn is_unsettled(&mut self, change: &str) -> Result<bool> {
        let Some(found) = self.unsettled()? else {
            return Ok(false);
        };
        let judged = unsettled::judged_at(self.tx, change)?;
        Ok(judged.is_none_or(|at| at < found.generation))
    }

    /// A change's present file, evaluated again and saved if it was unsettled.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn settled(&mut self, file: ChangeFile) -> Result<ChangeFile> {
        let id = file.change.id.clone();
        if !file.change.state.is_open() || !self.is_unsettled(id.as_str())? {
            return Ok(file);
        }
        self.as_system(|cx| {
            settle_one(cx, id.as_str())?;
            cx.file(id.as_str())
        })
    }

    /// Notes that a change was evaluated by the current directory.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn note_judged(&mut self, change: &str) -> Result<()> {
        if self.unsettled()?.is_none() {
            return Ok(());
        }
        let generation = self.generation()?;
        Ok(unsettled::note_judged(self.tx, change, generation)?)
    }
}

/// Whether there are too many open changes for an act to evaluate them itself.
///
/// # Errors
/// The store's.
pub(crate) fn are_many(cx: &mut Context<'_, '_>) -> Result<bool> {
    let most = cx.services.settles_at_once();
    Ok(unsettled::has_more_open_than(cx.tx, most)?)
}

/// Leaves every open change to the settler. Changes with a valid permit are evaluated here, because a permit is used
/// without a question to the gate.
///
/// # Errors
/// The store's.
pub(crate) fn leave(cx: &mut Context<'_, '_>) -> Result<()> {
    let generation = cx.generation()?;
    let stands = unsettled::state(cx.tx)?;
    if cx.has_touched_directory() && !cx.has_untold() && stands.is_some_and(|it| it.generation == generation) {
        // The same act left them to the settler before, and has written nothing since.
        return Ok(());
    }
    cx.touch_directory()?;
    let generation = cx.generation()?;
    unsettled::raise(cx.tx, generation, cx.now)?;
    for change in unsettled::with_living_permits(cx.tx, cx.now)? {
        settle_one(cx, &change)?;
    }
    Ok(())
}
