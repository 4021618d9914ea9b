//! All SQL of the product: two drivers behind one text, lanes, migrations, records and queues.
//!
//! A verb here is `fn(&mut Tx, …) -> Result<…>`: load, find, list, count, insert, save, lease, finish, delete. It decides
//! nothing, reads no clock and makes no id. `README.md` beside this crate's manifest lists the whole interface.

pub mod audit;
pub mod bucket;
pub mod change;
pub mod code_rows;
pub mod compliance;
pub mod copying;
pub mod counter;
pub mod damage;
pub mod directory;
mod driver;
mod error;
pub mod failover;
pub mod gate;
pub mod idempotency;
pub mod identity;
pub mod integration;
mod lanes;
mod migrate;
mod moment;
pub mod nouns;
mod packed_body;
#[cfg(test)]
mod plans;
pub mod queue;
pub mod record;
pub mod report;
mod row_code;
mod schema;
pub mod sealed;
pub mod search;
pub mod servers;
mod sql;
mod store;
mod tenant;
mod tx;
mod value;
mod zstandard;

pub use error::{Error, Failure, Result};
pub use lanes::{FatalHook, Jitter, Lane, Mode};
pub use moment::Moment;
pub use queue::lease::{Depth, LONGEST_LEASE, Lease};
pub use record::{Filter, Record, Stored};
pub use row_code::RowCoder;
pub use store::{Config, Engine, LaneSize, Store};
pub use tenant::{SYSTEM_TENANT, check_tenant};
pub use tx::{CrossTx, Params, Tx};
pub use value::{Row, Value};
