//! The first page: work that waits for the reader, the reader's own changes, and notes.

use acts::approval::find_queue;
use acts::change::find_acts::find_acts;
use acts::change::find_warnings::kinds_of;
use acts::core::noun;
use acts::report::find_changes::{ChangeFilter, count_changes, find_changes, find_with_work};
use acts::report::find_records::{CheckQuery, find_gate_checks, find_messages};
use axum::extract::{Path, State};
use axum::response::Response;
use model::change::change_file::ChangeFile;
use model::change::timers::decision_due;
use model::change::waiting_on::{self, Ahead, Step, awaited, due_now};
use model::core::act::{Act, actions};
use model::core::enums::{self, State as Stage};
use model::core::ids::ServiceKey;
use model::emergency::budget::waits_for_cosignature;
use model::notify::announcement::Announcement;
use pages::{ActForm, Entry, Home, Notice, Place, QueueCard, QueueRow, Rich, Tone};

use crate::http::state::AppState;
use crate::web::approval::card_news::whole_brief;
use crate::web::approval::decision_card::{self, why_you};
use crate::web::approval::warnings;
use crate::web::cab::home_board;
use crate::web::change::open_acts::{context, decisions, signatures};
use crate::web::report::{home_now, home_roles};
use crate::web::shared::response::{base, see};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{self, risk, state as stage};

/// How many cards are shown whole; the rest are rows.
const CARDS: usize = 5;
/// The most acute entries above the queue; further ones are beside it.
const ACUTE: usize = 4;
/// How many of the reader's own changes are shown.
const OWN: i64 = 20;
/// How many changes of one kind of state work is looked for in.
const WORK_LOOKS: i64 = 50;
/// How many days ahead freezes are shown.
const AHEAD_DAYS: i64 = 14;

/// The tenant's address without its slash.
pub(crate) async fn short(Path(tenant): Path<String>) -> Response {
    see(&format!("{}/", base(&tenant)))
}

/// The first page.
pub(crate) async fn show_home(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Home, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    view.follow(None);
    let news = news(view, None)?;
    view.frame.notices.extend(news);
    let led = not_set_up(view)?;
    view.frame.notices.extend(led);
    let queue = std::mem::take(&mut view.queue);
    let mut due = Vec::new();
    for file in queue.iter().take(CARDS) {
        due.push(card(view, file)?);
    }
    let mut later = Vec::new();
    for file in queue.iter().skip(CARDS) {
        let found = kinds_of(view.cx, file)?;
        let due = decision_due(&file.change, &view.me);
        later.push(QueueRow {
            due: due.map(|at| view.reader.moment(at)).unwrap_or_default(),
            warned: warnings::short(&found),
            ..row(view, file, why_you(view, file))
        });
    }
    let own = own(view)?;
    let mut sections = home_board::sections(view, &queue);
    sections.extend(home_roles::sections(view)?);
    let vendor = home_roles::places_of_a_vendor(view)?;
    let mut acute = home_now::acute(view, vendor.as_ref())?;
    let mut mind = acute.split_off(acute.len().min(ACUTE));
    mind.extend(keep_in_mind(view)?);
    let numbers = match vendor {
        Some(_) => Vec::new(),
        None => home_now::numbers(view)?,
    };
    let page = Home {
        acute,
        numbers,
        lede: lede(view),
        due,
        later,
        own,
        tasks: tasks(view)?,
        decided: home_roles::decided(view)?,
        sections,
        keep_in_mind: mind,
        messages: messages(view)?,
        frame: view.frame.clone(),
    };
    Ok(page.render())
}

/// Guides an administrator through the setup until a pipeline has queried the gate, which is the last step.
fn not_set_up(view: &mut View<'_, '_, '_>) -> acts::Result<Option<Notice>> {
    if !view.may(actions::SET_CONNECTION) || !find_gate_checks(view.cx, &CheckQuery::default(), 1)?.is_empty() {
        return Ok(None);
    }
    let text = Rich::from("Six steps lead to the first gated pipeline: ").link("Set up Assent", view.url("/setup"));
    let notice = Notice::new(Tone::Plain, text.text(".")).title("This installation is not set up yet");
    Ok(Some(notice))
}

/// A notice for each current announcement: those about this service, or all that concern the reader.
pub(crate) fn news(view: &mut View<'_, '_, '_>, service: Option<&ServiceKey>) -> acts::Result<Vec<Notice>> {
    let (now, directory) = (view.now(), view.directory.clone());
    // The directory of a view has the services that its reader may see.
    let concerns = |it: &Announcement| match service {
        Some(service) => it.is_about(service),
        None => it.services.is_empty() || it.services.iter().any(|key| directory.services.contains_key(key)),
    };
    let all = noun::list::<Announcement>(view.cx)?.into_iter();
    let current = all.filter(|it| it.is_current(now) && concerns(it));
    let url = view.url("/announcements");
    let notice = |it: Announcement| {
        let text = Rich::new().said_link(it.title, url.clone()).text(": ").said(it.text);
        Notice::new(Tone::Plain, text)
    };
    Ok(current.map(notice).collect())
}

fn lede(view: &View<'_, '_, '_>) -> Rich {
    let owned: Vec<String> = view
        .directory
        .services
        .keys()
        .filter(|service| {
            let mut places = view.directory.environments.keys();
            places.any(|place| {
                view.directory
                    .holds(&view.me, service, place, enums::OwnershipRole::Owner, view.now())
            })
        })
        .map(|service| service.0.clone())
        .collect();
    match owned.len() {
        0 => Rich::new(),
        1..=4 => Rich::from("You are responsible for ")
            .append(words::names(&owned))
            .text("."),
        many => Rich::from(format!("You are responsible for {many} services.")),
    }
}

fn card(view: &mut View<'_, '_, '_>, file: &ChangeFile) -> acts::Result<QueueCard> {
    let open = find_acts(view.cx, file)?;
    let change = &file.change;
    let first = change
        .requests
        .iter()
        .filter(|request| request.person == view.me)
        .min_by_key(|request| request.asked_at);
    let unseen = first.filter(|request| request.acknowledged_at.is_none());
    let decide_by = decision_due(change, &view.me);
    let glass = change.break_glass.as_ref().filter(|_| open.has(Act::CosignBreakGlass));
    let until = glass.map(|glass| glass.until);
    let brief = whole_brief(view, file)?;
    Ok(QueueCard {
        key: change.key.clone(),
        href: view.change_url(&change.key),
        title: change.content.title.clone(),
        risk: risk(change.risk.level),
        waits: first
            .map(|request| format!("waits {}", view.reader.age(request.asked_at)))
            .unwrap_or_default(),
        due: match until {
            Some(until) => format!("Until {}", view.reader.due(until)),
            None => decide_by
                .map(|at| decision_card::due_text(view, at))
                .unwrap_or_default(),
        },
        is_late: until.is_some() || decide_by.is_some_and(|at| at <= view.now()),
        seen: unseen
            .map(|request| decision_card::seen_by_text(view, request))
            .unwrap_or_default(),
        brief,
        acts: signatures(&open, &context(view, file))
            .into_iter()
            .chain(decisions(view, file, &open, &context(view, file)))
            .map(stay_here)
            .collect(),
    })
}

/// A decision that leads back to the queue instead of to the change.
fn stay_here(act: ActForm) -> ActForm {
    if act.is_link {
        return act;
    }
    act.field(pages::Field::hidden("next", "home"))
}

fn row(view: &View<'_, '_, '_>, file: &ChangeFile, next: Rich) -> QueueRow {
    let change = &file.change;
    QueueRow {
        key: change.key.clone(),
        href: view.change_url(&change.key),
        title: change.content.title.clone(),
        state: if change.is_on_hold() {
            pages::State::OnHold
        } else {
            stage(change.state)
        },
        risk: (!change.risk.reasons.is_empty()).then(|| risk(change.risk.level)),
        next,
        due: change
            .planned_start
            .map(|at| view.reader.moment(at))
            .unwrap_or_default(),
        warned: Rich::new(),
    }
}

/// The reader's own open changes, each with the next step.
fn own(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<QueueRow>> {
    let states = Stage::ALL
        .iter()
        .filter(|state| !state.is_final())
        .map(|state| state.as_str().to_owned());
    let filter = ChangeFilter {
        states: states.collect(),
        requester: Some(view.me.0.clone()),
        ..ChangeFilter::default()
    };
    let found = find_changes(view.cx, &filter, OWN, None)?;
    let keys: Vec<&str> = found.rows.iter().map(|(listed, _)| listed.key.as_str()).collect();
    let mut rows = Vec::new();
    for file in view.cx.files_of(&keys)? {
        let next = next_step(view, &file);
        let found = kinds_of(view.cx, &file)?;
        rows.push(QueueRow {
            warned: warnings::short(&found),
            ..row(view, &file, next)
        });
    }
    Ok(rows)
}

/// The next step of a change, and the people responsible for it.
fn next_step(view: &View<'_, '_, '_>, file: &ChangeFile) -> Rich {
    let change = &file.change;
    let url = view.change_url(&change.key);
    if change.is_on_hold() {
        return Rich::new().link("Resume it", url);
    }
    if let Some(returned) = &change.returned {
        return Rich::new().link(format!("Answer {}", view.name(&returned.by)), url);
    }
    if change.window_missed {
        return Rich::new().link("Set new times", format!("{url}#act"));
    }
    let rows = due_now(file, &view.directory, view.now());
    let login = view.directory.login(&view.me);
    let own = rows.iter().find(|row| row.unmet.waiting_on.contains(&login));
    if let Some(row) = own.filter(|_| change.state >= Stage::Implementing) {
        return Rich::new().link(act_label(&row.unmet.code), format!("{url}#act"));
    }
    let people = awaited(file, &view.directory, view.now());
    let others = Some(&people).filter(|people| !people.is_empty());
    // Where nothing is missing the next act is the reader's, if they may do it.
    let others = others.filter(|people| !rows.is_empty() || !people.contains(&login));
    let first = others.map(|people| match people.contains(&login) {
        true => Rich::from("you"),
        false => view.all_waits_on(people),
    });
    match (change.state, first) {
        (_, Some(who)) if waits_for_cosignature(change, view.now()) => Rich::from("waits for ").append(who),
        (Stage::Draft, _) if rows.iter().any(|row| row.step == waiting_on::Step::Submission) => {
            Rich::new().link("Fill in what is missing", url)
        }
        (Stage::Draft, _) => Rich::new().link("Submit it for assessment", url),
        (Stage::Assessing, _) => Rich::new().link("Assess it", url),
        (Stage::Rejected, _) => Rich::new().link("Revise or cancel it", url),
        (_, Some(who)) => Rich::from("waits for ").append(who),
        (Stage::Scheduled, None) => Rich::new().link("Start it in its window", url),
        (Stage::Implementing, None) => Rich::new().link("Record the outcome", url),
        (Stage::Reviewing, None) => Rich::new().link("Close it", url),
        _ => Rich::new(),
    }
}

/// Work assigned to the reader: open changes under way that wait for the reader's decision, and before the start the conditions
/// that the reader checks and the tasks that hold a step.
fn tasks(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let mut entries = waiting(view, &[Stage::Implementing, Stage::Reviewing])?;
    entries.extend(waiting(view, &[Stage::Authorizing, Stage::Approved, Stage::Scheduled])?);
    Ok(entries)
}

/// The work on changes in these states that waits for the reader, a line a change.
fn waiting(view: &mut View<'_, '_, '_>, states: &[Stage]) -> acts::Result<Vec<Entry>> {
    let filter = ChangeFilter {
        states: states.iter().map(|state| state.as_str().to_owned()).collect(),
        ..ChangeFilter::default()
    };
    let login = view.directory.login(&view.me);
    let found = find_changes(view.cx, &filter, WORK_LOOKS, None)?.rows;
    let ids: Vec<&str> = found.iter().map(|(listed, _)| listed.id.as_str()).collect();
    // Before the start only conditions and tasks are work, so a change without any is not read.
    let with_work = match states.iter().all(|state| state.is_before_start()) {
        true => Some(find_with_work(view.cx, &ids)?),
        false => None,
    };
    let is_read = |id: &str| with_work.as_ref().is_none_or(|known| known.contains(id));
    let read = found.iter().filter(|(listed, _)| is_read(&listed.id));
    let keys: Vec<&str> = read.map(|(listed, _)| listed.key.as_str()).collect();
    let mut entries = Vec::new();
    for file in view.cx.files_of(&keys)? {
        let change = &file.change;
        let rows = due_now(&file, &view.directory, view.now());
        // Before the start, decisions are listed in the queue, and the start is listed in the work ahead.
        let is_given = |row: &&Ahead| {
            let is_own = matches!(row.unmet.code.as_str(), "condition_open" | "task_open");
            !change.state.is_before_start() || is_own && row.step != Step::Closure
        };
        let mut rows = rows.iter().filter(is_given);
        let Some(row) = rows.find(|row| row.unmet.waiting_on.contains(&login)) else {
            continue;
        };
        let way = format!("{}#act", view.change_url(&change.key));
        let text = Rich::new()
            .link(act_label(&row.unmet.code), way)
            .text(": ")
            .link(change.key.as_str(), view.change_url(&change.key))
            .text(" ")
            .said(change.content.title.as_str());
        entries.push(Entry::new(Tone::Wait, text).why(view.sentence(&row.unmet.text)));
    }
    Ok(entries)
}

/// The act that resolves an unmet condition.
fn act_label(code: &str) -> &'static str {
    match code {
        "outcome_missing" => "Record the outcome",
        "validation_missing" => "Validate it",
        "review_missing" => "Review it",
        "condition_open" => "Confirm that it is met",
        "task_open" => "Finish your task",
        _ => "See what blocks it",
    }
}

/// The notice that the queue covers only a part of the open changes, because there are too many.
fn queue_is_cut(view: &mut View<'_, '_, '_>) -> acts::Result<Option<Entry>> {
    let states = [Stage::Authorizing, Stage::Approved, Stage::Scheduled];
    let filter = ChangeFilter {
        states: states.map(|state| state.as_str().to_owned()).to_vec(),
        ..ChangeFilter::default()
    };
    let open = count_changes(view.cx, &filter, find_queue::MOST + 1, None)?;
    if open.found <= find_queue::MOST {
        return Ok(None);
    }
    let all = Rich::new().link("See all of them in the list", view.url("/changes?state=authorizing"));
    let most = pages::count(find_queue::MOST.unsigned_abs());
    let text = format!("More than {most} changes wait for decisions; your queue shows only the oldest of them.");
    Ok(Some(Entry::new(Tone::Wait, text).why(all)))
}

/// Offers language, zone and clock to a reader who never chose any of them.
fn not_chosen(view: &View<'_, '_, '_>) -> Option<Entry> {
    let me = view.directory.people.get(&view.me)?;
    let way = Rich::new().link("Choose language, zone and clock", view.url("/telling"));
    let text = format!("Times are in {}, on a 24-hour clock", me.zone);
    me.telling
        .is_none()
        .then(|| Entry::new(Tone::Plain, text).icon("gear").why(way))
}

fn keep_in_mind(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let now = view.now();
    let horizon = now + jiff::SignedDuration::from_hours(24 * AHEAD_DAYS);
    let mut entries: Vec<Entry> = queue_is_cut(view)?.into_iter().collect();
    entries.extend(not_chosen(view));
    for freeze in view
        .directory
        .freezes
        .iter()
        .filter(|freeze| !freeze.ended && freeze.overlaps(now, horizon))
    {
        let time = freeze.next_time(now);
        let words = if freeze.is_on(now) { "is on" } else { "lies ahead" };
        entries.push(
            Entry::new(
                Tone::Freeze,
                Rich::new()
                    .said_link(freeze.title.as_str(), view.url("/freezes"))
                    .text(format!(" {words}")),
            )
            .why(view.reader.span(time.starts_at, time.ends_at)),
        );
    }
    Ok(entries)
}

fn messages(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let url = view.url("/messages");
    let found = find_messages(view.cx, 5)?;
    let entries = found.into_iter().map(|message| {
        let address = message
            .change_key
            .as_deref()
            .map_or_else(|| url.clone(), |key| view.change_url(key));
        Entry::new(Tone::Plain, Rich::new().link(message.subject, address))
            .icon("bell")
            .why(view.reader.moment(message.at))
    });
    Ok(entries.collect())
}
