//! All SQL of the product: two drivers behind one text, lanes, migrations, records and queues.
//!
//! A verb here is `fn(&mut Tx, …) -> Result<…>`: load, find, list, count, insert, save, lease, finish, delete. It decides
//! nothing, reads no clock and makes no id. `README.md` beside this crate's manifest lists the whole interface.

pub mod changes;
mod driver;
mod error;
mod lanes;
mod migrate;
pub mod nouns;
pub mod record;
pub mod search;
mod sql;
mod store;
mod tx;
mod value;

pub use error::{Error, Failure, Result};
pub use lanes::{Lane, Mode};
pub use record::{Filter, Record, Stored};
pub use store::{Config, Engine, FatalHook, Jitter, LaneSize, SYSTEM_TENANT, Store, check_tenant};
pub use tx::{CrossTx, Params, Tx};
pub use value::{Row, Value};
