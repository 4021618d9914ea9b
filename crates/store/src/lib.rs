//! All SQL of the product: two drivers behind one text, lanes, migrations, records and queues.
//!
//! A verb here is `fn(&mut Tx, …) -> Result<…>`: load, find, list, count, insert, save, lease, finish, delete. It decides
//! nothing, reads no clock and makes no id. `README.md` beside this crate's manifest lists the whole interface.

pub mod act_order;
pub mod blob;
pub mod call;
pub mod change_count;
pub mod change_order;
pub mod changes;
pub mod cosignature;
pub mod counter;
pub mod damage;
mod driver;
mod error;
pub mod estate_write;
pub mod event;
pub mod gate_use;
pub mod gate_view;
pub mod idempotency;
pub mod identities;
pub mod inbox;
pub mod job;
pub mod keys;
mod lanes;
mod lease;
pub mod log;
mod migrate;
mod moment;
pub mod nouns;
#[cfg(test)]
mod plans;
pub mod record;
pub mod retention;
pub mod revocation;
pub mod salts;
pub mod saved_view;
mod schema;
pub mod search;
pub mod second_factor;
pub mod secrets;
pub mod servers;
pub mod session;
mod sql;
mod store;
pub mod timer;
mod tx;
mod value;
pub mod webhook;
pub mod workload;

pub use error::{Error, Failure, Result};
pub use lanes::{Lane, Mode};
pub use lease::{Depth, LONGEST_LEASE, Lease};
pub use moment::Moment;
pub use record::{Filter, Record, Stored};
pub use store::{Config, Engine, FatalHook, Jitter, LaneSize, SYSTEM_TENANT, Store, check_tenant};
pub use tx::{CrossTx, Params, Tx};
pub use value::{Row, Value};
