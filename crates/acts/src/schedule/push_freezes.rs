//! Copies freezes to systems that support them: a GitLab project gets the freeze periods over its service, and loses them when
//! a freeze is withdrawn or over. The project's own periods are read on the way and every few hours, and the connection's owner
//! is notified of periods that were not set here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::directory::snapshot::{Connection, Directory, Freeze, Mapping};
use model::schedule::repeat::Occurrence;
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::core::{connections, secrets};

/// The kinds of these calls: about one freeze at once, about its end, and only to read the existing periods.
const NOW: &str = "freezes";
const AT_END: &str = "freezes_end";
const LOOK: &str = "freezes_read";
/// How long before its start a freeze is set there, and how long after its end it is still removed. Cron has no year, so a
/// longer period would also hold other days.
const REACH: SignedDuration = SignedDuration::from_hours(24 * 300);
/// How often the existing periods are read. The same for each time of a repeating freeze: its list is expanded, and so set
/// again, before this has passed.
const REPEATED_REACH: SignedDuration = SignedDuration::from_hours(24 * 62);
const EVERY: SignedDuration = SignedDuration::from_hours(6);

/// Whether a call is of this kind.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    matches!(kind, NOW | AT_END | LOOK)
}

/// Queues the first reading of a new connection.
///
/// # Errors
/// The store's.
pub(crate) fn begin(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<()> {
    let now = cx.now;
    look_at(cx, connection, now)
}

/// Sets the present and future freezes in all projects of a connection, which may have new ones.
///
/// # Errors
/// The store's.
pub(crate) fn bring_all(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<()> {
    if takes_freezes(connection) {
        let id = cx.new_id()?;
        call::insert(cx.tx, &id, (NOW, connection.id.as_str()), cx.now)?;
    }
    Ok(())
}

/// Whether this connection's periods should be read and no call is in the queue.
///
/// # Errors
/// The store's.
pub(crate) fn is_lacking(cx: &mut Context<'_, '_>, connection: &Connection) -> Result<bool> {
    Ok(takes_freezes(connection) && !call::waits(cx.tx, LOOK, connection.id.as_str())?)
}

fn look_at(cx: &mut Context<'_, '_>, connection: &Connection, at: Timestamp) -> Result<()> {
    if takes_freezes(connection) {
        let id = cx.new_id()?;
        call::insert(cx.tx, &id, (LOOK, connection.id.as_str()), at)?;
    }
    Ok(())
}

/// Whether this connection's system knows freezes, and may be called.
fn takes_freezes(connection: &Connection) -> bool {
    connection.active && connection.kind == "gitlab" && connection.api.is_some()
}

/// Queues calls to each connection that a freeze concerns: as soon as the period may be set there, and at its end.
///
/// # Errors
/// The store's.
pub(crate) fn queue_calls(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let rows = record::find::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    let (now, directory) = (cx.now, cx.directory()?);
    for connection in rows.into_iter().map(|stored| stored.record) {
        if !takes_freezes(&connection) || !connection.map.iter().any(|row| lies_over(&directory, freeze, row)) {
            continue;
        }
        // A call is about one freeze, so that the retry of one call delays no other.
        let subject = format!("{}/{}", connection.id, freeze.id);
        let is_once = !freeze.ended && !freeze.repeat.is_set();
        let from = if is_once { reach_of(freeze).max(now) } else { now };
        let mut calls = vec![(NOW, from)];
        let ends = freeze.spans().filter(|span| !freeze.ended && span.ends_at > now);
        let is_soon = |at: Timestamp| !freeze.repeat.is_set() || at < now + REPEATED_REACH;
        calls.extend(
            ends.filter(|span| is_soon(span.ends_at))
                .map(|span| (AT_END, span.ends_at)),
        );
        for (kind, at) in calls {
            let id = cx.new_id()?;
            call::insert(cx.tx, &id, (kind, subject.as_str()), at)?;
        }
    }
    Ok(())
}

/// The same after a freeze was changed. The former period is removed from the former projects: no freeze has those times any
/// more, so the call itself names them.
///
/// # Errors
/// The store's.
pub(crate) fn queue_moved(cx: &mut Context<'_, '_>, before: &Freeze, after: &Freeze) -> Result<()> {
    queue_calls(cx, after)?;
    let rows = record::find::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    let (now, directory) = (cx.now, cx.directory()?);
    for connection in rows.into_iter().map(|stored| stored.record) {
        let lay_over = connection.map.iter().filter(|row| lies_over(&directory, before, row));
        let projects: BTreeSet<&str> = lay_over.map(|row| row.repository.as_str()).collect();
        let is_same_scope = (&before.services, &before.environments) == (&after.services, &after.environments);
        if !takes_freezes(&connection) || projects.is_empty() {
            continue;
        }
        let left: Vec<&str> = projects.into_iter().collect();
        for span in before
            .spans()
            .filter(|span| !before.repeat.is_set() || is_near(before, *span, now))
        {
            if is_same_scope && after.spans().any(|other| other == span) {
                continue;
            }
            let subject = format!("{}/{}/{}/{}", connection.id, before.id, span.starts_at, span.ends_at);
            let id = cx.new_id()?;
            call::insert_rest(cx.tx, &id, (NOW, subject.as_str()), &left.join("\n"), now)?;
        }
    }
    Ok(())
}

/// The former times of a changed freeze, from a call's subject.
fn former_span(subject: &str) -> Option<Span> {
    let mut parts = subject.split('/').skip(2);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// From when on a freeze may be set there.
fn reach_of(freeze: &Freeze) -> Timestamp {
    freeze.starts_at.checked_sub(REACH).unwrap_or(Timestamp::MIN)
}

/// Whether a time of a freeze may be set there now, or has to be removed.
fn is_near(freeze: &Freeze, span: Occurrence, now: Timestamp) -> bool {
    let reach = if freeze.repeat.is_set() { REPEATED_REACH } else { REACH };
    let begins = span.starts_at.checked_sub(reach).unwrap_or(Timestamp::MIN);
    begins <= now && span.ends_at > now - reach
}

/// A period there holds the whole project, so a freeze of any of its environments makes one.
fn lies_over(directory: &Directory, freeze: &Freeze, row: &Mapping) -> bool {
    let scope = Freeze {
        ended: false,
        ..freeze.clone()
    };
    row.environments
        .values()
        .any(|place| directory.is_frozen_by(&scope, &row.service, place))
}

/// A span of a freeze.
pub type Span = (Timestamp, Timestamp);

/// A project and the spans that it should and should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// `owner/name`.
    pub repository: String,
    /// Freezes that lie ahead or are on, each span once.
    pub wanted: Vec<Span>,
    /// Freezes that are over or were taken back.
    pub unwanted: Vec<Span>,
}

/// The data for the call.
pub struct Errand {
    /// The connection to call.
    pub connection: Connection,
    /// The credential.
    pub credential: String,
    /// The projects.
    pub projects: Vec<Project>,
}

/// Loads the data for a call about this subject; `None` when there is nothing to synchronise any more. `left` names the
/// projects that an earlier round has left, one a line, in the order of their turns; empty means all.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, subject: &str, left: &str) -> Result<Option<Errand>> {
    let id = subject.split('/').next().unwrap_or_default();
    let connection = connections::connection(cx, id)?;
    if !takes_freezes(&connection) {
        return Ok(None);
    }
    let name = secrets::credential_name(connection.id.as_str());
    let bytes = secrets::open(cx, &name)?.unwrap_or_default();
    let rows = record::find::<Freeze>(cx.tx, &Filter::new().order_by("id"))?;
    let freezes: Vec<Freeze> = rows.into_iter().map(|stored| stored.record).collect();
    let directory = cx.directory()?;
    let mut projects = of_left(projects(&directory, &connection, &freezes, cx.now), left);
    if let Some(former) = former_span(subject) {
        // Another freeze may have the same times.
        let lacks = |it: &&mut Project| !it.wanted.contains(&former) && !it.unwanted.contains(&former);
        projects
            .iter_mut()
            .filter(lacks)
            .for_each(|it| it.unwanted.push(former));
    }
    Ok(Some(Errand {
        projects,
        connection,
        credential: String::from_utf8_lossy(&bytes).into_owned(),
    }))
}

/// The remaining projects, in order.
fn of_left(projects: Vec<Project>, left: &str) -> Vec<Project> {
    if left.is_empty() {
        return projects;
    }
    let turn = |it: &Project| left.lines().position(|name| name == it.repository);
    let mut found: Vec<Project> = projects.into_iter().filter(|it| turn(it).is_some()).collect();
    found.sort_by_key(turn);
    found
}

/// The periods that each project should have at this time; several services may be built from one.
fn projects(directory: &Directory, connection: &Connection, freezes: &[Freeze], now: Timestamp) -> Vec<Project> {
    let mut rows: BTreeMap<&str, Vec<&Mapping>> = BTreeMap::new();
    for row in &connection.map {
        rows.entry(&row.repository).or_default().push(row);
    }
    let spans = |rows: &[&Mapping], is_wanted: bool| -> Vec<Span> {
        let fits = |freeze: &Freeze, span: Occurrence| {
            let is_on = !freeze.ended && span.ends_at > now;
            is_on == is_wanted && is_near(freeze, span, now)
        };
        let over = freezes
            .iter()
            .filter(|it| rows.iter().any(|row| lies_over(directory, it, row)));
        let spans = over.flat_map(|it| it.spans().filter(move |span| fits(it, *span)));
        let found: BTreeSet<Span> = spans.map(|it| (it.starts_at, it.ends_at)).collect();
        found.into_iter().collect()
    };
    rows.iter()
        .map(|(repository, rows)| Project {
            repository: (*repository).to_owned(),
            wanted: spans(rows, true),
            unwanted: spans(rows, false),
        })
        .collect()
}

/// Notifies the connection's owner, once each, of periods that exist there and not here, and queues the next reading.
///
/// # Errors
/// The store's.
pub fn note(cx: &mut Context<'_, '_>, connection: &Connection, theirs: &[(String, String)]) -> Result<()> {
    let again = cx.now + EVERY;
    look_at(cx, connection, again)?;
    let mut written = Written::default();
    for (repository, period) in theirs {
        let subject = format!("{repository} has a freeze period that nobody set here");
        let text = format!(
            "{} holds deployments of {repository} back {period}.\nNo freeze here says so. Set one, or take the period back there.\n",
            connection.name
        );
        let dedup = format!("freeze-period/{}/{repository}/{period}", connection.id);
        let message = ("freeze_period", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, &mut written, &connection.owner, None, message)?;
    }
    if written.is_empty() {
        return Ok(());
    }
    let data = serde_json::json!({"periods": theirs.len()});
    let about = ("connection", connection.id.0.clone());
    let event = draft("connection.freeze_periods_read", about, cx.now, data);
    cx.emit(vec![event], written)
}
