//! Gateways: the gate's decision in the protocols of the gateways before a service.
//!
//! A dialect turns a request into [`GatewayQuestion`] and a [`Decided`] into a response; it decides nothing. A [`Decide`] decides: the
//! server itself, or the companion beside a gateway, which queries the server.

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
pub(crate) use own::{count_decision, note_plain, note_unclear};
pub(crate) use question::reasons_line;
pub use question::{Basis, Decide, Decided, GatewayQuestion, Place};
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
