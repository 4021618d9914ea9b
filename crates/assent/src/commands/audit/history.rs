//! `assent audit`: verifies bundles and logs without trusting the server, exports, proves, replays.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use proof::log_check::{LogCheck, LogReport, verify_log};
use proof::note::{Checkpoint, VerifierKeys, open_checkpoint};
use proof::report::{Finding, Outcome};
use proof::tile::{TileReader, TileSource};
use proof::time_stamp::Anchors;
use proof::{crypto, merkle};
use serde_json::{Value, json};

use crate::client::Client;
use crate::clock;
#[cfg(feature = "server")]
use crate::commands::audit::accept_loss::accept_loss;
use crate::commands::audit::events::{self, Events};
use crate::commands::audit::mandates;
use crate::commands::audit::paper::{self, Paper};
#[cfg(feature = "server")]
use crate::commands::audit::renew_codes::{RenewCodes, renew_codes};
#[cfg(feature = "server")]
use crate::commands::audit::replay::replay;
use crate::commands::audit::timeline::{self, Timeline};
use crate::commands::change::lifecycle;
use crate::common::Common;
use crate::failure::{Failure, Result, read_file, read_text};
use crate::output::{Output, Tone, array, clean, text_of};
#[cfg(feature = "server")]
use crate::place::Place;
use crate::progress::bar;

/// Verifies and exports the history.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Verify a bundle or a whole log; exit 0 good, 1 bad, 2 cannot tell.
    #[command(after_help = "Example: assent audit verify CHG-1042.zip --key acme.key\n         \
        assent audit verify --log https://assent.example/t/acme/log --key acme.key --older checkpoint --save checkpoint")]
    Verify(Verify),
    /// Export a change with its proofs.
    #[command(after_help = "Example: assent audit export CHG-1042 -o CHG-1042.zip")]
    Export {
        /// The change's key.
        change: String,
        /// Where to write it, `-` for standard output.
        #[arg(short, long, value_name = "FILE")]
        output: String,
    },
    /// Export a change's permits and releases as signed in-toto statements, one envelope a line.
    #[command(after_help = "Example: assent audit attest CHG-1042 -o CHG-1042.intoto.jsonl\n\n\
        The keys that verify them are at /t/TENANT/log/key.pem.")]
    Attest {
        /// The change's key.
        change: String,
        /// Where to write them, `-` for standard output.
        #[arg(short, long, value_name = "FILE")]
        output: String,
    },
    /// The working paper of an audit sample (`assent audit-sample` draws and lists samples).
    #[command(subcommand)]
    Paper(Paper),
    /// Confirm a mandate of an auditor that another person proposed.
    ConfirmMandate(mandates::Confirm),
    /// Prove that an event stands in the log.
    #[command(after_help = "Example: assent audit prove 4711 --log https://assent.example/t/acme/log --key acme.key")]
    Prove {
        /// The event's index in the log, or its id (which reads the log until it is found).
        event: String,
        /// Where the log is: an address or a folder. Without it the server is asked for the credential's tenant.
        #[arg(long, value_name = "URL/DIR", env = "ASSENT_LOG_URL")]
        log: Option<String>,
        /// The log's verifier keys.
        #[arg(long, value_name = "FILE")]
        key: Option<String>,
    },
    /// Show an event with each field that it wrote, before and after.
    #[command(after_help = "Example: assent audit show 4711")]
    Show {
        /// The event's index in the log, or its id.
        event: String,
    },
    /// List the entries of the log that fit, the newest first.
    #[command(
        after_help = "Example: assent audit events --kind approval --about CHG-1042\n         \
        assent audit events --actor marta --from -7d --limit 500 --json"
    )]
    Events(Box<Events>),
    /// List who did what of one person, record, address, session, token or incident, the oldest first.
    #[command(
        after_help = "Example: assent audit timeline --address 203.0.113.7 --from -7d\n         \
        assent audit timeline --incident INC-12 -o timeline.json"
    )]
    Timeline(Box<Timeline>),
    #[cfg(feature = "server")]
    /// On the host: rebuild every record from the events and compare; exit 0 equal, 1 not, 2 could not.
    #[command(after_help = "Example: assent audit replay --data /var/lib/assent")]
    Replay {
        /// Where the data is.
        #[command(flatten)]
        place: Place,
        /// Only this tenant; all unless said.
        #[arg(long)]
        tenant: Option<String>,
    },
    #[cfg(feature = "server")]
    /// On the host, while no server runs: write the codes over all rows anew, after a full replay, by two people.
    #[command(
        after_help = "Example: assent audit renew-codes --data /var/lib/assent --tenant acme --by olga --by-password-file olga.txt \\\n         \
        --and piet --and-password-file piet.txt"
    )]
    RenewCodes(RenewCodes),
    #[cfg(feature = "server")]
    /// Accept, as two people, that the entries behind an older copy are lost; it can be written again afterwards.
    #[command(
        after_help = "Example: assent audit accept-loss --data /var/lib/assent --tenant acme --by ada --by-password-file ada.txt \\\n         \
        --and ben --and-password-file ben.txt"
    )]
    AcceptLoss(RenewCodes),
}

/// How old a checkpoint's newest cosignature may be: a server attests its log each minute, and a mirror follows within minutes.
const DEFAULT_MAX_AGE: &str = "1h";

/// What to verify.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["bundle", "log"]))]
pub struct Verify {
    /// The bundle's file.
    pub bundle: Option<String>,
    /// The log: its address or a folder with its resources.
    #[arg(long, value_name = "URL/DIR")]
    pub log: Option<String>,
    /// Verifier keys as served at /t/TENANT/log/key, which you got once and keep; without it the material's own are used.
    #[arg(long, value_name = "FILE")]
    pub key: Option<String>,
    /// Certificates in PEM by which time stamps (RFC 3161) are trusted, which you got from the authority; without it those beside
    /// the time stamps are used.
    #[arg(long, value_name = "FILE")]
    pub time_authority: Option<String>,
    /// With --log: a checkpoint seen earlier, out of which the log must have grown.
    #[arg(long, value_name = "FILE", requires = "log", conflicts_with = "bundle")]
    pub older: Option<String>,
    /// With --log: how old the newest cosignature of the checkpoint may be, such as `10m` or `2h`; `off` for a copy of an earlier day.
    #[arg(long, value_name = "SPAN", requires = "log", conflicts_with = "bundle", default_value = DEFAULT_MAX_AGE)]
    pub max_age: String,
    /// With --log: where to keep the checkpoint when all is good.
    #[arg(long, value_name = "FILE", requires = "log", conflicts_with = "bundle")]
    pub save: Option<String>,
}

/// Runs a command of the group.
///
/// # Errors
/// Why something could not be read (exit code 2), or the server's refusal.
pub fn run(audit: &Audit, common: &Common, output: &Output) -> Result<u8> {
    match audit {
        Audit::Verify(verify) => match (&verify.bundle, &verify.log) {
            (Some(bundle), _) => verify_bundle(bundle, verify, output),
            (None, Some(log)) => verify_whole(verify, log, common, output),
            (None, None) => Err(Failure::could_not("Name a bundle, or a --log.")),
        },
        Audit::Export { change, output: file } => {
            let exported = lifecycle::export(common, change, file, output).map(|()| 0);
            unless_let_in(exported, output)
        }
        Audit::Attest { change, output: file } => attest(change, file, common, output),
        Audit::ConfirmMandate(asked) => mandates::confirm(asked, common, output),
        Audit::Paper(asked) => paper::run(asked, common, output),
        Audit::Prove { event, log, key } => match log {
            Some(log) => prove(event, log, key.as_deref(), common, output),
            None => unless_let_in(prove_at_server(event, key.as_deref(), common, output), output),
        },
        Audit::Show { event } => show_event(event, common, output),
        Audit::Events(asked) => events::run(asked, common, output),
        Audit::Timeline(asked) => timeline::run(asked, common, output),
        #[cfg(feature = "server")]
        Audit::Replay { place, tenant } => replay(place, tenant.as_deref(), output),
        #[cfg(feature = "server")]
        Audit::RenewCodes(asked) => renew_codes(asked, output),
        #[cfg(feature = "server")]
        Audit::AcceptLoss(asked) => accept_loss(asked, output),
    }
}

/// A refused credential is no finding about the log: the result is not “bad”, but “cannot tell”.
fn unless_let_in(answer: Result<u8>, output: &Output) -> Result<u8> {
    match answer {
        Err(failure @ Failure::Refused { status: 403, .. }) => {
            output.failure(&failure);
            Ok(2)
        }
        other => other,
    }
}

fn keys_of(file: &str) -> Result<VerifierKeys> {
    VerifierKeys::parse(&read_text(file)?)
        .map_err(|error| Failure::could_not(format!("`{file}` holds no verifier keys: {error}.")))
}

/// The certificates by which time stamps are trusted.
fn anchors_of(file: &str) -> Result<Anchors> {
    Anchors::parse(&read_text(file)?)
        .map_err(|error| Failure::could_not(format!("`{file}` holds no certificates in PEM: {error}.")))
}

fn verify_bundle(file: &str, verify: &Verify, output: &Output) -> Result<u8> {
    let key = verify.key.as_deref();
    let keys = key.map(keys_of).transpose()?;
    let anchors = verify.time_authority.as_deref().map(anchors_of).transpose()?;
    let report = proof::bundle::verify_with(&read_file(file)?, keys.as_ref(), anchors.as_ref());
    let value = serde_json::to_value(&report).map_err(|error| Failure::could_not(error.to_string()))?;
    output.data(&value, |output| {
        print_outcome(
            output,
            report.outcome,
            &[
                ("change", report.key.clone().unwrap_or_default()),
                ("tenant", report.tenant.clone().unwrap_or_default()),
                ("state", report.state.clone().unwrap_or_default()),
                ("made", report.created_at.clone().unwrap_or_default()),
                ("log", report.origin.clone().unwrap_or_default()),
                (
                    "log size",
                    report.log_size.map(|size| size.to_string()).unwrap_or_default(),
                ),
                ("events proven", report.events_proven.to_string()),
                ("records checked", report.records_checked.to_string()),
            ],
        );
        print_findings(output, &report.report.findings);
        if report.is_open == Some(true) {
            output.line("  The change was still open: more will come.");
        }
    });
    warn_own_key(output, key);
    Ok(report.outcome.exit_code())
}

fn warn_own_key(output: &Output, key: Option<&str>) {
    if key.is_none() {
        let text = "warning: no --key was given, so the material's own key was trusted. Who made it could have made the key too.";
        output.talk(&output.tone(Tone::Warn, text));
    }
}

fn print_outcome(output: &Output, outcome: Outcome, pairs: &[(&str, String)]) {
    let (word, tone) = match outcome {
        Outcome::Good => ("good", Tone::Good),
        Outcome::Bad => ("bad", Tone::Bad),
        Outcome::CannotTell => ("cannot tell", Tone::Warn),
    };
    output.line(&output.tone(tone, word));
    output.pairs(pairs);
}

fn print_findings(output: &Output, findings: &[Finding]) {
    for finding in findings {
        let at = finding.at.as_deref().map(|at| format!(" at {at}")).unwrap_or_default();
        output.line(&clean(&format!("  - {} ({}{at})", finding.text, finding.code)));
    }
}

/// A log in a folder.
struct FolderLog(PathBuf);

impl TileSource for FolderLog {
    fn get(&self, path: &str) -> proof::Result<Option<Cow<'_, [u8]>>> {
        match std::fs::read(self.0.join(path)) {
            Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(proof::Error::Source {
                path: path.to_owned(),
                why: error.to_string(),
            }),
        }
    }
}

/// A log that a server serves.
struct ServedLog {
    client: Client,
    prefix: String,
    /// Whether it lies on the server that the credential is for.
    is_same: bool,
}

impl ServedLog {
    /// Why the server gave nothing, with the remedy.
    fn why(&self, failure: Failure) -> String {
        match failure {
            // The caller ends the sentence.
            Failure::CouldNot(text) => text.trim_end_matches('.').to_owned(),
            Failure::Refused {
                status: status @ (401 | 403),
                ..
            } if self.is_same => {
                format!("the server answered {status}; ASSENT_TOKEN needs a token with the scope `audit`")
            }
            Failure::Refused {
                status: status @ (401 | 403),
                ..
            } => format!(
                "the server answered {status}; name it in --server too, for the credential in ASSENT_TOKEN (scope `audit`) \
                 goes to no other"
            ),
            Failure::Refused { status, .. } => format!("the server answered {status}"),
        }
    }
}

impl TileSource for ServedLog {
    fn get(&self, path: &str) -> proof::Result<Option<Cow<'_, [u8]>>> {
        self.client
            .bytes(&format!("{}/{path}", self.prefix))
            .map(|found| found.map(Cow::Owned))
            .map_err(|failure| proof::Error::Source {
                path: path.to_owned(),
                why: self.why(failure),
            })
    }
}

/// Opens a log by its address or folder. The credential goes to the server that it is for and to no other.
fn open_log(log: &str, common: &Common) -> Result<Box<dyn TileSource>> {
    let Some((scheme, rest)) = log.split_once("://") else {
        if !Path::new(log).is_dir() {
            return Err(Failure::could_not(format!(
                "`{log}` is neither an address nor a folder."
            )));
        }
        return Ok(Box::new(FolderLog(PathBuf::from(log))));
    };
    let (host, prefix) = rest
        .split_once('/')
        .map_or((rest, ""), |(host, path)| (host, path.trim_end_matches('/')));
    let server = format!("{scheme}://{host}");
    let is_same = common.server.trim_end_matches('/') == server;
    let token = if is_same { common.credential()? } else { None };
    let common = Common {
        server,
        token,
        token_file: None,
        as_person: None,
        ..common.clone()
    };
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("/{prefix}")
    };
    Ok(Box::new(ServedLog {
        client: Client::new(&common)?,
        prefix,
        is_same,
    }))
}

fn log_keys(source: &dyn TileSource, key: Option<&str>) -> Result<VerifierKeys> {
    if let Some(file) = key {
        return keys_of(file);
    }
    let served = source
        .get("key")
        .map_err(|error| Failure::could_not(format!("The log's key: {error}.")))?;
    let text = served.and_then(|bytes| String::from_utf8(bytes.into_owned()).ok());
    let text = text.ok_or_else(|| Failure::could_not("The log serves no key; give --key."))?;
    VerifierKeys::parse(&text).map_err(|error| Failure::could_not(format!("The log's key cannot be used: {error}.")))
}

fn verify_whole(verify: &Verify, log: &str, common: &Common, output: &Output) -> Result<u8> {
    let max_age = match verify.max_age.as_str() {
        "off" => None,
        span => Some(clock::seconds(span).map_err(Failure::could_not)?.unsigned_abs()),
    };
    let source = open_log(log, common)?;
    let keys = log_keys(source.as_ref(), verify.key.as_deref())?;
    let older = verify
        .older
        .as_deref()
        .map(|file| older_checkpoint(file, &keys))
        .transpose()?;
    let bar = bar(output);
    let progress = |done: u64| bar.set_position(done);
    let check = LogCheck {
        origin: None,
        older: older.as_ref(),
        progress: Some(&progress),
    };
    let mut report = verify_log(source.as_ref(), &keys, &check);
    bar.finish_and_clear();
    let anchors = verify.time_authority.as_deref().map(anchors_of).transpose()?;
    report.check_stamps(source.as_ref(), anchors.as_ref());
    if let Some(max_age) = max_age {
        let now = u64::try_from(clock::now().as_second()).unwrap_or_default();
        report.hold_to_age(now, max_age);
    }
    if report
        .report
        .findings
        .iter()
        .any(|finding| finding.code == "no_checkpoint")
    {
        output.talk(&format!(
            "`{log}` serves no log, or one that nothing was sealed in. Logs stand at addresses such as \
             https://assent.example/t/TENANT/log."
        ));
    }
    if let (Some(file), Outcome::Good, Ok(Some(bytes))) = (&verify.save, report.outcome, source.get("checkpoint")) {
        // The served checkpoint may have grown since; only one that these keys signed is worth keeping.
        let note = String::from_utf8_lossy(&bytes);
        if open_checkpoint(&note, &keys, report.origin.as_deref()).is_ok() {
            std::fs::write(file, &bytes)
                .map_err(|error| Failure::could_not(format!("`{file}` cannot be written: {error}.")))?;
        }
    }
    print_log(output, &report)?;
    warn_own_key(output, verify.key.as_deref());
    Ok(report.outcome.exit_code())
}

fn older_checkpoint(file: &str, keys: &VerifierKeys) -> Result<Checkpoint> {
    let trusted = open_checkpoint(&read_text(file)?, keys, None)
        .map_err(|error| Failure::could_not(format!("`{file}` is no checkpoint of this log: {error}.")))?;
    Ok(trusted.checkpoint)
}

fn print_log(output: &Output, report: &LogReport) -> Result<()> {
    let value = serde_json::to_value(report).map_err(|error| Failure::could_not(error.to_string()))?;
    let seen = report.cosigned.iter().map(|(name, time)| {
        let at = i64::try_from(*time)
            .ok()
            .and_then(|time| jiff::Timestamp::from_second(time).ok());
        format!("{name} {}", at.map(|at| at.to_string()).unwrap_or_default())
    });
    let seen: Vec<String> = seen.collect();
    output.data(&value, |output| {
        print_outcome(
            output,
            report.outcome,
            &[
                ("log", report.origin.clone().unwrap_or_default()),
                ("entries", report.size.map(|size| size.to_string()).unwrap_or_default()),
                ("checked", report.checked.to_string()),
                ("cosigned", seen.join(", ")),
                (
                    "first bad",
                    report.first_bad.map(|index| index.to_string()).unwrap_or_default(),
                ),
            ],
        );
        print_findings(output, &report.report.findings);
    });
    Ok(())
}

/// Queries the server for the event's position, which spares reading the log, and then checks the position against the log.
fn prove_at_server(event: &str, key: Option<&str>, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let tenant = crate::output::text_of(&client.get("/me")?.body, "tenant");
    let found = client
        .get(&format!("/events/{}/proof", crate::client::encode(event)))?
        .body;
    let index = found["index"]
        .as_u64()
        .ok_or_else(|| Failure::could_not("The server named no place in the log."))?;
    let log = format!("{}/t/{tenant}/log", client.server());
    prove(&index.to_string(), &log, key, common, output)
}

/// Writes the envelopes as JSON lines; ends with 1 where the change has none.
fn attest(change: &str, file: &str, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let found = client.get(&lifecycle::path(change, "/attestations"))?.body;
    let envelopes = array(&found, "envelopes");
    let left_out: Vec<Vec<String>> = array(&found, "left_out")
        .iter()
        .map(|it| vec![text_of(it, "what"), text_of(it, "code")])
        .collect();
    if envelopes.is_empty() {
        output.data(&found, |output| {
            output.line(&format!(
                "{change} has nothing to attest: no permit and no successful closing with a digest."
            ));
            output.rows(&["left out", "why"], &left_out);
        });
        return Ok(1);
    }
    let lines: String = envelopes.iter().map(|envelope| format!("{envelope}\n")).collect();
    if file == "-" {
        output.bytes(lines.as_bytes());
        return Ok(0);
    }
    std::fs::write(file, &lines)
        .map_err(|error| Failure::could_not(format!("`{file}` cannot be written: {error}.")))?;
    let value = json!({"file": file, "envelopes": envelopes.len(), "left_out": found["left_out"]});
    output.data(&value, |output| {
        output.line(&format!("{file}  {} envelopes", envelopes.len()));
        output.rows(&["left out", "why"], &left_out);
    });
    Ok(0)
}

fn show_event(event: &str, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let path = format!("/events/{}", crate::client::encode(event));
    let found = client.get(&path)?.body;
    let value = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut rows = Vec::new();
    for record in array(&found, "records") {
        let of = format!(
            "{} {} v{}",
            text_of(record, "table"),
            text_of(record, "id"),
            record["version"]
        );
        let changes = array(record, "changes");
        rows.extend(changes.iter().map(|change| {
            vec![
                of.clone(),
                text_of(change, "field"),
                value(&change["before"]),
                value(&change["after"]),
            ]
        }));
    }
    output.data(&found, |output| {
        output.line(&format!(
            "{} by {} at {}",
            text_of(&found, "kind"),
            text_of(&found, "actor"),
            text_of(&found, "occurred_at")
        ));
        if let Some(teller) = found.get("told_by") {
            output.line(&format!(
                "It wrote no record by itself; below stands what event {} of the same act wrote, for this one or for another matter.",
                text_of(teller, "id")
            ));
        } else if rows.is_empty() {
            output.line("It wrote no record.");
        }
        output.rows(&["record", "field", "before", "after"], &rows)
    });
    Ok(0)
}

fn prove(event: &str, log: &str, key: Option<&str>, common: &Common, output: &Output) -> Result<u8> {
    let source = open_log(log, common)?;
    let keys = log_keys(source.as_ref(), key)?;
    let could_not = |what: &str, error: &dyn std::fmt::Display| Failure::could_not(format!("{what}: {error}."));
    let note = source
        .get("checkpoint")
        .map_err(|error| could_not("The checkpoint", &error))?;
    let note = note.ok_or_else(|| Failure::could_not("The log has no checkpoint."))?;
    let Ok(note) = String::from_utf8(note.into_owned()) else {
        let text = "The checkpoint is not to be trusted: it is no text.";
        return Ok(print_proof(output, 1, text, &Value::Null));
    };
    let trusted = match open_checkpoint(&note, &keys, None) {
        Ok(trusted) => trusted.checkpoint,
        Err(error) => {
            return Ok(print_proof(
                output,
                1,
                &format!("The checkpoint is not to be trusted: {error}."),
                &Value::Null,
            ));
        }
    };
    let reader = TileReader::new(source.as_ref(), trusted.size);
    let Some(index) = find(event, &reader, output)? else {
        let text = format!("Among the log's {} entries there is no event `{event}`.", trusted.size);
        return Ok(print_proof(output, 1, &text, &Value::Null));
    };
    let leaf = reader.leaf(index).map_err(|error| could_not("The entry", &error))?;
    let path = reader
        .inclusion_proof(index)
        .map_err(|error| could_not("The proof", &error))?;
    let is_in = merkle::verify_inclusion(&merkle::leaf_hash(&leaf), index, trusted.size, &path, &trusted.root);
    let value = json!({
        "index": index,
        "size": trusted.size,
        "origin": trusted.origin,
        "root": crypto::hash_text(&trusted.root),
        "proof": path.iter().map(crypto::hash_text).collect::<Vec<_>>(),
        "event": serde_json::from_slice::<Value>(&leaf).unwrap_or_default(),
        "checkpoint": note,
    });
    warn_own_key(output, key);
    if !is_in {
        return Ok(print_proof(
            output,
            1,
            &format!("Entry {index} does not lead to the checkpoint's root."),
            &value,
        ));
    }
    let text = format!(
        "Entry {index} stands in {} of {} entries.",
        trusted.origin, trusted.size
    );
    Ok(print_proof(output, 0, &text, &value))
}

fn print_proof(output: &Output, code: u8, text: &str, value: &Value) -> u8 {
    let mut value = if value.is_null() { json!({}) } else { value.clone() };
    value["is_proven"] = json!(code == 0);
    value["text"] = json!(text);
    let (word, tone) = if code == 0 {
        ("proven", Tone::Good)
    } else {
        ("not proven", Tone::Bad)
    };
    output.data(&value, |output| {
        output.line(&format!("{}: {}", output.tone(tone, word), clean(text)));
        if let Some(event) = value.get("event") {
            output.line(&clean(&serde_json::to_string_pretty(event).unwrap_or_default()));
        }
    });
    code
}

/// The index of an event: as it was given, or by reading the log from its end.
fn find(event: &str, reader: &TileReader<'_>, output: &Output) -> Result<Option<u64>> {
    if let Ok(index) = event.parse::<u64>() {
        return Ok((index < reader.size()).then_some(index));
    }
    let bar = bar(output);
    let bundles = reader.size().div_ceil(proof::tile::WIDTH);
    for bundle in (0..bundles).rev() {
        bar.set_position(bundles - bundle);
        let bytes = reader
            .bundle(bundle)
            .map_err(|error| Failure::could_not(format!("Entries: {error}.")))?;
        let leaves =
            proof::tile::read_entries(&bytes).map_err(|error| Failure::could_not(format!("Entries: {error}.")))?;
        let is_it = |leaf: &&[u8]| {
            serde_json::from_slice::<Value>(leaf)
                .is_ok_and(|found| found.get("id").and_then(Value::as_str) == Some(event))
        };
        if let Some(place) = leaves.iter().position(is_it) {
            bar.finish_and_clear();
            return Ok(Some(bundle * proof::tile::WIDTH + place as u64));
        }
    }
    bar.finish_and_clear();
    Ok(None)
}
