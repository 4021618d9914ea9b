//! Deployments that arrive as a pipeline delivers them, counted by the figures and by a count of its own: a made-up week with a return,
//! a rerun and a burst, and where the shared data lies beside the project a slice of the public history of GOV.UK (Crown Copyright,
//! MIT; alphagov/govuk-helm-charts).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::artifact;
use tests::{Place, Server};

/// A deployment to production: when, of which service, and which build.
type Row = (Timestamp, String, String);

/// Deployments, rows that fail, reruns and returns in a burst.
type Count = [i64; 4];

/// The services of the demo on which the rows are walked.
const SERVICES: [&str; 4] = ["label-print", "wms", "edge-dns", "backup"];
const GOVUK: &str = "govuk_deployments_2022_2024.csv.gz";

/// Counts by the documented rules: of the same build twice within a day the earlier one is a rerun; a build that ran before and
/// comes back is a return, and the build that it takes back within 7 days has failed; five returns within ten minutes are a
/// burst.
fn counted(rows: &[Row]) -> BTreeMap<String, Count> {
    let mut places: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        places.entry(&row.1).or_default().push(row);
    }
    let (mut reruns, mut returns) = (BTreeSet::new(), Vec::new());
    for its in places.values() {
        for pair in its.windows(2) {
            if pair[0].2 == pair[1].2 && pair[1].0.duration_since(pair[0].0) <= SignedDuration::from_hours(24) {
                reruns.insert(pair[0]);
            }
        }
        let (mut known, mut last) = (BTreeSet::new(), None::<&Row>);
        for row in its.iter().filter(|row| !reruns.contains(*row)) {
            if let Some(taken) = last.filter(|last| last.2 != row.2 && known.contains(&row.2)) {
                returns.push((*row, taken));
            }
            known.insert(&row.2);
            last = Some(*row);
        }
    }
    returns.sort();
    let mut bursts = BTreeSet::new();
    for five in returns.windows(5) {
        if five[4].0.0.duration_since(five[0].0.0) <= SignedDuration::from_mins(10) {
            bursts.extend(five.iter().map(|(back, _)| *back));
        }
    }
    let failed: BTreeSet<&Row> = returns
        .iter()
        .filter(|(back, taken)| {
            let days = back.0.duration_since(taken.0);
            !bursts.contains(back) && days <= SignedDuration::from_hours(7 * 24)
        })
        .map(|(_, taken)| *taken)
        .collect();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for row in rows {
        let count = counts.entry(row.1.clone()).or_default();
        match (bursts.contains(row), reruns.contains(row)) {
            (true, _) => count[3] += 1,
            (false, true) => count[2] += 1,
            (false, false) => {
                count[0] += 1;
                count[1] += i64::from(failed.contains(row));
            }
        }
    }
    counts
}

/// A week with one of each: a build that is taken back, tried twice, and a burst of mass merges.
fn made_up() -> Vec<Row> {
    let at = |minutes: i64| "2023-01-02T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes);
    let row = |minutes: i64, service: &str, build: &str| (at(minutes), service.to_owned(), build.to_owned());
    let mut rows = vec![
        row(0, "label-print", "a"),
        row(120, "label-print", "b"),
        row(240, "label-print", "a"),
        row(300, "label-print", "a"),
    ];
    let builds = ["p", "q", "p", "q", "p", "q", "p"];
    rows.extend((0..).zip(builds).map(|(minute, build)| row(400 + minute, "wms", build)));
    rows
}

/// A week of two services of GOV.UK, each as a service of the demo; empty where the shared data is not here.
fn govuk() -> Vec<Row> {
    let beside = tests::root().join("../shared/data");
    let folder = std::env::var_os("ASSENT_TEST_SHARED_DATA").map_or(beside, PathBuf::from);
    let path = folder.join(GOVUK);
    if !path.exists() {
        println!("the shared data is not here");
        return Vec::new();
    }
    let mut unpacked = Command::new("gzip")
        .arg("-dc")
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    unpacked.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(unpacked.wait().unwrap().success());
    let mut rows: Vec<Row> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let parts: Vec<&str> = line.split(',').collect();
            let service = match parts[1] {
                "content-data-api" => "edge-dns",
                "support" => "backup",
                _ => return None,
            };
            let is_it = parts[2] == "production" && ("2023-05-01".."2023-05-06").contains(&parts[0]);
            is_it.then(|| (parts[0].parse().unwrap(), service.to_owned(), parts[3].to_owned()))
        })
        .collect();
    rows.sort();
    rows
}

/// A pipeline with its connection and its template.
struct Pipeline {
    path: String,
    secret: String,
    /// Each build that was named, by its place.
    builds: Vec<String>,
    delivered: usize,
}

impl Pipeline {
    fn connect(server: &Server) -> Self {
        let map = SERVICES.map(|it| json!({"repository": it, "service": it, "environments": {"live": "production"}}));
        let request = json!({"kind": "plain", "name": "GOV.UK", "map": map});
        let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
        let template = json!({
            "key": "new-build", "title": "Deploy a build", "services": SERVICES, "environments": ["production"],
            "free": ["planned_start", "planned_end", "title"],
            "locked": {
                "category": "application", "complexity": "low", "description": "A build.", "justification": "It is tested.",
                "plan": [{"title": "Deploy", "minutes": 3}],
                "rollback_plan": [{"title": "Deploy the build before", "minutes": 1}],
            },
        });
        server.must("POST", "/api/v1/templates", &server.token("requester"), Some(&template));
        for role in ["owner", "change_manager"] {
            let path = "/api/v1/templates/new-build/approvals";
            server.must("POST", path, &server.token(role), Some(&json!({})));
        }
        Self {
            path: made["hook_path"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
            builds: Vec::new(),
            delivered: 0,
        }
    }

    fn deliver(&mut self, server: &Server, status: &str, (service, digest): (&str, &str)) {
        self.delivered += 1;
        let body = json!({
            "id": format!("delivery-{}", self.delivered), "service": service, "environment": "live", "status": status,
            "artifact": digest, "at": server.held_time().to_string(),
        });
        let bearer = format!("Bearer {}", self.secret);
        let headers = [("Authorization", bearer.as_str())];
        let (code, answer) = server.ask_with("POST", &self.path, None, Some(&body), &headers);
        assert_eq!(code, 202, "{}", String::from_utf8_lossy(&answer));
    }

    /// Deploys a build now: a standard change, the gate, and the pipeline's report of its run.
    fn deploy(&mut self, server: &Server, service: &str, build: &str) {
        let name = format!("{service} {build}");
        let known = self.builds.iter().position(|it| *it == name);
        let place = known.unwrap_or_else(|| {
            self.builds.push(name);
            self.builds.len() - 1
        });
        let digest = artifact(7_100 + u64::try_from(place).unwrap());
        let now = server.held_time();
        let target = json!({"service": service, "environment": "production", "artifact": digest});
        let change = json!({
            "kind": "standard", "template": "new-build", "title": "Deploy a build", "targets": [target],
            "planned_start": (now - SignedDuration::from_mins(1)).to_string(),
            "planned_end": (now + SignedDuration::from_mins(30)).to_string(),
        });
        let requester = server.token("requester");
        let made = server.must("POST", "/api/v1/changes", &requester, Some(&change));
        let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
        server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
        let check = server.must("POST", "/api/v1/gate-checks", &server.token("pipeline"), Some(&target));
        assert_eq!(check["decision"], "go", "{check:#}");
        for (status, field) in [("started", "actual_start"), ("success", "actual_end")] {
            self.deliver(server, status, (service, &digest));
            eventually("the delivery is taken", || {
                server.must("GET", &path, &requester, None)[field].is_string()
            });
        }
    }
}

/// Walks rows with the distances of their times; returns them with the times at which they were walked.
fn walk(server: &mut Server, pipeline: &mut Pipeline, rows: &[Row]) -> Vec<Row> {
    let mut walked = Vec::new();
    let mut before = None;
    for (at, service, build) in rows {
        // From one part of the rows to the next one an hour passes.
        let gap = before.map_or(3_600, |before| at.duration_since(before).as_secs());
        before = Some(*at);
        server.advance(gap);
        pipeline.deploy(server, service, build);
        walked.push((server.held_time(), service.clone(), build.clone()));
    }
    walked
}

#[test]
fn delivered_deployments_have_the_dora_figures_of_an_independent_count() {
    let place = Place::demo("delivered");
    let mut server = Server::start(&place, true);
    let begin = server.server_time() + SignedDuration::from_hours(1);
    // Times of deliveries are compared at the precision of a second.
    server.hold_clock(Timestamp::from_second(begin.as_second()).unwrap());
    let mut pipeline = Pipeline::connect(&server);
    let mut rows = walk(&mut server, &mut pipeline, &made_up());
    rows.extend(walk(&mut server, &mut pipeline, &govuk()));
    server.advance(60);
    let (from, to) = (rows[0].0, server.held_time());
    let token = server.token("executive");
    let ask = |id: &str, service: &str| {
        let path = format!("/api/v1/metrics/{id}?service={service}&from={from}&to={to}");
        server.must("GET", &path, &token, None)
    };
    eventually("the figures reach the end of the log", || {
        let shown = ask("change_failure_rate", "wms");
        shown["projected_to"] == shown["log_size"]
    });
    let whole = |value: &Value| value.as_i64().unwrap_or_default();
    let wanted = counted(&rows);
    for (service, wanted) in &wanted {
        let shown = ask("change_failure_rate", service);
        let out = |why: &str| whole(&shown["excluded"][why]);
        let found = [whole(&shown["of"]), whole(&shown["hits"]), out("rerun"), out("burst")];
        assert_eq!(found, *wanted, "{service}: {shown:#}");
        let [of, failed, ..] = *wanted;
        assert_eq!(ask("deployment_frequency", service)["of"], of, "{service}");
        assert_eq!(
            ask("lead_time", service)["of"],
            of - failed,
            "{service}: what failed has no lead time"
        );
        assert_eq!(
            ask("recovery_time", service)["hits"],
            failed,
            "{service}: each return recovers"
        );
    }
    // The documented rules, counted by hand for the week that is made up.
    assert_eq!(wanted["label-print"], [3, 1, 1, 0]);
    assert_eq!(wanted["wms"], [2, 0, 0, 5]);
}
