//! Rows of the ownership matrix that go live by two people: proposed by one, put in force by another or by an approved
//! change that names the proposal's digest. Where a tenant asks for it, and has a second administrator, this is the only way
//! for rows that move decisions; what only names who does the work (implementer, pipeline) is set as always. So it is for
//! what takes a service or an environment from under a rule: fewer regimes, a lower criticality, no production any more.
//!
//! A tenant asks for it, or no longer, by a proposal of the same sort, so that nobody turns it off alone.

use model::configuration::{Configuration, PolicyFile};
use model::directory::{Directory, Environment, Ownership, Service, Tenant};
use model::reading::{LINE, Reading, TEXT};
use model::refusal::Refusal;
use model::verbs::Body;
use model::words::{ConfigurationKind, ConfigurationState, Noun, OwnershipRole, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::Result;
use crate::import_directory::{Line, Options, Report, bring};
use crate::propose_configuration::{bare, save};
use crate::room::Room;
use crate::rows::DATA_CLASSES;
use crate::save::{Written, draft};

/// The most rows of one proposal.
const MOST: usize = 2_000;

/// How the content of a proposal is called among its files.
const FILE: &str = "ownerships.json";

/// The sentence for a row that one person wants to set alone.
pub(crate) const ALONE: &str = "Rows that move decisions go live by two people here.";

/// What helps.
const SATISFY: &str = "Propose it (`POST /ownership-proposals`, `assent ownership propose`); another person, or an approved \
                       change, puts it in force.";

/// What a proposal brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
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

/// Whether a row needs two people here: the tenant asks for it, and there is a second administrator who could look.
pub(crate) fn needs_two(directory: &Directory, row: &Ownership) -> bool {
    let decides = !matches!(row.role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
    decides && is_by_two(directory)
}

/// Whether rows that move decisions need two people now.
pub fn is_by_two(directory: &Directory) -> bool {
    let asks = directory.tenant.as_ref().is_some_and(|tenant| tenant.ownership_by_two);
    asks && directory.with_role(Role::Admin).len() > 1
}

/// Refuses a row that needs two people.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_alone(room: &mut Room<'_, '_>, row: &Ownership) -> Result<()> {
    if room.actor.is_system || !needs_two(&*room.directory()?, row) {
        return Ok(());
    }
    Err(Refusal::not_now("two_people_needed", ALONE, SATISFY, Vec::new()).into())
}

/// The sentence for a thing of the estate that one person wants to take from under a rule.
pub(crate) const LOOSENED: &str =
    "What takes a service or an environment from under a rule goes live by two people here.";

/// What helps there.
const SATISFY_LOOSENED: &str = "Propose it (`POST /ownership-proposals` with `services` or `environments`); another person, or \
                                an approved change, puts it in force.";

/// Whether rules ask less of a service than before.
pub(crate) fn loosens_service(directory: &Directory, service: &Service) -> bool {
    let Some(old) = directory.services.get(&service.key) else {
        return false;
    };
    service.criticality < old.criticality
        || sensitivity(service) < sensitivity(old)
        || !service.regimes.is_superset(&old.regimes)
}

/// How much the data of a service asks for, from nothing said to `restricted`.
fn sensitivity(service: &Service) -> Option<usize> {
    let class = service.data_class.as_deref()?;
    DATA_CLASSES.iter().position(|known| *known == class)
}

/// Whether an environment is no production any more.
pub(crate) fn loosens_environment(directory: &Directory, place: &Environment) -> bool {
    let old = directory.environments.get(&place.key);
    old.is_some_and(|old| old.is_production) && !place.is_production
}

/// Refuses what needs two people.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_loosened(room: &mut Room<'_, '_>, loosens: bool) -> Result<()> {
    if !loosens || room.actor.is_system || !is_by_two(&*room.directory()?) {
        return Ok(());
    }
    Err(Refusal::not_now("two_people_needed", LOOSENED, SATISFY_LOOSENED, Vec::new()).into())
}

/// The content of a proposal.
///
/// # Errors
/// A fault when it cannot be read.
pub fn content(proposal: &Configuration) -> Result<Content> {
    let text = proposal.files.first().map_or("{}", |file| file.content.as_str());
    Ok(serde_json::from_str(text)?)
}

/// Proposes rows (`POST /ownership-proposals {rows?, services?, environments?, end?, end_missing?, by_two?, reason}`).
///
/// # Errors
/// 403, 422, also for a row that would give the proposer a voice; the store's.
pub fn propose_ownership(room: &mut Room<'_, '_>, body: &Body) -> Result<Configuration> {
    room.allow(model::act::actions::SET_OWNERSHIP)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let wanted = Content {
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
    let is_empty = wanted.rows.is_empty() && wanted.services.is_empty() && wanted.environments.is_empty();
    if is_empty && wanted.end.is_empty() && wanted.by_two.is_none() {
        let text = "Name `rows`, `services` or `environments` to set, rows to `end`, or `by_two`.";
        reading.wrong("rows", "missing", text);
    }
    reading.finish()?;
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
    let things = wanted.services.iter().map(|fields| (Noun::Services, fields));
    let things = things.chain(wanted.environments.iter().map(|fields| (Noun::Environments, fields)));
    let rows = wanted.rows.iter().map(|fields| (Noun::Ownerships, fields));
    let line = |(place, (noun, fields)): (usize, (Noun, &Body))| Line {
        number: place + 1,
        noun,
        fields: fields.clone(),
    };
    let lines: Vec<Line> = things.chain(rows).enumerate().map(line).collect();
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

/// Imports lines, rows of the matrix by way of a proposal: what moves no decision is written, the rest is proposed.
///
/// # Errors
/// 403, 422, or the store's.
pub fn import_and_propose(
    room: &mut Room<'_, '_>,
    lines: &[Line],
    options: Options,
    reason: String,
) -> Result<(Report, Option<Configuration>)> {
    let (rows, others): (Vec<Line>, Vec<Line>) = lines.iter().cloned().partition(|line| line.noun == Noun::Ownerships);
    if !rows.is_empty() {
        room.allow(model::act::actions::SET_OWNERSHIP)?;
    }
    let mut report = crate::import_directory::import_directory(
        room,
        &others,
        Options {
            end_missing: false,
            ..options
        },
    )?;
    if rows.is_empty() {
        return Ok((report, None));
    }
    let wanted = Content {
        rows: rows.into_iter().map(|line| line.fields).collect(),
        end_missing: options.end_missing,
        ..Content::default()
    };
    if wanted.rows.len() > MOST {
        let text = format!("A proposal has at most {MOST} rows; cut the import into several.");
        return Err(Refusal::field("text", "too_long", text).into());
    }
    let told = bring_rows(room, &wanted, true)?;
    report.added += told.added;
    report.changed += told.changed;
    report.ended += told.ended;
    report.unchanged += told.unchanged;
    report.rows.extend(told.rows);
    if options.dry_run {
        return Ok((report, None));
    }
    let proposal = propose(room, &wanted, reason)?;
    Ok((report, Some(proposal)))
}
