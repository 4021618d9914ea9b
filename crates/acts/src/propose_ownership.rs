//! Rows of the ownership matrix that go live by two people: proposed by one, put in force by another or by an approved
//! change that names the proposal's digest. Where a tenant asks for it, and has a second administrator, this is the only way
//! for rows that move decisions; what only names who does the work (implementer, pipeline) is set as always. So it is for
//! what takes a service or an environment from under a rule (fewer regimes, a lower criticality, no production any more), and for
//! whatever else gives somebody a voice: `two_people` says what.
//!
//! A tenant asks for it, or no longer, by a proposal of the same sort, so that nobody turns it off alone.

use model::configuration::{Configuration, PolicyFile};
use model::directory::Tenant;
use model::reading::{LINE, Reading, TEXT};
use model::refusal::Refusal;
use model::verbs::Body;
use model::words::{ConfigurationKind, ConfigurationState, Noun};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::Result;
use crate::import_directory::{Line, Options, Report, bring, lines_of_two};
use crate::propose_configuration::{bare, save};
use crate::room::Room;
use crate::save::{Written, draft};

/// The most rows of one proposal.
const MOST: usize = 2_000;

/// How the content of a proposal is called among its files.
const FILE: &str = "ownerships.json";

/// What a proposal brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// People as they are to be, as a line of an import tells of them: what is left out stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Body>,
    /// Groups as they are to be, as the API takes them; `joins` names who comes to those that are in it already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Body>,
    /// Rows to set, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Body>,
    /// Services as they are to be, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Body>,
    /// Environments as they are to be, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<Body>,
    /// Ids of rows to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end: Vec<String>,
    /// Whether every other row ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_missing: bool,
    /// Whether rows that move decisions need two people from then on; absent where that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_two: Option<bool>,
}

impl Content {
    /// The lists that are brought as lines of an import are, in the order in which they refer to each other, with their names.
    pub fn lists(&self) -> [(Noun, &'static str, &Vec<Body>); 5] {
        [
            (Noun::People, "people", &self.people),
            (Noun::Groups, "groups", &self.groups),
            (Noun::Services, "services", &self.services),
            (Noun::Environments, "environments", &self.environments),
            (Noun::Ownerships, "rows", &self.rows),
        ]
    }

    fn list_mut(&mut self, noun: Noun) -> Option<&mut Vec<Body>> {
        match noun {
            Noun::People => Some(&mut self.people),
            Noun::Groups => Some(&mut self.groups),
            Noun::Services => Some(&mut self.services),
            Noun::Environments => Some(&mut self.environments),
            Noun::Ownerships => Some(&mut self.rows),
            Noun::ConfigItems | Noun::Dependencies => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, _, rows)| rows.is_empty()) && self.end.is_empty() && self.by_two.is_none()
    }
}

/// The content of a proposal.
///
/// # Errors
/// A fault when it cannot be read.
pub fn content(proposal: &Configuration) -> Result<Content> {
    let text = proposal.files.first().map_or("{}", |file| file.content.as_str());
    Ok(serde_json::from_str(text)?)
}

/// Proposes rows and what else moves decisions (`POST /ownership-proposals {rows?, people?, groups?, services?, environments?,
/// end?, end_missing?, by_two?, reason}`).
///
/// # Errors
/// 403, 422, also for a row that would give the proposer a voice; the store's.
pub fn propose_ownership(room: &mut Room<'_, '_>, body: &Body) -> Result<Configuration> {
    room.allow(model::act::actions::SET_OWNERSHIP)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let wanted = Content {
        people: read_rows(&mut reading, "people"),
        groups: read_rows(&mut reading, "groups"),
        rows: read_rows(&mut reading, "rows"),
        services: read_rows(&mut reading, "services"),
        environments: read_rows(&mut reading, "environments"),
        end: reading.texts("end", LINE).unwrap_or_default(),
        end_missing: reading.boolean("end_missing").unwrap_or_default(),
        by_two: reading.boolean("by_two"),
    };
    let reason = reading.needed("reason", TEXT);
    for id in &wanted.end {
        if !directory.ownerships.iter().any(|row| row.id.as_str() == id) {
            reading.wrong("end", "unknown", format!("There is no row `{id}` of the matrix."));
        }
    }
    if wanted.is_empty() {
        reading.wrong("rows", "missing", "Name what is to be set, rows to `end`, or `by_two`.");
    }
    reading.finish()?;
    if !(wanted.people.is_empty() && wanted.groups.is_empty()) {
        room.allow(model::act::actions::SET_PERSON)?;
    }
    propose(room, &wanted, reason)
}

/// Rows stay as they were sent: they are read again when they go live.
fn read_rows(reading: &mut Reading<'_>, field: &'static str) -> Vec<Body> {
    let Some(value) = reading.value(field) else {
        return Vec::new();
    };
    let sent = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Body> = sent.iter().filter_map(Value::as_object).cloned().collect();
    if !value.is_array() || rows.len() < sent.len() {
        reading.wrong(field, "not_a_list", format!("`{field}` must be a list of objects."));
    }
    if rows.len() > MOST {
        let text = format!("A proposal has at most {MOST} rows; make several.");
        reading.wrong(field, "out_of_range", text);
    }
    rows
}

/// Proposes a content; what it would do must be possible now.
///
/// # Errors
/// 422 with every wrong row, or the store's.
pub(crate) fn propose(room: &mut Room<'_, '_>, wanted: &Content, reason: String) -> Result<Configuration> {
    bring_rows(room, wanted, true)?;
    let value = serde_json::to_value(wanted)?;
    let digest = proof::canonical::digest(&value)?;
    let proposal = Configuration {
        files: vec![PolicyFile {
            path: FILE.to_owned(),
            content: serde_json::to_string_pretty(&value)?,
        }],
        ..bare(room, ConfigurationKind::Ownership, digest, reason)?
    };
    save(room, proposal)
}

fn bring_rows(room: &mut Room<'_, '_>, wanted: &Content, dry_run: bool) -> Result<Report> {
    let lists = wanted.lists().into_iter();
    let rows = lists.flat_map(|(noun, _, rows)| rows.iter().map(move |fields| (noun, fields)));
    let line = |(place, (noun, fields)): (usize, (Noun, &Body))| Line {
        number: place + 1,
        noun,
        fields: fields.clone(),
    };
    let lines: Vec<Line> = rows.enumerate().map(line).collect();
    let options = Options {
        dry_run,
        end_missing: wanted.end_missing,
        by_two: true,
    };
    bring(room, &lines, options)
}

/// Puts proposed rows in force: they are read as the estate stands by then, set and ended in one transaction, and every open
/// change is judged again.
///
/// # Errors
/// 422, also for a row that would give the acting person a voice; the store's.
pub(crate) fn put_in_force(
    room: &mut Room<'_, '_>,
    proposal: Configuration,
    change_key: Option<String>,
) -> Result<Configuration> {
    let wanted = content(&proposal)?;
    let report = bring_rows(room, &wanted, false)?;
    for id in &wanted.end {
        crate::set_service::end_row(room, id)?;
    }
    let mut written = Written::default();
    let tenant = room.directory()?.tenant.clone();
    if let (Some(by_two), Some(tenant)) = (wanted.by_two, tenant)
        && tenant.ownership_by_two != by_two
    {
        let ownership_by_two = by_two;
        room.put(
            &mut written,
            Tenant {
                ownership_by_two,
                ..tenant
            },
        )?;
    }
    let active = Configuration {
        state: ConfigurationState::Active,
        activated_by: Some(room.actor.person.clone()),
        activated_at: Some(room.now),
        change_key,
        ..proposal
    };
    let active = room.put(&mut written, active)?;
    let data = json!({
        "after": active.digest, "change": active.change_key, "added": report.added, "changed": report.changed,
        "ended": report.ended + wanted.end.len(), "by_two": wanted.by_two,
    });
    let subject = ("configuration", active.id.0.clone());
    let how = crate::activate_configuration::How::Activated { proposed_over: None };
    crate::activate_configuration::tell_people(room, &mut written, &active, &how)?;
    room.tell(vec![draft("ownership.activated", subject, room.now, data)], written)?;
    room.touch_directory()?;
    crate::settle_open::settle_open(room, |_| true)?;
    Ok(active)
}

/// Imports lines, what moves decisions by way of a proposal: the rest is written, and rows of the matrix with what else needs two
/// people are proposed.
///
/// # Errors
/// 403, 422, or the store's.
pub fn import_and_propose(
    room: &mut Room<'_, '_>,
    lines: &[Line],
    options: Options,
    reason: String,
) -> Result<(Report, Option<Configuration>)> {
    crate::import_directory::allow(room, lines)?;
    let two = lines_of_two(room, lines)?;
    if options.dry_run {
        let by_two = true;
        return Ok((bring(room, lines, Options { by_two, ..options })?, None));
    }
    let goes_by_two = |line: &Line| line.noun == Noun::Ownerships || two.contains(&line.number);
    let (proposed, others): (Vec<Line>, Vec<Line>) = lines.iter().cloned().partition(goes_by_two);
    let direct = Options {
        end_missing: false,
        ..options
    };
    let mut report = bring(room, &others, direct)?;
    if proposed.is_empty() {
        return Ok((report, None));
    }
    let mut wanted = Content {
        end_missing: options.end_missing && proposed.iter().any(|line| line.noun == Noun::Ownerships),
        ..Content::default()
    };
    for line in proposed {
        if let Some(list) = wanted.list_mut(line.noun) {
            list.push(line.fields);
        }
    }
    if wanted.lists().iter().any(|(_, _, rows)| rows.len() > MOST) {
        let text = format!("A proposal has at most {MOST} rows; cut the import into several.");
        return Err(Refusal::field("text", "too_long", text).into());
    }
    let told = bring_rows(room, &wanted, true)?;
    report.added += told.added;
    report.changed += told.changed;
    report.ended += told.ended;
    report.unchanged += told.unchanged;
    report.rows.extend(told.rows);
    let proposal = propose(room, &wanted, reason)?;
    Ok((report, Some(proposal)))
}
