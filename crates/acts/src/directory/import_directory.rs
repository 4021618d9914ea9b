//! Imports rows of the directory: people, groups, services, environments, config items, dependencies, ownership. Each
//! line is read like the equal request; one wrong line refuses the whole import, and every wrong line is named. A dry
//! run shows the difference and writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{Noun, Role};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{Reading, one_line};
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::{ConfigItem, Dependency, Directory, Environment, Group, Ownership, Person, Service};
use model::directory::two_people::is_by_two;
use model::gate::committers::drops_mark;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::directory::{deactivate_person, set_service, suspend_given};
use crate::guard::denied_rights::{self, FromOutside};
use crate::guard::two_people::{self, Matter};
use crate::guard::{
    group_membership, impersonation, last_administrator, person_fields, read_directory_rows, self_grant,
};

mod examples;
mod pending;
mod two;

pub use examples::with_example;
use pending::Pending;
use two::{Two, lowered_facts};

/// The most lines that one import takes.
pub const MOST_LINES: usize = 20_000;
/// The most wrong lines that a refusal names.
const MOST_ERRORS: usize = 100;

/// A line of an import: its place, its noun, and its fields as the API names them.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number in the text, from 1.
    pub number: usize,
    /// Whether the number counts rows: several rows are on one line, or the rows came from no text.
    pub is_row: bool,
    /// The noun of the row.
    pub noun: Noun,
    /// Its fields.
    pub fields: Body,
}

impl Line {
    /// The line's place, as people look for it.
    pub fn place(&self) -> String {
        let word = if self.is_row { "row" } else { "line" };
        format!("{word} {}", self.number)
    }
}

/// In a row of groups: people to add to the present members, when a file lists the groups of each person.
const JOINS: &str = "joins";

/// The options of an import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Shows the difference and writes nothing.
    pub dry_run: bool,
    /// Ends active rows of the ownership matrix that no line names.
    pub end_missing: bool,
    /// Two people agreed to the import: rows that affect decisions are written although one person alone may not.
    pub by_two: bool,
    /// The rows of the ownership matrix in the import come from a catalogue.
    pub from_catalogue: bool,
    /// Ends a catalogue's rows of the things that the lines name, if no line lists the row any more.
    pub ends_unsaid: bool,
}

/// The result of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The row is new.
    Added,
    /// The row existed with other values.
    Changed,
    /// The row existed with the same values.
    Unchanged,
    /// The row existed, and no line names it.
    Ended,
}

/// One row of the difference.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The line; 0 for a row that no line names.
    pub line: usize,
    /// The noun of the row.
    pub noun: Noun,
    /// The row's key.
    pub key: String,
    /// The result.
    pub what: What,
    /// The fields that differ.
    pub fields: Vec<String>,
    /// The record before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The record after.
    pub after: Value,
}

/// The changes that an import made, or would make.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How many rows were new.
    pub added: usize,
    /// How many differed.
    pub changed: usize,
    /// How many existed with the same values.
    pub unchanged: usize,
    /// How many were ended.
    pub ended: usize,
    /// The rows that differ, in the order of lines.
    pub rows: Vec<Difference>,
    /// The directory after the import: after a dry run only this has the people whom it adds, and other rows name them
    /// by their ids.
    #[serde(skip)]
    pub becomes: Option<Arc<Directory>>,
}

enum Write {
    Person(Box<Person>),
    Group(Group),
    Service(Service),
    Environment(Environment),
    ConfigItem(ConfigItem),
    Dependency(Dependency),
    Ownership(Ownership),
}

impl Write {
    /// The key of a row among those of its noun.
    fn key(&self) -> String {
        match self {
            Self::Person(person) => person.login.clone(),
            Self::Group(group) => group.key.0.clone(),
            Self::Service(service) => service.key.0.clone(),
            Self::Environment(place) => place.key.0.clone(),
            Self::ConfigItem(item) => item.key.clone(),
            Self::Dependency(arrow) => shown_arrow(arrow),
            Self::Ownership(row) => row.natural_key(),
        }
    }
}

/// A dependency in the form for people.
fn shown_arrow(arrow: &Dependency) -> String {
    let (from, to) = (arrow.from.as_str(), arrow.to.as_str());
    format!("{} → {}", arrow.from_kind.scope(from), arrow.to_kind.scope(to))
}

/// The directory after each line.
struct Staging {
    two: Two,
    noted: BTreeSet<usize>,
    /// The place among the lines of the one that is read.
    at: usize,
    from_catalogue: bool,
    directory: Directory,
    known: BTreeMap<String, Ownership>,
    /// The rows that lines named already, by their keys, with the line.
    named: BTreeMap<(Noun, String), String>,
    writes: Vec<Write>,
    report: Report,
    errors: Vec<FieldError>,
}

/// Imports lines, in their order: a group may name people of earlier lines.
///
/// # Errors
/// 403; 422 with every wrong line; the store's.
pub fn import_directory(cx: &mut Context<'_, '_>, lines: &[Line], options: Options) -> Result<Report> {
    allow(cx, lines)?;
    bring(cx, lines, options)
}

/// The error when missing rows of the ownership matrix are to end and no line is a row of it.
pub const NO_ROWS_TO_KEEP: &str = "`end_missing` ends every row of the ownership matrix that the file does not contain, and \
                                   this file contains none: every row would end. Include the rows to keep, or omit \
                                   `end_missing`.";

/// The same without a check of rights.
///
/// # Errors
/// 422 with every wrong line; the store's.
pub(crate) fn bring(cx: &mut Context<'_, '_>, lines: &[Line], options: Options) -> Result<Report> {
    if lines.len() > MOST_LINES {
        let text = format!("An import can have at most {MOST_LINES} lines; split it into several.");
        return Err(Refusal::field("text", "too_long", text).into());
    }
    if options.end_missing && lines.iter().all(|line| line.noun != Noun::Ownerships) {
        return Err(Refusal::field("end_missing", "not_allowed", NO_ROWS_TO_KEEP).into());
    }
    // The present estate decides: the first file, from a single administrator, may itself add the second administrator.
    let directory = cx.directory()?;
    let two = match (options.by_two || cx.actor.is_system, is_by_two(&directory, cx.now)) {
        (true, _) => Two::Stand,
        (false, true) => Two::Refuse,
        (false, false) if two_people::lowers_by_two(cx)? => Two::RefuseFacts,
        (false, false) => Two::Stand,
    };
    let mut staging = Staging::new(&directory, two, options);
    for (at, line) in lines.iter().enumerate() {
        staging.at = at;
        staging.take(cx, line)?;
        if staging.errors.len() >= MOST_ERRORS {
            break;
        }
    }
    if options.ends_unsaid {
        staging.end_unsaid(cx, lines);
    }
    if !staging.errors.is_empty() {
        return Err(Refusal::Invalid(staging.errors).into());
    }
    if options.end_missing {
        staging.end_missing(cx);
        staging.check_ended()?;
    }
    if options.dry_run {
        staging.report.becomes = Some(Arc::new(staging.becomes()));
    } else {
        write(cx, staging.writes, options.by_two)?;
    }
    Ok(staging.report)
}

/// The indexes of the lines that need two people in the present estate.
///
/// # Errors
/// The store's. Errors in a line are reported when it is imported.
pub(crate) fn lines_of_two(cx: &mut Context<'_, '_>, lines: &[Line]) -> Result<BTreeSet<usize>> {
    if !two_people::lowers_by_two(cx)? {
        return Ok(BTreeSet::new());
    }
    let two = match is_by_two(&*cx.directory()?, cx.now) {
        true => Two::Note,
        false => Two::NoteFacts,
    };
    let mut staging = Staging::new(&*cx.directory()?, two, Options::default());
    for (at, line) in lines.iter().take(MOST_LINES).enumerate() {
        staging.at = at;
        staging.take(cx, line)?;
    }
    Ok(staging.noted)
}

/// Refuses an actor who may not set the nouns of the lines.
///
/// # Errors
/// 403, or the store's.
pub(crate) fn allow(cx: &mut Context<'_, '_>, lines: &[Line]) -> Result<()> {
    let actions: BTreeSet<&str> = lines
        .iter()
        .map(|line| match line.noun {
            Noun::People | Noun::Groups => act::actions::SET_PERSON,
            Noun::Ownerships => act::actions::SET_OWNERSHIP,
            _ => act::actions::SET_SERVICE,
        })
        .collect();
    if actions.is_empty() {
        return cx.allow(act::actions::SET_SERVICE);
    }
    actions.into_iter().try_for_each(|action| cx.allow(action))
}

impl Staging {
    fn new(directory: &Directory, two: Two, options: Options) -> Self {
        Self {
            two,
            noted: BTreeSet::new(),
            at: 0,
            from_catalogue: options.from_catalogue,
            known: directory
                .ownerships
                .iter()
                .map(|row| (row.natural_key(), row.clone()))
                .collect(),
            directory: directory.clone(),
            named: BTreeMap::new(),
            writes: Vec::new(),
            report: Report {
                dry_run: options.dry_run,
                ..Report::default()
            },
            errors: Vec::new(),
        }
    }

    fn take(&mut self, cx: &mut Context<'_, '_>, line: &Line) -> Result<()> {
        let mut fields = self.completed(cx, line)?;
        // A spreadsheet's cell may contain a line break; a file is not refused for a line break in a name.
        if let Some(Value::String(name)) = fields.get_mut("name") {
            *name = one_line(name);
        }
        let mut reading = Reading::new(&fields, "");
        let write = match line.noun {
            Noun::People => Write::Person(Box::new(read_directory_rows::person(&mut reading, &self.directory))),
            Noun::Groups => Write::Group(read_directory_rows::group(&mut reading, &self.directory)),
            Noun::Services => Write::Service(read_directory_rows::service(&mut reading, &self.directory)),
            Noun::Environments => Write::Environment(read_directory_rows::environment(&mut reading, &self.directory)),
            Noun::ConfigItems => Write::ConfigItem(read_directory_rows::config_item(&mut reading, &self.directory)),
            Noun::Dependencies => Write::Dependency(read_directory_rows::dependency(&mut reading, &self.directory)),
            Noun::Ownerships => {
                let known = &self.known;
                let old = |key: &str| known.get(key).cloned();
                let row = read_directory_rows::ownership(&mut reading, &self.directory, old, cx.now);
                // An existing row is no change: the export contains rows whose holder may not have them any more, or
                // that were withdrawn before they began.
                if known.get(&row.natural_key()) != Some(&row) {
                    read_directory_rows::check_row(&mut reading, &self.directory, &row);
                }
                Write::Ownership(row)
            }
        };
        self.check_self(&mut reading, cx, &write)?;
        self.check_two(&mut reading, cx.now, &write);
        reading.refuse_unknown();
        if !reading.errors.is_empty() {
            let place = line.place();
            self.errors.extend(reading.errors.into_iter().map(|error| FieldError {
                field: format!("{place}: {}", error.field),
                text: with_example(line.noun, &error.text),
                ..error
            }));
            return Ok(());
        }
        if self.is_named_anew(line, &write) {
            self.stage(cx, line.number, write)?;
        }
        Ok(())
    }

    /// Whether no earlier line names the same row. Two lines for one row are refused, because neither takes precedence.
    fn is_named_anew(&mut self, line: &Line, write: &Write) -> bool {
        let key = (line.noun, write.key());
        if let Some(first) = self.named.get(&key) {
            let shown = match write {
                Write::Ownership(row) => shown_key(row, &self.directory),
                _ => key.1,
            };
            let text = format!("`{shown}` is listed twice: {first} already contains it. Keep only one of the two.");
            let text = with_example(line.noun, &text);
            self.errors.push(FieldError::new(line.place(), "not_unique", text));
            return false;
        }
        self.named.insert(key, line.place());
        true
    }

    /// The fields of a line, completed with the current values: a file may have fewer fields than the record.
    fn completed(&self, cx: &Context<'_, '_>, line: &Line) -> Result<Body> {
        let mut fields = line.fields.clone();
        let joins = match fields.get(JOINS) {
            Some(Value::Array(_)) if line.noun == Noun::Groups => fields.remove(JOINS),
            _ => None,
        };
        // A null would empty the group before the new members are added; they are added to the existing ones.
        if joins.is_some() && fields.get("members").is_some_and(Value::is_null) {
            fields.remove("members");
        }
        let directory = &self.directory;
        let standing = match line.noun {
            Noun::Services => read_directory_rows::present_service(&fields, directory)?,
            Noun::Environments => read_directory_rows::present_environment(&fields, directory)?,
            Noun::ConfigItems => read_directory_rows::present_config_item(&fields, directory)?,
            Noun::Groups => {
                let key = fields.get("key").and_then(Value::as_str).unwrap_or_default();
                let members = directory.groups.get(&key.into()).map(|group| {
                    let logins = group.members.iter().map(|person| directory.login(person));
                    ("members".to_owned(), json!(logins.collect::<Vec<_>>()))
                });
                members.into_iter().collect()
            }
            Noun::Ownerships => {
                let known = &self.known;
                let old = |key: &str| known.get(key).cloned();
                let row = read_directory_rows::ownership(&mut Reading::new(&fields, ""), directory, old, cx.now);
                let standing = known.get(&row.natural_key());
                let running = standing.filter(|row| row.ends_at.is_none_or(|end| end > cx.now));
                read_directory_rows::present_fields(running, &["function", "ends_at"])?
            }
            Noun::People | Noun::Dependencies => Body::new(),
        };
        let mut fields = read_directory_rows::completed(&fields, standing);
        if let Some(Value::Array(joins)) = joins
            && let Value::Array(members) = fields.entry("members").or_insert_with(|| json!([]))
        {
            let fresh: Vec<Value> = joins.into_iter().filter(|login| !members.contains(login)).collect();
            members.extend(fresh);
        }
        Ok(fields)
    }

    /// Nobody changes their own rights, also not by a file; an existing row is no change.
    fn check_self(&self, reading: &mut Reading<'_>, cx: &mut Context<'_, '_>, write: &Write) -> Result<()> {
        match write {
            Write::Person(person) => {
                let old = self.directory.people.get(&person.id);
                let is_own = self_grant::is_own(&cx.actor, &person.id);
                if is_own && old.is_some_and(|old| old.roles != person.roles) {
                    reading.wrong("roles", "own_request", "You cannot change your own roles.");
                }
                if self_grant::gives_function(cx, old, person) {
                    reading.wrong("functions", "own_request", self_grant::OWN_FUNCTION);
                }
                if old.is_some_and(|old| self_grant::picks_manager(&cx.actor, old, person)) {
                    reading.wrong("manager", "own_request", self_grant::OWN_MANAGER);
                }
                if is_own && old.is_some_and(|old| drops_mark(old, person)) {
                    reading.wrong("accounts", "own_request", person_fields::OWN_ACCOUNT);
                }
                if last_administrator::is_last(&self.directory, person) {
                    let text =
                        "This is the last administrator: an earlier line must give another person the role `admin`.";
                    reading.wrong("roles", "last_administrator", text);
                }
            }
            Write::Group(group) if self_grant::gives_membership(cx, self.directory.groups.get(&group.key), group) => {
                reading.wrong("members", "own_request", self_grant::OWN_SEAT);
            }
            Write::Dependency(arrow) if self_grant::gives_part(cx, &self.directory, arrow) => {
                reading.wrong("to", "own_request", self_grant::OWN_WHOLE);
            }
            Write::Ownership(row)
                if self.known.get(&row.natural_key()) != Some(row) && self_grant::gives_voice(cx, row)? =>
            {
                reading.wrong("person", "own_request", self_grant::OWN_PART);
            }
            _ => {}
        }
        Ok(())
    }

    /// A line that affects decisions is an error if one person imports it; otherwise it is noted.
    fn check_two(&mut self, reading: &mut Reading<'_>, now: Timestamp, write: &Write) {
        // A line with errors does not show what it would affect.
        if self.two == Two::Stand || !reading.errors.is_empty() {
            return;
        }
        let Some((field, matter)) = self.matter_of(write, now) else {
            return;
        };
        if self.two.is_note() {
            self.noted.insert(self.at);
            return;
        }
        let text = format!("{} Import them with `propose` and a `reason`.", matter.said);
        reading.wrong(field, "two_people_needed", text);
    }

    /// The field by which a line affects decisions, and the message for it.
    fn matter_of(&self, write: &Write, now: Timestamp) -> Option<(&'static str, Matter)> {
        let directory = &self.directory;
        let lowered = lowered_facts(directory, write);
        if lowered.is_some() || self.two.is_of_facts() {
            return lowered;
        }
        match write {
            Write::Person(person) => two_people::moves_person(directory, person, now),
            Write::Group(group) => two_people::moves_group(directory, group),
            Write::Service(service) => {
                two_people::moves_service(directory, service, now).then_some(("team", two_people::CLASSES))
            }
            Write::Environment(_) => None,
            Write::Ownership(row) => {
                let moves = two_people::decides(row) && self.known.get(&row.natural_key()) != Some(row);
                moves.then_some(("role", two_people::ROWS))
            }
            Write::ConfigItem(item) => {
                two_people::moves_item(directory, item, now).then_some(("service", two_people::CLASSES))
            }
            Write::Dependency(arrow) => {
                two_people::moves_owners(directory, arrow).then_some(("kind", two_people::ARROWS))
            }
        }
    }

    fn stage(&mut self, cx: &mut Context<'_, '_>, line: usize, write: Write) -> Result<()> {
        match write {
            Write::Person(mut person) => {
                let before = self.directory.people.get(&person.id).cloned();
                if person.id.as_str().is_empty() {
                    person.id = PersonId(cx.new_id()?);
                }
                let key = person.login.clone();
                if self.note(line, (Noun::People, key), before.as_ref(), &*person)? {
                    self.directory.put_person((*person).clone());
                    self.writes.push(Write::Person(person));
                }
            }
            Write::Group(mut group) => {
                let before = self.directory.groups.get(&group.key).cloned();
                fresh(cx, &mut group.id)?;
                if self.note(line, (Noun::Groups, group.key.0.clone()), before.as_ref(), &group)? {
                    self.directory.groups.insert(group.key.clone(), group.clone());
                    self.writes.push(Write::Group(group));
                }
            }
            Write::Service(mut service) => {
                let before = self.directory.services.get(&service.key).cloned();
                fresh(cx, &mut service.id)?;
                if self.note(line, (Noun::Services, service.key.0.clone()), before.as_ref(), &service)? {
                    self.directory.services.insert(service.key.clone(), service.clone());
                    self.writes.push(Write::Service(service));
                }
            }
            Write::Environment(mut place) => {
                let before = self.directory.environments.get(&place.key).cloned();
                fresh(cx, &mut place.id)?;
                if self.note(line, (Noun::Environments, place.key.0.clone()), before.as_ref(), &place)? {
                    self.directory.environments.insert(place.key.clone(), place.clone());
                    self.writes.push(Write::Environment(place));
                }
            }
            Write::ConfigItem(mut item) => {
                let before = self.directory.config_items.get(&item.key).cloned();
                fresh(cx, &mut item.id)?;
                if self.note(line, (Noun::ConfigItems, item.key.clone()), before.as_ref(), &item)? {
                    self.directory.config_items.insert(item.key.clone(), item.clone());
                    self.writes.push(Write::ConfigItem(item));
                }
            }
            Write::Dependency(arrow) => self.stage_arrow(cx, line, arrow)?,
            Write::Ownership(row) => self.stage_row(cx, line, row)?,
        }
        Ok(())
    }

    fn stage_arrow(&mut self, cx: &mut Context<'_, '_>, line: usize, mut arrow: Dependency) -> Result<()> {
        let before = self.directory.dependencies.between(&arrow).cloned();
        set_service::take_up(cx, &mut arrow)?;
        fresh(cx, &mut arrow.id)?;
        let key = shown_arrow(&arrow);
        if self.note(line, (Noun::Dependencies, key), before.as_ref(), &arrow)? {
            self.directory.dependencies.put(arrow.clone());
            self.writes.push(Write::Dependency(arrow));
        }
        Ok(())
    }

    fn stage_row(&mut self, cx: &Context<'_, '_>, line: usize, mut row: Ownership) -> Result<()> {
        let before = self.known.get(&row.natural_key()).cloned();
        let runs = before
            .as_ref()
            .is_some_and(|it| it.ends_at.is_none_or(|end| cx.now < end));
        row.is_from_catalogue |= self.from_catalogue && !runs;
        fresh(cx, &mut row.id)?;
        let shown = shown_key(&row, &self.directory);
        if self.note(line, (Noun::Ownerships, shown), before.as_ref(), &row)? {
            self.writes.push(Write::Ownership(row));
        }
        Ok(())
    }

    /// Notes the difference; returns whether there is one.
    fn note<T: Serialize>(
        &mut self,
        line: usize,
        (noun, key): (Noun, String),
        before: Option<&T>,
        after: &T,
    ) -> Result<bool> {
        let after = serde_json::to_value(after)?;
        let before = before.map(serde_json::to_value).transpose()?;
        let fields = before
            .as_ref()
            .map(|before| differing(before, &after))
            .unwrap_or_default();
        let what = match (&before, fields.is_empty()) {
            (None, _) => What::Added,
            (Some(_), true) => {
                self.report.unchanged += 1;
                return Ok(false);
            }
            (Some(_), false) => What::Changed,
        };
        match what {
            What::Added => self.report.added += 1,
            _ => self.report.changed += 1,
        }
        self.report.rows.push(Difference {
            line,
            noun,
            key,
            what,
            fields,
            before,
            after,
        });
        Ok(true)
    }

    /// One person alone cannot end rows that need two people.
    fn check_ended(&self) -> Result<()> {
        let ends_alone = self.writes.iter().any(|write| match write {
            Write::Ownership(row) => row.ends_at.is_some() && two_people::decides(row),
            _ => false,
        });
        if self.two == Two::Stand || self.two.is_of_facts() || self.report.ended == 0 || !ends_alone {
            return Ok(());
        }
        Err(Refusal::field("end_missing", "two_people_needed", by_two()).into())
    }

    fn end_missing(&mut self, cx: &Context<'_, '_>) {
        for row in self.missing(cx.now) {
            self.end(&row, cx.now);
        }
    }

    /// The directory with the ownership rows that the import writes or ends.
    fn becomes(&self) -> Directory {
        let mut rows: BTreeMap<&RecordId, &Ownership> =
            self.directory.ownerships.iter().map(|it| (&it.id, it)).collect();
        rows.extend(self.writes.iter().filter_map(|write| match write {
            Write::Ownership(row) => Some((&row.id, row)),
            _ => None,
        }));
        let rows: Vec<Ownership> = rows.into_values().cloned().collect();
        Directory {
            ownerships: rows.into(),
            ..self.directory.clone()
        }
    }

    /// Active rows that no line names.
    fn missing(&self, now: Timestamp) -> Vec<Ownership> {
        let is_named = |key: &String| self.named.contains_key(&(Noun::Ownerships, key.clone()));
        let missing = self
            .known
            .iter()
            .filter(|(key, row)| !is_named(key) && row.ends_at.is_none_or(|end| now < end));
        missing.map(|(_, row)| row.clone()).collect()
    }

    /// Ends the rows that a catalogue made for the named things and no longer lists.
    fn end_unsaid(&mut self, cx: &Context<'_, '_>, lines: &[Line]) {
        let scope = |line: &Line| {
            let key = line.fields.get("key").and_then(Value::as_str)?;
            match line.noun {
                Noun::Services => Some(format!("service:{key}")),
                Noun::ConfigItems => Some(format!("item:{key}")),
                _ => None,
            }
        };
        let said: BTreeMap<String, &Line> = lines.iter().filter_map(|line| Some((scope(line)?, line))).collect();
        for row in self.missing(cx.now).into_iter().filter(|row| row.is_from_catalogue) {
            let Some(line) = said.get(&row.scope()) else { continue };
            if self.two == Two::Refuse && two_people::decides(&row) {
                let key = shown_key(&row, &self.directory);
                let ends = format!("The catalogue no longer contains `{key}`, so the row ends.");
                let text = [ends, by_two()].join(" ");
                let place = format!("{}: owner", line.place());
                self.errors.push(FieldError::new(place, "two_people_needed", text));
                continue;
            }
            self.end(&row, cx.now);
        }
    }

    fn end(&mut self, row: &Ownership, now: Timestamp) {
        let ended = Ownership {
            ends_at: Some(now),
            ..row.clone()
        };
        // Both the catalogue and `end_missing` may end a row, but it ends once.
        self.named.insert((Noun::Ownerships, row.natural_key()), String::new());
        self.report.ended += 1;
        self.report.rows.push(Difference {
            line: 0,
            noun: Noun::Ownerships,
            key: shown_key(row, &self.directory),
            what: What::Ended,
            fields: vec!["ends_at".to_owned()],
            before: serde_json::to_value(row).ok(),
            after: serde_json::to_value(&ended).unwrap_or_default(),
        });
        self.writes.push(Write::Ownership(ended));
    }
}

/// How rows that need two people are imported.
fn by_two() -> String {
    format!("{} Import them with `propose` and a `reason`.", two_people::ROWS.said)
}

/// An ownership row in the form for people: logins in place of ids.
fn shown_key(row: &Ownership, directory: &Directory) -> String {
    let place = row.environment.as_ref().map_or("everywhere", |key| key.as_str());
    let holder = match (&row.person, &row.group) {
        (Some(person), _) => directory.login(person),
        (None, group) => format!("group:{}", group.as_ref().map_or("", |key| key.as_str())),
    };
    format!("{} {place} {} {holder}", row.scope(), row.role)
}

fn fresh(cx: &Context<'_, '_>, id: &mut RecordId) -> Result<()> {
    if id.as_str().is_empty() {
        *id = RecordId(cx.new_id()?);
    }
    Ok(())
}

fn differing(before: &Value, after: &Value) -> Vec<String> {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let is_ours = |key: &str| matches!(key, "version" | "corrected_at");
    keys.into_iter()
        .filter(|key| !is_ours(key.as_str()) && before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

fn write(cx: &mut Context<'_, '_>, writes: Vec<Write>, by_two: bool) -> Result<()> {
    let mut pending = Pending::default();
    let mut left = Vec::new();
    let mut joined = Vec::new();
    let mut known_by = Vec::new();
    let before = cx.directory()?;
    let outside = FromOutside::find(cx)?;
    let is_alone = !model::directory::two_people::is_by_two(&before, cx.now);
    let mut seated = Vec::new();
    for write in writes {
        match write {
            Write::Person(person) if before.is_active(&person.id) && !person.active => left.push(*person),
            Write::Person(mut person) => {
                let known = before.people.get(&person.id).cloned();
                if let Some(known) = &known {
                    denied_rights::note_roles(cx, &outside, known, &mut person);
                    impersonation::note_address(cx, known, &mut person, is_alone);
                } else {
                    person.made_by = impersonation::credential_grant(cx, &person.id).filter(|_| !by_two);
                }
                let saved = pending.put(cx, *person)?;
                known_by.extend(known.clone().map(|known| (known, saved.clone())));
                let comes = saved.roles.contains(&Role::Security) || saved.roles.contains(&Role::ChangeManager);
                if comes || known.as_ref().is_some_and(|known| known.roles != saved.roles) {
                    joined.push((known, saved));
                }
            }
            Write::Group(group) => seated.push(pending.put(cx, group)?),
            Write::Service(service) => drop(pending.put(cx, service)?),
            Write::Environment(place) => drop(pending.put(cx, place)?),
            Write::ConfigItem(item) => drop(pending.put(cx, item)?),
            Write::Dependency(arrow) => drop(pending.put(cx, arrow)?),
            Write::Ownership(mut row) => {
                row.hand = set_service::grant_of_row(cx, &row).filter(|_| !by_two);
                pending.put(cx, row)?;
            }
        }
    }
    pending.tell(cx)?;
    cx.touch_directory()?;
    for (known, person) in joined {
        group_membership::join_well_known_groups(cx, known.as_ref(), &person)?;
        if let Some(known) = known {
            group_membership::leave_well_known_groups(cx, &known, &person)?;
        }
    }
    for (known, person) in known_by {
        impersonation::notify_changed_address(cx, &known, &person)?;
        if known.is_compromised() {
            suspend_given::follow(cx, &person)?;
        }
    }
    group_membership::follow(cx, &before)?;
    for group in seated {
        let known = before.groups.get(&group.key).map(|known| known.members.clone());
        denied_rights::note_memberships(cx, &outside, &known.unwrap_or_default(), &group)?;
    }
    for person in left {
        deactivate_person::end_person(cx, person, false, None)?;
    }
    settle_open::settle_open(cx, |_| true)
}
