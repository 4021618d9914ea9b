//! `assent gate check`: queries whether a build may be deployed, waits for go, and collects the permit.

use std::time::{Duration, Instant};

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::gate::build::Build;
use crate::commands::gate::emergency::{self, Emergency, Print};
use crate::commands::gate::kube_checks::{self, Kubernetes};
use crate::commands::gate::lists::{REFUSED, RUNNING, UNMATCHED, checks, coverage, list, seconds_of, waits};
use crate::common::Common;
use crate::failure::{Failure, Result, SecretFile};
use crate::output::{Output, Tone, array, text_of, unmet_lines};

/// Seconds that one long poll lasts.
const POLL_SECONDS: i64 = 30;

/// The time after the end of waiting in which the server's last response is still awaited.
const GRACE_SECONDS: i64 = 15;

/// Asks the gate.
#[derive(Debug, Subcommand)]
pub enum Gate {
    /// Ask; exit 0 go, 1 stop, 2 could not ask.
    #[command(
        after_help = "Example: assent gate check --service booking-api --environment production \\\n           \
        --artifact sha256:… --wait 30m --permit permit.jwt && ./deploy.sh"
    )]
    Check(Box<Check>),
    /// List recorded checks, the newest first.
    Checks(Of),
    /// Fetch a signed emergency card to be printed and kept for the time in which no server can be reached.
    #[command(after_help = "Example: assent gate card 0193… --output card.txt --svg card.svg")]
    Card(Print),
    /// List questions that named nothing that is known, with the reason.
    Refused,
    /// List production services with their sources, gates and what is amiss.
    Coverage(Days),
    /// List deployments without an approved change, and changes without a deployment.
    Unmatched(Days),
    /// Tell how long each pipeline waited: for people, in the queue, for the decision.
    Waits(Days),
    /// List what is recorded as running.
    Running,
    /// Answer the custom resource `GateCheck` of a Kubernetes cluster.
    #[command(
        after_help = "Example: assent gate kubernetes --environment production --bind dns=edge-dns --token-file /secret/token"
    )]
    Kubernetes(Box<Kubernetes>),
}

/// Which checks are listed.
#[derive(Debug, Args)]
pub struct Of {
    /// Only checks about this service.
    #[arg(long, value_name = "KEY")]
    pub service: Option<String>,
    /// Only checks in this state.
    #[arg(long, value_parser = ["waiting", "collectable", "settled", "over"])]
    pub state: Option<String>,
}

/// How far back to look.
#[derive(Debug, Args)]
pub struct Days {
    /// How many days back.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=366))]
    pub days: i64,
}

/// What to ask the gate.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("build").required(true).args(["artifact", "commit"]))]
pub struct Check {
    /// What goes where.
    #[command(flatten)]
    pub build: Build,
    /// The change that is meant; it never suffices alone.
    #[arg(long, value_name = "KEY")]
    pub change: Option<String>,
    /// The member that is about to be changed, where the change goes to many in waves.
    #[arg(long, value_name = "NAME")]
    pub member: Option<String>,
    /// Ask for the way back.
    #[arg(long)]
    pub rollback: bool,
    /// How long to wait for go, such as 30m; at most seven days.
    #[arg(long, value_name = "SPAN", value_parser = wait_span)]
    pub wait: Option<i64>,
    /// Where to write the permit, readable by its owner alone; `-` for standard output, which then holds nothing else.
    #[arg(long, value_name = "FILE")]
    pub permit: Option<String>,
    /// What is said while no server can be reached.
    #[command(flatten)]
    pub emergency: Emergency,
}

/// A check waits for at most a week, as in the API.
const LONGEST_WAIT_SECONDS: i64 = 7 * 86_400;

fn wait_span(text: &str) -> std::result::Result<i64, String> {
    let seconds = clock::seconds(text)?;
    if seconds > LONGEST_WAIT_SECONDS {
        return Err(format!("`{text}` is longer than a check waits: at most 7d"));
    }
    Ok(seconds)
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal (which is no decision: the exit code is 2), or why the request failed.
pub fn run(gate: &Gate, common: &Common, output: &Output) -> Result<u8> {
    if let Gate::Check(check) = gate
        && check.emergency.is_said()
    {
        // No server is available.
        return emergency::check(&check.build, &check.emergency, output);
    }
    let client = Client::new(common)?;
    let check = match gate {
        Gate::Check(check) => check,
        Gate::Checks(of) => return checks(&client, output, of.service.as_deref(), of.state.as_deref()),
        Gate::Card(print) => return emergency::print(print, &client, output),
        Gate::Refused => return list(&client, output, "/gate-refusals?limit=200", &REFUSED),
        Gate::Coverage(days) => return coverage(&client, output, days.days),
        Gate::Unmatched(days) => {
            let path = format!("/completeness?days={}", days.days);
            return list(&client, output, &path, &UNMATCHED);
        }
        Gate::Waits(days) => return waits(&client, output, days.days),
        Gate::Running => return list(&client, output, "/running", &RUNNING),
        Gate::Kubernetes(wanted) => return kube_checks::run(wanted, common, output),
    };
    // A go starts the change: a permit that could not be kept would be a start without a deployment.
    let file = check.permit.as_deref().map(SecretFile::open).transpose()?;
    let (begun, asked_at) = (clock::tick(), clock::now());
    let first = patiently(check, output, begun, || send_check(&client, check, asked_at));
    let answer = first.and_then(|first| wait(&client, check, output, first, begun));
    // A refusal here is no stop: nobody decided.
    let answer = answer.map_err(|failure| {
        output.failure(&failure);
        Failure::could_not("The gate could not be asked; nothing was decided.")
    })?;
    print_found(file, check, output, &answer, seconds_since(begun))
}

/// A check that waits for go also waits out a restart of the server, in the first request and in the last.
fn patiently(check: &Check, output: &Output, begun: Instant, ask: impl Fn() -> Result<Value>) -> Result<Value> {
    let mut told = String::new();
    loop {
        match ask() {
            Err(failure) if failure.is_passing() && seconds_left(check, begun) > 0 => {
                let text = format!("{failure:?}");
                if text != told {
                    output.failure(&failure);
                    told = text;
                }
                std::thread::sleep(Duration::from_secs(1));
            }
            answer => return answer,
        }
    }
}

/// The time in which a further request is useful: none without `--wait`.
fn seconds_left(check: &Check, begun: Instant) -> i64 {
    check
        .wait
        .map_or(0, |patience| patience + GRACE_SECONDS - seconds_since(begun))
}

/// Patience is measured evenly; how long the check itself waits is counted by the server's clock.
fn seconds_since(begun: Instant) -> i64 {
    let passed = clock::tick().saturating_duration_since(begun);
    i64::try_from(passed.as_secs()).unwrap_or(i64::MAX)
}

/// The line on the waiting time. The time that neither people nor the queue took belongs to the decision, the way to the server
/// included.
fn waited_line(answer: &Value, waited: i64) -> String {
    let part = |name: &str| seconds_of(answer["waited"][name].as_i64().unwrap_or_default());
    let (people, queue) = (part("people_ms"), part("queue_ms"));
    let decision = (waited - people - queue).max(0);
    format!("Waited {waited} s: people {people} s, queue {queue} s, decision {decision} s.")
}

fn send_check(client: &Client, check: &Check, now: Timestamp) -> Result<Value> {
    let mut body = check.build.body();
    if let Some(change) = &check.change {
        body.insert("change".to_owned(), json!(change));
    }
    if let Some(member) = &check.member {
        body.insert("member".to_owned(), json!(member));
    }
    if check.rollback {
        body.insert("purpose".to_owned(), json!("rollback"));
    }
    if let Some(seconds) = check.wait.filter(|seconds| *seconds > 0) {
        // The server counts by its own clock: this machine's may go wrong.
        body.insert("wait_seconds".to_owned(), json!(seconds));
    }
    // The same request after a lost response is the same check.
    let key = format!("gate-check-{}-{}", now.as_nanosecond(), std::process::id());
    let headers = [("Idempotency-Key", key.as_str())];
    Ok(client
        .send("POST", "/gate-checks", Some(&Value::Object(body)), &headers)?
        .body)
}

/// Reads the check until it is go, its time is over or it settled; then collects the permit.
fn wait(client: &Client, check: &Check, output: &Output, first: Value, begun: Instant) -> Result<Value> {
    let Some(id) = first.get("id").and_then(Value::as_str).map(str::to_owned) else {
        return Err(Failure::could_not(
            "The answer names no check; is this an Assent server?",
        ));
    };
    let patience = check.wait.unwrap_or_default();
    let mut answer = first;
    let mut told = Vec::new();
    let mut away: Option<String> = None;
    loop {
        while !is_go(&answer) && is_waiting(&answer, patience) {
            print_reasons(output, &answer, &mut told);
            let left = seconds_left(check, begun);
            if left <= 0 {
                if away.is_some() {
                    return Err(stayed_away(output, &told));
                }
                break;
            }
            let seen = text_of(&answer, "checked_at");
            match poll(client, (&id, &seen), left.min(POLL_SECONDS)) {
                Ok(news) => (answer, away) = (news, None),
                // A restart of the server, a busy moment: reported once and waited out.
                Err(failure) if failure.is_passing() => {
                    let text = format!("{failure:?}");
                    if away.as_ref() != Some(&text) {
                        output.failure(&failure);
                    }
                    away = Some(text);
                }
                Err(failure) => return Err(failure),
            }
        }
        // The go of a system that leads the service has no permit to collect.
        if !is_go(&answer) || permit_of(&answer).is_some() || answer.get("led_by").is_some() {
            return Ok(answer);
        }
        let path = format!("/gate-checks/{}/permit", encode(&id));
        match patiently(check, output, begun, || Ok(client.post(&path, &json!({}))?.body)) {
            // Between the turn and the collecting it turned back: a stop, which is waited out like any other.
            Err(Failure::Refused { status: 409, problem }) if text_of(&problem, "code") == "not_go" => {
                answer["decision"] = json!("stop");
                answer["state"] = json!("waiting");
                answer["reasons"] = problem.get("unmet").cloned().unwrap_or_else(|| json!([]));
                let is_another = |reason: &Value| text_of(reason, "code") == "not_allowed";
                if array(&answer, "reasons").iter().any(is_another) {
                    // Waiting does not change the change that a permit belongs to.
                    return Ok(answer);
                }
                std::thread::sleep(Duration::from_secs(1));
            }
            collected => return collected,
        }
    }
}

/// The time is over and the server is still away: its last response does not decide whether the build may go now.
fn stayed_away(output: &Output, told: &[String]) -> Failure {
    output.talk("Known before the server was away, and no answer:");
    told.iter().for_each(|line| output.talk(line));
    Failure::could_not("The server stayed away until the time was over.")
}

/// One long poll, which ends at other reasons than those `seen`.
fn poll(client: &Client, (id, seen): (&str, &str), seconds: i64) -> Result<Value> {
    let asked = clock::tick();
    let mut path = format!("/gate-checks/{}?wait={seconds}", encode(id));
    if !seen.is_empty() {
        path.push_str(&format!("&seen={}", encode(seen)));
    }
    let answer = client.get(&path).map(|answer| answer.body);
    // The loop must pause where a server responds at once without news.
    let is_other = |answer: &Value| is_go(answer) || text_of(answer, "checked_at") != seen;
    let is_news = answer.as_ref().is_ok_and(is_other);
    if !is_news && seconds_since(asked) < 1 {
        std::thread::sleep(Duration::from_secs(1));
    }
    answer
}

fn is_go(answer: &Value) -> bool {
    answer.get("decision").and_then(Value::as_str) == Some("go")
}

fn is_waiting(answer: &Value, patience: i64) -> bool {
    let is_over = array(answer, "reasons")
        .iter()
        .any(|reason| text_of(reason, "code") == "wait_over");
    let is_settled = matches!(text_of(answer, "state").as_str(), "settled" | "over");
    patience > 0 && !is_over && !is_settled
}

/// The permit's place: the compact JWS itself, or in an object around it.
fn permit_of(answer: &Value) -> Option<&str> {
    let found = answer.get("permit")?;
    found.as_str().or_else(|| found.get("permit")?.as_str())
}

/// Prints the reasons when they differ from those printed last.
fn print_reasons(output: &Output, answer: &Value, told: &mut Vec<String>) {
    let mut lines = unmet_lines(array(answer, "reasons"));
    let next = text_of(answer, "next_transition_at");
    // The end of a window is a moment too, at which nothing opens.
    let opens_by_itself = |reason: &Value| ["window_not_open", "freeze"].contains(&text_of(reason, "code").as_str());
    if !next.is_empty() && array(answer, "reasons").iter().all(opens_by_itself) {
        lines.push(format!("    by itself at {next}"));
    }
    if lines != *told {
        output.talk(&format!("{} waiting:", output.tone(Tone::Warn, "stop")));
        lines.iter().for_each(|line| output.talk(line));
        *told = lines;
    }
}

/// Known facts that block nothing, such as a decided conflict.
fn information_lines(answer: &Value) -> Vec<String> {
    let rows = array(answer, "information").iter();
    rows.map(|row| format!("  known: {}", text_of(row, "text"))).collect()
}

fn print_found(file: Option<SecretFile>, check: &Check, output: &Output, answer: &Value, waited: i64) -> Result<u8> {
    let mut shown = answer.clone();
    shown["waited_seconds"] = json!(waited);
    let output = output.beside(check.permit.as_deref());
    if !is_go(answer) {
        output.data(&shown, |output| {
            output.line(&output.tone(Tone::Bad, "stop"));
            unmet_lines(array(answer, "reasons"))
                .iter()
                .for_each(|line| output.line(line));
            information_lines(answer).iter().for_each(|line| output.line(line));
        });
        output.talk(&waited_line(answer, waited));
        return Ok(1);
    }
    let permit = permit_of(answer);
    let is_in_answer = check.permit.as_deref() == Some("-") && output.is_json();
    if let Some(file) = file {
        let without = match answer.get("led_by") {
            Some(_) => {
                "The system that leads this service lets it go, and Assent gives no permit for that: ask without \
                 --permit."
            }
            None => "The gate said go but gave no permit.",
        };
        let token = permit.ok_or_else(|| Failure::could_not(without))?;
        if is_in_answer {
            shown["permit"] = json!(token);
        } else {
            file.write(format!("{token}\n").as_bytes())?;
            // The permit is in the protected file and need not appear in a build log.
            shown["permit"] = json!(check.permit);
        }
    }
    let of_own = || text_of(answer, "change");
    let named = answer.get("led_by").map_or_else(of_own, |led| text_of(led, "change"));
    output.data(&shown, |output| {
        output.line(&format!("{} {}", output.tone(Tone::Good, "go"), named));
        information_lines(answer).iter().for_each(|line| output.line(line));
    });
    output.talk(&waited_line(answer, waited));
    if let Some(path) = check.permit.as_deref().filter(|path| *path != "-") {
        output.talk(&format!("The permit stands in {path}."));
    }
    Ok(0)
}
