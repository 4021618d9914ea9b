//! The whole public history of deployments of GOV.UK (Crown Copyright, MIT; alphagov/govuk-helm-charts) as deliveries: the
//! figures of each service and month equal a count in Python (`govuk_count.py`). Each quarter is delivered to a world of its
//! own, with the 90 days before it and the 30 behind it at which figures look.
//!
//! `ASSENT_TEST_QUARTERS` is how many of the eleven quarters are delivered: `cargo xtask soak a_public_history`. Such a run
//! notes each finished quarter in `target/govuk-quarters.jsonl` and goes on behind it when it is run again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use acts::audit::sequence_events::sequence_events;
use acts::change::{create_change, set_template, verbs};
use acts::directory::set_service;
use acts::integration::set_connection;
use acts::report::find_figures::find_figure;
use acts::report::metric_query::read_query;
use acts::report::project_outcomes::project_outcomes;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::core::body::Body;
use model::directory::snapshot::Connection;
use model::integration::signal::{self, Signal};
use model::report::definition::Exclusion;
use model::report::figure::Figure;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::{World, began, body, status};

const QUARTERS: &str = "ASSENT_TEST_QUARTERS";
const GOVUK: &str = "govuk_deployments_2022_2024.csv.gz";
/// From April 2022 on.
const ALL: i64 = 11;
/// After so many deployments their events get places, and the figures follow.
const AT_ONCE: usize = 200;

/// A deployment to production.
struct Row {
    at: Timestamp,
    service: String,
    tag: String,
}

/// Counted deployments, failed ones, reruns, and returns in bursts.
type Count = [u64; 4];
/// By service.
type Counts = BTreeMap<String, Count>;

/// A folder in memory: nothing here is about surviving a crash, and thousands of commits would wait for the disk.
pub(crate) fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The file of the history; none where the shared data is not here.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("ASSENT_TEST_SHARED_DATA");
    let file = folder
        .map_or_else(|| root().join("../shared/data"), PathBuf::from)
        .join(GOVUK);
    file.exists().then_some(file)
}

/// The first moment of a day.
fn begin_of(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// A day so many months later.
fn later(day: Date, months: i64) -> Date {
    day.checked_add(months.months()).unwrap()
}

/// The deployments to production between two times, in their order.
fn rows(file: &Path, from: Timestamp, to: Timestamp) -> Vec<Row> {
    let unpacked = Command::new("gzip")
        .arg("-dc")
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(unpacked.status.success());
    let text = String::from_utf8(unpacked.stdout).unwrap();
    let one = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        let at: Timestamp = parts[0].parse().unwrap();
        let is_it = parts[2] == "production" && from <= at && at < to;
        is_it.then(|| Row {
            at,
            service: parts[1].to_owned(),
            tag: parts[3].to_owned(),
        })
    };
    let mut rows: Vec<Row> = text.lines().skip(1).filter_map(one).collect();
    rows.sort_by_key(|row| row.at);
    rows
}

/// What Python counts in each of some months.
fn counted(file: &Path, months: &[String]) -> BTreeMap<String, Counts> {
    let python = std::env::var_os("ASSENT_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deliveries/govuk_count.py");
    let done = Command::new(python)
        .arg(script)
        .arg(file)
        .args(months)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A world in which these services have a template and a pipeline.
fn furnished(services: Vec<String>) -> (World, String) {
    // Hundreds of megabytes, which are too much for memory.
    let world = World::within(tempfile::tempdir().unwrap(), "");
    let template = json!({
        "key": "deploy-any", "title": "Deploy a build", "services": services, "environments": ["production"],
        "free": ["planned_start", "planned_end", "title"], "suspend_after": 100,
        "locked": {
            "category": "application", "complexity": "low", "description": "A build.", "justification": "It is tested.",
            "plan": [{"title": "Deploy", "minutes": 3}],
            "rollback_plan": [{"title": "Deploy the build before", "minutes": 1}],
        },
    });
    let map: Vec<Value> = services
        .iter()
        .map(|key| json!({"repository": key, "service": key, "environments": {"prod": "production"}}))
        .collect();
    world.system(move |cx| {
        for key in &services {
            set_service::set_service(cx, &body(json!({"key": key, "criticality": "low"})))?;
        }
        Ok(())
    });
    world.by("rita", move |cx| {
        set_template::propose_template(cx, &body(template.clone()))
    });
    for login in ["olga", "mona"] {
        world.by(login, |cx| {
            set_template::approve_template(cx, "deploy-any", &Body::new())
        });
    }
    let request = json!({"kind": "plain", "name": "GOV.UK", "owner": "rita", "map": map});
    let made: Connection = world.by("ada", move |cx| {
        Ok(set_connection::create_connection(cx, &body(request.clone()))?.0)
    });
    (world, made.id.0)
}

/// A standard change and the reports of its pipeline, all at the time of the deployment.
fn deploy(world: &World, connection: &str, (number, row): (usize, &Row)) {
    world.set_clock(row.at);
    let artifact = proof::crypto::digest_text(format!("{} {}", row.service, row.tag).as_bytes());
    let request = json!({
        "kind": "standard", "template": "deploy-any", "title": "Deploy a build",
        "targets": [{"service": row.service, "environment": "production", "artifact": artifact}],
        "planned_start": (row.at - SignedDuration::from_mins(1)).to_string(),
        "planned_end": (row.at + SignedDuration::from_mins(30)).to_string(),
    });
    world.by("rita", move |cx| {
        let key = create_change::create_change(cx, &body(request.clone()), &[])?;
        verbs::submit_change(cx, &key)?;
        Ok(())
    });
    for word in ["in_progress", "success"] {
        let Signal::DeploymentStatus(told) = status(&format!("run-{number}"), &artifact, word, 0) else {
            unreachable!("it is a status");
        };
        let signal = Signal::DeploymentStatus(signal::DeploymentStatus {
            repository: row.service.clone(),
            occurred_at: row.at,
            ..told
        });
        let connection = connection.to_owned();
        world.system(move |cx| acts::integration::take_delivery::take_signal(cx, &connection, &signal));
    }
}

/// Gives the events their places, and lets the figures follow.
fn project(world: &World) {
    loop {
        let placed = sequence_events(&world.executor, "halden", "server-1").unwrap();
        if placed.from == placed.to {
            break;
        }
    }
    project_outcomes(&world.executor, "halden").unwrap();
}

/// The figure of a metric by service, in a window.
fn figures(world: &World, metric: &'static str, from: Timestamp, to: Timestamp) -> BTreeMap<String, Figure> {
    let (from, to) = (from.to_string(), to.to_string());
    let look = move |cx: &mut acts::Context<'_, '_>| {
        let query = read_query(metric, cx.now, |name| match name {
            "by" => Some("service"),
            "from" => Some(from.as_str()),
            "to" => Some(to.as_str()),
            _ => None,
        })?;
        Ok(find_figure(cx, &query)?.groups)
    };
    let actor = model::change::change_file::Actor::system();
    world
        .executor
        .wait(Lane::Pages, "halden", actor, Mode::Read, look)
        .unwrap()
}

/// Compares a month: what the failure rate counts, and the deployments of two further figures.
fn compare(world: &World, (month, wanted): (&str, &Counts), (from, to): (Timestamp, Timestamp)) {
    let found: Counts = figures(world, "change_failure_rate", from, to)
        .into_iter()
        .map(|(service, it)| {
            let out = |why: Exclusion| it.excluded.get(&why).copied().unwrap_or_default();
            (service, [it.of, it.hits, out(Exclusion::Rerun), out(Exclusion::Burst)])
        })
        .collect();
    assert_eq!(&found, wanted, "{month}");
    let deployed = figures(world, "deployment_frequency", from, to);
    let leads = figures(world, "lead_time", from, to);
    let of = |all: &BTreeMap<String, Figure>, service: &str| all.get(service).map_or(0, |it| it.of);
    for (service, [counted, failed, ..]) in wanted {
        assert_eq!(of(&deployed, service), *counted, "{service} in {month}");
        assert_eq!(
            of(&leads, service),
            counted - failed,
            "{service} in {month}: what failed has no lead time"
        );
    }
    let sum = |place: usize| wanted.values().map(|it| it[place]).sum::<u64>();
    println!(
        "{month}: {} services, {} deployments, {} failed, {} reruns, {} in bursts: as counted in Python",
        wanted.len(),
        sum(0),
        sum(1),
        sum(2),
        sum(3)
    );
}

/// Delivers a quarter with what figures look at around it, and compares its months.
fn try_quarter(file: &Path, first: Date) {
    let (from, to) = (begin_of(first), begin_of(later(first, 3)));
    let days = |count: i64| SignedDuration::from_hours(24 * count);
    let (back, ahead) = (from - days(90), to + days(30));
    // The distances of the times count, and the world is later than the history.
    let moved = began() + days(2);
    let moved = Timestamp::from_second(moved.as_second()).unwrap().duration_since(back);
    let mut rows = rows(file, back, ahead);
    for row in &mut rows {
        row.at += moved;
    }
    let mut services: Vec<String> = rows.iter().map(|row| row.service.clone()).collect();
    services.sort();
    services.dedup();
    let (world, connection) = furnished(services);
    for (number, row) in rows.iter().enumerate() {
        deploy(&world, &connection, (number, row));
        if number % AT_ONCE == 0 {
            project(&world);
        }
    }
    world.set_clock(ahead + moved);
    project(&world);
    let months: Vec<Date> = (0..3).map(|number| later(first, number)).collect();
    let names: Vec<String> = months.iter().map(|month| month.strftime("%Y-%m").to_string()).collect();
    let wanted = counted(file, &names);
    for (month, name) in months.iter().zip(&names) {
        let window = (begin_of(*month) + moved, begin_of(later(*month, 1)) + moved);
        compare(&world, (name.as_str(), &wanted[name]), window);
    }
}

/// The finished quarters of a long run.
struct Noted(Option<PathBuf>);

impl Noted {
    fn open() -> Self {
        let is_soak = std::env::var_os(QUARTERS).is_some();
        Self(is_soak.then(|| root().join("target/govuk-quarters.jsonl")))
    }

    fn has(&self, quarter: &str) -> bool {
        let text = self.0.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let text = text.unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.any(|line| line["quarter"] == quarter)
    }

    fn add(&self, quarter: &str) {
        let Some(file) = &self.0 else { return };
        let before = std::fs::read_to_string(file).unwrap_or_default();
        let line = json!({"quarter": quarter});
        std::fs::write(file.with_extension("new"), format!("{before}{line}\n")).unwrap();
        std::fs::rename(file.with_extension("new"), file).unwrap();
    }

    /// The next long run begins anew.
    fn finish(&self) {
        if let Some(file) = self.0.as_ref().filter(|file| file.exists()) {
            std::fs::rename(file, file.with_extension("done")).unwrap();
        }
    }
}

#[test]
fn a_public_history_of_deliveries_has_the_figures_of_a_count_in_python() {
    let Some(file) = data() else {
        println!("the shared data is not here");
        return;
    };
    let count: i64 = std::env::var(QUARTERS).map_or(1, |text| text.parse().unwrap());
    let noted = Noted::open();
    for number in 0..count.min(ALL) {
        let first = later(date(2022, 4, 1), 3 * number);
        let quarter = first.strftime("%Y-%m").to_string();
        if noted.has(&quarter) {
            println!("the quarter from {quarter} on was delivered before");
            continue;
        }
        try_quarter(&file, first);
        noted.add(&quarter);
    }
    noted.finish();
}
