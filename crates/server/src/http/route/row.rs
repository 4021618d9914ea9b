//! The rows of the route tables: the act of each route, and its options.

use acts::Context;
use axum::routing::MethodFilter;
use serde_json::Value;
use store::{Lane, Mode};

use super::{Ask, Reply};
use crate::http::address::BASE;
use crate::http::caller::Scope;

/// The action of a route: one act, rendered.
pub(crate) type Act = fn(&mut Context<'_, '_>, &Ask) -> acts::Result<Reply>;
/// Builds a fresh response to a repeated request (same idempotency key) from the body of the first response.
pub(crate) type Again = fn(&mut Context<'_, '_>, &Value) -> acts::Result<Reply>;
/// Reads the data that an act needs and leaves it in a cache of the services.
pub(crate) type Before = fn(&mut Context<'_, '_>) -> acts::Result<()>;
/// The present version of the record that a route edits; `None` for a new record.
pub(crate) type Current = fn(&mut Context<'_, '_>, &Ask) -> acts::Result<Option<i64>>;

/// A route with its act. Its row in `wire` has its path, its method, its access and its description; the name of the operation
/// connects the two.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// The operation's name in the row; empty for a route that names its path here.
    pub operation: &'static str,
    /// The method's name.
    pub method: &'static str,
    /// The path below [`BASE`].
    pub path: &'static str,
    /// The action in one sentence.
    pub summary: &'static str,
    /// The scope that a token needs.
    pub scope: Scope,
    /// The lane in which the act runs.
    pub lane: Lane,
    /// The act.
    pub act: Act,
    /// For PATCH and PUT: the version that `If-Match` is compared with.
    pub current: Option<Current>,
    /// Whether the route only reads, although its request has a body.
    pub looks: bool,
    /// Builds the response to a repeated request; without it the first response is repeated.
    pub again: Option<Again>,
    /// Reads data before the act, in a transaction that does not block writers.
    pub before: Option<Before>,
}

impl Route {
    const fn new(method: &'static str, path: &'static str, summary: &'static str, act: Act) -> Self {
        Self {
            operation: "",
            method,
            path,
            summary,
            scope: Scope::Write,
            lane: Lane::Acts,
            act,
            current: None,
            looks: false,
            again: None,
            before: None,
        }
    }

    /// A row's operation that only looks.
    pub(crate) const fn reads(operation: &'static str, act: Act) -> Self {
        Self {
            operation,
            ..Self::get("", "", act)
        }
    }

    /// A row's operation that writes.
    pub(crate) const fn writes(operation: &'static str, act: Act) -> Self {
        Self {
            operation,
            ..Self::post("", "", act)
        }
    }

    /// A row's operation that edits or sets a record, with its version from `current`.
    pub(crate) const fn edits(operation: &'static str, current: Current, act: Act) -> Self {
        Self {
            current: Some(current),
            ..Self::writes(operation, act)
        }
    }

    /// A row's operation that only looks, with its question in a body.
    pub(crate) const fn asks(operation: &'static str, act: Act) -> Self {
        Self {
            operation,
            ..Self::question("", "", act)
        }
    }

    /// The route, described by its row.
    pub(crate) fn with_row(&self) -> Self {
        let mut rows = wire::openapi::routes().iter();
        let Some(row) = rows.find(|row| !self.operation.is_empty() && row.operation == self.operation) else {
            assert!(self.operation.is_empty(), "no row is called `{}`", self.operation);
            return *self;
        };
        Self {
            method: row.method,
            path: row.path.strip_prefix(BASE).unwrap_or(&row.path),
            summary: row.summary,
            ..*self
        }
    }

    /// Looks, with its question in a body.
    pub(crate) const fn question(path: &'static str, summary: &'static str, act: Act) -> Self {
        Self {
            looks: true,
            lane: Lane::Pages,
            ..Self::new("POST", path, summary, act)
        }
    }

    /// Looks.
    pub(crate) const fn get(path: &'static str, summary: &'static str, act: Act) -> Self {
        Self {
            scope: Scope::Read,
            lane: Lane::Pages,
            ..Self::new("GET", path, summary, act)
        }
    }

    /// Creates.
    pub(crate) const fn post(path: &'static str, summary: &'static str, act: Act) -> Self {
        Self::new("POST", path, summary, act)
    }

    /// Changes in part.
    #[allow(dead_code, reason = "a branch may still name its path here")]
    pub(crate) const fn patch(path: &'static str, summary: &'static str, current: Current, act: Act) -> Self {
        Self {
            current: Some(current),
            ..Self::new("PATCH", path, summary, act)
        }
    }

    /// Sets.
    #[allow(dead_code, reason = "a branch may still name its path here")]
    pub(crate) const fn put(path: &'static str, summary: &'static str, current: Current, act: Act) -> Self {
        Self {
            current: Some(current),
            ..Self::new("PUT", path, summary, act)
        }
    }

    /// Takes back.
    #[allow(dead_code, reason = "a branch may still name its path here")]
    pub(crate) const fn delete(path: &'static str, summary: &'static str, act: Act) -> Self {
        Self::new("DELETE", path, summary, act)
    }

    /// Evaluated again for a repeated request with the same idempotency key.
    pub(crate) const fn judged_again(mut self, again: Again) -> Self {
        self.again = Some(again);
        self
    }

    /// With something that is read before the act.
    pub(crate) const fn reading_first(mut self, before: Option<Before>) -> Self {
        self.before = before;
        self
    }

    /// With another scope.
    pub(crate) const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// In another lane.
    pub(crate) const fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    pub(super) fn mode(&self) -> Mode {
        if self.method == "GET" || self.looks {
            Mode::Read
        } else {
            Mode::Write
        }
    }

    pub(super) fn filter(&self) -> MethodFilter {
        match self.method {
            "GET" => MethodFilter::GET,
            "PATCH" => MethodFilter::PATCH,
            "PUT" => MethodFilter::PUT,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::POST,
        }
    }

    pub(super) fn is_about_change(&self) -> bool {
        self.path.starts_with("/changes/{key}")
    }
}
