//! Gateways: one decision, asked and told in the dialects of those who stand before a service.
//!
//! A dialect turns a request into [`Asked`] and a [`Decided`] into an answer; it decides nothing. Who decides is a
//! [`Decide`]: the server itself, or the companion that stands beside a gateway and asks the server.

mod admission;
mod binding;
mod envoy;
mod forward;
mod heads;
mod own;
mod question;
mod unclear;
mod workload;

pub use binding::{Binding, Bindings};
pub(crate) use own::{note_asked, note_plain, note_unclear};
pub(crate) use question::reasons_line;
pub use question::{Asked, Basis, Decide, Decided, Place};
pub use unclear::{Unclear, is_digest};

use axum::Router;
use axum::routing::{any, post};

/// Every dialect.
pub fn routes<D: Decide>() -> Router<D> {
    Router::new()
        .route("/gateway/http/{service}/{environment}", any(forward::answer::<D>))
        .route(
            "/gateway/http/{service}/{environment}/{*rest}",
            any(forward::answer_below::<D>),
        )
        .route("/gateway/kubernetes/{environment}", post(admission::answer::<D>))
        .route(envoy::PATH, post(envoy::answer::<D>))
}
