//! Rows of the ownership matrix that go live by two people: proposed by one, put in force by another or by an approved
//! change that names the proposal's digest. Where a tenant requires it, and has a second administrator, this is the only way
//! for rows that move decisions; rows that only name an implementer or a pipeline are set as always. The same holds for edits
//! that remove a service or an environment from a rule (fewer regimes, a lower criticality, no production any more), and for
//! other edits that give a person influence on decisions: `two_people` lists them.
//!
//! The requirement itself is set and ended by such a proposal, so that one person alone cannot turn it off.

use std::collections::{BTreeMap, BTreeSet};

use model::core::act;
use model::core::body::Body;
use model::core::enums::{ConfigurationKind, ConfigurationState, Noun};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::{FieldError, Refusal};
use model::directory::snapshot::Tenant;
use model::policy::configuration::Configuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::approval::set_delegation;
use crate::cab::training;
use crate::case::settle_open;
use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::write::{Written, draft};
use crate::directory::import_directory::{self, Line, Options, Report, What, bring, lines_of_two};
use crate::directory::set_service;
use crate::identity::set_identity_provider;
use crate::integration::{edit_connection, set_connection};
use crate::policy::configurations;
use crate::policy::propose_configuration::{bare, save};
use crate::schedule::set_calendar;

/// The most rows of one proposal.
const MOST: usize = 2_000;

/// How the content of a proposal is called where files are shown.
pub const FILE: &str = "ownerships.json";

/// The content of a proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// People to set, like lines of an import: absent fields stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Body>,
    /// Groups to set, in the form of the API; `joins` names the people who join an existing group.
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
    /// Config items as they are to be, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_items: Vec<Body>,
    /// Arrows to set, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Body>,
    /// Delegations, in the form of the API; each names its delegator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegations: Vec<Body>,
    /// Trainings, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trainings: Vec<Body>,
    /// Calendars as they are to be, as the API takes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<Body>,
    /// Identity providers to set, in the form of the API, without their secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_providers: Vec<Body>,
    /// Connections as they are to be, as the API takes their changes; each names its `id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connection_edits: Vec<Body>,
    /// The versions of the connections that are named here, at the time of the proposal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_versions: BTreeMap<String, i64>,
    /// Ids of connections that wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
    /// Ids of arrows to take away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end_dependencies: Vec<String>,
    /// Ids of rows to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end: Vec<String>,
    /// Whether the rows come from a catalogue, whose missing rows end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_catalogue: bool,
    /// Whether every other row ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_missing: bool,
    /// Whether rows that affect decisions need two people from then on; absent where that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_two: Option<bool>,
}

impl Content {
    /// The lists that are brought like lines of an import, by name, in the order in which they refer to each other.
    pub fn lists(&self) -> [(Noun, &'static str, &Vec<Body>); 7] {
        [
            (Noun::People, "people", &self.people),
            (Noun::Groups, "groups", &self.groups),
            (Noun::Services, "services", &self.services),
            (Noun::Environments, "environments", &self.environments),
            (Noun::ConfigItems, "config_items", &self.config_items),
            (Noun::Dependencies, "dependencies", &self.dependencies),
            (Noun::Ownerships, "rows", &self.rows),
        ]
    }

    /// The other lists: each row is read like the equivalent request.
    pub fn requests(&self) -> [(&'static str, &Vec<Body>); 5] {
        [
            ("delegations", &self.delegations),
            ("trainings", &self.trainings),
            ("calendars", &self.calendars),
            ("identity_providers", &self.identity_providers),
            ("connection_edits", &self.connection_edits),
        ]
    }

    /// Lists of ids.
    pub fn ids(&self) -> [(&'static str, &Vec<String>); 3] {
        [
            ("connections", &self.connections),
            ("end_dependencies", &self.end_dependencies),
            ("end", &self.end),
        ]
    }

    fn list_mut(&mut self, noun: Noun) -> &mut Vec<Body> {
        match noun {
            Noun::People => &mut self.people,
            Noun::Groups => &mut self.groups,
            Noun::Services => &mut self.services,
            Noun::Environments => &mut self.environments,
            Noun::ConfigItems => &mut self.config_items,
            Noun::Dependencies => &mut self.dependencies,
            Noun::Ownerships => &mut self.rows,
        }
    }

    fn is_empty(&self) -> bool {
        let lists = self.lists();
        let rows = lists.iter().map(|(_, _, rows)| rows.len());
        let requests = self.requests().map(|(_, rows)| rows.len());
        let ids = self.ids().map(|(_, ids)| ids.len());
        rows.chain(requests).chain(ids).sum::<usize>() == 0 && self.by_two.is_none()
    }

    /// The permissions that are needed to set all of it directly.
    fn actions(&self) -> BTreeSet<&'static str> {
        use model::core::act::actions::{SET_CONNECTION, SET_PERSON, SET_SERVICE};
        let people = [&self.people, &self.groups, &self.delegations, &self.trainings];
        let things = [&self.config_items, &self.dependencies, &self.calendars];
        let asks = [
            (SET_PERSON, people.iter().any(|rows| !rows.is_empty())),
            (
                SET_SERVICE,
                things.iter().any(|rows| !rows.is_empty()) || !self.end_dependencies.is_empty(),
            ),
            (
                SET_CONNECTION,
                !(self.identity_providers.is_empty()
                    && self.connections.is_empty()
                    && self.connection_edits.is_empty()),
            ),
        ];
        asks.into_iter()
            .filter(|(_, is_asked)| *is_asked)
            .map(|(action, _)| action)
            .collect()
    }
}

/// The content of a proposal.
///
/// # Errors
/// A fault when it cannot be read.
pub fn content(proposal: &Configuration) -> Result<Content> {
    Ok(serde_json::from_str(proposal.text.as_deref().unwrap_or("{}"))?)
}

/// Proposes rows and what else moves decisions (`POST /ownership-proposals {rows?, people?, groups?, services?, environments?,
/// config_items?, dependencies?, delegations?, trainings?, calendars?, identity_providers?, connections?, connection_edits?,
/// end_dependencies?, end?, end_missing?, by_two?, reason}`).
///
/// # Errors
/// 403, 422, also for a row that would give the proposer influence on decisions; the store's.
pub fn propose_ownership(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_OWNERSHIP)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let mut wanted = Content {
        people: read_rows(&mut reading, "people"),
        groups: read_rows(&mut reading, "groups"),
        rows: read_rows(&mut reading, "rows"),
        services: read_rows(&mut reading, "services"),
        environments: read_rows(&mut reading, "environments"),
        config_items: read_rows(&mut reading, "config_items"),
        dependencies: read_rows(&mut reading, "dependencies"),
        delegations: read_rows(&mut reading, "delegations"),
        trainings: read_rows(&mut reading, "trainings"),
        calendars: read_rows(&mut reading, "calendars"),
        identity_providers: read_rows(&mut reading, "identity_providers"),
        connections: read_ids(&mut reading, "connections"),
        connection_edits: read_rows(&mut reading, "connection_edits"),
        connection_versions: BTreeMap::new(),
        end_dependencies: read_ids(&mut reading, "end_dependencies"),
        end: read_ids(&mut reading, "end"),
        from_catalogue: false,
        end_missing: reading.boolean("end_missing").unwrap_or_default(),
        by_two: reading.boolean("by_two"),
    };
    let is_readable = reading.errors.is_empty();
    let reason = reading.needed("reason", TEXT);
    for id in &wanted.end {
        if !directory.ownerships.iter().any(|row| row.id.as_str() == id) {
            reading.wrong("end", "unknown", format!("There is no row `{id}` of the matrix."));
        }
    }
    for id in &wanted.end_dependencies {
        if !directory.dependencies.iter().any(|arrow| arrow.id.as_str() == id) {
            reading.wrong("end_dependencies", "unknown", format!("There is no dependency `{id}`."));
        }
    }
    // An unreadable part is reported already, and is not missing.
    if is_readable && wanted.is_empty() {
        reading.wrong("rows", "missing", "Name what is to be set, rows to `end`, or `by_two`.");
    }
    reading.finish()?;
    wanted.actions().into_iter().try_for_each(|action| cx.allow(action))?;
    wanted.connection_versions = versions(cx, &wanted)?;
    propose(cx, &wanted, reason)
}

/// The versions of the connections that a proposal names: the content that its second person sees is the content that goes in
/// force.
fn versions(cx: &mut Context<'_, '_>, wanted: &Content) -> Result<BTreeMap<String, i64>> {
    let edits = wanted.connection_edits.iter();
    let edited = edits.filter_map(|body| body.get("id").and_then(Value::as_str));
    let mut found = BTreeMap::new();
    for id in wanted.connections.iter().map(String::as_str).chain(edited) {
        if let Some(connection) = connections::find(cx, id)? {
            found.insert(id.to_owned(), connection.version);
        }
    }
    Ok(found)
}

/// Ids in order, each once: a repeated id would be processed twice.
fn read_ids(reading: &mut Reading<'_>, field: &'static str) -> Vec<String> {
    let told = reading.texts(field, LINE).unwrap_or_default();
    let ids: BTreeSet<String> = told.into_iter().collect();
    ids.into_iter().collect()
}

/// Rows stay as sent: they are read again when they go live.
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

/// Proposes a content; its effect must be possible now.
///
/// # Errors
/// 422 with every wrong row, or the store's.
pub(crate) fn propose(cx: &mut Context<'_, '_>, wanted: &Content, reason: String) -> Result<Configuration> {
    bring_rows(cx, wanted, true)?;
    bring_requests(cx, wanted, true)?;
    let mut value = serde_json::to_value(wanted)?;
    // The digest stays in the log when the text is erased: without a salt, guesses of names could be tested against it.
    let mut salt = [0_u8; 16];
    cx.services.tools().entropy.fill(&mut salt)?;
    value["salt"] = json!(proof::crypto::base64url(&salt));
    // The digest is over the text, because a null that clears a field has no canonical form.
    let text = serde_json::to_string_pretty(&value)?;
    let digest = proof::canonical::digest(&json!({"text": text}))?;
    let proposal = Configuration {
        text: Some(text),
        ..bare(cx, ConfigurationKind::Ownership, digest, reason)?
    };
    save(cx, proposal)
}

fn bring_rows(cx: &mut Context<'_, '_>, wanted: &Content, dry_run: bool) -> Result<Report> {
    let lists = wanted.lists().into_iter();
    let rows = lists.flat_map(|(noun, _, rows)| rows.iter().map(move |fields| (noun, fields)));
    let line = |(place, (noun, fields)): (usize, (Noun, &Body))| Line {
        number: place + 1,
        is_row: true,
        noun,
        fields: fields.clone(),
    };
    let lines: Vec<Line> = rows.enumerate().map(line).collect();
    let options = Options {
        dry_run,
        end_missing: wanted.end_missing,
        by_two: true,
        from_catalogue: wanted.from_catalogue,
        ends_unsaid: false,
    };
    bring(cx, &lines, options)
}

/// Reads the lists other than import rows like their own requests, and stores them unless this is a dry run.
fn bring_requests(cx: &mut Context<'_, '_>, wanted: &Content, dry_run: bool) -> Result<()> {
    for (list, rows) in wanted.requests() {
        for (place, body) in rows.iter().enumerate() {
            bring_request(cx, (list, body), dry_run).map_err(|error| within(error, &format!("{list}[{place}]")))?;
        }
    }
    for id in &wanted.connections {
        let connection = set_connection::waiting(cx, id)?;
        if !dry_run {
            set_connection::put_in_force(cx, connection)?;
        }
    }
    if !dry_run {
        for id in &wanted.end_dependencies {
            set_service::end_arrow(cx, id)?;
        }
    }
    Ok(())
}

fn bring_request(cx: &mut Context<'_, '_>, (list, body): (&str, &Body), dry_run: bool) -> Result<()> {
    match list {
        "delegations" => {
            if body.get("delegator").is_none_or(Value::is_null) {
                // Without it the delegator would first be the proposer, and then the person who puts it in force.
                return Err(Refusal::field("delegator", "missing", "`delegator` is missing.").into());
            }
            let row = set_delegation::read_delegation(cx, body)?;
            if !dry_run {
                set_delegation::keep_delegation(cx, row)?;
            }
        }
        "trainings" => {
            let row = training::read_training(cx, body, dry_run)?;
            if !dry_run {
                training::keep_training(cx, row)?;
            }
        }
        "calendars" => {
            let calendar = set_calendar::read_calendar(cx, body)?;
            if !dry_run {
                set_calendar::keep_calendar(cx, calendar)?;
            }
        }
        "connection_edits" => {
            let edited = edit_connection::read_proposed(cx, body)?;
            if !dry_run {
                edit_connection::keep_edit(cx, edited)?;
            }
        }
        _ => {
            if body.contains_key("client_secret") {
                let text = "A proposal cannot contain a secret: set it with `PUT /identity-providers/{key}` once this is in \
                            force.";
                return Err(Refusal::field("client_secret", "not_here", text).into());
            }
            let key = body.get("key").and_then(Value::as_str).unwrap_or_default();
            let told = set_identity_provider::read_provider(cx, key, body)?;
            if !dry_run {
                set_identity_provider::keep_provider(cx, told)?;
            }
        }
    }
    Ok(())
}

/// Wrong fields of a row, with the row's place.
fn within(error: Error, place: &str) -> Error {
    let Error::Refused(Refusal::Invalid(errors)) = error else {
        return error;
    };
    let there = |error: FieldError| FieldError {
        field: format!("{place}.{}", error.field),
        ..error
    };
    Refusal::Invalid(errors.into_iter().map(there).collect()).into()
}

/// A connection that was changed after the proposal must be proposed again: the second person would confirm something that they
/// did not see.
fn check_same_connections(cx: &mut Context<'_, '_>, wanted: &Content) -> Result<()> {
    for (id, version) in versions(cx, wanted)? {
        if wanted.connection_versions.get(&id) != Some(&version) {
            let text = format!("The connection `{id}` was changed after this was proposed.");
            return Err(Refusal::not_now("moved_since", text, "Propose it again.", Vec::new()).into());
        }
    }
    Ok(())
}

/// A person deactivated after the proposal stays so: the proposer did not know it, and at night that lock is the only one.
fn check_moved_since(cx: &mut Context<'_, '_>, wanted: &Content, proposal: &Configuration) -> Result<()> {
    let directory = cx.directory()?;
    for body in &wanted.people {
        let mut reading = Reading::new(body, "");
        if reading.boolean("active") != Some(true) {
            continue;
        }
        let login = reading.text("login", LINE).unwrap_or_default().trim().to_lowercase();
        let Some(person) = directory.by_login(&login).filter(|it| !it.active) else {
            continue;
        };
        if person
            .deactivation
            .as_ref()
            .is_some_and(|it| it.at > proposal.proposed_at)
        {
            let text = format!("{} was deactivated after this was proposed.", person.name);
            return Err(Refusal::not_now("moved_since", text, "Propose it again.", Vec::new()).into());
        }
    }
    Ok(())
}

/// Puts proposed rows in force: they are read against the present directory, set and ended in one transaction, and every open
/// change is judged again, once at the end.
///
/// # Errors
/// 409 where a person to restore was deactivated since, or a connection changed since; 422, also for a row that would give the
/// acting person influence on decisions; the store's.
pub(crate) fn put_in_force(
    cx: &mut Context<'_, '_>,
    proposal: Configuration,
    change_key: Option<String>,
) -> Result<Configuration> {
    let wanted = content(&proposal)?;
    check_moved_since(cx, &wanted, &proposal)?;
    check_same_connections(cx, &wanted)?;
    let report = bring_rows(cx, &wanted, false)?;
    bring_requests(cx, &wanted, false)?;
    for id in &wanted.end {
        set_service::end_row(cx, id)?;
    }
    let mut written = Written::default();
    let tenant = cx.directory()?.tenant.clone();
    if let (Some(by_two), Some(tenant)) = (wanted.by_two, tenant)
        && tenant.ownership_by_two != by_two
    {
        let ownership_by_two = by_two;
        cx.put(
            &mut written,
            Tenant {
                ownership_by_two,
                ..tenant
            },
        )?;
    }
    let active = Configuration {
        state: ConfigurationState::Active,
        activated_by: Some(cx.actor.person.clone()),
        activation_handed_by: cx.actor.hand().cloned(),
        activated_at: Some(cx.now),
        change_key,
        ..proposal
    };
    let active = cx.put(&mut written, active)?;
    let data = json!({
        "after": active.digest, "change": active.change_key, "added": report.added, "changed": report.changed,
        "ended": report.ended + wanted.end.len() + wanted.end_dependencies.len(), "by_two": wanted.by_two,
    });
    let subject = ("configuration", active.id.0.clone());
    let how = configurations::How::Activated { proposed_over: None };
    configurations::notify_people(cx, &mut written, &active, &how)?;
    cx.emit(vec![draft("ownership.activated", subject, cx.now, data)], written)?;
    cx.touch_directory()?;
    settle_open::settle_open(cx, |_| true)?;
    Ok(active)
}

/// Imports lines; rows that move decisions become a proposal: the rest is written, and rows of the matrix with other edits that
/// need two people are proposed.
///
/// # Errors
/// 403, 422, or the store's.
pub fn import_and_propose(
    cx: &mut Context<'_, '_>,
    lines: &[Line],
    options: Options,
    reason: String,
) -> Result<(Report, Option<Configuration>)> {
    import_directory::allow(cx, lines)?;
    // The whole import is checked first, so that errors name the lines of the text.
    let whole = Options {
        dry_run: true,
        by_two: true,
        ..options
    };
    let shown = bring(cx, lines, whole)?;
    if options.dry_run {
        return Ok((shown, None));
    }
    let two = lines_of_two(cx, lines)?;
    let goes_by_two = |(at, line): &(usize, &Line)| line.noun == Noun::Ownerships || two.contains(at);
    let (proposed, others): (Vec<_>, Vec<_>) = lines.iter().enumerate().partition(goes_by_two);
    let others: Vec<Line> = others.into_iter().map(|(_, line)| line.clone()).collect();
    let direct = Options {
        end_missing: false,
        from_catalogue: false,
        ends_unsaid: false,
        ..options
    };
    let mut report = bring(cx, &others, direct)?;
    let mut wanted = Content {
        end_missing: options.end_missing && proposed.iter().any(|(_, line)| line.noun == Noun::Ownerships),
        from_catalogue: options.from_catalogue,
        ..Content::default()
    };
    if !wanted.end_missing {
        end_unsaid(shown, &mut wanted, &mut report);
    }
    if proposed.is_empty() && wanted.end.is_empty() {
        return Ok((report, None));
    }
    for (_, line) in proposed {
        wanted.list_mut(line.noun).push(line.fields.clone());
    }
    if wanted.lists().iter().any(|(_, _, rows)| rows.len() > MOST) {
        let text = format!("A proposal has at most {MOST} rows; split the import into several.");
        return Err(Refusal::field("text", "too_long", text).into());
    }
    let told = bring_rows(cx, &wanted, true)?;
    report.added += told.added;
    report.changed += told.changed;
    report.ended += told.ended;
    report.unchanged += told.unchanged;
    report.rows.extend(told.rows);
    let proposal = propose(cx, &wanted, reason)?;
    Ok((report, Some(proposal)))
}

/// Adds the rows that end because they are missing in the lines.
fn end_unsaid(shown: Report, wanted: &mut Content, report: &mut Report) {
    let ended = shown.rows.into_iter().filter(|row| row.what == What::Ended);
    for row in ended {
        let id = row.before.as_ref().and_then(|before| before["id"].as_str());
        wanted.end.extend(id.map(str::to_owned));
        report.ended += 1;
        report.rows.push(row);
    }
}
