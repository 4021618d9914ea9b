//! Transactions one after the other, for work that does not fit into one act: replay, sequencing, signing the log.

use model::change::change_file::Actor;
use store::{CrossTx, Lane, Mode};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::services::{Services, Tools};

/// Runs acts, each in a transaction of its own.
pub trait Transactions {
    /// The tools that its acts work with.
    fn tools(&self) -> &Tools;

    /// The tools and caches that its acts work with.
    fn services(&self) -> &Services;

    /// Runs an act in one tenant and waits for its result. Never on a thread that must not block.
    ///
    /// # Errors
    /// The act's own error, or the store's.
    fn wait<T, A>(&self, lane: Lane, tenant: &str, actor: Actor, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static;

    /// Reads across tenants.
    ///
    /// # Errors
    /// The closure's own error, or the store's.
    fn wait_across<T, A>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut CrossTx<'_>) -> Result<T> + Send + 'static;
}
