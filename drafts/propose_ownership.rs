//! Rows of the ownership matrix that go live by two people: proposed by one, put in force by another or by an approved
//! change that names the proposal's digest. Where a tenant asks for it, this is the only way for rows that move decisions;
//! what only names who does the work (implementer, pipeline) is set as always.
//!
//! A tenant asks for it, or no longer, by a proposal of the same sort, so that nobody turns it off alone, and nobody who
//! is alone locks themselves out.

use model::configuration::Configuration;
use model::directory::{Directory, Ownership, Tenant};
use model::ids::RecordId;
use model::reading::{LINE, Reading, TEXT};
use model::refusal::Refusal;
use model::verbs::Body;
use model::words::{ConfigurationKind, ConfigurationState, OwnershipRole};
use serde_json::{Value, json};
use store::record;

use crate::error::Result;
use crate::own_request;
use crate::propose_configuration::{bare, save};
use crate::room::Room;
use crate::rows;
use crate::save::{Written, draft};

/// The most rows of one proposal: an entry of the log holds no more than 65,535 bytes.
const MOST: usize = 100;

/// Whether a row needs two people here.
pub(crate) fn needs_two(directory: &Directory, row: &Ownership) -> bool {
    let decides = !matches!(row.role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
    decides && directory.tenant.as_ref().is_some_and(|tenant| tenant.ownership_by_two)
}

/// The sentence for a row that one person wants to set alone.
pub(crate) const ALONE: &str = "Rows that move decisions go live by two people here.";

/// Refuses a row that needs two people.
///
/// # Errors
/// 409 `two_people_needed`, or the store's.
pub(crate) fn check_alone(room: &mut Room<'_, '_>, row: &Ownership) -> Result<()> {
    if room.actor.is_system || !needs_two(&*room.directory()?, row) {
        return Ok(());
    }
    let satisfy = "Propose it (`POST /ownership-proposals`); another person, or an approved change, puts it in force.";
    Err(Refusal::not_now("two_people_needed", ALONE, satisfy, Vec::new()).into())
}

fn row_of(directory: &Directory, key: &str) -> Option<Ownership> {
    directory.ownerships.iter().find(|row| row.natural_key() == key).cloned()
}

/// Proposes rows (`POST /ownership-proposals {rows?, end?, by_two?, reason}`): rows to set, ids of rows to end, and whether
/// rows that move decisions need two people from then on.
///
/// # Errors
/// 403, also for a row that would give the proposer a voice; 422; the store's.
pub fn propose_ownership(room: &mut Room<'_, '_>, body: &Body) -> Result<Configuration> {
    room.allow(model::act::actions::SET_OWNERSHIP)?;
    let directory = room.directory()?;
    let now = room.now;
    let mut reading = Reading::new(body, "");
    let rows = reading
        .objects("rows", |inner| {
            rows::ownership(inner, &directory, |key: &str| row_of(&directory, key), now)
        })
        .unwrap_or_default();
    let ends: Vec<RecordId> = reading.texts("end", LINE).unwrap_or_default().into_iter().map(RecordId).collect();
    let by_two = reading.boolean("by_two");
    let reason = reading.needed("reason", TEXT);
    for id in &ends {
        if !directory.ownerships.iter().any(|row| row.id == *id) {
            reading.wrong("end", "unknown", format!("There is no row `{id}` of the matrix."));
        }
    }
    if rows.len() + ends.len() > MOST {
        reading.wrong("rows", "out_of_range", format!("A proposal has at most {MOST} rows; make several."));
    }
    if rows.is_empty() && ends.is_empty() && by_two.is_none() {
        reading.wrong("rows", "missing", "Name `rows` to set, rows to `end`, or `by_two`.");
    }
    reading.finish()?;
    for row in &rows {
        if own_request::gives_voice(room, row)? {
            return Err(own_request::own_request(own_request::OWN_PART).into());
        }
    }
    let digest = digest_of(&rows, &ends, by_two)?;
    let proposal = Configuration {
        ownerships: rows,
        ends,
        ownership_by_two: by_two,
        ..bare(room, ConfigurationKind::Ownership, digest, reason)?
    };
    save(room, proposal)
}

/// The digest of what is proposed: over the canonical JSON of the rows without ids and versions.
fn digest_of(rows: &[Ownership], ends: &[RecordId], by_two: Option<bool>) -> Result<String> {
    let mut told = Vec::new();
    for row in rows {
        let mut value = serde_json::to_value(row)?;
        if let Value::Object(map) = &mut value {
            map.remove("id");
            map.remove("version");
        }
        told.push(value);
    }
    let by_two = by_two.map_or("as it is", |it| if it { "yes" } else { "no" });
    let content = json!({"rows": told, "ends": ends, "by_two": by_two});
    Ok(proof::canonical::digest(&content)?)
}

/// Puts proposed rows in force: the rows as they are by then are set and ended in one transaction, and every open change is
/// judged again.
///
/// # Errors
/// 403 for a row that would give the acting person a voice; the store's.
pub(crate) fn put_in_force(
    room: &mut Room<'_, '_>,
    proposal: Configuration,
    change_key: Option<String>,
) -> Result<Configuration> {
    let mut written = Written::default();
    set_rows(room, &mut written, &proposal.ownerships)?;
    end_rows(room, &mut written, &proposal.ends)?;
    let tenant = room.directory()?.tenant.clone();
    if let (Some(by_two), Some(tenant)) = (proposal.ownership_by_two, tenant)
        && tenant.ownership_by_two != by_two
    {
        let tenant = Tenant {
            ownership_by_two: by_two,
            ..tenant
        };
        room.put(&mut written, tenant)?;
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
        "after": active.digest, "change": active.change_key, "rows": active.ownerships.len(), "ended": active.ends.len(),
    });
    let subject = ("configuration", active.id.0.clone());
    crate::activate_configuration::tell_people(room, &mut written, &active, "activated")?;
    room.tell(vec![draft("ownership.activated", subject, room.now, data)], written)?;
    room.touch_directory()?;
    crate::settle_open::settle_open(room, |_| true)?;
    Ok(active)
}

fn set_rows(room: &mut Room<'_, '_>, written: &mut Written, rows: &[Ownership]) -> Result<()> {
    let directory = room.directory()?;
    for row in rows {
        if own_request::gives_voice(room, row)? {
            return Err(own_request::own_request(own_request::OWN_PART).into());
        }
        let known = row_of(&directory, &row.natural_key());
        let (id, version) = match known {
            Some(known) => (known.id, known.version),
            None => (RecordId(room.new_id()?), 0),
        };
        let row = Ownership {
            id,
            version,
            ..row.clone()
        };
        room.put(written, row)?;
    }
    Ok(())
}

fn end_rows(room: &mut Room<'_, '_>, written: &mut Written, ends: &[RecordId]) -> Result<()> {
    for id in ends {
        let found = record::load::<Ownership>(room.tx, id.as_str())?.map(|stored| stored.record);
        if let Some(row) = found.filter(|row| row.ends_at.is_none_or(|end| room.now < end)) {
            let ends_at = Some(room.now);
            room.put(written, Ownership { ends_at, ..row })?;
        }
    }
    Ok(())
}
