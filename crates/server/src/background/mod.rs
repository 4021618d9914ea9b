//! Background work: the queue's worker, the mailer, outbound calls, the sequencer, the judge of new events and nightly replays.
//! Background work: the queue's worker, the mailer, outbound calls, sinks of the log, the sequencer and nightly replays.

pub(crate) mod adjustments;
pub(crate) mod archiver;
pub(crate) mod copier;
pub(crate) mod figure_watch;
pub(crate) mod forecasts;
pub(crate) mod foreign_calls;
pub(crate) mod grounds;
pub(crate) mod mailer;
pub(crate) mod monitors;
pub(crate) mod outbound_calls;
pub(crate) mod outside_proofs;
pub(crate) mod projector;
pub(crate) mod queue_worker;
pub(crate) mod recurrences;
pub(crate) mod replays;
pub(crate) mod reports;
pub(crate) mod rounds;
pub(crate) mod sequencer;
pub(crate) mod settler;
pub(crate) mod sink_file;
pub(crate) mod sinks;
pub(crate) mod sweep;
pub(crate) mod traces;
pub(crate) mod violations;
pub(crate) mod watch_calls;
pub(crate) mod worker;
