//! `assent drift`: reports of drift for the server, and which rule maps an address.

use clap::Subcommand;
use connect::incident::drift::{FILE_MAX_BYTES, KINDS, reduce};
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::{Failure, Result, read_file, read_text};
use crate::output::{Output, array, text_of};

/// Drift: what differs from what is recorded.
#[derive(Debug, Subcommand)]
pub enum Drift {
    /// Report what a plan, a scan or an audit log found.
    #[command(
        after_help = "Example: terraform show -json plan.out | assent drift report - --kind terraform \\\n           \
        --connection 0197… --secret-file /etc/assent/terraform-secret\n\n\
        The report is reduced here to addresses, attributes and fingerprints: no value leaves this machine, and a plan of \
        many megabytes becomes a short message."
    )]
    Report {
        /// The report; `-` reads standard input.
        #[arg(value_name = "FILE")]
        report: String,
        /// What made it.
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(KINDS.iter().copied()))]
        kind: String,
        /// The connection's id, as `hook_path` ends.
        #[arg(long, value_name = "ID", env = "ASSENT_DRIFT_CONNECTION")]
        connection: String,
        /// Where the connection's secret stands.
        #[arg(long, value_name = "FILE", env = "ASSENT_DRIFT_SECRET_FILE")]
        secret_file: String,
        /// What was looked at, where one connection reports several things: a host, a workspace.
        #[arg(long, value_name = "NAME")]
        of: Option<String>,
    },
    /// Show which rule maps an address, and what is expected there.
    #[command(after_help = "Example: assent drift test prod/deployments.apps/booking-api --connection 0197…")]
    Test {
        /// An address as the connection reports it.
        address: String,
        /// The connection's id.
        #[arg(long, value_name = "ID")]
        connection: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// A report that cannot be read, the server's refusal, or why the request failed.
pub fn run(drift: &Drift, common: &Common, output: &Output) -> Result<u8> {
    match drift {
        Drift::Report {
            report,
            kind,
            connection,
            secret_file,
            of,
        } => send(common, output, (report, kind, of.as_deref()), (connection, secret_file)),
        Drift::Test { address, connection } => {
            let path = format!(
                "/drift-matches?connection={}&address={}",
                encode(connection),
                encode(address)
            );
            let found = Client::new(common)?.get(&path)?.body;
            output.data(&found, |output| print_findings(output, &found));
            Ok(0)
        }
    }
}

fn send(
    common: &Common,
    output: &Output,
    (file, kind, of): (&str, &str, Option<&str>),
    (connection, secret_file): (&str, &str),
) -> Result<u8> {
    let secret = read_text(secret_file)?;
    let secret = secret.trim();
    if secret.is_empty() {
        return Err(Failure::could_not(format!("`{secret_file}` holds no secret.")));
    }
    let length = std::fs::metadata(file).map_or(0, |it| it.len());
    if length > FILE_MAX_BYTES {
        let text = format!("`{file}` has {length} bytes; reports of at most {FILE_MAX_BYTES} bytes are read.");
        return Err(Failure::could_not(text));
    }
    let bytes = read_file(file)?;
    let reduced = reduce(kind, &bytes, of, clock::now());
    let (message, report) =
        reduced.map_err(|aside| Failure::could_not(format!("`{file}` is not reported: {}.", aside.reason)))?;
    drop(bytes);
    // The connection's secret is the credential of this route; a person's own is not used.
    let own = Common {
        token: Some(secret.to_owned()),
        token_file: None,
        as_person: None,
        ..common.clone()
    };
    let answer = Client::new(&own)?.deliver(connection, "application/json", message)?;
    let is_new = answer.body["kept"] != json!(false);
    let told = json!({"kept": is_new, "differences": report.count, "sent": report.differences.len()});
    output.data(&told, |output| {
        output.line(&match is_new {
            true => format!("Reported: {} differences.", report.count),
            false => "It had been reported before.".to_owned(),
        });
        if report.is_too_long() {
            output.talk("These are more than are read one by one: they are one finding. Keep the report.");
        }
    });
    Ok(0)
}

fn print_findings(output: &Output, found: &Value) {
    let rule = &found["rule"];
    if rule.is_null() {
        output.line("No rule fits: a finding there has no service.");
        return;
    }
    let fields = ["id", "place", "pattern", "service", "environment", "config_item"];
    let pairs: Vec<(&str, String)> = fields.iter().map(|name| (*name, text_of(rule, name))).collect();
    output.pairs(&pairs);
    for baseline in array(found, "baselines") {
        output.line(&format!(
            "expected: {} of {} until {}",
            text_of(baseline, "attribute"),
            text_of(baseline, "pattern"),
            text_of(baseline, "ends_at")
        ));
    }
}
