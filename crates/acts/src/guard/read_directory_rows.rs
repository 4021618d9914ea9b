//! Reads rows of the directory from a request or from a line of an import. One function per noun serves both, so that
//! every single edit can be imported and the other way round. An existing record keeps its id and version.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::read_content;
use model::core::body::Body;
use model::core::confusables;
use model::core::enums::{Criticality, OwnershipRole, Role, Touch};
use model::core::ids::{EnvironmentKey, GroupKey, PersonId, RecordId, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::directory::ownership_matrix::Class;
use model::directory::snapshot::{
    ConfigItem, Dependency, DependencyKind, Directory, Environment, Group, GroupKind, NodeKind, Ownership, Person,
    Service,
};
use model::directory::{manager, unknown_name};
use model::risk::regimes;
use model::risk::terms::HELD;
use serde::Serialize;
use serde_json::Value;

use crate::core::error::Result;
use crate::guard::person_fields;

/// The data classes of a service, from the least to the most sensitive.
pub(crate) const DATA_CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];

/// The longest key, in characters.
const KEY: usize = 100;
/// The longest host name, in characters (RFC 1035 section 2.3.4).
const ADDRESS: usize = 253;
/// The most addresses of a config item.
const MOST_ADDRESSES: usize = 50;

/// A key of the estate: lower case, digits, `-`, `_`, `.`, at most 100 characters.
pub(crate) fn key(reading: &mut Reading<'_>, field: &'static str) -> String {
    let key = reading.needed(field, KEY);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if !key.chars().all(is_plain) {
        reading.wrong(
            field,
            "not_a_key",
            format!("`{field}` takes lower-case letters, digits, `-`, `_` and `.`."),
        );
    }
    key
}

/// Refuses a new key that consists of dots: a key is part of URLs, where `.` and `..` mean another place. An existing
/// key is accepted.
pub(crate) fn no_dots(reading: &mut Reading<'_>, key: &str, is_known: bool) {
    if !is_known && !key.is_empty() && key.chars().all(|c| c == '.') {
        reading.wrong("key", "not_a_key", "A key is more than dots.");
    }
}

/// Why a text cannot be the key of a new record, if it cannot: a key is part of URLs and rules, and two keys that look
/// alike would seem to be one record.
pub(crate) fn no_new_key(key: &str) -> Option<&'static str> {
    if key.contains(['/', ':']) {
        return Some("A key must not contain `/` or `:`.");
    }
    if !key.is_empty() && key.chars().all(|c| c == '.') {
        return Some("A key is more than dots.");
    }
    if confusables::is_mistakable(key) {
        return Some("A key must not contain invisible or confusable characters.");
    }
    let is_in_line = confusables::name_in_one_line(key) == key;
    (!is_in_line).then_some("A key must not start or end with a space or contain two spaces in a row.")
}

/// Another group whose key looks like this one: it differs in the case of letters, or in the dot of an `i`.
pub(crate) fn twin_group<'a>(directory: &'a Directory, key: &str) -> Option<&'a Group> {
    let folded = |key: &str| key.to_lowercase().replace('\u{131}', "i");
    let wanted = folded(key);
    let mut groups = directory.groups.values();
    groups.find(|group| group.key.as_str() != key && folded(group.key.as_str()) == wanted)
}

/// The id and version of the existing record; a new record gets its id when it is saved.
fn identity(old: Option<(&RecordId, i64)>) -> (RecordId, i64) {
    old.map_or_else(|| (RecordId::default(), 0), |(id, version)| (id.clone(), version))
}

/// Some fields of an existing record, in the form of a request.
///
/// # Errors
/// A fault when it cannot be written.
pub(crate) fn present_fields<T: Serialize>(record: Option<&T>, wanted: &[&str]) -> Result<Body> {
    let Some(Value::Object(mut map)) = record.map(serde_json::to_value).transpose()? else {
        return Ok(Body::new());
    };
    map.retain(|field, _| wanted.contains(&field.as_str()));
    Ok(map)
}

/// A body completed with the current values of fields that it omits: an edit of one field must not remove the marks
/// critical, regulated or production. An empty text or a null clears a field.
pub(crate) fn completed(body: &Body, standing: Body) -> Body {
    let mut whole = body.clone();
    for (field, value) in standing {
        whole.entry(field).or_insert(value);
    }
    whole
}

fn key_of(body: &Body) -> &str {
    body.get("key").and_then(Value::as_str).unwrap_or_default()
}

/// The current fields of the service that a body names.
///
/// # Errors
/// A fault when it cannot be written.
pub(crate) fn present_service(body: &Body, directory: &Directory) -> Result<Body> {
    let known = directory.services.get(&key_of(body).into());
    present_fields(
        known,
        &["name", "criticality", "regimes", "data_class", "holds", "team"],
    )
}

/// The current fields of the environment that a body names.
///
/// # Errors
/// A fault when it cannot be written.
pub(crate) fn present_environment(body: &Body, directory: &Directory) -> Result<Body> {
    present_fields(
        directory.environments.get(&key_of(body).into()),
        &["name", "is_production"],
    )
}

/// The current fields of the config item that a body names.
///
/// # Errors
/// A fault when it cannot be written.
pub(crate) fn present_config_item(body: &Body, directory: &Directory) -> Result<Body> {
    present_fields(
        directory.config_items.get(key_of(body)),
        &["name", "service", "kind", "holds", "addresses"],
    )
}

/// A service: `key, name, criticality, regimes, data_class, holds, team`.
pub(crate) fn service(reading: &mut Reading<'_>, directory: &Directory) -> Service {
    let key = ServiceKey(key(reading, "key"));
    let old = directory.services.get(&key);
    no_dots(reading, key.as_str(), old.is_some());
    let (id, version) = identity(old.map(|old| (&old.id, old.version)));
    Service {
        id,
        version,
        // Watchers are set by a request of their own.
        watchers: old.map(|old| old.watchers.clone()).unwrap_or_default(),
        watching_groups: old.map(|old| old.watching_groups.clone()).unwrap_or_default(),
        // The leading system is set by an act of its own.
        led_by: old.and_then(|old| old.led_by.clone()),
        name: reading.text("name", LINE).unwrap_or_else(|| key.0.clone()),
        criticality: reading.word("criticality").unwrap_or(Criticality::Medium),
        regimes: regimes(reading, old),
        data_class: data_class(reading),
        holds: holds(reading),
        team: reading.text("team", LINE),
        key,
    }
}

/// The regimes of a service. A misspelt regime would silently remove the service from its rules. Existing values stay
/// as written.
fn regimes(reading: &mut Reading<'_>, old: Option<&Service>) -> BTreeSet<String> {
    let named = reading.texts("regimes", LINE).unwrap_or_default();
    let stands = |word: &String| old.is_some_and(|old| old.regimes.contains(word));
    for word in named.iter().filter(|word| !stands(word)) {
        if word.contains(';') {
            let text = format!(
                "The regime `{word}` contains `;`, which separates regimes in tables. Name each one \
                                separately."
            );
            reading.wrong("regimes", "not_allowed", text);
        }
        if let Some(near) = regimes::meant(word, named.iter().map(String::as_str)) {
            let text = format!("{} Name that instead, or beside it.", unknown_regime(word, near));
            reading.wrong("regimes", "unknown_regime", text);
        }
    }
    let written = |word: String| match stands(&word) {
        true => word,
        false => regimes::canonical(&word).to_owned(),
    };
    named.into_iter().map(written).collect()
}

fn unknown_regime(word: &str, near: &str) -> String {
    format!("No policy can test the regime `{word}`. Did you mean `{near}`?")
}

/// A class. A regime that nearly matches a known one would cover nothing, unless services use the same spelling.
fn class(reading: &mut Reading<'_>, directory: &Directory) -> Option<Class> {
    let class: Class = reading.word("class")?;
    let Class::Regime(word) = &class else {
        return Some(class);
    };
    let mut services = directory.services.values();
    let is_named = services.any(|service| service.regimes.contains(word));
    if let Some(near) = regimes::meant(word, []).filter(|_| !is_named) {
        reading.wrong("class", "unknown_regime", unknown_regime(word, near));
    }
    Some(class)
}

fn data_class(reading: &mut Reading<'_>) -> Option<String> {
    let class = reading.text("data_class", LINE)?;
    if !DATA_CLASSES.contains(&class.as_str()) {
        reading.wrong(
            "data_class",
            "unknown_word",
            format!("`data_class` is one of: {}.", DATA_CLASSES.join(", ")),
        );
    }
    Some(class)
}

/// An environment: `key, name, is_production`.
pub(crate) fn environment(reading: &mut Reading<'_>, directory: &Directory) -> Environment {
    let key = EnvironmentKey(key(reading, "key"));
    no_dots(reading, key.as_str(), directory.environments.contains_key(&key));
    let (id, version) = identity(directory.environments.get(&key).map(|old| (&old.id, old.version)));
    Environment {
        id,
        version,
        name: reading.text("name", LINE).unwrap_or_else(|| key.0.clone()),
        is_production: reading.boolean("is_production").unwrap_or(true),
        key,
    }
}

/// A config item: `key, name, service, kind, holds, addresses`.
pub(crate) fn config_item(reading: &mut Reading<'_>, directory: &Directory) -> ConfigItem {
    let key = key(reading, "key");
    no_dots(reading, &key, directory.config_items.contains_key(&key));
    let (id, version) = identity(directory.config_items.get(&key).map(|old| (&old.id, old.version)));
    ConfigItem {
        id,
        version,
        name: reading.text("name", LINE).unwrap_or_else(|| key.clone()),
        service: known_service(reading, "service", directory),
        kind: reading.technical("kind", KEY).map(|kind| kind.to_lowercase()),
        holds: holds(reading),
        addresses: addresses(reading),
        key,
    }
}

/// Host names and IP addresses, in lower case.
fn addresses(reading: &mut Reading<'_>) -> BTreeSet<String> {
    let named = reading.texts("addresses", ADDRESS).unwrap_or_default();
    if named.len() > MOST_ADDRESSES {
        let text = format!("A config item has at most {MOST_ADDRESSES} addresses.");
        reading.wrong("addresses", "too_many", text);
    }
    let is_address = |text: &str| {
        text.bytes()
            .all(|it| it.is_ascii_alphanumeric() || b".:-_".contains(&it))
    };
    if let Some(wrong) = named.iter().find(|it| !is_address(it)) {
        let text = format!("`{wrong}` is not a host name or IP address.");
        reading.wrong("addresses", "not_an_address", text);
    }
    named.into_iter().map(|it| it.to_lowercase()).collect()
}

/// The sensitive data of a service or a config item.
fn holds(reading: &mut Reading<'_>) -> BTreeSet<Touch> {
    let named: Vec<Touch> = reading.words("holds").unwrap_or_default();
    for word in named.iter().filter(|word| !HELD.contains(word)) {
        let known = HELD.map(Touch::as_str).join(", ");
        reading.wrong("holds", "unknown_word", format!("`{word}` is none of: {known}."));
    }
    named.into_iter().collect()
}

fn known_service(reading: &mut Reading<'_>, field: &'static str, directory: &Directory) -> ServiceKey {
    let key = ServiceKey(reading.needed(field, LINE));
    if !key.0.is_empty() && !directory.services.contains_key(&key) {
        reading.wrong(field, "unknown", unknown_name::service(directory, key.as_str()));
    }
    key
}

/// A dependency: `from, to`, and with them `kind`, `from_kind`, `to_kind`, `environments`. A known dependency keeps its
/// record, and its environments if none are named.
pub(crate) fn dependency(reading: &mut Reading<'_>, directory: &Directory) -> Dependency {
    let from_kind = reading.word("from_kind").unwrap_or_default();
    let to_kind = reading.word("to_kind").unwrap_or_default();
    let from = node(reading, "from", from_kind, directory);
    let to = node(reading, "to", to_kind, directory);
    let kind: DependencyKind = reading.word("kind").unwrap_or_default();
    if from == to && from_kind == to_kind && !from.0.is_empty() {
        reading.wrong("to", "not_allowed", "A service cannot depend on itself.");
    }
    let mut arrow = Dependency {
        id: RecordId::default(),
        version: 0,
        from,
        to,
        kind,
        from_kind,
        to_kind,
        environments: BTreeSet::new(),
        ended: false,
    };
    let old = directory.dependencies.between(&arrow);
    arrow.environments = match (old, reading.value("environments").is_some()) {
        (Some(old), false) => old.environments.clone(),
        _ => environments(reading, directory),
    };
    (arrow.id, arrow.version) = identity(old.map(|old| (&old.id, old.version)));
    if kind == DependencyKind::PartOf && closes_ring(directory, &arrow) {
        reading.wrong(
            "to",
            "part_cycle",
            format!(
                "`{}` is already part of `{}`; a thing cannot be part of itself.",
                arrow.to, arrow.from
            ),
        );
    }
    arrow
}

/// The environments of a dependency; none named means all.
fn environments(reading: &mut Reading<'_>, directory: &Directory) -> BTreeSet<EnvironmentKey> {
    let named = reading.texts("environments", LINE).unwrap_or_default().into_iter();
    let found: BTreeSet<EnvironmentKey> = named.map(EnvironmentKey).collect();
    for key in found.iter().filter(|key| !directory.environments.contains_key(*key)) {
        let text = unknown_name::environment(directory, key.as_str());
        reading.wrong("environments", "unknown", text);
    }
    found
}

fn node(reading: &mut Reading<'_>, field: &'static str, kind: NodeKind, directory: &Directory) -> ServiceKey {
    match kind {
        NodeKind::Service => known_service(reading, field, directory),
        NodeKind::ConfigItem => {
            let key = reading.needed(field, LINE);
            if !key.is_empty() && !directory.config_items.contains_key(&key) {
                reading.wrong(field, "unknown", format!("There is no config item `{key}`."));
            }
            ServiceKey(key)
        }
    }
}

/// Whether the whole of the new part is itself, directly or not, part of that part.
fn closes_ring(directory: &Directory, arrow: &Dependency) -> bool {
    let mut open: Vec<(NodeKind, ServiceKey)> = vec![(arrow.to_kind, arrow.to.clone())];
    let mut seen: BTreeSet<(NodeKind, ServiceKey)> = BTreeSet::new();
    while let Some((kind, key)) = open.pop() {
        if kind == arrow.from_kind && key == arrow.from {
            return true;
        }
        if !seen.insert((kind, key.clone())) {
            continue;
        }
        let parents = directory.dependencies.parents(kind, key.as_str()).into_iter();
        open.extend(parents.map(|(kind, key)| (kind, key.clone())));
    }
    false
}

/// A row of the ownership matrix: `service | config_item | class`, `environment`, `role`, `person | group`, `function`,
/// `since`, `ends_at`. A row is identified by scope, environment, part and holder. [`check_row`] decides whether the
/// row is valid.
pub(crate) fn ownership(
    reading: &mut Reading<'_>,
    directory: &Directory,
    old: impl Fn(&str) -> Option<Ownership>,
    now: Timestamp,
) -> Ownership {
    let service = reading.text("service", LINE).map(ServiceKey);
    if let Some(key) = service.as_ref().filter(|key| !directory.services.contains_key(*key)) {
        reading.wrong("service", "unknown", unknown_name::service(directory, key.as_str()));
    }
    let config_item = reading.text("config_item", LINE);
    if let Some(key) = config_item
        .as_ref()
        .filter(|key| !directory.config_items.contains_key(*key))
    {
        reading.wrong("config_item", "unknown", unknown_name::config_item(directory, key));
    }
    let class = class(reading, directory);
    let scopes = [service.is_some(), config_item.is_some(), class.is_some()];
    if scopes.iter().filter(|it| **it).count() > 1 {
        let text = "Name only one of `service`, `config_item` and `class`; omit all of them for everything.";
        reading.wrong("service", "too_many", text);
    }
    let environment = named_environment(reading, directory);
    let role = reading.needed_word("role", OwnershipRole::Owner);
    let (person, group) = holder(reading, directory);
    let function = function(reading);
    let since = reading.time("since");
    let ends_at = reading.time("ends_at");
    let mut row = Ownership {
        id: RecordId::default(),
        version: 0,
        service,
        config_item,
        class,
        environment,
        role,
        person,
        group,
        function,
        since: since.unwrap_or(now),
        ends_at,
        is_from_catalogue: false,
        hand: None,
        corrected_at: None,
    };
    let known = old(&row.natural_key());
    let begun = known.as_ref().map(|old| old.since);
    if let Some(old) = known {
        row.corrected_at = old.corrected_at;
        row.id.clone_from(&old.id);
        row.version = old.version;
        row.hand.clone_from(&old.hand);
        // An existing row that is named without a date keeps its start; an ended one begins anew.
        row.since = since.unwrap_or(if old.ends_at.is_some_and(|end| end <= now) {
            now
        } else {
            old.since
        });
        // An ended row that begins anew is no longer the catalogue's; a row that is only named again is unchanged.
        let goes_on = old.ends_at.is_none_or(|end| now < end) || (row.since, row.ends_at) == (old.since, old.ends_at);
        row.is_from_catalogue = old.is_from_catalogue && goes_on;
    }
    // A late entry is a correction, which counts from its record on; an imported list contains old rows.
    let _is_said = reading.boolean("correction");
    if row.since < now && begun != Some(row.since) {
        row.corrected_at = Some(now);
    }
    row
}

fn named_environment(reading: &mut Reading<'_>, directory: &Directory) -> Option<EnvironmentKey> {
    let environment = reading.text("environment", LINE).map(EnvironmentKey);
    if let Some(key) = environment
        .as_ref()
        .filter(|key| !directory.environments.contains_key(*key))
    {
        reading.wrong(
            "environment",
            "unknown",
            unknown_name::environment(directory, key.as_str()),
        );
    }
    environment
}

fn holder(reading: &mut Reading<'_>, directory: &Directory) -> (Option<PersonId>, Option<GroupKey>) {
    let before = reading.errors.len();
    let person = read_content::person(reading, "person", directory);
    let group = reading.text("group", LINE).map(GroupKey);
    if let Some(key) = group.as_ref().filter(|key| !directory.groups.contains_key(*key)) {
        reading.wrong("group", "unknown", unknown_name::group(directory, key.as_str()));
    }
    if person.is_some() == group.is_some() && reading.errors.len() == before {
        reading.wrong("person", "missing", "Name either `person` or `group`.");
    }
    (person, group)
}

/// Refuses a row that ends before it begins, and a row whose holder may not have it.
pub(crate) fn check_row(reading: &mut Reading<'_>, directory: &Directory, row: &Ownership) {
    if let Some(end) = row.ends_at.filter(|end| *end <= row.since) {
        let text = format!(
            "`ends_at` ({end}) must be later than `since` ({}), for example since 2026-01-01T00:00:00Z, ends_at \
             2027-01-01T00:00:00Z.",
            row.since
        );
        reading.wrong("ends_at", "out_of_order", text);
    }
    let Some(person) = &row.person else { return };
    if !directory.may_hold(person, row.role, row.function.as_deref()) && directory.is_active(person) {
        let name = directory.name(person);
        let text = match &row.function {
            _ if !directory.takes_part(person) => format!(
                "{name} is not eligible: they have no role here, so they could not read the requests. Give them a role first, \
                 such as `requester` (`PATCH /people/{}` with `roles`).",
                directory.login(person)
            ),
            Some(function) => format!(
                "{name} is not eligible: the job function `{function}` is required, and pipelines, vendors and auditors cannot \
                 decide."
            ),
            None => format!("{name} is not eligible: pipelines, vendors and auditors cannot decide."),
        };
        reading.wrong("person", "may_not_hold", text);
    }
}

/// A person: `login, name, email, roles, zone, accounts, functions, calendar, manager, active`. Omitted fields keep
/// their values.
pub(crate) fn person(reading: &mut Reading<'_>, directory: &Directory) -> Person {
    let login = reading.needed("login", LINE).trim().to_lowercase();
    let old = directory.by_login(&login);
    if let Some(text) = person_fields::no_login(&login).filter(|_| old.is_none()) {
        reading.wrong("login", "not_a_login", text);
    }
    let mut person = old.cloned().unwrap_or_else(|| Person {
        id: PersonId::default(),
        version: 0,
        name: login.clone(),
        login: login.clone(),
        email: None,
        roles: BTreeSet::new(),
        zone: "UTC".to_owned(),
        active: true,
        accounts: Vec::new(),
        functions: BTreeSet::new(),
        calendar: None,
        deactivation: None,
        subjects: Vec::new(),
        external_id: None,
        attributes: Vec::new(),
        removed: false,
        telling: None,
        manager: None,
        refused_rights: Vec::new(),
        vouched: Vec::new(),
        readdressed: None,
        made_by: None,
        is_agent: false,
        services: Default::default(),
    });
    if let Some(name) = reading.name() {
        person.name = name;
    }
    person.email = reading.text("email", LINE).or(person.email);
    if let Some(roles) = reading.words::<Role>("roles") {
        person.roles = roles.into_iter().collect();
    }
    if let Some(zone) = zone(reading) {
        person.zone = zone;
    }
    if let Some(accounts) = reading.texts("accounts", LINE) {
        person.accounts = accounts;
    }
    if let Some(functions) = functions(reading) {
        person.functions = functions;
    }
    person.calendar = calendar(reading, directory).or(person.calendar);
    manager::read(reading, directory, &mut person);
    person.active = reading.boolean("active").unwrap_or(person.active);
    if person.active {
        person.deactivation = None;
    }
    person_fields::check_mail(reading, directory, &person);
    person_fields::check_accounts(reading, directory, &person);
    person
}

/// An IANA zone.
pub(crate) fn zone(reading: &mut Reading<'_>) -> Option<String> {
    let zone = reading.text("zone", LINE)?;
    if model::schedule::calendar::zone(&zone).is_none() {
        let text = format!("`{zone}` is not an IANA time zone such as Europe/Oslo.");
        reading.wrong("zone", "unknown", text);
    }
    Some(zone)
}

/// One job function, in lower case.
fn function(reading: &mut Reading<'_>) -> Option<String> {
    let word = reading.technical("function", KEY)?;
    Some(word.trim().to_lowercase())
}

/// Job functions such as `dba`, kept in lower case.
pub(crate) fn functions(reading: &mut Reading<'_>) -> Option<BTreeSet<String>> {
    let words = reading.technicals("functions", KEY)?;
    Some(words.into_iter().map(|word| word.trim().to_lowercase()).collect())
}

/// The key of a business calendar that is there.
pub(crate) fn calendar(reading: &mut Reading<'_>, directory: &Directory) -> Option<String> {
    let key = reading.text("calendar", LINE)?;
    if !directory.calendars.contains_key(&key) {
        reading.wrong("calendar", "unknown", format!("There is no calendar `{key}`."));
    }
    Some(key)
}

/// Refuses the key of a new group that could be mistaken for another group's. Existing keys stay valid.
fn new_group_key(reading: &mut Reading<'_>, directory: &Directory, key: &str) {
    if let Some(text) = no_new_key(key) {
        reading.wrong("key", "not_a_key", text);
    }
    if let Some(twin) = twin_group(directory, key).map(|twin| &twin.key) {
        let text = format!("There is a group `{twin}`, which looks the same. Use that group, or choose another key.");
        reading.wrong("key", "not_unique", text);
    }
}

/// A group: `key, name, members, kind, calendar`. The list of members replaces the earlier one.
pub(crate) fn group(reading: &mut Reading<'_>, directory: &Directory) -> Group {
    let key = GroupKey(reading.needed("key", KEY));
    let old = directory.groups.get(&key);
    if old.is_none() {
        new_group_key(reading, directory, key.as_str());
    }
    let (id, version) = identity(old.map(|old| (&old.id, old.version)));
    let name = reading.text("name", LINE);
    let mut members = BTreeSet::new();
    for (place, login) in reading.texts("members", LINE).unwrap_or_default().iter().enumerate() {
        match directory.by_login(login) {
            Some(person) => {
                members.insert(person.id.clone());
            }
            None => {
                let text = unknown_name::person(directory, login);
                reading.wrong(&format!("members[{place}]"), "unknown", text);
            }
        }
    }
    let kind: Option<GroupKind> = reading.word("kind");
    // Null and an empty cell clear; an omitted field stays.
    let calendar = match reading.says("calendar") {
        true => calendar(reading, directory),
        false => old.and_then(|old| old.calendar.clone()),
    };
    Group {
        id,
        version,
        name: name
            .or_else(|| old.map(|old| old.name.clone()))
            .unwrap_or_else(|| key.0.clone()),
        members,
        kind: kind.or(old.map(|old| old.kind)).unwrap_or_default(),
        calendar,
        external_id: old.and_then(|old| old.external_id.clone()),
        removed: false,
        key,
    }
}
