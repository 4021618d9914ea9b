//! Handlers with one common type for axum.
//!
//! For each type of handler, axum makes the compiler generate some fifty functions on a request's path, and every handler is a
//! type of its own. That was most of this crate's build time. Here the type ends at the first of those functions.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::MethodRouter;

use crate::http::state::AppState;

/// The future type of axum's own handlers, so boxing here adds no box per request.
type HandlerFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler without a type of its own.
#[derive(Clone)]
pub(crate) struct Plain(Arc<dyn Fn(Request, AppState) -> HandlerFuture + Send + Sync>);

impl Handler<(), AppState> for Plain {
    type Future = HandlerFuture;

    fn call(self, request: Request, state: AppState) -> HandlerFuture {
        (self.0)(request, state)
    }
}

/// Any handler as one common type.
pub(crate) fn plain<T: 'static>(handler: impl Handler<T, AppState, Future = HandlerFuture>) -> Plain {
    Plain(Arc::new(move |request, state| handler.clone().call(request, state)))
}

/// As `axum::routing::get`.
pub(crate) fn get<T: 'static>(handler: impl Handler<T, AppState, Future = HandlerFuture>) -> MethodRouter<AppState> {
    axum::routing::get(plain(handler))
}

/// As `axum::routing::post`.
pub(crate) fn post<T: 'static>(handler: impl Handler<T, AppState, Future = HandlerFuture>) -> MethodRouter<AppState> {
    axum::routing::post(plain(handler))
}
