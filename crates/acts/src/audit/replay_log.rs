//! Compares the store with the log, and lists every difference: first the signed log itself, then each event's row
//! against its leaf, then each record against its events and the data derived from it; and the stored files of evidence
//! against the digests in the events.
//!
//! Left out are tables without an audit: queues and leases, which are recreated in operation. Waiting sessions and
//! deliveries come and go without events; for these, for timers, and for events that wait for their place, the replay
//! checks that a server wrote them. The replay checks that waiting rows outside changes have timers; the worker checks
//! those of changes.
//!
//! An unreadable row is a finding like any other, and everything else is still compared.

mod archived;
mod events;
mod files;
mod folds;
mod forecasts;
mod halts;
mod outcomes;
mod rows;
mod texts;
mod ways_in;
mod working;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::change::change_file::Actor;
use model::core::enums::KeyRotationKind;
use proof::crypto::Hash;
use proof::grounds::{Judge, Scope};
use proof::log_check::{LogCheck, LogReport, verify_log};
use proof::note::Checkpoint;
use proof::report::Outcome;
use serde::Serialize;
use serde_json::Value;
use store::audit::event::{self, Event, RecordRef};
use store::audit::keys;
use store::audit::log::{self, LogState};
use store::{Lane, Mode, SYSTEM_TENANT};

use self::files::KeptFile;
use self::folds::Folds;
use self::halts::Halt;
use self::ways_in::WaysIn;
use self::working::Numbers;
use crate::audit::find_lost_secrets;
use crate::audit::find_lost_tenants::find_lost_tenants;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_tiles::{StoredTiles, log_state};
use crate::core::signing_keys;
use crate::core::transactions::Transactions;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table of the row, `log` for the signed log itself.
    pub table: String,
    /// The row's id, or the index or path in the log.
    pub id: String,
    /// The column, or the JSON Pointer within the record, when one can be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The fault, in one sentence.
    pub what: String,
}

impl Finding {
    /// Table, id and field, without the content; at most 200 characters, because the author of a planted row chose its
    /// id.
    pub fn place(&self) -> String {
        let words = [
            self.table.as_str(),
            self.id.as_str(),
            self.field.as_deref().unwrap_or_default(),
        ];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let place = words.join(" ");
        place.chars().filter(|it| !it.is_control()).take(200).collect()
    }
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Every difference, at most [`MAX_FINDINGS`]; none means that the store matches the log.
    pub findings: Vec<Finding>,
    /// Rows that were compared.
    pub records: u64,
    /// Events that were compared, including waiting ones.
    pub events: u64,
    /// Files of evidence that were hashed, each once even if several pieces of evidence name it.
    pub files: u64,
    /// The result of verifying the log alone; `None` when the tenant has no log.
    pub log: Option<LogReport>,
}

/// The most findings that are kept; further ones would add nothing new.
pub const MAX_FINDINGS: usize = 1_000;

/// Receives the present phase (`log`, `event`, `file`, or a record's table) and how many items of it are done; returns
/// whether to continue.
pub type Progress = Arc<dyn Fn(&str, u64) -> bool + Send + Sync>;

fn lost_tenants(executor: &impl Transactions) -> Result<Vec<Finding>> {
    let finding = |tenant: String| Finding {
        table: "tenant_info".to_owned(),
        id: tenant,
        field: None,
        what: "The log of this tenant was seen, but the tenant has no row any more.".to_owned(),
    };
    Ok(find_lost_tenants(executor)?.into_iter().map(finding).collect())
}

/// Replays a tenant's log and compares it with the tenant's rows, all as of one moment. It reads everything, so it runs
/// page by page on the lane that is shed first. The deltas of the log are sorted in memory while they are small, and
/// otherwise in unnamed files beside the data. Files of evidence are hashed afterwards, one after the other, so that no
/// transaction stays open for as long as that takes.
///
/// # Errors
/// The store's, and one of its own when `progress` breaks it off. Differences are findings, never errors.
pub fn replay_log(executor: &impl Transactions, tenant: &str, progress: &Progress) -> Result<ReplayReport> {
    // The outside records of the log are read first: the log grows meanwhile, and the compared log must not be shorter
    // than those records.
    let noted = if tenant == SYSTEM_TENANT {
        None
    } else {
        match noted(executor, tenant) {
            // Replaying the system's own log reports the unreadable row.
            Err(Error::Store(store::Error::Corrupt(_))) => None,
            noted => noted?,
        }
    };
    let seen = executor.tools().seen_logs.seen(tenant).map(|log| (log.size, log.root));
    // The longer record is stricter: the system's log, or this server's memory outside of the database.
    let older = noted.into_iter().chain(seen).max_by_key(|(size, _)| *size);
    let told = progress.clone();
    let (mut report, kept) = executor.wait(Lane::Pages, tenant, Actor::system(), Mode::Read, move |cx| {
        // The replay opens every segment.
        cx.tx.read_archive_in_place();
        let mut replay = Replay::new(&told, Folds::new(cx.services.tools()));
        replay.run(cx, older)?;
        let report = ReplayReport {
            findings: replay.findings,
            records: replay.records,
            events: replay.events,
            files: 0,
            log: replay.log,
        };
        Ok((report, replay.files))
    })?;
    files::check_files(executor, tenant, (progress, kept), &mut report)?;
    if tenant == SYSTEM_TENANT {
        report.findings.extend(lost_tenants(executor)?);
    }
    Ok(report)
}

/// A replay under way.
struct Replay<'p> {
    progress: &'p Progress,
    findings: Vec<Finding>,
    records: u64,
    events: u64,
    log: Option<LogReport>,
    /// The records' states from the events; `None` once the rows are compared with them.
    folds: Option<Folds>,
    /// The versions that the events of the present bundle made, by the database's rows; `None` outside of bundles, and
    /// if these rows cannot be read at once.
    made: Option<HashMap<String, Vec<RecordRef>>>,
    /// By digest: the files that must exist, with the evidence that names them.
    files: BTreeMap<String, Vec<KeptFile>>,
    ways_in: WaysIn,
    numbers: Numbers,
    halts: Vec<Halt>,
    judge: Judge,
    /// The changes whose row for figures must still be computed again.
    unprojected: BTreeSet<String>,
}

/// Adds a finding, up to the limit.
fn note_finding(findings: &mut Vec<Finding>, finding: Finding) {
    if findings.len() < MAX_FINDINGS {
        findings.push(finding);
    }
}

/// Reports the progress; an error ends the comparison.
fn report_progress(progress: &Progress, what: &str, done: u64) -> Result<()> {
    if progress(what, done) {
        return Ok(());
    }
    Err(store::Error::Other("the comparison was broken off".to_owned()).into())
}

/// A part of the comparison, which reads its own rows.
type Part<'p> = fn(&mut Replay<'p>, &mut Context<'_, '_>) -> Result<()>;

impl<'p> Replay<'p> {
    fn new(progress: &'p Progress, folds: Folds) -> Self {
        Self {
            progress,
            findings: Vec::new(),
            records: 0,
            events: 0,
            log: None,
            folds: Some(folds),
            made: None,
            files: BTreeMap::new(),
            ways_in: WaysIn::default(),
            numbers: Numbers::default(),
            halts: Vec::new(),
            judge: Judge::new(Scope::Log),
            unprojected: BTreeSet::new(),
        }
    }

    fn find(&mut self, table: &str, id: &str, field: Option<&str>, what: impl Into<String>) {
        let finding = Finding {
            table: table.to_owned(),
            id: id.to_owned(),
            field: field.map(str::to_owned),
            what: what.into(),
        };
        note_finding(&mut self.findings, finding);
    }

    fn run(&mut self, cx: &mut Context<'_, '_>, older: Option<(u64, Hash)>) -> Result<()> {
        let done = self.of_log(cx, older);
        self.go_on(cx, "log_state", done)?;
        let parts: [(&str, Part<'p>); 15] = [
            ("signing_key", Self::check_keys),
            ("secret", Self::check_secrets),
            ("archive_segment", Self::check_archive),
            ("text_salt", Self::check_texts),
            ("password", Self::check_passwords),
            ("second_factor", Self::check_factors),
            ("workload_token", Self::check_entries),
            ("not_before", Self::check_halts),
            ("timer", Self::check_timers),
            ("session", Self::check_macs),
            ("projection", Self::check_projection),
            ("record", Self::check_rows),
            ("code", Self::check_codes),
            ("counter", Self::check_counters),
            ("failure_model", Self::check_forecasts),
        ];
        for (table, part) in parts {
            let done = part(self, cx);
            self.go_on(cx, table, done)?;
        }
        Ok(())
    }

    fn of_log(&mut self, cx: &mut Context<'_, '_>, older: Option<(u64, Hash)>) -> Result<()> {
        let Some(state) = log::state(cx.tx)? else {
            self.find("log_state", &cx.tenant(), None, "The tenant has no log.");
            return Ok(());
        };
        let done = self.check_log(cx, &state, older);
        self.go_on(cx, "log", done)?;
        let done = self.check_events(cx, &state);
        self.go_on(cx, "event", done)
    }

    /// Reports rows that a part of the comparison could not read, and continues with the next part.
    fn go_on(&mut self, cx: &Context<'_, '_>, table: &str, done: Result<()>) -> Result<()> {
        let tenant = cx.tenant();
        self.past_damage(cx, (table, &tenant), done)
    }

    /// Reports an unreadable row, and continues. If the engine itself refused to read, the replay ends.
    fn past_damage(&mut self, cx: &Context<'_, '_>, (table, id): (&str, &str), done: Result<()>) -> Result<()> {
        let why = match done {
            Err(Error::Store(store::Error::Corrupt(why))) if !cx.tx.has_failed() => why,
            // A key in the database is not a valid key any more, or is gone.
            Err(Error::Proof(why)) => why.to_string(),
            Err(Error::Fault(why)) => why,
            done => return done,
        };
        self.find(table, id, None, format!("It cannot be read: {why}."));
        Ok(())
    }

    /// Each key has the id that its public half gives and the state after its rotations, and each purpose has one key
    /// that signs.
    fn check_keys(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let turns = signing_keys::turns(cx)?;
        for purpose in signing_keys::PURPOSES {
            let stored = keys::list(cx.tx, purpose)?;
            let own = || turns.iter().filter(|turn| turn.purpose == purpose);
            let active = stored.iter().filter(|key| key.state == "active").count();
            if active != 1 {
                let what = format!("There are {active} active keys for {purpose}, not one.");
                self.find("signing_key", purpose, None, what);
            }
            // A tenant begins with one key; every further key came by a rotation.
            let is_next = |kid: &str| own().any(|turn| turn.next.as_deref() == Some(kid));
            let first: Vec<&str> = stored
                .iter()
                .map(|key| key.kid.as_str())
                .filter(|kid| !is_next(kid))
                .collect();
            for kid in first.iter().filter(|_| first.len() > 1) {
                let what = "No turn tells where this key came from, and the tenant began with another one.";
                self.find("signing_key", kid, None, what);
            }
            for kid in own().flat_map(|turn| turn.next.iter().chain([&turn.kid])) {
                if !stored.iter().any(|key| &key.kid == kid) {
                    self.find("signing_key", kid, None, "The log tells of this key, but it is gone.");
                }
            }
            for key in &stored {
                let left = own().filter(|turn| turn.kid == key.kid).map(|turn| turn.kind).max();
                let state = match left {
                    None => "active",
                    Some(KeyRotationKind::Rotated) => "retired",
                    Some(KeyRotationKind::Revoked) => "revoked",
                };
                if key.state != state {
                    let what = format!("The log leaves this key {state}, its row says {}.", key.state);
                    self.find("signing_key", &key.kid, Some("state"), what);
                }
            }
            for key in stored {
                if let Some((column, what)) = signing_keys::trouble(cx, &key) {
                    self.find("signing_key", &key.kid, Some(column), what);
                }
            }
        }
        Ok(())
    }

    /// Every secret in use exists, and opens under its own name.
    fn check_secrets(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        for found in find_lost_secrets::find_trouble(cx)? {
            self.find("secret", &found.id, Some("wrapped"), found.what);
        }
        Ok(())
    }

    /// Every stored checkpoint is signed by the log and by no unknown key, and has the size in its row.
    fn check_checkpoints(&mut self, cx: &mut Context<'_, '_>, keys: &proof::note::VerifierKeys) -> Result<()> {
        let mut after = -1;
        loop {
            let page = log::checkpoints(cx.tx, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.size;
            for row in &page {
                let note = proof::note::Note::parse(&row.note);
                let is_signed = |note: &proof::note::Note| {
                    let signed = note.verify(keys);
                    signed.is_ok_and(|known| known.len() == note.signatures.len())
                };
                let told = note.ok().filter(is_signed);
                let told = told.and_then(|note| Checkpoint::parse(&note.text).ok());
                if told.and_then(|told| i64::try_from(told.size).ok()) != Some(row.size) {
                    let what = "The kept checkpoint is not one that the log signed for this size.";
                    self.find("checkpoint", &row.size.to_string(), Some("note"), what);
                }
            }
        }
    }

    /// Verifies the log from its files alone, and that it extends the log noted by the system's log and this server.
    fn check_log(&mut self, cx: &mut Context<'_, '_>, state: &LogState, older: Option<(u64, Hash)>) -> Result<()> {
        let verifiers = signing_keys::verifier_keys(cx)?;
        let origin = signing_keys::log_origin(cx)?;
        let older = older.map(|(size, root)| Checkpoint {
            origin: origin.clone(),
            size,
            root,
        });
        self.check_state(cx, state)?;
        self.check_checkpoints(cx, &verifiers)?;
        // Verifying reads no row, and is soon over.
        let progress = |done: u64| {
            (self.progress)("log", done);
        };
        let check = LogCheck {
            origin: Some(&origin),
            older: older.as_ref(),
            progress: Some(&progress),
        };
        let source = StoredTiles::new(cx.tx, state.clone());
        let report = verify_log(&source, &verifiers, &check);
        if let Some((path, why)) = source.damaged() {
            let is_bundle = path.starts_with("tile/entries/");
            let table = if is_bundle { "log_bundle" } else { "log_tile" };
            self.find(table, &path, Some("bytes"), format!("It cannot be read: {why}."));
        }
        source.settle(Ok(()))?;
        for finding in report
            .report
            .findings
            .iter()
            .filter(|finding| finding.outcome != Outcome::Good)
        {
            self.find(
                "log",
                finding.at.as_deref().unwrap_or("checkpoint"),
                None,
                finding.text.clone(),
            );
        }
        self.log = Some(report);
        Ok(())
    }

    /// Compares the state of the log with its checkpoint and with the newest stored checkpoint.
    fn check_state(&mut self, cx: &mut Context<'_, '_>, state: &LogState) -> Result<()> {
        let tenant = cx.tenant();
        let told = proof::note::Note::parse(&state.checkpoint).and_then(|note| Checkpoint::parse(&note.text));
        if let Ok(told) = told {
            if i64::try_from(told.size).ok() != Some(state.size) {
                let what = format!("The log's state has size {}, its checkpoint {}.", state.size, told.size);
                self.find("log_state", &tenant, Some("size"), what);
            }
            if proof::crypto::hash_text(&told.root) != state.root {
                let what = "The log's state has another root than its checkpoint.";
                self.find("log_state", &tenant, Some("root"), what);
            }
        }
        let newest = log::last_checkpoint(cx.tx)?;
        if let Some(kept) = &newest
            && signers(&kept.note) != signers(&state.checkpoint)
        {
            let what = "The checkpoint of the log's state is signed by others than the one that was kept.";
            self.find("log_state", &tenant, Some("checkpoint"), what);
        }
        let newest = newest.map_or(0, |checkpoint| checkpoint.size);
        if newest != state.size {
            let what = format!(
                "The newest checkpoint has size {newest}, the log's state {}: the log was cut.",
                state.size
            );
            self.find("log_state", &tenant, Some("size"), what);
        }
        Ok(())
    }
}

/// The signers of a note, by the names of their keys.
fn signers(note: &str) -> Vec<String> {
    let note = proof::note::Note::parse(note).ok();
    note.map(|note| note.signatures.into_iter().map(|one| one.name).collect())
        .unwrap_or_default()
}

/// Size and root of a tenant's log as last noted by the system's log.
fn noted(executor: &impl Transactions, tenant: &str) -> Result<Option<(u64, Hash)>> {
    let tenant = tenant.to_owned();
    executor.wait(Lane::Pages, SYSTEM_TENANT, Actor::system(), Mode::Read, move |cx| {
        if log::state(cx.tx)?.is_none() {
            return Ok(None);
        }
        let waiting = event::count_unsequenced(cx.tx)?;
        let waiting = event::unsequenced(cx.tx, waiting)?;
        if let Some(found) = waiting.iter().rev().find_map(|it| noted_in(&it.event, &tenant)) {
            return Ok(Some(found));
        }
        let mut end = log_state(cx)?.size;
        while end > 0 {
            let from = (end - PAGE).max(0);
            let page = event::page(cx.tx, from, end - from)?;
            if let Some(found) = page.iter().rev().find_map(|event| noted_in(event, &tenant)) {
                return Ok(Some(found));
            }
            end = from;
        }
        Ok(None)
    })
}

/// How many rows are read at a time.
const PAGE: i64 = 256;

fn noted_in(stored: &Event, tenant: &str) -> Option<(u64, Hash)> {
    if stored.kind != "log.sized" || stored.subject_id != tenant {
        return None;
    }
    let event = proof::event::Event::from_bytes(&stored.bytes).ok()?;
    let size = event.data.get("size")?.as_u64()?;
    let root = event.data.get("root").and_then(Value::as_str)?;
    Some((size, proof::crypto::hash_of_text(root)?))
}
