//! The id of the request that is worked on, for lines of the log.

tokio::task_local! {
    /// The id of the request that is worked on.
    pub(crate) static REQUEST: String;
}

/// The id of the request that is worked on, for lines of the log; empty outside of one.
pub(crate) fn current_request() -> String {
    REQUEST.try_with(Clone::clone).unwrap_or_default()
}
