//! Common parts of every page: the reader, their zone, the frame around the page; and the response.

use std::sync::Arc;

use acts::Context;
use acts::approval::find_queue;
use acts::audit::find_timeline;
use acts::change::find_unvalidated;
use acts::report::find_records;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::core::act::{Act, actions};
use model::core::ids::PersonId;
use model::core::refusal::FieldChange;
use model::directory::snapshot::Directory;
use model::notify::preferences::NotificationPreferences;
use model::policy::permission::actor_facts;
use pages::{ActForm, Entry, Frame, Named, Notice, Place, Reader, Rich, Seal, Tone, WAITING_SHOWN, count};
use serde_json::Value;
use store::audit::event;
use store::{Lane, Mode};

use crate::http::attempts;
use crate::http::authenticate::caller_of;
use crate::http::caller::{Caller, Credential};
use crate::http::failure::Failure;
use crate::http::percent::{escaped, segment};
use crate::http::state::AppState;
use crate::http::{outside_mask, scoped};
use crate::web::approval::what_next;
use crate::web::shared::flash::{Flash, KEPT};
use crate::web::shared::problem::{bare_problem, failed_html, problem_of, reasons};
use crate::web::shared::response::{ASSETS, base, html, see, to_sign_in};
use crate::web::shared::{labels, words};

/// The most events without a place that a page lists as already shown; further ones count as news.
const UNPLACED: i64 = 30;
/// How long after its last seal a log counts as fresh, in seconds, while something waits.
const FRESH_SECONDS: i64 = 60;

/// A person who is signed in to the tenant in the address.
pub(crate) struct Visitor {
    /// The signed-in caller.
    pub caller: Caller,
    /// The confirmation in the address.
    pub told: Option<Flash>,
    /// The address of the page below the tenant's.
    path: String,
    /// What its query asks for.
    query: String,
}

impl Visitor {
    /// The tenant's address: `/t/halden`.
    pub fn base(&self) -> String {
        base(&self.caller.tenant)
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let tenant = params
            .iter()
            .find(|(name, _)| *name == "tenant")
            .map_or("", |(_, value)| value)
            .to_owned();
        let wanted = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
        match caller_of(state, &parts.method, &parts.headers).await {
            Ok(caller) if caller.tenant == tenant && matches!(caller.credential, Credential::Session { .. }) => {
                if is_closed(state, &caller, parts.uri.path()).await {
                    return Err(bare_problem(&Failure::new(
                        404,
                        "not_found",
                        "There is no such page here.",
                    )));
                }
                let now = state.executor().tools().clock.now();
                // A form that is shown again reports its errors, and not an earlier confirmation.
                let is_shown = parts.method.is_safe();
                let told = || Flash::of(&parts.uri, caller.credential_id(), now);
                Ok(Self {
                    told: is_shown.then(told).flatten(),
                    path: parts
                        .uri
                        .path()
                        .strip_prefix(base(&caller.tenant).as_str())
                        .unwrap_or_default()
                        .to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    caller,
                })
            }
            Ok(_) => Err(to_sign_in(&tenant, &wanted)),
            Err(failure) if failure.status() == 401 && parts.method.is_safe() => Err(to_sign_in(&tenant, &wanted)),
            Err(failure) if failure.status() == 401 => Err(to_sign_in(&tenant, "")),
            Err(failure) => Err(bare_problem(&failure)),
        }
    }
}

/// Whether the caller is scoped to services and the page is closed to scoped callers.
async fn is_closed(state: &AppState, caller: &Caller, path: &str) -> bool {
    let base = base(&caller.tenant);
    let path = path.strip_prefix(base.as_str()).unwrap_or(path);
    let (is_open, is_open_to_mandate) = (scoped::is_page_open(path), scoped::is_page_open_to_mandate(path));
    if is_open_to_mandate {
        return false;
    }
    let is_scoped = move |cx: &mut Context<'_, '_>| -> acts::Result<bool> {
        Ok(cx.scope()?.is_some_and(|scope| scope.is_bound() || !is_open))
    };
    // A reader who may no longer act gets that message from the page itself.
    state
        .act(Lane::Pages, caller, Mode::Read, is_scoped)
        .await
        .unwrap_or_default()
}

/// The data of a page, inside its read transaction.
pub(crate) struct View<'v, 'a, 'c> {
    /// The context of the act.
    pub cx: &'v mut Context<'a, 'c>,
    /// The directory.
    pub directory: Arc<Directory>,
    /// The policies in force.
    pub policies: Arc<policy::PolicySet>,
    /// Writes times for the reader.
    pub reader: Reader,
    /// The reader.
    pub me: PersonId,
    /// The frame around the page.
    pub frame: Frame,
    /// Changes that wait for the reader's decision, the most urgent first: [`WAITING_SHOWN`] at most.
    pub queue: Vec<ChangeFile>,
    log_size: i64,
    /// Events that this page shows and that have no place in the log yet.
    unplaced: Vec<String>,
}

impl<'v, 'a, 'c> View<'v, 'a, 'c> {
    /// Opens the view at a place of the navigation.
    ///
    /// # Errors
    /// The store's.
    pub fn open(cx: &'v mut Context<'a, 'c>, place: Place) -> acts::Result<Self> {
        let directory = cx.visible()?;
        let me = cx.actor.person.clone();
        let reader = reader_of(cx, &directory);
        let queue = find_queue::find_queue(cx, WAITING_SHOWN as usize)?;
        let (frame, log_size) = frame(cx, &directory, (&reader, place, queue.len()))?;
        Ok(Self {
            log_size,
            unplaced: event::ids_unsequenced(cx.tx, UNPLACED)?,
            queue,
            policies: cx.policies()?,
            cx,
            directory,
            reader,
            me,
            frame,
        })
    }

    /// Subscribes the page to later events: of one change by its key, or of all. Very recent events, such as the act that led
    /// to this page, have no place in the log yet; the page lists them, so that they are no news later.
    pub fn follow(&mut self, change: Option<&str>) {
        let about = change.map(|key| format!("about={}&", escaped(key))).unwrap_or_default();
        let shown = match self.unplaced.is_empty() {
            true => String::new(),
            false => format!("&shown={}", self.unplaced.join(".")),
        };
        self.frame.stream = self.url(&format!("/live?{about}from={}{shown}", self.log_size));
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.cx.now
    }

    /// How far a time is from now; on paper the time itself.
    pub fn ago(&self, at: Timestamp) -> Rich {
        Rich::new().time(self.reader.distance(at), self.reader.absolute(at))
    }

    /// Day and time; on paper with the day's date and year.
    pub fn moment(&self, at: Timestamp) -> Rich {
        Rich::new().time(self.reader.moment(at), self.reader.absolute(at))
    }

    /// An address of the tenant.
    pub fn url(&self, path: &str) -> String {
        self.frame.url(path)
    }

    /// The page of a change.
    pub fn change_url(&self, key: &str) -> String {
        self.url(&format!("/changes/{key}"))
    }

    /// Whether the policies allow the reader an action that is not about one change.
    pub fn may(&self, action: &str) -> bool {
        may(self.cx, &self.policies, &self.directory, action)
    }

    /// A person's name.
    pub fn name(&self, person: &PersonId) -> String {
        if person.as_str() == "system" {
            "Assent".to_owned()
        } else {
            self.directory.name(person)
        }
    }

    /// A person with their page; a reader who is scoped to services gets no link.
    pub fn named(&self, person: &PersonId) -> Named {
        let may_open = self.frame.places.contains(&Place::Services);
        let found = self.directory.people.get(person).filter(|_| may_open);
        Named {
            name: self.name(person),
            href: found
                .map(|it| self.url(&format!("/people/{}", segment(&it.login))))
                .unwrap_or_default(),
        }
    }

    /// Several of them, for a fact.
    pub fn all_named<'p>(&self, people: impl IntoIterator<Item = &'p PersonId>) -> Vec<Named> {
        people.into_iter().map(|person| self.named(person)).collect()
    }

    /// A person in a sentence: their name, with a link to their page.
    pub fn person(&self, person: &PersonId) -> Rich {
        let named = self.named(person);
        match named.href.is_empty() {
            true => Rich::new().name(named.name),
            false => Rich::new().said_link(named.name, named.href),
        }
    }

    /// The display name of an unmet condition's holder: a login, or `group:key`.
    pub fn waits_on(&self, who: &str) -> String {
        words::waits_on(&self.directory, who)
    }

    /// Several of them in a sentence; the first three by name.
    pub fn all_waits_on(&self, who: &[String]) -> Rich {
        let rest = who.len().saturating_sub(3);
        let mut rich = Rich::new();
        for (place, one) in who.iter().take(3).enumerate() {
            let is_last = place + 1 == who.len();
            rich = match place {
                0 => rich,
                _ if is_last => rich.text(" or "),
                _ => rich.text(", "),
            };
            rich = match one.strip_prefix("group:") {
                Some(group) => rich.text("the group ").said(group),
                None => rich.said(self.waits_on(one)),
            };
        }
        match rest {
            0 => rich,
            rest => rich.text(format!(" or {rest} more")),
        }
    }

    /// A sentence of the rules with its times written for the reader instead of in UTC.
    pub fn sentence(&self, text: &str) -> Rich {
        words::sentence(text, &self.reader)
    }

    /// The same without anything set apart, for controls.
    pub fn plain(&self, text: &str) -> String {
        self.sentence(text).plain()
    }
}

fn may(cx: &Context<'_, '_>, policies: &policy::PolicySet, directory: &Directory, action: &str) -> bool {
    let facts = actor_facts(&cx.actor, directory, Vec::new(), cx.now);
    policies.may(&facts, action, None).allowed
}

/// The language that a person chose; empty for none.
pub(crate) fn language_of(directory: &Directory, person: &PersonId) -> String {
    let telling = directory.people.get(person).and_then(|found| found.telling.as_ref());
    telling.and_then(|it| it.language.clone()).unwrap_or_default()
}

/// How times are written for the acting person.
pub(crate) fn reader_of(cx: &Context<'_, '_>, directory: &Directory) -> Reader {
    let me = directory.people.get(&cx.actor.person);
    let zone = me.map_or("UTC", |person| person.zone.as_str());
    let telling = me.and_then(|person| person.telling.as_ref());
    Reader::named(zone, cx.now).by_twelve(telling.is_some_and(NotificationPreferences::is_by_twelve))
}

/// The frame, and the size of the log that it was made at.
fn frame(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    (reader, place, waiting): (&Reader, Place, usize),
) -> acts::Result<(Frame, i64)> {
    let tenant = cx.tenant();
    let policies = cx.policies()?;
    let day_ago = cx.now - jiff::SignedDuration::from_hours(24);
    let messages = find_records::find_messages(cx, 20)?;
    let administers = [actions::SET_PERSON, actions::SET_TOKEN]
        .iter()
        .any(|action| may(cx, &policies, directory, action));
    let log = find_timeline::find_seal(cx)?;
    let me = directory.people.get(&cx.actor.person);
    let telling = me.and_then(|person| person.telling.as_ref());
    let frame = Frame {
        tenant: directory
            .tenant
            .as_ref()
            .map_or_else(|| tenant.clone(), |found| found.name.clone()),
        base: base(&tenant),
        assets: ASSETS.to_owned(),
        places: match cx.scope()? {
            Some(_) => Place::SCOPED.to_vec(),
            None => Place::shown(
                may(cx, &policies, directory, actions::AUDIT),
                administers,
                may(cx, &policies, directory, actions::SET_CONNECTION),
            ),
        },
        place,
        person: directory.name(&cx.actor.person),
        waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        new_messages: u32::try_from(messages.iter().filter(|message| message.at > day_ago).count()).unwrap_or_default(),
        may_create: may(cx, &policies, directory, Act::Create.as_str()),
        seal: seal(&log, cx.now, reader),
        query: String::new(),
        notices: unvalidated(cx, reader)?,
        as_of: format!("{}, times in {}", reader.absolute(cx.now), reader.zone_name()),
        stream: String::new(),
        language: language_of(directory, &cx.actor.person),
        is_wall: false,
        is_public: false,
        is_compact: telling.is_some_and(NotificationPreferences::is_compact),
        is_by_twelve: telling.is_some_and(NotificationPreferences::is_by_twelve),
    };
    Ok((frame, log.size))
}

/// A line on every page of a team for each of its broken glasses that nobody validated in time.
fn unvalidated(cx: &mut Context<'_, '_>, reader: &Reader) -> acts::Result<Vec<Notice>> {
    let base = base(&cx.tenant());
    let late = find_unvalidated::find_unvalidated(cx)?.into_iter();
    let told = late.map(|it| {
        let text = Rich::new()
            .text("The break-glass of ")
            .link(it.change.clone(), format!("{base}/changes/{}", it.change))
            .text(format!(
                " was to be validated by {}. A person other than the one who opened it must validate it before the change can \
                 close.",
                reader.moment(it.validate_by)
            ));
        Notice::new(Tone::Stop, text)
    });
    Ok(told.collect())
}

fn seal(log: &find_timeline::LogView, now: Timestamp, reader: &Reader) -> Seal {
    let age = log.sealed_at.map(|at| now.duration_since(at).as_secs());
    let is_fresh = log.waiting == 0 || age.is_some_and(|seconds| seconds <= FRESH_SECONDS);
    let line = match log.sealed_at {
        Some(at) if log.size > 0 => format!("Log sealed {}", reader.distance(at)),
        _ => "Log not sealed yet".to_owned(),
    };
    let size = u64::try_from(log.size).unwrap_or_default();
    Seal {
        is_fresh,
        line,
        detail: format!("{} entries", count(size)),
    }
}

/// Shows a page: one reading act on the pages' lane.
pub(crate) async fn show<F>(state: &AppState, visitor: &Visitor, place: Place, make: F) -> Response
where
    F: Fn(&mut View<'_, '_, '_>) -> acts::Result<String> + Send + 'static,
{
    show_as(state, visitor, place, 200, make).await
}

/// Shows a page with another status than 200.
pub(crate) async fn show_as<F>(state: &AppState, visitor: &Visitor, place: Place, status: u16, make: F) -> Response
where
    F: Fn(&mut View<'_, '_, '_>) -> acts::Result<String> + Send + 'static,
{
    let (told, path, query) = (visitor.told.clone(), visitor.path.clone(), visitor.query.clone());
    let act = move |cx: &mut Context<'_, '_>| {
        let look = attempts::look_at_page(cx, &path)?;
        let mut view = View::open(cx, place)?;
        if let Some(told) = &told {
            let notice = told.notice(&view.reader, |key| view.change_url(key));
            if let Some(mut notice) = notice {
                notice.rows.extend(what_next::after(&mut view, told, &path)?);
                notice.acts.extend(what_next::undo(&mut view, told, &path)?);
                view.frame.notices.push(notice);
            }
        }
        let page = make(&mut view)?;
        Ok((outside_mask::mask_page(view.cx, page, &query)?, look))
    };
    let made = match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok((page, look)) => attempts::note_looked(state, &visitor.caller, look).await.map(|()| page),
        Err(failure) => Err(failure),
    };
    match made {
        Ok(page) => html(status, page),
        Err(failure) => problem(state, visitor, &failure, "").await,
    }
}

/// Reads the content of a file: a reading act on the pages' lane, logged like a page.
///
/// # Errors
/// The response to a failure.
pub(crate) async fn read_file<T, F>(state: &AppState, visitor: &Visitor, act: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
{
    let path = visitor.path.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        let made = act(cx)?;
        Ok((made, attempts::look_at_page(cx, &path)?))
    };
    let (made, look) = state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await?;
    attempts::note_looked(state, &visitor.caller, look).await?;
    Ok(made)
}

/// Does a writing act on the pages' lane.
///
/// # Errors
/// The response to a failure.
pub(crate) async fn write<T, F>(state: &AppState, visitor: &Visitor, act: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
{
    state.act(Lane::Pages, &visitor.caller, Mode::Write, act).await
}

/// The same for an act whose refusal is recorded in the log: `what` names the act, `change` the change it is about.
///
/// # Errors
/// The response to a failure.
pub(crate) async fn write_noted<T, F>(
    state: &AppState,
    visitor: &Visitor,
    (what, change): (&str, Option<&str>),
    act: F,
) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
{
    let answer = write(state, visitor, act).await;
    if let Err(failure) = &answer {
        let (what, change) = (format!("form {what}"), change.map(str::to_owned));
        attempts::note(state, &visitor.caller, what, change, failure).await;
    }
    answer
}

/// Shows a refusal or a fault as a page; `back` is where the reader came from.
pub(crate) async fn problem(state: &AppState, visitor: &Visitor, failure: &Failure, back: &str) -> Response {
    if failure.status() == 401 {
        return to_sign_in(&visitor.caller.tenant, "");
    }
    let (told, back) = (failure.clone(), back.to_owned());
    let act = move |cx: &mut Context<'_, '_>| {
        let view = View::open(cx, Place::Home)?;
        let page = framed_problem(&view, &told, &back);
        outside_mask::mask_page(view.cx, page, "")
    };
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await {
        Ok(page) => failed_html(failure, page),
        Err(_) => bare_problem(failure),
    }
}

fn framed_problem(view: &View<'_, '_, '_>, failure: &Failure, back: &str) -> String {
    let mut page = problem_of(failure);
    page.unmet = unmet_entries(view, failure);
    if let Some(row) = failure.problem.unmet.first() {
        page.opens = view.sentence(&row.satisfy);
        page.holder = view.all_waits_on(&row.waiting_on);
    }
    let told = reasons(failure);
    page.why = told.iter().fold(Rich::new(), |why, text| match why.is_empty() {
        true => view.sentence(text),
        false => why.line().append(view.sentence(text)),
    });
    if !back.is_empty() {
        page.ways.push(ActForm::link("Go back", back));
    }
    page.ways.push(ActForm::link("Home", view.url("/")));
    page.frame = Some(view.frame.clone());
    page.render()
}

/// The unmet conditions behind a refusal.
pub(crate) fn unmet_entries(view: &View<'_, '_, '_>, failure: &Failure) -> Vec<Entry> {
    let rows = failure.problem.unmet.iter();
    rows.map(|row| {
        let entry = Entry::new(Tone::Wait, view.sentence(&row.text))
            .code(row.code.as_str())
            .why(view.sentence(&row.satisfy));
        match row.waiting_on.is_empty() {
            true => entry,
            false => entry.aside(view.all_waits_on(&row.waiting_on)),
        }
    })
    .collect()
}

/// A refusal as a notice on its page. Wrong fields are reported beside the fields.
pub(crate) fn notice_of(view: &View<'_, '_, '_>, failure: &Failure) -> Notice {
    let told = &failure.problem;
    let page = problem_of(failure);
    if !told.errors.is_empty() {
        return Notice::new(Tone::Stop, "Nothing was done. Each error is shown beside its field.")
            .title(page.what)
            .answer();
    }
    let mut notice = Notice::new(Tone::Stop, view.sentence(&told.detail))
        .title(page.what)
        .answer();
    for change in told.changes.iter().take(CHANGES_SHOWN) {
        notice.rows.push(became(view, change));
    }
    if told.changes.len() > CHANGES_SHOWN {
        let more = told.changes.len() - CHANGES_SHOWN;
        notice.rows.push(Rich::from(format!("{more} more fields changed.")));
    }
    for row in &told.unmet {
        let satisfy = view.sentence(&row.satisfy);
        let mut line = match row.text == told.detail {
            true => satisfy,
            false => view.sentence(&row.text).text(" ").append(satisfy),
        };
        if !row.waiting_on.is_empty() {
            line = line
                .text(" Held by ")
                .append(view.all_waits_on(&row.waiting_on))
                .text(".");
        }
        notice.rows.push(line);
    }
    if told.unmet.is_empty() {
        notice.rows.push(page.opens);
    }
    notice
}

/// The most meanwhile edited fields that are listed one by one.
const CHANGES_SHOWN: usize = 8;

/// The present value of a field that changed since the reader saw it.
fn became(view: &View<'_, '_, '_>, change: &FieldChange) -> Rich {
    let label = labels::label_of(&change.field).map_or_else(|| words::plain(&change.field), str::to_owned);
    Rich::new()
        .text(label)
        .text(": ")
        .append(value_of(view, &change.old))
        .text(" became ")
        .append(value_of(view, &change.new))
}

fn value_of(view: &View<'_, '_, '_>, value: &Value) -> Rich {
    match value {
        Value::Null => Rich::new().text("nothing"),
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(at) => Rich::new().text(view.reader.moment(at)),
            Err(_) => Rich::new().said(text.as_str()),
        },
        other => Rich::new().said(other.to_string()),
    }
}

/// Redirects the reader to a page, given by its path with the tenant, with a confirmation.
pub(crate) fn redirect_with_flash(state: &AppState, visitor: &Visitor, path: &str, told: &Flash) -> Response {
    if told.done.is_empty() && told.twice.is_empty() {
        return see(path);
    }
    if told.done.is_empty() {
        let kept = Flash::new(KEPT).twice(told.twice.clone());
        return redirect_with_flash(state, visitor, path, &kept);
    }
    let now = state.executor().tools().clock.now();
    let query = told.query(path, visitor.caller.credential_id(), now);
    see(&format!("{path}?{query}"))
}
