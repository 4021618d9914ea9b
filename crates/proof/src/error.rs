//! The crate's one error: something could not be done or read, as opposed to a check that failed.

/// The reason why bytes could not be made, read or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A JSON value lies outside the permitted subset.
    #[error("`{path}` cannot stand in canonical JSON: {why}")]
    Canonical {
        /// JSON Pointer (RFC 6901) of the value; empty for the root.
        path: String,
        /// One clause in plain text.
        why: String,
    },
    /// Bytes do not have the form that their format requires.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// The format that was read, for example `checkpoint`.
        what: &'static str,
        /// One clause in plain text.
        why: String,
    },
    /// A limit of a format was passed.
    #[error("{what} is too large: {size}, the limit is {limit}")]
    TooLarge {
        /// The measured thing.
        what: &'static str,
        /// Its size, in bytes unless `what` names another unit.
        size: u64,
        /// The largest permitted size, in the same unit.
        limit: u64,
    },
    /// The cryptographic library refused (wrong key, tampered ciphertext, no randomness).
    #[error("cryptography: {0}")]
    Crypto(&'static str),
    /// A resource of the log that must exist does not.
    #[error("`{path}` is not there")]
    Absent {
        /// Path of the resource relative to the log's prefix.
        path: String,
    },
    /// A resource of the log may exist but could not be read.
    #[error("cannot read `{path}`: {why}")]
    Source {
        /// Path of the resource relative to the log's prefix.
        path: String,
        /// One clause in plain text.
        why: String,
    },
}

impl Error {
    /// Shortens the commonest construction.
    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        Self::Malformed { what, why: why.into() }
    }
}
