//! How soon every gate refuses once a major incident is opened: gates that were open, in the plain query and in the dialect of
//! reverse proxies; and how soon checks that wait name the incident, among many open changes. On PostgreSQL the questions go to two servers, and the act
//! to one of them.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::{Connection, request};
use super::lists;
use super::load::{Amount, seconds_since};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, text_of};
use super::report::Line;

/// Gates that are open when the incident begins.
const OPEN_GATES: usize = 100;
/// A service of the demo that depends on [`SERVICE`]: the incident is about it.
const ABOVE: &str = "wms";
/// Artifacts of this measure are numbered from here, far from those of the other measures.
const FIRST: u64 = 1 << 46;
/// The longest that making the changes may take, in seconds.
const FILLING: f64 = 1_800.0;
/// Connections that make them.
const CONNECTIONS: usize = 16;
/// A text that no check names, for a look before the incident has a key.
const NO_INCIDENT: &str = "no incident";
/// How long the gates may take before the measure is given up, in seconds.
const PATIENCE: f64 = 60.0;
/// So soon every gate has to refuse, in seconds.
const WITHIN: f64 = 2.0;

/// Measures over `open` changes with `waiting` checks, at one server or at two over the same database.
///
/// # Errors
/// When a request is refused, a gate is closed before the incident, or one stays open after it.
pub fn measure(servers: &[&Product], open: u64, waiting: usize) -> Result<Vec<Line>> {
    let first = *servers.first().context("there is no server")?;
    let amount = Amount {
        connections: CONNECTIONS,
        seconds: FILLING,
        count: open,
    };
    let made = lists::fill(first, amount, 0)?.took.len();
    let mut caller = Caller::new(first)?;
    let minor = incident(&mut caller, "Labels are slow", 3, SERVICE)?;
    let now = assent::clock::now();
    let mut gates = Gates::new(servers)?;
    for number in 0..waiting + OPEN_GATES {
        let build = artifact(FIRST + number as u64);
        let is_open = number < OPEN_GATES;
        emergency(&mut caller, (&build, &minor), is_open)?;
        match is_open {
            true => gates.builds.push(build),
            false => gates.wait_for(number % servers.len(), &build, now)?,
        }
    }
    let refused = gates.refused()? + gates.told(NO_INCIDENT)?;
    ensure!(refused == 0, "{refused} gates refuse before the incident");
    let since = assent::clock::now();
    gates.refused()?;
    gates.told(NO_INCIDENT)?;
    let floor = seconds_since(since);
    let began = assent::clock::now();
    let major = incident(&mut caller, "The warehouse stands still", 1, ABOVE)?;
    let act = seconds_since(began);
    let asked = 2 * OPEN_GATES * servers.len();
    let refused = until(began, asked, || gates.refused())?;
    let told = until(began, waiting, || gates.told(&major))?;
    let among = format!("{made} open changes, {} servers", servers.len());
    let what = format!("A major incident to the last refusal of {asked} questions at open gates, {among}");
    let floor = format!("{floor:.2} s, one look at all gates; the act alone {act:.2} s");
    let refused = Line::below(what, refused, format!("{refused:.2} s"), WITHIN, "s").beside(floor);
    // A waiting check stops its pipeline anyway; this is when its reasons name the incident.
    let what = format!("To the last of {waiting} waiting checks that name it");
    Ok(vec![
        refused,
        Line::below(what, told, format!("{told:.2} s"), WITHIN, "s"),
    ])
}

/// The time from `began` until all are counted, in seconds.
fn until(began: Timestamp, all: usize, mut count: impl FnMut() -> Result<usize>) -> Result<f64> {
    loop {
        let counted = count()?;
        let took = seconds_since(began);
        if counted == all {
            return Ok(took);
        }
        ensure!(took < PATIENCE, "{counted} of {all} after {PATIENCE} s");
    }
}

fn incident(caller: &mut Caller<'_>, title: &str, severity: i64, service: &str) -> Result<String> {
    let body = json!({"title": title, "severity": severity, "services": [service]});
    let made = caller.ask("commander", "POST", "/incidents", Some(&body))?;
    text_of(&made, "key")
}

/// An emergency change of high risk; approved by its owner, and by the change manager where its gate is to be open.
fn emergency(caller: &mut Caller<'_>, (build, incident): (&str, &str), is_open: bool) -> Result<()> {
    let wanted = json!({
        "kind": "emergency", "title": "Faster labels", "description": "What a measure does.",
        "justification": "To see it done.", "incident": incident,
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": build}],
        "plan": [{"title": "Bring it out"}], "no_rollback_reason": "There is none.",
    });
    let made = caller.ask("requester", "POST", "/changes", Some(&wanted))?;
    let path = format!("/changes/{}", text_of(&made, "key")?);
    caller.ask("requester", "POST", &format!("{path}/submission"), Some(&json!({})))?;
    let assessed = caller.ask("requester", "POST", &format!("{path}/assessment"), Some(&json!({})))?;
    let approval = json!({"decision": "approve", "content_digest": text_of(&assessed, "content_digest")?});
    let roles: &[&str] = if is_open {
        &["owner", "change_manager"]
    } else {
        &["owner"]
    };
    for role in roles {
        caller.ask(role, "POST", &format!("{path}/approvals"), Some(&approval))?;
    }
    Ok(())
}

/// The gates that are looked at, each at its server.
struct Gates<'a> {
    servers: Vec<(Connection, &'a str)>,
    /// Waiting checks: the server and the id.
    checks: Vec<(usize, String)>,
    /// Artifacts whose gates are open.
    builds: Vec<String>,
}

impl<'a> Gates<'a> {
    fn new(servers: &[&'a Product]) -> Result<Self> {
        let mut opened = Vec::new();
        for server in servers {
            opened.push((Connection::open(server.address)?, server.token("pipeline")));
        }
        Ok(Self {
            servers: opened,
            checks: Vec::new(),
            builds: Vec::new(),
        })
    }

    fn wait_for(&mut self, server: usize, build: &str, now: Timestamp) -> Result<()> {
        let question = json!({
            "service": SERVICE, "environment": ENVIRONMENT, "artifact": build,
            "wait_until": (now + SignedDuration::from_hours(5)).to_string(),
        });
        let (connection, token) = &mut self.servers[server];
        let asked = request("POST", "/api/v1/gate-checks", Some(*token), Some(&question));
        connection.keep_open()?;
        let check = connection.ask(&asked)?.json()?;
        ensure!(check["decision"] == "stop", "a check does not wait: {check}");
        self.checks.push((server, text_of(&check, "id")?));
        Ok(())
    }

    fn keep_open(&mut self) -> Result<()> {
        self.servers
            .iter_mut()
            .try_for_each(|(connection, _)| connection.keep_open())
    }

    /// How many waiting checks name the incident by now.
    fn told(&mut self, incident: &str) -> Result<usize> {
        let mut count = 0;
        self.keep_open()?;
        for (server, id) in &self.checks {
            let (connection, token) = &mut self.servers[*server];
            let path = format!("/api/v1/gate-checks/{id}");
            let check = connection.ask(&request("GET", &path, Some(*token), None))?.json()?;
            count += usize::from(check["reasons"].to_string().contains(incident));
        }
        Ok(count)
    }

    /// How many questions about open gates are refused by now, in two dialects at each server.
    fn refused(&mut self) -> Result<usize> {
        let mut count = 0;
        self.keep_open()?;
        for (connection, token) in &mut self.servers {
            for build in &self.builds {
                let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={build}");
                let answer = connection.ask(&request("GET", &path, Some(*token), None))?;
                let told: Value = serde_json::from_slice(&answer.body).context("the gate answers no JSON")?;
                count += usize::from(told["decision"] == "stop");
                let forward = forwarded(token, build)?;
                count += usize::from(connection.ask(&forward)?.status == 403);
            }
        }
        Ok(count)
    }
}

/// The question of a reverse proxy, which names the artifact in a header.
fn forwarded(token: &str, build: &str) -> Result<Vec<u8>> {
    let path = format!("/gateway/http/{SERVICE}/{ENVIRONMENT}");
    let text = String::from_utf8(request("GET", &path, Some(token), None))?;
    let (first, rest) = text.split_once("\r\n").context("a request has lines")?;
    Ok(format!("{first}\r\nAssent-Artifact: {build}\r\n{rest}").into_bytes())
}
