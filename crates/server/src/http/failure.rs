//! The one place that turns a refusal or a fault into an HTTP response.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::core::refusal::FieldError;
use wire::problem::{MEDIA_TYPE, Problem};

use crate::http::request_id;

/// The code of a failure to reach the bucket of the archive.
pub(crate) const ARCHIVE_AWAY: &str = "archive_unreachable";

/// The reason for which a request failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The problem that the response describes.
    pub problem: Box<Problem>,
    /// The seconds after which a retry may help.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// A failure of a status, with its code and its sentence.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem::new(status, code, detail)),
            retry_after: None,
        }
    }

    /// A temporary failure: 503, a retry helps.
    pub fn busy(code: &str, detail: impl Into<String>) -> Self {
        Self::new(503, code, detail).after(1)
    }

    /// The same, to be tried again after so many seconds.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A fault of the server: the log has the details, and the caller learns only that it happened.
    pub fn fault(what: &dyn std::fmt::Display) -> Self {
        let id = request_id::current_request();
        tracing::error!(id, error = %what, "a request failed");
        Self::new(
            500,
            "fault",
            "Something went wrong here. It was written down; the request id helps to find it.",
        )
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.problem.status
    }
}

impl From<acts::Error> for Failure {
    fn from(error: acts::Error) -> Self {
        match &error {
            acts::Error::Refused(refusal) => Self {
                problem: Box::new(Problem::from(refusal)),
                retry_after: None,
            },
            acts::Error::KeyReused => {
                let text = "This idempotency key was used with another body.";
                let mut failure = Self::new(422, "idempotency_key_reused", text);
                let field = FieldError::new("Idempotency-Key", "reused", text);
                failure.problem.errors.push(field);
                failure
            }
            acts::Error::NotYet(what) => Self::busy("not_yet", format!("Not yet: {what}.")),
            acts::Error::Store(fault) => from_store(fault),
            acts::Error::Proof(_) | acts::Error::Fault(_) => Self::fault(&error),
        }
    }
}

fn from_store(error: &store::Error) -> Failure {
    match error {
        store::Error::Full => {
            Failure::busy("storage_full", "The storage is full; nothing can be written now.").after(30)
        }
        store::Error::Unknown => Failure::busy(
            "outcome_unknown",
            "The database broke off while it kept this; ask again with the same idempotency key.",
        ),
        store::Error::Stale { .. } | store::Error::Conflict { .. } => {
            let mut failure = Failure::new(409, "overtaken", "Another person was faster.");
            failure.problem = Box::new(failure.problem.with_unmet("Read it again, and repeat what still fits."));
            failure
        }
        store::Error::ReadOnly(why) => Failure::busy("read_only", format!("Nothing is written here: {why}.")).after(60),
        store::Error::BucketAway(why) => {
            // The reason names hosts and keys, which are the operator's.
            tracing::warn!(why, "the archive's bucket gives nothing");
            Failure::busy(
                ARCHIVE_AWAY,
                "This is in the archive, whose storage cannot be reached now. Nothing is lost, and everything else works.",
            )
            .after(60)
        }
        passing if passing.is_passing() => Failure::busy(
            "unavailable",
            "The server has too much to do, or its database cannot be reached. Ask again soon.",
        ),
        other => Failure::fault(other),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&self.problem).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
