//! The thread that raises monitoring while changes are watched. It updates the records of raised monitors from the changes,
//! queues queries about objectives, and makes the files for Prometheus equal to the records. All its state is in the records,
//! so a restarted server finds the due work at its start.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use acts::Context;
use acts::incident::measure_objectives;
use acts::incident::raise_monitors::{self, Files};
use connect::socket::call::{Call, Caller};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::background::rounds;
use crate::background::sequencer::{log_fault, times};
use crate::http::state::AppState;
use crate::integration::monitoring_state::Configured;

/// The time between two rounds.
const BETWEEN: SignedDuration = SignedDuration::from_secs(5);
/// The most expressions for which the result of the check is remembered.
const MOST_KNOWN: usize = 10_000;

/// The folder of the files for Prometheus, and the address that makes Prometheus reload them.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder; each tenant has its own files in it.
    pub(crate) folder: PathBuf,
    /// The address that has Prometheus read its rules again.
    pub(crate) reload: Option<String>,
}

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState, place: Option<Place>, caller: &Caller) -> std::io::Result<JoinHandle<()>> {
    let caller = caller.clone();
    state.monitoring().configure(place.as_ref().map(|place| Configured {
        folder: place.folder.display().to_string(),
        reloads: place.reload.is_some(),
    }));
    // Before the first round the state of Prometheus is unknown.
    let mut is_read = false;
    let mut readable = Readable::at(place.as_ref());
    rounds::start_whole(state, "monitors", BETWEEN, move |state| {
        let mut are_targets_new = false;
        readable.is_silent = false;
        rounds::for_each_tenant(state, "looking for monitors to raise or lower", |tenant| {
            follow(state, tenant);
            if let Some(place) = &place {
                let written = write(state, tenant, &place.folder, |monitor, expression| {
                    readable.reads(&caller, (monitor, expression))
                });
                are_targets_new |= written.targets;
                is_read &= !written.rules;
            }
        });
        if let Some(url) = place.as_ref().and_then(|place| place.reload.as_ref())
            && !is_read
            && !are_targets_new
        {
            let done = reload(&caller, url);
            state
                .monitoring()
                .note_reload(state.executor().tools().clock.now(), &done);
            is_read = done.is_ok();
        }
    })
}

/// The expressions that Prometheus can read. One unreadable expression makes Prometheus refuse the rules of every monitor and
/// every tenant.
struct Readable {
    /// The address of Prometheus; absent where no address for reloading rules is set.
    base: Option<String>,
    known: HashMap<String, bool>,
    /// Whether Prometheus failed to respond in this round.
    is_silent: bool,
}

impl Readable {
    fn at(place: Option<&Place>) -> Self {
        let reload = place.and_then(|place| place.reload.as_deref());
        Self {
            base: reload.and_then(|url| url.strip_suffix("/-/reload")).map(str::to_owned),
            known: HashMap::new(),
            is_silent: false,
        }
    }

    /// Whether Prometheus can read the expression of a monitor, tested by a query. Without a clear result the expression stays.
    fn reads(&mut self, caller: &Caller, (monitor, expression): (&str, &str)) -> bool {
        if let Some(known) = self.known.get(expression) {
            return *known;
        }
        let Some(base) = self.base.as_ref().filter(|_| !self.is_silent) else {
            return true;
        };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", expression)
            .finish();
        let call = Call {
            method: "GET",
            url: format!("{base}/api/v1/query?{query}"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let is_read = match caller.call(&call) {
            Ok(answer) if answer.status == 400 => false,
            // 422: it was read, and came to no value.
            Ok(answer) if answer.is_taken() || answer.status == 422 => true,
            Ok(_) | Err(_) => {
                self.is_silent = true;
                return true;
            }
        };
        if !is_read {
            tracing::error!(monitor, "Prometheus cannot read an expression, so its rule is left out");
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(expression.to_owned(), is_read);
        is_read
    }
}

/// The rules without those whose expression cannot be read. `reads` gets the key of the monitor and the expression.
fn readable_rules(rules: &str, mut reads: impl FnMut(&str, &str) -> bool) -> String {
    let Ok(mut found) = serde_json::from_str::<Value>(rules) else {
        return rules.to_owned();
    };
    let Some(rows) = found.pointer_mut("/groups/0/rules").and_then(Value::as_array_mut) else {
        return rules.to_owned();
    };
    rows.retain(|row| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        reads(&text(&row["labels"]["assent_monitor"]), &text(&row["expr"]))
    });
    if rows.is_empty() {
        found = json!({"groups": []});
    }
    format!("{found:#}\n")
}

/// The files of a tenant that had to be written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Written {
    targets: bool,
    rules: bool,
}

/// Updates the records of a tenant from its changes.
fn follow(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let look = |cx: &mut Context<'_, '_>| {
        let is_due = !raise_monitors::find_due(cx)?.is_empty();
        Ok(is_due || !measure_objectives::find_due(cx)?.is_empty())
    };
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look);
    if log_fault(found, "looking for monitors to raise or lower") != Some(true) {
        return;
    }
    let act = |cx: &mut Context<'_, '_>| {
        let has_moved = raise_monitors::follow(cx)?;
        Ok(measure_objectives::queue_calls(cx)? || has_moved)
    };
    let done = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act);
    if log_fault(done, "raising and lowering monitors") == Some(true) {
        state.bells().ring(tenant);
    }
}

/// Makes the files of a tenant equal to its records, except rules that Prometheus cannot read. Returns the differences.
fn write(state: &AppState, tenant: &str, folder: &Path, mut reads: impl FnMut(&str, &str) -> bool) -> Written {
    let load = |cx: &mut Context<'_, '_>| raise_monitors::files(cx);
    let found = state
        .executor()
        .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, load);
    let Some(mut files) = log_fault(found, "reading what is raised") else {
        return Written::default();
    };
    let mut left_out = Vec::new();
    files.rules = readable_rules(&files.rules, |monitor, expression| {
        let is_read = reads(monitor, expression);
        if !is_read {
            left_out.push(monitor.to_owned());
        }
        is_read
    });
    let done = write_files(folder, tenant, &files);
    let outcome = done
        .as_ref()
        .map(|it| it.targets || it.rules)
        .map_err(ToString::to_string);
    let now = state.executor().tools().clock.now();
    state.monitoring().note_files(tenant, now, outcome, left_out);
    match done {
        Ok(written) => written,
        Err(error) => {
            if let Some(times) = times(&format!("{tenant} files for Prometheus {error}")) {
                tracing::error!(%error, tenant, times, "files for Prometheus could not be written");
            }
            Written::default()
        }
    }
}

/// Writes changed files, each one whole or not at all. Prometheus rereads targets by itself. A reload of rules in the same
/// second makes Prometheus 2.42 go on scraping removed targets, so a round that writes targets triggers no reload. The files of
/// all tenants are in one folder, since Prometheus allows no pattern in a folder's name.
fn write_files(folder: &Path, tenant: &str, files: &Files) -> std::io::Result<Written> {
    std::fs::create_dir_all(folder)?;
    Ok(Written {
        targets: replace(&folder.join(format!("{tenant}.targets.json")), &files.targets)?,
        rules: replace(&folder.join(format!("{tenant}.rules.yml")), &files.rules)?,
    })
}

fn replace(path: &Path, text: &str) -> std::io::Result<bool> {
    if std::fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(false);
    }
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    Ok(true)
}

/// Has Prometheus read its rules again (`POST /-/reload`).
///
/// # Errors
/// The reason of the failure.
fn reload(caller: &Caller, url: &str) -> Result<(), String> {
    let call = Call {
        method: "POST",
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let why = match caller.call(&call) {
        Ok(answer) if answer.is_taken() => return Ok(()),
        Ok(answer) => format!("it answered {}", answer.status),
        Err(why) => why,
    };
    if let Some(times) = times(&format!("Prometheus {why}")) {
        tracing::warn!(why, times, "Prometheus did not read its rules again");
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_rule_that_cannot_be_read_is_left_out_and_the_others_stay() {
        let rule = |key: &str, expr: &str| json!({"expr": expr, "labels": {"assent_monitor": key}});
        let rules = |rules: Vec<Value>| format!("{:#}\n", json!({"groups": [{"name": "assent-acme", "rules": rules}]}));
        let both = rules(vec![rule("good", "up"), rule("bad", "rate(up)")]);
        assert_eq!(readable_rules(&both, |_, _| true), both);
        let left = readable_rules(&both, |monitor, expression| monitor == "good" && expression == "up");
        assert_eq!(left, rules(vec![rule("good", "up")]));
        let none = format!("{:#}\n", json!({"groups": []}));
        assert_eq!(readable_rules(&both, |_, _| false), none);
        assert_eq!(readable_rules(&none, |_, _| true), none);
    }

    #[test]
    fn files_are_made_equal_whatever_is_left_of_an_earlier_round() {
        let folder = std::env::temp_dir().join(format!("assent-monitors-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let files = |rules: &str| Files {
            targets: "[]\n".to_owned(),
            rules: rules.to_owned(),
        };
        let written = |targets, rules| Written { targets, rules };
        let write = |rules: &str| write_files(&folder, "acme", &files(rules)).unwrap();
        assert_eq!(write("a\n"), written(true, true), "there was none");
        assert_eq!(write("a\n"), written(false, false), "they are equal");
        // A server that was killed left half a file beside the whole one.
        std::fs::write(folder.join("acme.rules.new"), "hal").unwrap();
        std::fs::write(folder.join("acme.rules.yml"), "somebody wrote here\n").unwrap();
        assert_eq!(write("b\n"), written(false, true));
        assert_eq!(std::fs::read_to_string(folder.join("acme.rules.yml")).unwrap(), "b\n");
        assert!(!folder.join("acme.rules.new").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
