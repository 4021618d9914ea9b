//! The state that all endpoints share, and the bridge between the async endpoints and the store's threads.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acts::{Context, Doing, Executor};
use axum::body::Bytes;
use axum::http::Request;
use connect::integration::traces::{Begun, Span, SpanKind, Traces, left_behind};
use connect::socket::http::Http;
use model::change::change_file::Actor;
use serde_json::Value;
use store::queue::trace;
use store::{CrossTx, Lane, Mode};
use tokio::sync::{Semaphore, oneshot};

use crate::gateway::Bindings;
use crate::http::caller::{Caller, KnownCallers};
use crate::http::change_notifier::Bells;
use crate::http::failure::Failure;
use crate::http::gate_counters::Tally;
use crate::http::known_connections::KnownConnections;
use crate::http::metrics::Metrics;
use crate::http::noted::Noted;
use crate::http::proved_writes::ProvedWrites;
use crate::http::provider_calls::Outside;
use crate::http::request_id::current_trace;
use crate::http::source::Insiders;
use crate::http::throttle::Throttle;
use crate::identity::password;
use crate::integration::monitoring_state::MonitoringState;
use crate::notify::public_pages::PublicPages;

/// How long a lane may take until the caller gets a “not done yet”.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for reports over the log: one over a year of 100,000 changes takes half a minute, and proxies give up after a minute.
const REPORT_PATIENCE: Duration = Duration::from_secs(55);
/// The routes that read the log as a whole.
const REPORTS: &[&str] = &[
    "/control-reports/",
    "/audit/reports/",
    "/audit-samples",
    "reconciliation",
];

tokio::task_local! {
    /// Set while a request for a report is answered.
    static PATIENT: ();
}

/// Answers a request; one for a report may take longer.
pub(crate) async fn answer_in_time<F: Future>(route: &str, answer: F) -> F::Output {
    if REPORTS.iter().any(|part| route.contains(part)) {
        return PATIENT.scope((), answer).await;
    }
    answer.await
}
/// The same at the gate, where a pipeline waits for the decision and cannot go on without it.
const GATE_PATIENCE: Duration = Duration::from_secs(3);

/// The state that all endpoints share. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    executor: Executor,
    bells: Bells,
    uploads: PathBuf,
    evidence_limit: u64,
    metrics: Metrics,
    tally: Tally,
    throttle: Throttle,
    noted: Noted,
    callers: KnownCallers,
    connections: KnownConnections,
    hashing: Semaphore,
    no_password: OnceLock<String>,
    description: OnceLock<Bytes>,
    outside: Outside,
    cluster: OnceLock<Bindings>,
    insiders: OnceLock<Insiders>,
    proved_writes: ProvedWrites,
    public_pages: PublicPages,
    traces: OnceLock<Traces>,
    monitoring: MonitoringState,
}

impl AppState {
    /// The state over an executor. `uploads` is a folder for files on their way in; `evidence_limit` is in bytes; `http` calls
    /// identity providers.
    pub fn new(executor: Executor, bells: Bells, uploads: PathBuf, evidence_limit: u64, http: Http) -> Self {
        Self(Arc::new(Inner {
            executor,
            bells,
            uploads,
            evidence_limit,
            metrics: Metrics::default(),
            tally: Tally::default(),
            throttle: Throttle::default(),
            noted: Noted::default(),
            callers: KnownCallers::default(),
            connections: KnownConnections::default(),
            hashing: Semaphore::new(password::HASHERS),
            no_password: OnceLock::new(),
            description: OnceLock::new(),
            outside: Outside::new(http),
            cluster: OnceLock::new(),
            insiders: OnceLock::new(),
            proved_writes: ProvedWrites::default(),
            public_pages: PublicPages::default(),
            traces: OnceLock::new(),
            monitoring: MonitoringState::default(),
        }))
    }

    /// Takes the workloads from the configuration of the cluster that calls this server; once, at the start.
    pub fn bind(&self, cluster: Bindings) {
        // A second one would be a fault of the start; the first stays.
        let _ = self.0.cluster.set(cluster);
    }

    /// The workloads from the cluster's configuration.
    pub(crate) fn cluster(&self) -> Option<&Bindings> {
        self.0.cluster.get()
    }

    /// Takes the readers of inner routes from the settings; once, at the start.
    pub(crate) fn let_in(&self, insiders: Insiders) {
        let _ = self.0.insiders.set(insiders);
    }

    /// Whether a request may read the figures and the reasons of readiness.
    pub(crate) fn is_inside<B>(&self, request: &Request<B>) -> bool {
        self.0.insiders.get().is_some_and(|insiders| insiders.have(request))
    }

    /// Has spans kept for the thread that sends them; once, at the start.
    pub(crate) fn keep_traces(&self) {
        let _ = self.0.traces.set(Traces::default());
    }

    /// The state of the files for Prometheus.
    pub(crate) fn monitoring(&self) -> &MonitoringState {
        &self.0.monitoring
    }

    /// The spans that wait for sending, where a collector is set.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        self.0.traces.get()
    }

    /// Begins a span in the trace of a `traceparent`; `None` where no collector is set.
    pub(crate) fn begin_span(&self, traceparent: Option<&str>) -> Option<Begun> {
        self.traces()?;
        let now = self.executor().tools().recorder.now();
        Begun::new(traceparent, &self.executor().new_id(now).ok()?, now)
    }

    /// Ends a span, with its subject and whether it failed.
    pub(crate) fn end_span(
        &self,
        begun: Option<Begun>,
        (kind, name): (SpanKind, String),
        attributes: Vec<(&'static str, Value)>,
        has_failed: bool,
    ) {
        let (Some(traces), Some(begun)) = (self.traces(), begun) else {
            return;
        };
        traces.note(Span {
            begun,
            ended_at: self.executor().tools().recorder.now(),
            kind,
            name,
            attributes,
            has_failed,
        });
    }

    /// Processes a queued row in a span. The span continues the `trace` that the row kept, or begins a new trace, and work that
    /// is queued meanwhile inherits it; `name` has few different values.
    pub(crate) fn in_span<T, E>(
        &self,
        (name, trace): (impl FnOnce() -> String, Option<&str>),
        work: impl FnOnce(Option<&Begun>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = self.begin_span(trace);
        let left = self.traces().and_then(|_| left_behind(begun.as_ref(), trace));
        let done = trace::within(left, || work(begun.as_ref()));
        if begun.is_some() {
            self.end_span(begun, (SpanKind::Consumer, name()), Vec::new(), done.is_err());
        }
        done
    }

    /// Where acts are done.
    pub fn executor(&self) -> &Executor {
        &self.0.executor
    }

    /// The change notifier.
    pub fn bells(&self) -> &Bells {
        &self.0.bells
    }

    /// How people reach the server, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.0.executor.tools().public_url
    }

    /// Whether people reach it by HTTPS, so that cookies are marked secure.
    pub fn is_secure(&self) -> bool {
        self.public_url().starts_with("https://")
    }

    /// The largest file of evidence, in bytes.
    pub fn evidence_limit(&self) -> u64 {
        self.0.evidence_limit
    }

    pub(crate) fn uploads(&self) -> &std::path::Path {
        &self.0.uploads
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Questions to the gate that are not written yet.
    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn public_pages(&self) -> &PublicPages {
        &self.0.public_pages
    }

    pub(crate) fn proved_writes(&self) -> &ProvedWrites {
        &self.0.proved_writes
    }

    pub(crate) fn noted(&self) -> &Noted {
        &self.0.noted
    }

    pub(crate) fn callers(&self) -> &KnownCallers {
        &self.0.callers
    }

    pub(crate) fn connections(&self) -> &KnownConnections {
        &self.0.connections
    }

    pub(crate) fn hashing(&self) -> &Semaphore {
        &self.0.hashing
    }

    pub(crate) fn outside(&self) -> &Outside {
        &self.0.outside
    }

    pub(crate) fn no_password(&self) -> &OnceLock<String> {
        &self.0.no_password
    }

    /// The API's own description, rendered once, so that frequent requests by strangers cost little.
    pub(crate) fn description(&self) -> Bytes {
        let written = || wire::openapi::document(self.public_url()).to_string().into();
        self.0.description.get_or_init(written).clone()
    }

    /// Does an act for a caller. Refuses with 401 when the person may no longer act.
    ///
    /// # Errors
    /// The act's refusal or fault, as a failure response.
    pub fn act<T, A>(
        &self,
        lane: Lane,
        caller: &Caller,
        mode: Mode,
        act: A,
    ) -> impl Future<Output = Result<T, Failure>> + Send
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        let whole = move |cx: &mut Context<'_, '_>| {
            Caller::check_active(cx)?;
            act(cx)
        };
        self.act_as(lane, &caller.tenant, caller.actor(), mode, whole)
    }

    /// Does an act as any actor, the system included. Writing acts notify the tenant's listeners after their commit.
    ///
    /// # Errors
    /// The act's refusal or fault, as a failure response.
    pub fn act_as<T, A>(
        &self,
        lane: Lane,
        tenant: &str,
        actor: Actor,
        mode: Mode,
        act: A,
    ) -> impl Future<Output = Result<T, Failure>> + Send
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    {
        self.act_boxed(lane, tenant.to_owned(), actor, mode, Box::new(act))
    }

    /// The common path of every act, compiled once per result type instead of once per act.
    async fn act_boxed<T: Send + 'static>(
        &self,
        lane: Lane,
        tenant: String,
        actor: Actor,
        mode: Mode,
        act: Doing<T>,
    ) -> Result<T, Failure> {
        let (send, receive) = oneshot::channel();
        let (bells, rings) = (self.0.bells.clone(), tenant.clone());
        let done = move |answer: acts::Result<T>| {
            if mode == Mode::Write && answer.is_ok() {
                bells.ring(&rings);
            }
            // A caller that disconnected receives nothing.
            let _ = send.send(answer);
        };
        trace::within(current_trace(), || {
            self.0.executor.run(lane, &tenant, actor, mode, act, done);
        });
        await_result(lane, receive).await
    }

    /// Looks across tenants.
    ///
    /// # Errors
    /// The store's, as a failure response.
    pub async fn across<T, A>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A) -> Result<T, Failure>
    where
        T: Send + 'static,
        A: Fn(&mut CrossTx<'_>) -> acts::Result<T> + Send + 'static,
    {
        let (send, receive) = oneshot::channel();
        self.0
            .executor
            .tools()
            .store
            .run_across(lane, reason, mode, act, move |answer| {
                let _ = send.send(answer);
            });
        await_result(lane, receive).await
    }
}

/// Waits for a lane's result, with a time limit: a database may keep its connections open and never respond.
async fn await_result<T>(lane: Lane, receive: oneshot::Receiver<acts::Result<T>>) -> Result<T, Failure> {
    let patience = match lane {
        Lane::Gate => GATE_PATIENCE,
        Lane::Acts | Lane::Pages | Lane::Worker => PATIENT.try_with(|()| REPORT_PATIENCE).unwrap_or(PATIENCE),
    };
    match tokio::time::timeout(patience, receive).await {
        Ok(Ok(answer)) => answer.map_err(Failure::from),
        Ok(Err(_)) => Err(Failure::busy("stopping", "The server is stopping.")),
        Err(_) => Err(Failure::busy(
            "too_slow",
            "This takes longer than expected; it may still be done. Ask again.",
        )),
    }
}
