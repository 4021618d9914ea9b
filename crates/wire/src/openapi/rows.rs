//! How a row of the table of routes is written.

use crate::openapi::{Answer, Param, Route, Scope};

const V1: &str = "/api/v1";

/// A row of the table: a route whose path is still in two parts.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    pub(crate) base: &'static str,
    pub(crate) path: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) body: Option<&'static str>,
    pub(crate) answer: Answer,
    pub(crate) status: u16,
    pub(crate) params: &'static [Param],
    pub(crate) scope: Scope,
    pub(crate) is_conditional: bool,
    pub(crate) may: &'static str,
}

impl Row {
    /// The row with its access: the right that the caller needs, in the language of `access/rules.txt` of `server`.
    pub(crate) const fn may(self, may: &'static str) -> Self {
        Self { may, ..self }
    }

    pub(crate) fn route(self) -> Route {
        Route {
            method: self.method,
            path: format!("{}{}", self.base, self.path),
            tag: self.tag,
            operation: self.operation,
            summary: self.summary,
            body: self.body,
            answer: self.answer,
            status: self.status,
            params: self.params,
            scope: self.scope,
            is_conditional: self.is_conditional,
            may: self.may,
        }
    }
}

pub(crate) const fn at(
    method: &'static str,
    tag: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
) -> Row {
    // POST, PATCH and PUT differ in their first two letters.
    let [first, second, ..] = method.as_bytes() else {
        panic!("a method has two letters")
    };
    let is_post = *first == b'P' && *second == b'O';
    Row {
        method,
        base: V1,
        path,
        tag,
        operation,
        summary,
        body: None,
        // Each row names its own; a reference to none is found by a test.
        answer: Answer::Json("none"),
        status: if is_post { 201 } else { 200 },
        params: &[],
        scope: Scope::Credential,
        is_conditional: *first == b'P' && !is_post,
        may: "",
    }
}

pub(crate) const fn get(
    tag: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
    of: &'static str,
) -> Row {
    Row {
        answer: Answer::Json(of),
        ..at("GET", tag, operation, path, summary)
    }
}

pub(crate) const fn list(
    tag: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
    of: &'static str,
) -> Row {
    Row {
        answer: Answer::List(of),
        ..at("GET", tag, operation, path, summary)
    }
}

pub(crate) const fn post(
    tag: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    of: &'static str,
) -> Row {
    Row {
        body: Some(body),
        answer: Answer::Json(of),
        ..at("POST", tag, operation, path, summary)
    }
}

pub(crate) const fn delete(
    tag: &'static str,
    operation: &'static str,
    path: &'static str,
    summary: &'static str,
    of: &'static str,
) -> Row {
    Row {
        answer: Answer::Json(of),
        ..at("DELETE", tag, operation, path, summary)
    }
}

/// The filters of gate checks.
pub(crate) const OF_CHECKS: &[Param] = &[
    Param::new("service", "Only checks about the service with this key."),
    Param::new(
        "state",
        "Only checks in this state: `waiting`, `collectable`, `settled` or `over`.",
    ),
];

pub(crate) const GATE_QUESTION: &[Param] = &[
    Param::new("service", "The service's key.").needed(),
    Param::new("environment", "The environment's key.").needed(),
    Param::new("artifact", "The artifact's digest; this or `commit` must be given."),
    Param::new("commit", "The commit."),
    Param::new("change", "The change that is meant; it never suffices alone."),
    Param::new("member", "The member, where the change goes to many in waves."),
    Param::new("purpose", "`deploy` or `rollback`; either unless said."),
    Param::new(
        "permit",
        "The id (`jti`) of a permit that is shown: one that is revoked or used up stops.",
    ),
];
