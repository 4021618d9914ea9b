//! The lanes' view of an act.

use crate::driver::Connection;
use crate::error::Error;
use crate::lanes::Mode;

/// How one run of an act went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It wants its writes kept.
    Keep,
    /// It refused: its writes are to be undone.
    Undo,
    /// A statement failed: undo, and perhaps run again.
    Failed(Error),
    /// It panicked: undo.
    Panicked,
}

/// An act as the lanes see it, whatever its result.
pub(crate) trait Work: Send {
    /// The tenant it counts for in the queue; empty for work across tenants.
    fn tenant(&self) -> &str;
    /// Whether it writes.
    fn mode(&self) -> Mode;
    /// Runs the act once inside the open transaction and keeps its result.
    fn attempt(&mut self, connection: &mut Connection) -> Attempt;
    /// Replaces the result by a fault.
    fn settle(&mut self, error: Error);
    /// Passes the result on. Nothing may be sent before the commit, so this comes last.
    fn answer(self: Box<Self>);
}
