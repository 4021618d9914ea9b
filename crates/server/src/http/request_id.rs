//! The id of the request that is worked on, for lines of the log, and its trace.

tokio::task_local! {
    /// The id of the request that is worked on.
    pub(crate) static REQUEST: String;
    /// The `traceparent` that is kept with the work that the request queues.
    pub(crate) static TRACE: Option<String>;
}

/// The id of the request that is worked on, for lines of the log; empty outside of one.
pub(crate) fn current_request() -> String {
    REQUEST.try_with(Clone::clone).unwrap_or_default()
}

/// The `traceparent` that is kept with the work that the request queues; `None` outside of one.
pub(crate) fn current_trace() -> Option<String> {
    TRACE.try_with(Clone::clone).ok().flatten()
}
