//! Figures for operators, in OpenMetrics. They contain no tenant's content.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use store::Depth;
use store::compliance::archive::ArchiveState;

/// The description of the running copy's lag.
const COPY_LAG: &str = "How many seconds ago everything was in the running copy";
/// Edges of the histogram, in seconds.
const EDGES: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResponseLabel {
    route: String,
    method: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Door {
    door: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabel {
    queue: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SinkLabel {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ArchiveLabel {
    what: &'static str,
}

/// All figures.
pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<ResponseLabel, Counter>,
    seconds: Family<Door, Histogram>,
    queues: Family<QueueLabel, Gauge>,
    lanes: Family<LaneLabel, Gauge>,
    sinks: Family<SinkLabel, Gauge>,
    sink_lag: Gauge,
    archived: Family<ArchiveLabel, Gauge>,
    /// Absent where no running copy is kept.
    copy_lag: Family<Vec<(&'static str, &'static str)>, Gauge>,
    copied_at: AtomicI64,
    refused_deliveries: Counter,
    damaged_files: Counter,
    standing: Gauge,
    /// Absent until a replay came to its end.
    differences: Family<Vec<(&'static str, &'static str)>, Gauge>,
    replayed: Family<Vec<(&'static str, &'static str)>, Gauge>,
    /// Absent without TLS.
    certificate: Family<Vec<(&'static str, &'static str)>, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("assent");
        let it = &mut registry;
        Self {
            answers: registered(it, "http_requests", "Requests answered", Family::default()),
            seconds: registered(
                it,
                "http_request_duration_seconds",
                "Time to an answer's head",
                Family::new_with_constructor(|| Histogram::new(EDGES)),
            ),
            queues: registered(it, "queue_rows", "Rows in the queues", Family::default()),
            lanes: registered(it, "lane_waiting", "Acts that wait for a thread", Family::default()),
            sinks: registered(it, "sinks", "Sinks of the log, and those that fail", Family::default()),
            sink_lag: registered(
                it,
                "sink_lag_entries",
                "Entries of the log that the slowest sink has not delivered",
                Gauge::default(),
            ),
            archived: registered(
                it,
                "archive",
                "What the archive of ended changes holds: changes, segments, and bytes compressed and before",
                Family::default(),
            ),
            copy_lag: registered(it, "copy_lag_seconds", COPY_LAG, Family::default()),
            copied_at: AtomicI64::new(0),
            refused_deliveries: registered(
                it,
                "hook_refused",
                "Deliveries with a bad signature",
                Counter::default(),
            ),
            damaged_files: registered(
                it,
                "evidence_damaged",
                "Evidence files asked for that are not what was kept",
                Counter::default(),
            ),
            standing: registered(
                it,
                "log_standing_seconds",
                "For how long events wait of which none got its place, in the log where that is longest",
                Gauge::default(),
            ),
            differences: registered(
                it,
                "replay_differences",
                "Stored rows and files that were not what their log says when all were compared last",
                Family::default(),
            ),
            replayed: registered(
                it,
                "replay_timestamp_seconds",
                "When this server last compared everything that is stored with the logs",
                Family::default(),
            ),
            certificate: registered(
                it,
                "tls_certificate_end_timestamp_seconds",
                "When the certificate in use ends",
                Family::default(),
            ),
            registry,
        }
    }
}

/// Registers a figure under a name, and returns it.
fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// A method by its name; an unsupported method is `other`, because strangers could invent any number of names.
fn known_method(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
        _ => "other",
    }
}

impl Metrics {
    /// Counts a response. `route` is the pattern of the path, never the path itself. `took` is absent for a response that was
    /// held back at the caller's wish: its duration does not measure the endpoint.
    pub(crate) fn note_answer(&self, route: &str, method: &str, status: u16, took: Option<Duration>) {
        let label = ResponseLabel {
            route: route.to_owned(),
            method: known_method(method).to_owned(),
            status,
        };
        self.answers.get_or_create(&label).inc();
        let Some(took) = took else { return };
        let door = match route {
            "/api/v1/gate" | "/api/v1/gate-checks" => "gate",
            other if other.starts_with("/gateway/") || other.starts_with("/envoy.") => "gate",
            other if other.starts_with("/api") => "api",
            other if other.starts_with("/hooks") => "hooks",
            _ => "pages",
        };
        self.seconds.get_or_create(&Door { door }).observe(took.as_secs_f64());
    }

    /// Notes a delivery whose signature was bad.
    pub(crate) fn note_refused_delivery(&self) {
        self.refused_deliveries.inc();
    }

    /// Counts a requested evidence file that is missing or differs from the file that was kept.
    pub(crate) fn note_damaged_file(&self) {
        self.damaged_files.inc();
    }

    /// Notes the depths of jobs, timers and deliveries, and how many timers failed again and again: they wait as others do.
    pub(crate) fn note_depths(&self, depths: [Depth; 3], failing_timers: i64) {
        self.queues
            .get_or_create(&QueueLabel {
                queue: "timer",
                state: "failing",
            })
            .set(failing_timers);
        for (queue, depth) in ["job", "timer", "inbox"].into_iter().zip(depths) {
            self.queues
                .get_or_create(&QueueLabel {
                    queue,
                    state: "waiting",
                })
                .set(depth.waiting);
            self.queues
                .get_or_create(&QueueLabel { queue, state: "parked" })
                .set(depth.parked);
        }
    }

    /// Sets the longest time for which a log's events have waited without any of them getting a place.
    pub(crate) fn note_standing(&self, lasted: Duration) {
        self.standing.set(i64::try_from(lasted.as_secs()).unwrap_or(i64::MAX));
    }

    /// Notes how many differences a replay found, and when it began if it left nothing out.
    pub(crate) fn note_replay(&self, differences: usize, at: Option<Timestamp>) {
        let differences = i64::try_from(differences).unwrap_or(i64::MAX);
        self.differences.get_or_create(&Vec::new()).set(differences);
        if let Some(at) = at {
            self.replayed.get_or_create(&Vec::new()).set(at.as_second());
        }
    }

    /// Notes when the certificate in use ends.
    pub(crate) fn note_certificate(&self, end: Timestamp) {
        self.certificate.get_or_create(&Vec::new()).set(end.as_second());
    }

    /// Notes how many sinks are active and fail, and how many entries the slowest is behind its log.
    pub(crate) fn note_sinks(&self, active: i64, failing: i64, entries: i64) {
        for (state, count) in [("active", active), ("failing", failing)] {
            self.sinks.get_or_create(&SinkLabel { state }).set(count);
        }
        self.sink_lag.set(entries);
    }

    /// Notes what the archive holds.
    pub(crate) fn note_archive(&self, state: &ArchiveState) {
        for (what, count) in [
            ("changes", state.changes),
            ("segments", state.segments),
            ("bytes", state.size),
            ("bytes_opened", state.plain),
        ] {
            self.archived.get_or_create(&ArchiveLabel { what }).set(count);
        }
    }

    /// Notes that everything that was committed until then is in the running copy.
    pub(crate) fn note_copied(&self, at: Timestamp) {
        self.copied_at.store(at.as_second(), Ordering::Relaxed);
    }

    /// Notes how far the running copy is behind, where one is kept.
    pub(crate) fn note_copy_lag(&self, now: Timestamp) {
        let at = self.copied_at.load(Ordering::Relaxed);
        if at > 0 {
            self.copy_lag
                .get_or_create(&Vec::new())
                .set((now.as_second() - at).max(0));
        }
    }

    /// Notes how many acts wait in a lane.
    pub(crate) fn note_lane(&self, lane: &'static str, waiting: usize) {
        self.lanes
            .get_or_create(&LaneLabel { lane })
            .set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// The figures as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
