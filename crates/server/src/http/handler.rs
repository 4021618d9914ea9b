//! Handlers with one common type for axum.
//!
//! For each type of handler axum has the compiler make every function that a request passes on its way, some fifty of them, and every
//! handler is a type of its own. That was most of the time in which this crate was built. Here the type ends at the first
//! of those functions.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::MethodRouter;

use crate::http::state::AppState;

/// The future type of axum's own handlers, so boxing here adds no box per request.
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler without a type of its own.
#[derive(Clone)]
pub(crate) struct Plain(Arc<dyn Fn(Request, AppState) -> Answering + Send + Sync>);

impl Handler<(), AppState> for Plain {
    type Future = Answering;

    fn call(self, request: Request, state: AppState) -> Answering {
        (self.0)(request, state)
    }
}

/// Any handler as one.
pub(crate) fn plain<T: 'static>(handler: impl Handler<T, AppState, Future = Answering>) -> Plain {
    Plain(Arc::new(move |request, state| handler.clone().call(request, state)))
}

/// As `axum::routing::get`.
pub(crate) fn get<T: 'static>(handler: impl Handler<T, AppState, Future = Answering>) -> MethodRouter<AppState> {
    axum::routing::get(plain(handler))
}

/// As `axum::routing::post`.
pub(crate) fn post<T: 'static>(handler: impl Handler<T, AppState, Future = Answering>) -> MethodRouter<AppState> {
    axum::routing::post(plain(handler))
}
