//! `assent monitor`: monitors, and the state of what is placed in Prometheus.

use clap::Subcommand;
use serde_json::Value;
use wire::nouns as noun;

use crate::client::Client;
use crate::commands::incident::what_changed::{self, WhatChanged};
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What is watched, and what changed.
#[derive(Debug, Subcommand)]
pub enum Watched {
    /// Monitors that are raised while changes are watched.
    #[command(subcommand)]
    Monitor(Monitors),
    /// What changed on a service, and on what it depends on, before a time.
    WhatChanged(WhatChanged),
}

/// Monitors that are raised while changes are watched.
#[derive(Debug, Subcommand)]
pub enum Monitors {
    /// Add, list, change and end monitors.
    #[command(flatten)]
    Verb(Verbs<noun::Monitor>),
    /// Show what is placed in Prometheus now, and whether its files were written and reloaded.
    #[command(after_help = "Example: assent monitor state")]
    State,
}

/// Runs a command about what is watched.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Watched, common: &Common, output: &Output) -> Result<u8> {
    match asked {
        Watched::Monitor(command) => monitor(command, common, output),
        Watched::WhatChanged(asked) => what_changed::run(asked, common, output),
    }
}

fn monitor(command: &Monitors, common: &Common, output: &Output) -> Result<u8> {
    match command {
        Monitors::Verb(verbs) => run_verb(verbs, common, output),
        Monitors::State => {
            let found = Client::new(common)?.get("/monitoring-state")?.body;
            output.data(&found, |output| tell(output, &found));
            Ok(0)
        }
    }
}

fn tell(output: &Output, found: &Value) {
    let heads = ["monitor", "change", "raised_at", "places", "targets", "expressions"];
    let row = |it: &Value| heads.iter().map(|name| text_of(it, name)).collect();
    let rows: Vec<Vec<String>> = array(found, "raised").iter().map(row).collect();
    output.rows(&heads, &rows);
    for line in state(found) {
        output.talk(&line);
    }
}

/// The state of the files and of the last reload, in lines.
fn state(found: &Value) -> Vec<String> {
    let folder = text_of(found, "folder");
    if folder.is_empty() {
        return vec!["Nothing is written for Prometheus: the server has no `monitoring_dir`.".to_owned()];
    }
    let at = |name: &str| text_of(found, name);
    let mut lines = vec![
        match (at("files_checked_at"), at("files_failed"), at("files_written_at")) {
            (checked, _, _) if checked.is_empty() => format!("{folder}: not written yet since the server started."),
            (checked, why, _) if !why.is_empty() => format!("{folder}: could not be written at {checked}: {why}"),
            (checked, _, written) if written.is_empty() => format!("{folder}: as it has to be, checked at {checked}."),
            (_, _, written) => format!("{folder}: written at {written}."),
        },
    ];
    lines.push(match (at("reload_at"), at("reload_failed")) {
        _ if found["reloads"] != true => {
            "Prometheus is not asked to reload: there is no `monitoring_reload`.".to_owned()
        }
        (reloaded, _) if reloaded.is_empty() => "Prometheus was not asked to reload yet.".to_owned(),
        (reloaded, why) if !why.is_empty() => format!("Prometheus did not reload at {reloaded}: {why}"),
        (reloaded, _) => format!("Prometheus reloaded at {reloaded}."),
    });
    let left_out = at("left_out");
    if !left_out.is_empty() {
        lines.push(format!("Left out, because Prometheus cannot read them: {left_out}."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_state_is_told_in_lines() {
        assert!(state(&json!({"folder": null}))[0].contains("monitoring_dir"));
        let found = json!({"folder": "/srv/p", "reloads": true, "files_checked_at": "T2", "files_failed": null,
            "files_written_at": "T1", "reload_at": "T3", "reload_failed": "it answered 500", "left_out": ["bad"]});
        assert_eq!(
            state(&found),
            [
                "/srv/p: written at T1.",
                "Prometheus did not reload at T3: it answered 500",
                "Left out, because Prometheus cannot read them: bad."
            ]
        );
    }
}
