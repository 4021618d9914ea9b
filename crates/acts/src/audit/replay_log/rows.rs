//! Compares each record's row with its events, and derived data with the record.

use std::collections::HashMap;

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::Permit;
use model::core::enums::PermitState;
use model::core::free_text;
use model::gate::answer::{self, GateRow};
use proof::bundle::commitments;
use proof::canonical;
use proof::commitment::{SALT_BYTES, open_record};
use proof::crypto::hash_of_text;
use serde_json::Value;
use store::audit::salts;
use store::change::changes;
use store::gate::{gate_view, revocation};
use store::nouns;
use store::record::{self, RawRecord};

use super::folds::{ByRecord, Folded, OfTable, TextCommitments};
use super::{PAGE, Replay, report_progress};
use crate::core::context::Context;
use crate::core::error::Result;

impl Replay<'_> {
    /// Compares all rows of all nouns with the events about their records; records without a row are reported at the
    /// end of their table.
    pub(super) fn check_rows(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let Some(folds) = self.folds.take() else { return Ok(()) };
        let mut told = folds.by_record()?;
        let mut tables = nouns::TABLES.to_vec();
        tables.sort_unstable();
        for table in tables {
            self.without_rows(&mut told, Some(table))?;
            self.check_table(cx, table, &mut OfTable::new(&mut told, table))?;
        }
        self.without_rows(&mut told, None)
    }

    /// Reports the records of tables without a noun, up to the next table.
    fn without_rows(&mut self, told: &mut ByRecord, end: Option<&str>) -> Result<()> {
        while let Some(table) = told.table().filter(|table| end.is_none_or(|end| table.as_str() < end)) {
            self.end_of(&table, &mut OfTable::new(told, &table))?;
        }
        Ok(())
    }

    fn check_table(&mut self, cx: &mut Context<'_, '_>, table: &str, told: &mut OfTable<'_>) -> Result<()> {
        let (mut after, mut done) = (String::new(), 0);
        loop {
            let page = record::raw_rows(cx.tx, table, &after, PAGE)?;
            // Ids that are no text come after all others and end the pages.
            let Some(last) = page.iter().rev().find_map(|(id, _)| id.clone()) else {
                page.iter()
                    .for_each(|_| self.find(table, "", Some("id"), "The id is no text."));
                break;
            };
            after = last;
            done += page.len() as u64;
            for (id, row) in page.into_iter().filter_map(|(id, row)| Some((id?, row))) {
                let folded = told.of_row(&id)?;
                let compared = match &row {
                    Ok(row) => self.row(cx, table, row, folded),
                    Err(why) => Err(why.clone().into()),
                };
                self.past_damage(cx, (table, &id), compared)?;
            }
            report_progress(self.progress, table, done)?;
        }
        self.records += done;
        self.end_of(table, told)
    }

    /// Reports records in events without a row, and versions that two events made.
    fn end_of(&mut self, table: &str, told: &mut OfTable<'_>) -> Result<()> {
        told.end()?;
        for (version, event) in std::mem::take(&mut told.twice) {
            let what = format!("Two events made version {version} of the same record.");
            self.find("event", &event, None, what);
        }
        for (id, version) in std::mem::take(&mut told.gone) {
            let what = format!("The log tells of this record up to version {version}, but its row is gone.");
            self.find(table, &id, None, what);
        }
        Ok(())
    }

    fn row(&mut self, cx: &mut Context<'_, '_>, table: &str, row: &RawRecord, folded: Option<Folded>) -> Result<()> {
        self.numbers.note_row(table, row);
        let before = self.findings.len();
        let words = match folded {
            Some(folded) => self.history(row, folded),
            None => {
                self.find(table, &row.id, None, "No event tells of this row.");
                TextCommitments::default()
            }
        };
        self.texts(cx, table, row, &words)?;
        self.columns_of(table, row);
        // An unreadable body was reported with its columns.
        if let Ok(Some(wrong)) = nouns::wrong_derived(cx.tx, table, &row.body) {
            let what = format!("The rows derived from this record of `{table}` are not what it says.");
            self.find(wrong, &row.id, None, what);
        }
        match table {
            "change" => self.around_change(cx, row)?,
            "permit" => self.permit(cx, row)?,
            _ => {}
        }
        if !row.is_coded && self.findings.len() == before {
            let what = "No server that has the master key wrote this row as it is.";
            self.find(table, &row.id, Some("code"), what);
        }
        Ok(())
    }

    /// Compares a row's version and sealed form with the state from its events.
    fn history(&mut self, row: &RawRecord, folded: Folded) -> TextCommitments {
        let Folded {
            table, head, rebuilt, ..
        } = folded;
        if u64::try_from(row.version).ok() != Some(head.version) {
            let what = format!(
                "The row has version {}, its events tell of version {}.",
                row.version, head.version
            );
            self.find(&table, &row.id, Some("version"), what);
        }
        let Ok(sealed) = serde_json::from_str::<Value>(&row.sealed) else {
            self.find(&table, &row.id, Some("sealed"), "The sealed form is no JSON.");
            return TextCommitments::default();
        };
        let before = self.findings.len();
        let words = match rebuilt {
            Ok((rebuilt, words)) => {
                self.members(&table, &row.id, &rebuilt, &sealed);
                self.note_file(&table, row, &rebuilt);
                words
            }
            Err(why) => {
                self.find(&table, &row.id, None, format!("Its history cannot be rebuilt: {why}."));
                TextCommitments::default()
            }
        };
        let digest = canonical::digest(&sealed).ok().and_then(|it| hash_of_text(&it));
        if (digest.is_none() || digest != head.digest) && self.findings.len() == before {
            self.find(
                &table,
                &row.id,
                Some("sealed"),
                "The sealed form has another digest than its last event tells.",
            );
        }
        words
    }

    fn members(&mut self, table: &str, id: &str, rebuilt: &Value, sealed: &Value) {
        let empty = serde_json::Map::new();
        let (told, stands) = (
            rebuilt.as_object().unwrap_or(&empty),
            sealed.as_object().unwrap_or(&empty),
        );
        let names: std::collections::BTreeSet<&String> = told.keys().chain(stands.keys()).collect();
        for name in names {
            if told.get(name) != stands.get(name) {
                let (stands, told) = (shown(stands.get(name)), shown(told.get(name)));
                let what = format!("The sealed form has another `{name}` than the events tell: {stands}, not {told}.");
                self.find(table, id, Some(&format!("/{name}")), what);
            }
        }
    }

    /// Opens the commitments of the sealed form against the body, and checks that exactly the erased texts are missing,
    /// including former ones.
    fn texts(&mut self, cx: &mut Context<'_, '_>, table: &str, row: &RawRecord, words: &TextCommitments) -> Result<()> {
        let Ok(sealed) = serde_json::from_str::<Value>(&row.sealed) else {
            return Ok(());
        };
        let Ok(body) = serde_json::from_str::<Value>(&row.body) else {
            self.find(table, &row.id, Some("body"), "The body is no JSON.");
            return Ok(());
        };
        // Most records have no text at all, so nothing is looked up for them.
        let known = if words.are_none() && commitments(&sealed).is_empty() {
            HashMap::new()
        } else {
            salts::of_record(cx.tx, table, &row.id)?
        };
        let salt = |commitment: &str| <[u8; SALT_BYTES]>::try_from(known.get(commitment)?.salt.as_slice()).ok();
        if let Err(mismatch) = open_record(&sealed, &body, &salt) {
            let what = format!("The body is not what the log committed to: {}.", mismatch.why);
            self.find(table, &row.id, Some(&mismatch.path), what);
            return Ok(());
        }
        if words
            .brought
            .iter()
            .any(|it| !known.contains_key(it) && !words.erased.contains(it))
        {
            let what = "A text that it had is gone, and no event erased it.";
            self.find(table, &row.id, Some("body"), what);
        }
        if words.erased.iter().any(|it| known.contains_key(it)) {
            let what = "A text that an event erased is still kept.";
            self.find(table, &row.id, Some("body"), what);
        }
        Ok(())
    }

    /// Compares a row's lookup columns with those computed from its body.
    fn columns_of(&mut self, table: &str, row: &RawRecord) {
        let computed = match nouns::derived_columns(table, &row.body) {
            Ok(computed) => computed,
            Err(error) => {
                return self.find(
                    table,
                    &row.id,
                    Some("body"),
                    format!("The body cannot be read: {error}."),
                );
            }
        };
        for (name, wanted) in computed {
            let stands = row
                .columns
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, value)| value);
            if !stands.is_some_and(|stands| is_same(stands, &wanted)) {
                let what = match stands {
                    Some(stands) if !free_text::is_text(name) => {
                        let (stands, wanted) = (shown_cell(stands), shown_cell(&wanted));
                        format!("The column `{name}` is not what the body says: {stands}, not {wanted}.")
                    }
                    _ => format!("The column `{name}` is not what the body says."),
                };
                self.find(table, &row.id, Some(name), what);
            }
        }
    }

    /// The rows that belong to a change: the rows of its targets and of the gate.
    fn around_change(&mut self, cx: &mut Context<'_, '_>, row: &RawRecord) -> Result<()> {
        // An unreadable body was reported with its columns.
        let Ok(change) = record::read::<Change>(&row.body) else {
            return Ok(());
        };
        let are_right = changes::targets_of(cx.tx, &row.id)? == changes::target_rows(&change)
            && changes::are_numbered(cx.tx, &row.id, change.number)?;
        if !are_right {
            self.find(
                "change_target",
                &row.id,
                None,
                format!("The target rows of {} are not what it says.", change.key),
            );
        }
        // A change that an act left unsettled is evaluated soon; until then the gate evaluates it at each question. A
        // row about that without a server's code is no excuse.
        if change.state.is_open() && matches!(cx.is_unsettled(&row.id), Ok(true)) {
            return self.outcome(cx, &change);
        }
        let stands = gate_view::unchecked_of_change(cx.tx, &row.id)?;
        let stored: Vec<Option<GateRow>> = stands.iter().map(read_gate_row).collect();
        let is_right = stored.iter().all(Option::is_some) && {
            let stored: Vec<GateRow> = stored.into_iter().flatten().collect();
            is_gate_right(cx, &change, &stored)?
        };
        if !is_right {
            let what = format!("The gate's rows of {} are not what its records give.", change.key);
            self.find("gate_view", &row.id, None, what);
        }
        self.outcome(cx, &change)
    }

    /// A permit that was revoked or consumed and has not expired is on the revocation list.
    fn permit(&mut self, cx: &mut Context<'_, '_>, row: &RawRecord) -> Result<()> {
        let Ok(permit) = record::read::<Permit>(&row.body) else {
            return Ok(());
        };
        if let Some(entry) = revocation::find(cx.tx, &row.id)? {
            let epoch = revocation::state(cx.tx)?.epoch;
            let is_at = |at: Option<Timestamp>| at == Some(entry.at);
            let is_right = (is_at(permit.revoked_at) || is_at(permit.used_at))
                && entry.expires_at == permit.expires_at
                && (1..=epoch).contains(&entry.epoch);
            if !is_right {
                let what = "The permit's entry on the revocation list is not what its record says.";
                self.find("revoked", &row.id, None, what);
            }
        }
        let is_dead = permit.state == PermitState::Revoked || permit.used_at.is_some();
        let should_be = is_dead && permit.expires_at > cx.now;
        if should_be && !revocation::is_revoked(cx.tx, &row.id)? {
            self.find(
                "revoked",
                &row.id,
                None,
                "The permit was revoked or used up and is not on the revocation list.",
            );
        }
        Ok(())
    }
}

/// SQLite stores truth values as 0 and 1.
fn is_same(stands: &store::Value, wanted: &store::Value) -> bool {
    match (stands, wanted) {
        (store::Value::Int(stands), store::Value::Bool(wanted)) => *stands == i64::from(*wanted),
        _ => stands == wanted,
    }
}

/// The most characters of a value that a finding shows.
const SHOWN: usize = 80;

/// A value in the form of a finding. Sealed forms contain no free text, only its commitments.
fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| cut(&value.to_string()))
}

fn shown_cell(value: &store::Value) -> String {
    match value {
        store::Value::Null => "nothing".to_owned(),
        store::Value::Text(text) => cut(text),
        store::Value::Int(number) => format!("`{number}`"),
        store::Value::Bool(truth) => format!("`{truth}`"),
        store::Value::Real(number) => format!("`{number}`"),
        store::Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("`{}…`", &text[..at]),
        None => format!("`{text}`"),
    }
}

/// A gate row, if its columns match its body.
fn read_gate_row(stored: &gate_view::GateRow) -> Option<GateRow> {
    let row: GateRow = serde_json::from_str(&stored.body).ok()?;
    let is_same = row.change.as_str() == stored.change_id
        && row.target.as_str() == stored.target_id
        && row.purpose.to_string() == stored.purpose
        && row.service.as_str() == stored.service
        && row.environment.as_str() == stored.environment
        && row.artifact == stored.artifact
        && row.commit == stored.commit;
    is_same.then_some(row)
}

/// Whether the gate's rows match the present change, or the change when it was last saved: the next timer updates them
/// for later movements of the clock.
fn is_gate_right(cx: &mut Context<'_, '_>, change: &Change, stored: &[GateRow]) -> Result<bool> {
    if !change.state.is_open() {
        return Ok(stored.is_empty());
    }
    let Ok(file) = cx.file(change.id.as_str()) else {
        return Ok(false);
    };
    let directory = cx.directory()?;
    let at = |moment: Timestamp| comparable(&answer::rows(&file, &directory, moment));
    let stored = comparable(stored);
    Ok(stored == at(cx.now) || stored == at(change.updated_at))
}

/// Rows without the names of people, which change with groups and logins, in the order of targets and purposes.
fn comparable(rows: &[GateRow]) -> Vec<GateRow> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.owner.clear();
        for freeze in &mut row.frozen {
            freeze.waiting_on.clear();
        }
        if let Some(waves) = &mut row.waves {
            waves.people.clear();
            if let Some(stop) = &mut waves.stop {
                stop.waiting_on.clear();
                stop.cannot_be_met = false;
            }
        }
        for unmet in row.unmet.iter_mut().chain(&mut row.closed) {
            unmet.text.clear();
            unmet.satisfy.clear();
            unmet.waiting_on.clear();
            unmet.cannot_be_met = false;
        }
    }
    rows.sort_by_key(|row| (row.target.as_str().to_owned(), row.purpose.to_string()));
    rows
}
