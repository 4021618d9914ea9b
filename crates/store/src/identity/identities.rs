//! Outside identifiers of people, memberships of groups, and pages of people and groups: provisioning reads these without a
//! tenant's whole estate.

use std::collections::BTreeMap;

use model::directory::snapshot::{Group, Person};
use model::identity::provider::IdentityProvider;

use crate::counter;
use crate::error::{Error, Result};
use crate::record::{self, Filter, Record, Stored};
use crate::tx::{CrossTx, Tx};

/// The kind of a mail address, in lower case.
pub const MAIL: &str = "mail";
/// The kind of a subject at an identity provider: `issuer subject`.
pub const SUBJECT: &str = "subject";
/// The kind of an id in the provisioning directory.
pub const EXTERNAL: &str = "external";

/// The kind of a mail address from a provisioning directory beside the main one, in lower case.
pub const ADDRESS: &str = "address";
/// The kind of a group's name, in lower case, under the group's id.
const GROUP_NAME: &str = "group_name";
/// The most rows read for one subject: one for each provider of each tenant that knows the subject.
const MOST_DOORS: i64 = 2_000;
/// The most that share a value and are found by it; where there are more, the value is no use.
const MOST_SHARED: i64 = 1_000;
/// How many records are read at once while all are read.
const AT_ONCE: usize = 500;

/// Marks a person whom their directory removed.
const REMOVED: &str = "removed";
/// Marks a group that its directory removed, under the group's id.
const REMOVED_GROUP: &str = "removed_group";
/// The counter which records that the rows of this file were derived once from all records.
const INDEXED: &str = "identities_indexed_2";

/// The people known by a value of a kind, by id. More than one for a mail address of removed people, for a shared second
/// address, or where rows are older than the rule against it.
pub fn find(tx: &mut Tx<'_>, kind: &str, value: &str) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT person FROM person_identity
         WHERE tenant = $tenant AND kind = $kind AND value = $value ORDER BY person LIMIT $limit",
        &[
            ("kind", kind.into()),
            ("value", value.into()),
            ("limit", MOST_SHARED.into()),
        ],
    )?;
    let ids: Vec<String> = rows.iter().map(|row| row.text("person")).collect::<Result<_>>()?;
    for id in &ids {
        check_known(tx, id, kind, value)?;
    }
    Ok(ids)
}

/// Refuses a row of this table that the person's own record does not have: such a row would let one person sign in as another.
fn check_known(tx: &mut Tx<'_>, id: &str, kind: &str, value: &str) -> Result<()> {
    let person = record::load::<Person>(tx, id)?;
    let is_known = person.is_some_and(|it| by_what(&it.record).iter().any(|(k, v)| *k == kind && v == value));
    if is_known {
        return Ok(());
    }
    Err(Error::Corrupt(format!(
        "the person `{id}` is not known by the {kind} under which a row of `person_identity` names them: it was written \
         past Assent"
    )))
}

/// Ids of all under a value of some kinds, in order. `None` when there are too many for that to help.
fn all_under(tx: &mut Tx<'_>, kinds: [&str; 2], value: &str) -> Result<Option<Vec<String>>> {
    let [one, other] = kinds;
    let rows = tx.query(
        "SELECT DISTINCT person FROM person_identity
         WHERE tenant = $tenant AND kind IN ($one, $other) AND value = $value ORDER BY person LIMIT $limit",
        &[
            ("one", one.into()),
            ("other", other.into()),
            ("value", value.into()),
            ("limit", (MOST_SHARED + 1).into()),
        ],
    )?;
    let ids = rows
        .iter()
        .map(|row| row.text("person"))
        .collect::<Result<Vec<String>>>()?;
    let is_few = i64::try_from(ids.len()).is_ok_and(|count| count <= MOST_SHARED);
    Ok(is_few.then_some(ids))
}

/// Ids of the people who have a mail address of any kind, in any case of letters; removed ones as well. `None` when they
/// are too many.
pub fn find_address(tx: &mut Tx<'_>, address: &str) -> Result<Option<Vec<String>>> {
    all_under(tx, [MAIL, ADDRESS], &address.to_lowercase())
}

/// Ids of the groups with a name, in any case of letters. `None` when they are too many.
pub fn find_group(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<String>>> {
    all_under(tx, [GROUP_NAME, GROUP_NAME], &name.to_lowercase())
}

/// Keys and names of the tenants, in order, in which this proven subject (`issuer subject`) can sign in: the subject belongs to
/// an active person there, and the tenant has its issuer as a provider. It reads across tenants, so it is only for a caller who
/// proved this subject.
pub fn tenants_of(tx: &mut CrossTx<'_>, subject: &str) -> Result<BTreeMap<String, String>> {
    let rows = tx.query(
        "SELECT t.tenant AS tenant, t.name AS name, d.id AS id, d.version AS version, d.body AS body, d.code AS code
         FROM person_identity i
         JOIN person p ON p.tenant = i.tenant AND p.id = i.person
         JOIN identity_provider d ON d.tenant = i.tenant
         JOIN tenant_info t ON t.tenant = i.tenant
         WHERE i.kind = 'subject' AND i.value = $value AND p.active = $active AND d.active = $active
         ORDER BY t.tenant, d.id LIMIT $limit",
        &[
            ("value", subject.into()),
            ("active", true.into()),
            ("limit", MOST_DOORS.into()),
        ],
    )?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let door: IdentityProvider = record::coded_across(tx, row)?;
        // An issuer contains no space, so the text before the first one is exactly the issuer.
        if subject.split_once(' ').is_some_and(|(issuer, _)| issuer == door.issuer) {
            found.insert(row.text("tenant")?, row.text("name")?);
        }
    }
    Ok(found)
}

/// Ids of the groups that a person belongs to.
pub fn groups_of(tx: &mut Tx<'_>, person: &str) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT people_group FROM group_member WHERE tenant = $tenant AND person = $person ORDER BY people_group",
        &[("person", person.into())],
    )?;
    rows.iter().map(|row| row.text("people_group")).collect()
}

/// Ids and names of the groups that a person belongs to; none of them is read as a whole, however many members it has.
pub fn named_groups_of(tx: &mut Tx<'_>, person: &str) -> Result<Vec<(String, String)>> {
    let rows = tx.query(
        "SELECT m.people_group AS id, g.name AS name FROM group_member m
         JOIN people_group g ON g.tenant = m.tenant AND g.id = m.people_group
         WHERE m.tenant = $tenant AND m.person = $person ORDER BY m.people_group",
        &[("person", person.into())],
    )?;
    rows.iter()
        .map(|row| Ok((row.text("id")?, row.text("name")?)))
        .collect()
}

/// People from a position on in the order of ids, without removed ones: for protocols with offsets.
pub fn people(tx: &mut Tx<'_>, offset: i64, limit: i64) -> Result<Vec<Stored<Person>>> {
    let rows = tx.query(
        "SELECT id, version, body, sealed, code FROM person WHERE tenant = $tenant AND NOT EXISTS (
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
    rows.iter().map(|row| record::stored(tx, row)).collect()
}

/// How many people there are, without removed ones.
pub fn count_people(tx: &mut Tx<'_>) -> Result<i64> {
    let all = record::count::<Person>(tx, &Filter::new())?;
    Ok(all - count_of(tx, REMOVED)?)
}

/// Ids of groups from a position on in their order, without the removed ones, each with its number of members: a group may be
/// of the size of a company, so a caller with many groups loads one after the other.
pub fn groups(tx: &mut Tx<'_>, offset: i64, limit: i64) -> Result<Vec<(String, i64)>> {
    let rows = tx.query(
        "SELECT g.id AS id, (SELECT count(*) FROM group_member m WHERE m.tenant = $tenant AND m.people_group = g.id) AS members
         FROM people_group g WHERE g.tenant = $tenant AND NOT EXISTS (
            SELECT 1 FROM person_identity
            WHERE person_identity.tenant = $tenant AND person_identity.person = g.id
                AND person_identity.kind = $removed)
         ORDER BY g.id LIMIT $limit OFFSET $offset",
        &[
            ("removed", REMOVED_GROUP.into()),
            ("limit", limit.into()),
            ("offset", offset.into()),
        ],
    )?;
    rows.iter()
        .map(|row| Ok((row.text("id")?, row.int("members")?)))
        .collect()
}

/// How many groups there are, without removed ones.
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

/// Updates rows that an earlier binary left without their derived ones. Returns how many records it read.
pub fn index_all(tx: &mut Tx<'_>) -> Result<u64> {
    if counter::get(tx, INDEXED)? > 0 {
        return Ok(0);
    }
    let mut read = each::<Person>(tx, save_person)?;
    read += each::<Group>(tx, save_group)?;
    counter::next(tx, INDEXED)?;
    Ok(read)
}

/// Applies a function to each record of a noun, some of them in memory at once; returns how many there were.
fn each<R: Record>(tx: &mut Tx<'_>, save: impl Fn(&mut Tx<'_>, &R) -> Result<()>) -> Result<u64> {
    let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let (mut after, mut read) = (String::new(), 0);
    loop {
        let page = Filter::new().more("id", after.as_str()).order_by("id").limit(limit);
        let found = record::bodies::<R>(tx, &page)?;
        for record in &found {
            save(tx, record)?;
            read += 1;
        }
        match found.last().filter(|_| found.len() == AT_ONCE) {
            Some(last) => last.id().clone_into(&mut after),
            None => return Ok(read),
        }
    }
}

/// The identifiers of a person: kinds and values, in order.
fn by_what(person: &Person) -> Vec<(&'static str, String)> {
    let mut wanted: Vec<(&'static str, String)> = Vec::new();
    let mail = person.email.as_deref().map(|mail| mail.trim().to_lowercase());
    let others = person.addresses().into_iter().filter(|it| Some(it) != mail.as_ref());
    wanted.extend(others.map(|it| (ADDRESS, it)));
    wanted.extend(mail.map(|mail| (MAIL, mail)));
    wanted.extend(person.external_id.clone().map(|id| (EXTERNAL, id)));
    wanted.extend(person.removed.then(|| (REMOVED, String::new())));
    wanted.extend(person.subjects.iter().map(|subject| (SUBJECT, subject.clone())));
    wanted.sort();
    wanted.dedup();
    wanted
}

/// The identifiers of a group: kinds and values, in order.
fn by_what_group(group: &Group) -> Vec<(&'static str, String)> {
    if group.removed {
        vec![(REMOVED_GROUP, String::new())]
    } else {
        vec![(GROUP_NAME, group.name.to_lowercase())]
    }
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

/// Whether the rows derived from a person match the person.
pub(crate) fn is_person_right(tx: &mut Tx<'_>, person: &Person) -> Result<bool> {
    is_known_by(tx, person.id.as_str(), &by_what(person))
}

/// Whether the rows derived from a group match the group.
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
    Ok(known == wanted && is_known_by(tx, id, &by_what_group(group))?)
}

/// Writes the identifiers of a person again.
pub(crate) fn save_person(tx: &mut Tx<'_>, person: &Person) -> Result<()> {
    save_known(tx, person.id.as_str(), by_what(person))
}

fn save_known(tx: &mut Tx<'_>, id: &str, wanted: Vec<(&'static str, String)>) -> Result<()> {
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

/// Writes the members of a group again where they differ: a large group that gains one member costs one row.
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
    save_known(tx, id, by_what_group(group))?;
    for person in group.members.iter().filter(|person| !known.contains(person.as_str())) {
        tx.execute(
            "INSERT INTO group_member (tenant, people_group, person) VALUES ($tenant, $group, $person)",
            &[("group", id.into()), ("person", person.as_str().into())],
        )?;
    }
    Ok(())
}
