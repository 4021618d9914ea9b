//! By what people are known outside, who belongs to which group, and people and groups in pages: what provisioning asks
//! without reading a tenant's whole estate.

use model::directory::{Group, Person};

use crate::counter;
use crate::error::Result;
use crate::record::{self, Filter, Stored};
use crate::tx::Tx;

/// The kind of a mail address, in lower case.
pub const MAIL: &str = "mail";
/// The kind of a subject at an identity provider: `issuer subject`.
pub const SUBJECT: &str = "subject";
/// The kind of an id in the provisioning directory.
pub const EXTERNAL: &str = "external";

/// Marks a person whom their directory removed.
const REMOVED: &str = "removed";
/// Marks a group that its directory removed, under the group's id.
const REMOVED_GROUP: &str = "removed_group";
/// The counter that says that the rows of this file were derived once from all records.
const INDEXED: &str = "identities_indexed";

/// The people known by a value of a kind, by id; more than one only where rows are older than the rule against it.
pub fn find(tx: &mut Tx<'_>, kind: &str, value: &str) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT person FROM person_identity
         WHERE tenant = $tenant AND kind = $kind AND value = $value ORDER BY person LIMIT 10",
        &[("kind", kind.into()), ("value", value.into())],
    )?;
    rows.iter().map(|row| row.text("person")).collect()
}

/// Ids of the groups that a person belongs to.
pub fn groups_of(tx: &mut Tx<'_>, person: &str) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT people_group FROM group_member WHERE tenant = $tenant AND person = $person ORDER BY people_group",
        &[("person", person.into())],
    )?;
    rows.iter().map(|row| row.text("people_group")).collect()
}

/// People from a place on in the order of ids, without those that their directory removed: for protocols that count
/// places.
pub fn people(tx: &mut Tx<'_>, offset: i64, limit: i64) -> Result<Vec<Stored<Person>>> {
    let rows = tx.query(
        "SELECT body, sealed FROM person WHERE tenant = $tenant AND NOT EXISTS (
            SELECT 1 FROM person_identity
            WHERE person_identity.tenant = $tenant AND person_identity.person = person.id
                AND person_identity.kind = $removed)
         ORDER BY id LIMIT $limit OFFSET $offset",
        &[
            ("removed", REMOVED.into()),
            ("limit", limit.into()),
            ("offset", offset.into()),
        ],
    )?;
    rows.iter()
        .map(|row| record::parsed(&row.text("body")?, row.text("sealed")?))
        .collect()
}

/// How many people there are, without those that were removed.
pub fn count_people(tx: &mut Tx<'_>) -> Result<i64> {
    let all = record::count::<Person>(tx, &Filter::new())?;
    Ok(all - count_of(tx, REMOVED)?)
}

/// Groups from a place on in the order of ids, without those that were removed.
pub fn groups(tx: &mut Tx<'_>, offset: i64, limit: i64) -> Result<Vec<Stored<Group>>> {
    let rows = tx.query(
        "SELECT body, sealed FROM people_group WHERE tenant = $tenant AND NOT EXISTS (
            SELECT 1 FROM person_identity
            WHERE person_identity.tenant = $tenant AND person_identity.person = people_group.id
                AND person_identity.kind = $removed)
         ORDER BY id LIMIT $limit OFFSET $offset",
        &[
            ("removed", REMOVED_GROUP.into()),
            ("limit", limit.into()),
            ("offset", offset.into()),
        ],
    )?;
    rows.iter()
        .map(|row| record::parsed(&row.text("body")?, row.text("sealed")?))
        .collect()
}

/// How many groups there are, without those that were removed.
pub fn count_groups(tx: &mut Tx<'_>) -> Result<i64> {
    let all = record::count::<Group>(tx, &Filter::new())?;
    Ok(all - count_of(tx, REMOVED_GROUP)?)
}

fn count_of(tx: &mut Tx<'_>, kind: &str) -> Result<i64> {
    let row = tx.query_one(
        "SELECT count(*) AS it FROM person_identity WHERE tenant = $tenant AND kind = $kind",
        &[("kind", kind.into())],
    )?;
    row.map_or(Ok(0), |row| row.int("it"))
}

/// Brings rows up to date that an earlier binary left without their derived ones. Answers how many records it read.
pub fn index_all(tx: &mut Tx<'_>) -> Result<u64> {
    if counter::get(tx, INDEXED)? > 0 {
        return Ok(0);
    }
    let mut read = 0;
    for stored in record::find::<Person>(tx, &Filter::new().order_by("id"))? {
        save_person(tx, &stored.record)?;
        read += 1;
    }
    for stored in record::find::<Group>(tx, &Filter::new().order_by("id"))? {
        save_group(tx, &stored.record)?;
        read += 1;
    }
    counter::next(tx, INDEXED)?;
    Ok(read)
}

/// By what a person is known: kinds and values, in order.
fn by_what(person: &Person) -> Vec<(&'static str, String)> {
    let mut wanted: Vec<(&'static str, String)> = Vec::new();
    wanted.extend(person.email.as_deref().map(|mail| (MAIL, mail.trim().to_lowercase())));
    wanted.extend(person.external_id.clone().map(|id| (EXTERNAL, id)));
    wanted.extend(person.removed.then(|| (REMOVED, String::new())));
    wanted.extend(person.subjects.iter().map(|subject| (SUBJECT, subject.clone())));
    wanted.sort();
    wanted.dedup();
    wanted
}

fn is_known_by(tx: &mut Tx<'_>, id: &str, wanted: &[(&'static str, String)]) -> Result<bool> {
    let rows = tx.query(
        "SELECT kind, value FROM person_identity WHERE tenant = $tenant AND person = $person ORDER BY kind, value",
        &[("person", id.into())],
    )?;
    let known = rows
        .iter()
        .map(|row| Ok((row.text("kind")?, row.text("value")?)))
        .collect::<Result<Vec<(String, String)>>>()?;
    Ok(known
        .iter()
        .map(|(kind, value)| (kind.as_str(), value))
        .eq(wanted.iter().map(|(kind, value)| (*kind, value))))
}

/// Whether the rows derived from a person are what the person says.
pub(crate) fn is_person_right(tx: &mut Tx<'_>, person: &Person) -> Result<bool> {
    is_known_by(tx, person.id.as_str(), &by_what(person))
}

/// Whether the rows derived from a group are what the group says.
pub(crate) fn is_group_right(tx: &mut Tx<'_>, group: &Group) -> Result<bool> {
    let id = group.id.as_str();
    let rows = tx.query(
        "SELECT person FROM group_member WHERE tenant = $tenant AND people_group = $group ORDER BY person",
        &[("group", id.into())],
    )?;
    let known = rows
        .iter()
        .map(|row| row.text("person"))
        .collect::<Result<std::collections::BTreeSet<String>>>()?;
    let wanted: std::collections::BTreeSet<String> = group.members.iter().map(|it| it.as_str().to_owned()).collect();
    let mark: Vec<(&'static str, String)> = group
        .removed
        .then(|| (REMOVED_GROUP, String::new()))
        .into_iter()
        .collect();
    Ok(known == wanted && is_known_by(tx, id, &mark)?)
}

/// Writes anew by what a person is known.
pub(crate) fn save_person(tx: &mut Tx<'_>, person: &Person) -> Result<()> {
    let wanted = by_what(person);
    let id = person.id.as_str();
    if is_known_by(tx, id, &wanted)? {
        return Ok(());
    }
    tx.execute(
        "DELETE FROM person_identity WHERE tenant = $tenant AND person = $person",
        &[("person", id.into())],
    )?;
    for (kind, value) in wanted {
        tx.execute(
            "INSERT INTO person_identity (tenant, kind, value, person) VALUES ($tenant, $kind, $value, $person)",
            &[("kind", kind.into()), ("value", value.into()), ("person", id.into())],
        )?;
    }
    Ok(())
}

/// Writes the members of a group anew where they differ: a large group that gains one member costs one row.
pub(crate) fn save_group(tx: &mut Tx<'_>, group: &Group) -> Result<()> {
    let id = group.id.as_str();
    let rows = tx.query(
        "SELECT person FROM group_member WHERE tenant = $tenant AND people_group = $group ORDER BY person",
        &[("group", id.into())],
    )?;
    let known = rows
        .iter()
        .map(|row| row.text("person"))
        .collect::<Result<std::collections::BTreeSet<String>>>()?;
    for person in known
        .iter()
        .filter(|person| !group.members.contains(&person.as_str().into()))
    {
        tx.execute(
            "DELETE FROM group_member WHERE tenant = $tenant AND people_group = $group AND person = $person",
            &[("group", id.into()), ("person", person.as_str().into())],
        )?;
    }
    mark_group(tx, id, group.removed)?;
    for person in group.members.iter().filter(|person| !known.contains(person.as_str())) {
        tx.execute(
            "INSERT INTO group_member (tenant, people_group, person) VALUES ($tenant, $group, $person)",
            &[("group", id.into()), ("person", person.as_str().into())],
        )?;
    }
    Ok(())
}

fn mark_group(tx: &mut Tx<'_>, id: &str, removed: bool) -> Result<()> {
    let params = [("kind", REMOVED_GROUP.into()), ("group", id.into())];
    tx.execute(
        "DELETE FROM person_identity WHERE tenant = $tenant AND person = $group AND kind = $kind",
        &params,
    )?;
    if removed {
        tx.execute(
            "INSERT INTO person_identity (tenant, kind, value, person) VALUES ($tenant, $kind, '', $group)",
            &params,
        )?;
    }
    Ok(())
}
