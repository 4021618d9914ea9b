//! Why a server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a server did not start or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Something the operator has to put right.
    #[error("{0}")]
    Refused(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// A folder cannot be made.
    #[error("{} cannot be used: {}", .0.display(), .1)]
    Folder(PathBuf, std::io::Error),
    /// The store did not open.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An act at the start failed.
    #[error(transparent)]
    Act(#[from] acts::Error),
    /// No thread, no runtime.
    #[error("the system gives no more threads: {0}")]
    System(#[from] std::io::Error),
}
