//! The four lanes: bounded queues before named threads, on which connections live and die.

mod errands;
mod fence;
mod postgres;
mod queue;
mod sqlite;
mod task;
mod turns;
mod work;

pub(crate) use self::errands::{Back, Remote};
pub(crate) use self::fence::query_primary as ask_primary;
pub use self::postgres::Jitter;
pub(crate) use self::postgres::Link;
pub(crate) use self::queue::{Queue, Spent, Wakes};
pub use self::sqlite::FatalHook;
pub(crate) use self::sqlite::{Looks, Reading};
pub(crate) use self::task::Task;
pub(crate) use self::work::Work;
pub(crate) use self::{postgres::serve as serve_postgres, sqlite::read as read_sqlite, sqlite::write as write_sqlite};

/// The kind of work. A crowded lane holds up no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Gate responses: the last to be shed.
    Gate,
    /// Acts of people and pipelines.
    Acts,
    /// Pages, lists and reports: the first to be shed.
    Pages,
    /// Jobs, timers, the inbox and the sequencer.
    Worker,
}

impl Lane {
    /// All lanes, in the order of their queues.
    pub const ALL: [Self; 4] = [Self::Gate, Self::Acts, Self::Pages, Self::Worker];

    pub(crate) fn place(self) -> usize {
        self as usize
    }

    /// A lane's share of the one writing thread while all have work, relative to the others. People and pipelines wait for
    /// their responses; the worker's tasks were acknowledged before, so they may take longer but always progress.
    pub(crate) fn weight(self) -> u64 {
        match self {
            Self::Gate | Self::Acts => 4,
            Self::Pages => 2,
            Self::Worker => 1,
        }
    }

    /// The lane's name in threads and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Acts => "acts",
            Self::Pages => "pages",
            Self::Worker => "worker",
        }
    }
}

/// The access of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read one consistent moment; writing is a fault.
    Read,
    /// Read and write, as if alone.
    Write,
}
