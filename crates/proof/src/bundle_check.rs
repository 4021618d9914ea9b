//! Checks a bundle in the order of its README, and lists everything that does not hold.

use crate::bundle::{self, Manifest, Missing, Proofs, RecordPart, Records, Stamps, Whole};
use crate::commitment::{self, SALT_BYTES};
use crate::crypto::{self, Hash};
use crate::event::{self, Event};
use crate::grounds::{self, Judge, Scope};
use crate::note::{self, Checkpoint, KeyKind, Note, VerifierKeys};
use crate::report::{Outcome, Report};
use crate::time_stamp::{Anchors, MOST_STAMPS};
use crate::{Error, archive, canonical, diff, merkle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The result of verifying a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// Good, bad or undecided.
    pub outcome: Outcome,
    /// Every finding, remarks included.
    #[serde(flatten)]
    pub report: Report,
    /// The tenant that the bundle names, once its list of files could be read.
    pub tenant: Option<String>,
    /// The change's key.
    pub key: Option<String>,
    /// The change's state when the bundle was made.
    pub state: Option<String>,
    /// Whether the change was still open.
    pub is_open: Option<bool>,
    /// When the bundle was made.
    pub created_at: Option<String>,
    /// The log that it belongs to.
    pub origin: Option<String>,
    /// The size of that log at the bundle's checkpoint.
    pub log_size: Option<u64>,
    /// Events that were proven to be in the log.
    pub events_proven: usize,
    /// Records whose history and texts were checked.
    pub records_checked: usize,
}

/// Verifies a bundle. With `trusted`, the log must have signed with one of these keys; without, the bundle's own keys are used
/// and a remark records that.
#[must_use]
pub fn verify(bytes: &[u8], trusted: Option<&VerifierKeys>) -> BundleReport {
    verify_with(bytes, trusted, None)
}

/// The same. With `anchors`, time stamps are trusted by these certificates; without, by those beside them, and a remark records
/// that.
#[must_use]
pub fn verify_with(bytes: &[u8], trusted: Option<&VerifierKeys>, anchors: Option<&Anchors>) -> BundleReport {
    let mut check = Check::default();
    // Each step needs the one before it, so the first failure ends the check.
    let _ = check.run(bytes, trusted, anchors);
    check.into_report()
}

/// Marks that the check cannot go on; the reason is among the findings already.
struct Stop;

type Step<T> = Result<T, Stop>;

#[derive(Default)]
struct Check<'a> {
    report: Report,
    files: BTreeMap<&'a str, &'a [u8]>,
    manifest: Option<Manifest>,
    checkpoint: Option<Checkpoint>,
    events_proven: usize,
    records_checked: usize,
}

impl<'a> Check<'a> {
    fn run(&mut self, bytes: &'a [u8], trusted: Option<&VerifierKeys>, anchors: Option<&Anchors>) -> Step<()> {
        let listed = archive::read(bytes);
        let listed = listed.map_err(|error| self.unreadable(&error))?;
        self.files = listed.iter().copied().collect();
        let keys = self.keys(trusted)?;
        let checkpoint = self.open_checkpoint(&keys)?;
        let manifest = self.open_manifest(&keys, &checkpoint)?;
        self.check_files(&manifest, &listed)?;
        self.manifest = Some(manifest.clone());
        self.checkpoint = Some(checkpoint.clone());
        for Missing { what, why } in &manifest.missing {
            self.report
                .remark("missing", what, format!("Not in the bundle: {what} ({why})."));
        }
        let events = self.check_events(&manifest, &checkpoint)?;
        let records: Records = self.json("record.json")?;
        let salts = self.salts()?;
        self.check_subject(&manifest, &records);
        self.replay(&manifest, &events, &records);
        let whole = self.whole()?;
        self.judge_grounds(&manifest, &events, whole);
        self.check_texts(&records, &salts);
        self.check_evidence(&records);
        self.check_stamps(&checkpoint, anchors)
    }

    /// Each time stamp is over a log that grew out of the bundle's checkpoint.
    fn check_stamps(&mut self, checkpoint: &Checkpoint, anchors: Option<&Anchors>) -> Step<()> {
        if !self.files.contains_key(bundle::STAMPS) {
            return Ok(());
        }
        let stamps = self.json::<Stamps>(bundle::STAMPS)?.stamps;
        for stamp in stamps.iter().take(MOST_STAMPS) {
            stamp.check(checkpoint, anchors, &mut self.report);
        }
        Ok(())
    }

    fn into_report(self) -> BundleReport {
        let manifest = self.manifest.as_ref();
        BundleReport {
            outcome: self.report.outcome(),
            tenant: manifest.map(|manifest| manifest.tenant.clone()),
            key: manifest.map(|manifest| manifest.key.clone()),
            state: manifest.map(|manifest| manifest.state.clone()),
            is_open: manifest.map(|manifest| manifest.is_open),
            created_at: manifest.map(|manifest| manifest.created_at.clone()),
            origin: self.checkpoint.as_ref().map(|checkpoint| checkpoint.origin.clone()),
            log_size: self.checkpoint.as_ref().map(|checkpoint| checkpoint.size),
            events_proven: self.events_proven,
            records_checked: self.records_checked,
            report: self.report,
        }
    }

    fn unreadable(&mut self, error: &Error) -> Stop {
        match error {
            Error::TooLarge { .. } => self.report.cannot_tell("too_large", "", sentence(error)),
            _ => self.report.bad("not_a_bundle", "", sentence(error)),
        }
        Stop
    }

    fn bad<T>(&mut self, code: &'static str, at: &str, text: impl Into<String>) -> Step<T> {
        self.report.bad(code, at, text);
        Err(Stop)
    }

    fn file(&mut self, name: &str) -> Step<&'a [u8]> {
        match self.files.get(name).copied() {
            Some(bytes) => Ok(bytes),
            None => self.bad("file_missing", name, format!("`{name}` is missing.")),
        }
    }

    fn text(&mut self, name: &str) -> Step<&'a str> {
        let bytes = self.file(name)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => self.bad("malformed", name, format!("`{name}` is not UTF-8.")),
        }
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Step<T> {
        let bytes = self.file(name)?;
        if !canonical::is_canonical(bytes) {
            return self.bad("malformed", name, format!("`{name}` is not canonical JSON."));
        }
        match serde_json::from_slice(bytes) {
            Ok(value) => Ok(value),
            Err(error) => self.bad("malformed", name, format!("`{name}` is malformed: {error}.")),
        }
    }

    fn keys(&mut self, trusted: Option<&VerifierKeys>) -> Step<VerifierKeys> {
        let text = self.text("key")?;
        let own = match VerifierKeys::parse(text) {
            Ok(own) => own,
            Err(error) => return self.bad("malformed", "key", sentence(&error)),
        };
        if let Some(trusted) = trusted {
            return Ok(trusted.clone());
        }
        let text = "The bundle's own key was trusted; compare it with a key from another source.";
        self.report.remark("own_key_trusted", "key", text);
        Ok(own)
    }

    fn open_checkpoint(&mut self, keys: &VerifierKeys) -> Step<Checkpoint> {
        let text = self.text("checkpoint")?;
        match note::open_checkpoint(text, keys, None) {
            Ok(trusted) => Ok(trusted.checkpoint),
            Err(why) => self.bad(
                "checkpoint_untrusted",
                "checkpoint",
                format!("The checkpoint is not trusted: {why}."),
            ),
        }
    }

    /// The list of files, after its signature by the log's key was checked.
    fn open_manifest(&mut self, keys: &VerifierKeys, checkpoint: &Checkpoint) -> Step<Manifest> {
        let signature = self.text("bundle.sig")?;
        let bytes = self.file("bundle.json")?;
        let is_signed = Note::parse(signature).is_ok_and(|note| {
            let is_log = |one: &note::VerifiedSignature| {
                one.key.kind() == KeyKind::Ed25519 && one.key.name() == checkpoint.origin
            };
            note.text == bundle::statement(&checkpoint.origin, bytes)
                && note.verify(keys).is_ok_and(|all| all.iter().any(is_log))
        });
        if !is_signed {
            let text = "The log did not sign this list of files.";
            return self.bad("manifest_untrusted", "bundle.json", text);
        }
        let manifest: Value = self.json("bundle.json")?;
        if manifest.get("v").and_then(Value::as_u64) != Some(bundle::VERSION) {
            let text = "The bundle has a version that this program does not know.";
            self.report.cannot_tell("unknown_version", "bundle.json", text);
            return Err(Stop);
        }
        self.json("bundle.json")
    }

    fn check_files(&mut self, manifest: &Manifest, listed: &[archive::File<'_>]) -> Step<()> {
        let mut names = vec!["README.txt", "bundle.json", "bundle.sig"];
        names.extend(manifest.files.iter().skip(1).map(|file| file.name.as_str()));
        let found: Vec<&str> = listed.iter().map(|(name, _)| *name).collect();
        if names != found || manifest.files.first().is_none_or(|file| file.name != "README.txt") {
            return self.bad(
                "files_differ",
                "bundle.json",
                "The files are not those that the list names.",
            );
        }
        for entry in &manifest.files {
            let bytes = self.file(&entry.name)?;
            if entry.sha256 != hex::encode(crypto::sha256(bytes)) || entry.bytes != bytes.len() as u64 {
                let text = format!("`{}` is not the file that the list names.", entry.name);
                self.report.bad("file_changed", &entry.name, text);
            }
        }
        if self.report.outcome() == Outcome::Bad {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// Proves each event to be in the log and reads it, in the order of the log.
    fn check_events(&mut self, manifest: &Manifest, checkpoint: &Checkpoint) -> Step<Vec<(u64, Event)>> {
        let proofs: Proofs = self.json("proofs.json")?;
        if proofs.size != checkpoint.size || proofs.root != hex::encode(checkpoint.root) {
            return self.bad("proofs_differ", "proofs.json", "The proofs are for another checkpoint.");
        }
        let is_event = |name: &&str| name.starts_with("events/");
        let present: BTreeSet<&str> = self.files.keys().copied().filter(is_event).collect();
        let named: Vec<String> = proofs
            .proofs
            .iter()
            .map(|proof| bundle::event_name(proof.index))
            .collect();
        let is_ascending = proofs.proofs.is_sorted_by(|a, b| a.index < b.index);
        if present != named.iter().map(String::as_str).collect() || !is_ascending {
            return self.bad(
                "proofs_differ",
                "proofs.json",
                "The proofs are not one for each event, in order.",
            );
        }
        let mut events = Vec::new();
        for (entry, name) in proofs.proofs.iter().zip(&named) {
            let leaf = self.file(name)?;
            let hashes: Option<Vec<Hash>> = entry.hashes.iter().map(|hash| from_hex(hash)).collect();
            let is_included = hashes.is_some_and(|hashes| {
                let leaf = merkle::leaf_hash(leaf);
                merkle::verify_inclusion(&leaf, entry.index, checkpoint.size, &hashes, &checkpoint.root)
            });
            if !is_included {
                self.report
                    .bad("not_in_log", name, format!("Event {} is not in the log.", entry.index));
                continue;
            }
            self.events_proven += 1;
            if let Some(event) = self.read_event(name, leaf, manifest) {
                events.push((entry.index, event));
            }
        }
        Ok(events)
    }

    fn read_event(&mut self, name: &str, leaf: &[u8], manifest: &Manifest) -> Option<Event> {
        let event = match Event::from_bytes(leaf) {
            Ok(event) => event,
            Err(error) => {
                self.report.bad("event_malformed", name, sentence(&error));
                return None;
            }
        };
        if event.tenant != manifest.tenant {
            self.report.bad("wrong_tenant", name, "The event is of another tenant.");
        }
        let Some(path) = event.records_digest.as_deref().and_then(event::payload_path) else {
            return Some(event);
        };
        let Some(payload) = self.files.get(path.as_str()) else {
            self.report.cannot_tell(
                "payload_missing",
                &path,
                "What the event did to records is not in the bundle.",
            );
            return None;
        };
        match event.with_payload(payload) {
            Ok(event) => Some(event),
            Err(error) => {
                self.report.bad("event_malformed", &path, sentence(&error));
                None
            }
        }
    }

    /// The tables of which the bundle holds whole histories; none in a bundle of an older version.
    fn whole(&mut self) -> Step<Vec<String>> {
        if !self.files.contains_key(bundle::WHOLE) {
            let text =
                "People, freezes and templates that events name are not judged: a server before them made this bundle.";
            self.report.remark("others_not_judged", "bundle.json", text);
            return Ok(Vec::new());
        }
        Ok(self.json::<Whole>(bundle::WHOLE)?.tables)
    }

    fn salts(&mut self) -> Step<BTreeMap<String, [u8; SALT_BYTES]>> {
        let all: BTreeMap<String, BTreeMap<String, String>> = self.json("salts.json")?;
        let mut salts = BTreeMap::new();
        for (commitment, salt) in all.get("salts").into_iter().flatten() {
            let Some(salt) = crypto::from_base64url(salt).and_then(|salt| salt.try_into().ok()) else {
                return self.bad(
                    "malformed",
                    "salts.json",
                    format!("The salt of {commitment} is not 16 bytes."),
                );
            };
            salts.insert(commitment.clone(), salt);
        }
        Ok(salts)
    }

    fn check_subject(&mut self, manifest: &Manifest, records: &Records) {
        let is_subject =
            |record: &&RecordPart| record.table == manifest.subject.table && record.id == manifest.subject.id;
        let Some(subject) = records.records.iter().find(is_subject) else {
            self.report.bad(
                "subject_missing",
                "record.json",
                "The record that the bundle is about is missing.",
            );
            return;
        };
        for (name, said) in [("key", &manifest.key), ("state", &manifest.state)] {
            let stands = subject.body.get(name).and_then(Value::as_str);
            if stands.is_some_and(|stands| stands != said) {
                let text = format!("The bundle says {name} `{said}`, the record says otherwise.");
                self.report.bad("subject_differs", "bundle.json", text);
            }
        }
    }

    /// Applies the deltas of all events and compares with the sealed records.
    fn replay(&mut self, manifest: &Manifest, events: &[(u64, Event)], records: &Records) {
        let wanted: BTreeSet<(&str, &str)> = records
            .records
            .iter()
            .map(|record| (record.table.as_str(), record.id.as_str()))
            .collect();
        let mut replayed: BTreeMap<(&str, &str), (u64, Value)> = BTreeMap::new();
        let mut broken: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (index, event) in events {
            for delta in &event.records {
                let name = (delta.table.as_str(), delta.id.as_str());
                if !wanted.contains(&name) || broken.contains(&name) {
                    continue;
                }
                let before = replayed.get(&name);
                let expected = before.map_or(1, |(version, _)| version + 1);
                let after = if delta.version == expected {
                    diff::apply(delta, before.map(|(_, record)| record)).map_err(|error| sentence(&error))
                } else {
                    Err(format!(
                        "Version {expected} is missing before version {}.",
                        delta.version
                    ))
                };
                match after {
                    Ok(after) => drop(replayed.insert(name, (delta.version, after))),
                    Err(why) => {
                        broken.insert(name);
                        self.broken_history(manifest, name, &format!("{why} (event {index})"));
                    }
                }
            }
        }
        for record in &records.records {
            let name = (record.table.as_str(), record.id.as_str());
            let stands = (record.version, &record.sealed);
            match replayed.get(&name) {
                _ if broken.contains(&name) => {}
                Some((version, sealed)) if (*version, sealed) == stands => {}
                Some(_) => self.report.bad(
                    "record_differs",
                    &format!("{}/{}", name.0, name.1),
                    "The events do not add up to this record.",
                ),
                None => self.broken_history(manifest, name, "No event speaks of this record."),
            }
        }
    }

    /// Judges the grounds of each event that permits something. An event without grounds is good where the bundle shows that
    /// the log had none yet.
    fn judge_grounds(&mut self, manifest: &Manifest, events: &[(u64, Event)], whole: Vec<String>) {
        let began = events.iter().find(|(_, event)| event.kind == grounds::BEGAN);
        let mut judge = Judge::new(Scope::Change).with_whole(whole);
        let is_partial = manifest
            .missing
            .iter()
            .any(|missing| missing.what.starts_with("record:"));
        for (index, event) in events {
            let lack = judge.note(*index, event, &event.records);
            // An event that is here only as history of a person or a freeze is judged in the bundle of the change that it
            // permitted.
            let is_here = |lack: &grounds::Lack| match &lack.change {
                Some(change) => *change == manifest.subject.id,
                None => grounds::is_about_change(&event.kind),
            };
            let Some(lack) = lack.filter(is_here) else {
                continue;
            };
            let at = bundle::event_name(*index);
            let text = format!("`{}` lacks its reasons: {}", lack.kind, lack.what);
            match (lack.is_old, began) {
                (true, Some((since, _))) if since > index => {
                    let text = format!("`{}` was written before events named what they rested on.", lack.kind);
                    self.report.remark("grounds_not_yet", &at, text);
                }
                (true, None) => {
                    let text = format!(
                        "{text} Fetch the bundle anew, from a server that shows since when events have grounds."
                    );
                    self.report.cannot_tell("grounds_missing", &at, text);
                }
                _ if is_partial => self.report.cannot_tell("grounds_missing", &at, text),
                _ => self.report.bad("grounds_missing", &at, text),
            }
        }
    }

    /// A history with a gap is bad, unless the bundle itself declares that it is incomplete.
    fn broken_history(&mut self, manifest: &Manifest, (table, id): (&str, &str), why: &str) {
        let at = format!("{table}/{id}");
        let what = format!("record:{at}");
        if manifest.missing.iter().any(|missing| missing.what == what) {
            self.report.cannot_tell("history_incomplete", &at, why);
        } else {
            self.report.bad("history_broken", &at, why);
        }
    }

    fn check_texts(&mut self, records: &Records, salts: &BTreeMap<String, [u8; SALT_BYTES]>) {
        let mut names = BTreeSet::new();
        for record in &records.records {
            let at = format!("{}/{}", record.table, record.id);
            if !names.insert(at.clone()) {
                self.report
                    .bad("record_twice", &at, "The record stands twice in the bundle.");
            }
            let open = commitment::open_record(&record.sealed, &record.body, &|name| salts.get(name).copied());
            match open {
                Ok(()) => self.records_checked += 1,
                Err(mismatch) => self.report.bad(
                    "text_differs",
                    &at,
                    format!("The record differs from its sealed form at {mismatch}."),
                ),
            }
        }
    }

    fn check_evidence(&mut self, records: &Records) {
        let mut named = BTreeSet::new();
        for record in &records.records {
            collect_digests(&record.body, &mut named);
        }
        let files: Vec<(&str, &[u8])> = self.files.iter().map(|(name, bytes)| (*name, *bytes)).collect();
        for (name, bytes) in files {
            let Some(hex) = name.strip_prefix("evidence/") else {
                continue;
            };
            let digest = crypto::digest_text(bytes);
            if digest != format!("sha256:{hex}") {
                self.report.bad(
                    "evidence_changed",
                    name,
                    "The evidence file has another digest than its name.",
                );
            } else if !named.contains(&digest) {
                self.report.remark(
                    "evidence_unnamed",
                    name,
                    "No record of the bundle names this evidence file.",
                );
            }
        }
    }
}

fn from_hex(text: &str) -> Option<Hash> {
    hex::decode(text).ok()?.try_into().ok()
}

fn collect_digests(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if crypto::is_digest_text(text) => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect_digests(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect_digests(member, found)),
        _ => {}
    }
}

fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
