//! The gate while no server can be reached: `assent gate check --emergency-card` verifies a printed card offline and records
//! each use; `assent reconcile` reports that record afterwards.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use clap::Args;
use proof::crypto::{Entropy, SystemEntropy};
use proof::emergency::{self, Line, MAX_RECORD_BYTES, MOST_LINES, Record, Wanted};
use proof::jwks::Jwks;
use proof::jws::Refused;
use proof::permit::SKEW_SECONDS;
use proof::revocation::RevocationList;
use serde_json::json;

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::gate::build::Build;
use crate::common::Common;
use crate::failure::{Failure, Result, SecretFile, read_file, read_text};
use crate::output::{Output, Tone, array, text_of};

/// The longest reason, in characters.
const REASON: usize = 2_000;
/// The longest name, in characters.
const NAME: usize = 200;

/// What is said while no server can be reached.
#[derive(Debug, Args)]
pub struct Emergency {
    /// While no server can be reached: the text of a printed emergency card, `-` for standard input. Nobody is asked.
    #[arg(long, value_name = "FILE", requires_all = ["keys", "by", "reason"])]
    pub emergency_card: Option<String>,
    /// While no server can be reached and there is no card: note what is done. The answer is stop.
    #[arg(long, conflicts_with = "emergency_card", requires_all = ["by", "reason"])]
    pub without_card: bool,
    /// The tenant's published keys, kept on this host beforehand.
    #[arg(long, value_name = "JWKS")]
    pub keys: Option<String>,
    /// The newest revocation list that this host has.
    #[arg(long, value_name = "FILE")]
    pub revocations: Option<String>,
    /// Where what is done without the server is recorded, line after line.
    #[arg(long, value_name = "FILE", default_value = "assent-emergency.jsonl")]
    pub emergency_record: String,
    /// Who does it: your login.
    #[arg(long, value_name = "LOGIN")]
    pub by: Option<String>,
    /// Why it cannot wait.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

impl Emergency {
    /// Whether the server is to be left alone.
    pub fn is_said(&self) -> bool {
        self.emergency_card.is_some() || self.without_card
    }
}

/// Where a printed card goes.
#[derive(Debug, Args)]
pub struct Print {
    /// The card's id.
    pub id: String,
    /// Where to write its text, readable by its owner alone; `-` for standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: String,
    /// Where to write the drawing with the QR code.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<String>,
}

/// What a host recorded.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 reported and as the cards allow, 1 reported with differences, 2 not reported.\n\
    Example: assent reconcile assent-emergency.jsonl"
)]
pub struct Reconcile {
    /// The record that `assent gate check --emergency-card` wrote; `-` for standard input.
    pub file: String,
}

/// The record's file, held by this process alone.
struct RecordFile {
    path: String,
    file: File,
    record: Record,
}

impl RecordFile {
    /// Opens and reads it; another process that writes it is waited for.
    fn open(path: &str) -> Result<Self> {
        let wrong = |error: std::io::Error| Failure::could_not(format!("`{path}` cannot be used: {error}."));
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(wrong)?;
        file.lock().map_err(wrong)?;
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        let limit = MAX_RECORD_BYTES as u64 + 1;
        Read::by_ref(&mut file)
            .take(limit)
            .read_to_string(&mut text)
            .map_err(wrong)?;
        let unusable = |why: String| {
            Failure::could_not(format!(
                "`{path}` cannot be continued: {why}. Keep it for the report, and begin another with --emergency-record FILE."
            ))
        };
        let record = emergency::read(&text).map_err(|error| unusable(error.to_string()))?;
        if let Some(line) = record.broken_at {
            return Err(unusable(format!("line {line} does not follow the one before")));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(unusable("its last line was cut".to_owned()));
        }
        if record.lines.len() >= MOST_LINES {
            return Err(unusable(format!("it has {MOST_LINES} lines")));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            record,
        })
    }

    /// Refuses a clock that is earlier than the last line.
    fn check_clock(&self, now: i64) -> Result<()> {
        match self.record.lines.last() {
            Some(last) if now < last.at - SKEW_SECONDS => Err(Failure::could_not(
                "This host's clock stands before the last line of the record. Set it right first: the card's times hang on it.",
            )),
            _ => Ok(()),
        }
    }

    /// How often a card was used, as far as this record knows.
    fn used(&self, token: &str) -> i64 {
        let lines = self.record.lines.iter().filter(|line| line.is_good());
        let same = lines.filter(|line| line.card.as_deref() == Some(token));
        i64::try_from(same.count()).unwrap_or(i64::MAX)
    }

    /// Adds a line, on the disk when this returns: nothing is let through that is not recorded.
    fn add(&mut self, mut line: Line) -> Result<()> {
        let wrong = |why: String| Failure::could_not(format!("`{}` cannot be written: {why}.", self.path));
        match self.record.lines.last() {
            Some(last) => {
                line.record.clone_from(&last.record);
                line.number = last.number + 1;
                line.previous.clone_from(&last.digest);
            }
            None => {
                let mut random = [0; 16];
                let filled = SystemEntropy::new().fill(&mut random);
                filled.map_err(|error| wrong(error.to_string()))?;
                line.record = hex::encode(random);
                line.number = 1;
                line.previous = Line::first_previous(&line.record);
            }
        }
        let line = line.sealed().map_err(|error| wrong(error.to_string()))?;
        let mut text = serde_json::to_string(&line).map_err(|error| wrong(error.to_string()))?;
        text.push('\n');
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| wrong(error.to_string()))
    }
}

/// Judges by a card alone, and records it; returns the exit code.
///
/// # Errors
/// Failures to read or record: the gate stays closed then.
pub(crate) fn check(build: &Build, said: &Emergency, output: &Output) -> Result<u8> {
    let now = clock::now().as_second();
    let (by, reason) = (
        named("by", said.by.as_deref())?,
        said.reason.clone().unwrap_or_default(),
    );
    if reason.trim().is_empty() || reason.chars().count() > REASON {
        return Err(Failure::could_not(format!(
            "Say in --reason why it cannot wait, in at most {REASON} characters."
        )));
    }
    let token = said.emergency_card.as_deref().map(read_text).transpose()?;
    let token = token.map(|text| text.trim().to_owned());
    let mut record = RecordFile::open(&said.emergency_record)?;
    record.check_clock(now)?;
    let judged = match &token {
        None => Err(emergency::no_card()),
        Some(token) => judge((build, said), token, (now, record.used(token)))?,
    };
    let code = judged.as_ref().err().map_or("good", |refused| refused.code).to_owned();
    record.add(Line {
        record: String::new(),
        number: 0,
        previous: String::new(),
        host: host_name(),
        at: now,
        // A text too long for a card is none; its beginning would be useless.
        card: token.filter(|token| token.len() <= emergency::MAX_CARD_BYTES),
        service: named("service", Some(&build.service))?,
        environment: named("environment", Some(&build.environment))?,
        artifact: build.artifact.clone(),
        commit: build.commit.clone(),
        by,
        reason,
        code: code.clone(),
        digest: String::new(),
    })?;
    let (exit, word, tone, text) = match &judged {
        Ok(text) => (0, "go", Tone::Good, text.clone()),
        Err(refused) => (1, "stop", Tone::Bad, refused.text.clone()),
    };
    let value = json!({"decision": word, "code": code, "text": text, "record": said.emergency_record});
    output.data(&value, |output| {
        output.line(&format!("{} {text} ({code})", output.tone(tone, word)));
    });
    output.talk(&format!(
        "It stands in {}. Report it once the server is back: assent reconcile {}",
        said.emergency_record, said.emergency_record
    ));
    Ok(exit)
}

/// The card's verdict: a sentence, or the refusal.
fn judge(
    (build, said): (&Build, &Emergency),
    token: &str,
    (now, used): (i64, i64),
) -> Result<std::result::Result<String, Refused>> {
    let keys = Jwks::parse(&read_file(said.keys.as_deref().unwrap_or_default())?)
        .map_err(|error| Failure::could_not(format!("The key set cannot be used: {error}.")))?;
    let list = said.revocations.as_deref().map(read_text).transpose()?;
    let list = list.map(|text| RevocationList::open(&text, &keys)).transpose();
    let list = list.map_err(|refused| Failure::could_not(refused.text))?;
    let wanted = Wanted {
        service: &build.service,
        environment: &build.environment,
        now,
        used,
    };
    let judged = emergency::open(token, &keys).and_then(|card| {
        emergency::check(&card, list.as_ref(), &wanted)?;
        Ok(format!(
            "Use {} of {} of the card {}, signed by {}.",
            used + 1,
            card.uses,
            card.jti,
            card.signers.join(" and ")
        ))
    });
    Ok(judged)
}

/// A name that the log can show.
fn named(what: &str, text: Option<&str>) -> Result<String> {
    let text = text.unwrap_or_default();
    let is_odd = |c: char| !c.is_ascii_alphanumeric() && !"-._:/@+".contains(c);
    match text.is_empty() || text.len() > NAME || text.contains(is_odd) {
        true => Err(Failure::could_not(format!(
            "`--{what}` is a login or a key: letters, digits and -._:/@+, at most {NAME}."
        ))),
        false => Ok(text.to_owned()),
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let name: String = name.trim().chars().filter(|c| plain(*c)).take(NAME).collect();
    match name.is_empty() {
        true => "unknown".to_owned(),
        false => name,
    }
}

/// Fetches a card as it is printed.
///
/// # Errors
/// The server's refusal, or a file that cannot be written.
pub(crate) fn print(asked: &Print, client: &Client, output: &Output) -> Result<u8> {
    let file = SecretFile::open(&asked.output)?;
    let drawing = asked.svg.as_deref().map(SecretFile::open).transpose()?;
    let path = format!("/emergency-cards/{}/print", encode(&asked.id));
    let card = client.post(&path, &json!({}))?.body;
    let Some(token) = card["card"].as_str() else {
        // A card is shown once: a second request after a lost response gets none.
        return Err(Failure::could_not("The answer with the card got lost. Print it again."));
    };
    file.write(format!("{token}\n").as_bytes())?;
    if let Some(drawing) = drawing {
        drawing.write(card["svg"].as_str().unwrap_or_default().as_bytes())?;
    }
    output.talk("Whoever has the card can use it. Print it, keep it in a safe, and remove the files.");
    Ok(0)
}

/// Reports the record of a host.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(crate) fn reconcile(asked: &Reconcile, common: &Common, output: &Output) -> Result<u8> {
    let record = read_text(&asked.file)?;
    // Exit code 1 means differences: a refused report is no report.
    let refused = |failure: Failure| Failure::could_not(failure.text());
    let answer = Client::new(common)?.post("/emergency-reports", &json!({"record": record}));
    let report = answer.map_err(refused)?.body;
    let differences: Vec<&str> = array(&report, "differences")
        .iter()
        .filter_map(|it| it.as_str())
        .collect();
    output.data(&report, |output| {
        output.line(&format!(
            "{} of {} lines were new",
            text_of(&report, "added"),
            text_of(&report, "lines")
        ));
        if !differences.is_empty() {
            output.line(&format!("differences, each an action item: {}", differences.join(", ")));
        }
    });
    Ok(u8::from(!differences.is_empty()))
}
