//! The ways in which an act fails: a refusal, or a fault.

use model::core::refusal::Refusal;

/// Why an act has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A refusal by the rules. Nothing was done.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The same idempotency key came with another body.
    #[error("this idempotency key was used with another body")]
    KeyReused,
    /// The requested result is not there yet but will be in a moment: a later retry helps (503, Retry-After).
    #[error("not yet: {0}")]
    NotYet(String),
    /// The store failed.
    #[error("store: {0}")]
    Store(#[from] store::Error),
    /// Bytes could not be made or read.
    #[error("proof: {0}")]
    Proof(#[from] proof::Error),
    /// A broken promise of our own.
    #[error("fault: {0}")]
    Fault(String),
}

impl store::Failure for Error {
    fn store_error(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(format!("JSON: {error}"))
    }
}

/// The result of an act.
pub type Result<T> = std::result::Result<T, Error>;
