//! The one error of this crate. An error never contains a parameter's value: it may end in a log.

/// A fault of the store. Refusals of the business are not here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The lane's queue is full; retry later (503).
    #[error("the lane is full")]
    Busy,
    /// The disk or the file's allowance is full; heals by itself once there is room (503).
    #[error("the storage is full")]
    Full,
    /// The database cannot be reached now; the lane reconnects by itself (503).
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke during COMMIT: it may or may not have happened. Retry with the same key.
    #[error("the result of the commit is unknown")]
    Unknown,
    /// A unique key is taken.
    #[error("a row of `{table}` with this key is already there")]
    Conflict {
        /// The table, or an empty text when the engine did not name it.
        table: String,
    },
    /// The row is no longer at the expected version.
    #[error("the row of `{table}` has changed meanwhile")]
    Stale {
        /// The table of the row.
        table: String,
    },
    /// The engine requires the transaction to run again; a lane returns this only after all retries.
    #[error("the transaction lost the race too often")]
    Retry,
    /// Stored data that cannot be right: a damaged file, an unreadable body, a changed migration.
    #[error("the stored data is damaged: {0}")]
    Corrupt(String),
    /// Nothing may be written here, for this reason: the data is an older copy, or another host took over (503).
    #[error("nothing is written here: {0}")]
    ReadOnly(String),
    /// A bucket does not respond now, for this reason; other data are not affected (503).
    #[error("the bucket: {0}")]
    BucketAway(String),
    /// The act panicked; it was rolled back and the lane goes on.
    #[error("the act panicked")]
    Panicked,
    /// A failed sync: nothing may be acknowledged any more and the process must end.
    #[error("the storage failed to keep what was written: {0}")]
    Fatal(String),
    /// Starting is refused: a newer schema, a role that bypasses row security, a wrong setting.
    #[error("starting is refused: {0}")]
    Refused(String),
    /// A mistake in the caller or a fault without a name of its own.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// Whether a later retry may help without any repair (503 with Retry-After).
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Full | Self::Unavailable(_) | Self::BucketAway(_) | Self::Retry
        )
    }

    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }
}

/// The error of an act: it can hold a store's error, and shows whether it does.
pub trait Failure: From<Error> + Send + 'static {
    /// The store's error inside, when that is why the act failed.
    fn store_error(&self) -> Option<&Error>;
}

impl Failure for Error {
    fn store_error(&self) -> Option<&Error> {
        Some(self)
    }
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
