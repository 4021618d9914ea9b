//! The inbox: the action items of a person and of their groups, and the page of one item.

use acts::notify::act_on_items::{acknowledge, assign, settle_item};
use acts::notify::list_items::{ItemQuery, Whose, count, list, list_settled};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::refusal::Refusal;
use model::directory::snapshot::last_people;
use model::notify::action_item::ActionItem;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Field, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::notify::inbox_item::{
    about_link, closes, is_written_by_person, item_page, kind_label, owner_of, state_label,
};
use crate::web::notify::inbox_list::{InboxQuery, list_page};
use crate::web::shared::fields::{pick_field, picks_field, time_field};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};

/// The most items of a section, and of a page of a list.
pub(super) const MOST: i64 = 100;
/// How many settled items are shown.
const SETTLED: i64 = 10;
/// Items that are due within so many hours come first.
const SOON_HOURS: i64 = 24;

/// The inbox of the reader, or of the selected person or group.
pub(crate) async fn show_inbox(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<InboxQuery>,
) -> Response {
    show(&state, &visitor, Place::Inbox, move |view| match asked.is_list() {
        true => list_page(view, &asked),
        false => inbox_page(view, None),
    })
    .await
}

fn query(whose: Whose) -> ItemQuery {
    ItemQuery {
        whose,
        open: true,
        ..ItemQuery::default()
    }
}

fn inbox_page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    let mine = list(view.cx, &query(Whose::Mine), MOST)?;
    let soon = view.now() + jiff::SignedDuration::from_hours(SOON_HOURS);
    let all = count(view.cx, &query(Whose::Mine))?;
    let overdue = ItemQuery {
        overdue: true,
        ..query(Whose::Mine)
    };
    let title = title(all, count(view.cx, &overdue)?);
    let (first, later): (Vec<ActionItem>, Vec<ActionItem>) = mine.into_iter().partition(|item| item.due_at <= soon);
    let late = table(view, "Your action items due later", &later);
    let late = Section::new("later", "Later", late).unsaid(match all > MOST {
        true => "More are on the next page.",
        false => "Nothing else.",
    });
    let mut page = RecordPage {
        title,
        byline: Rich::from("Your tasks other than approvals, which are on the home page."),
        sections: vec![
            Section::new("soon", "Overdue and due within a day", entries(view, &first))
                .unsaid("Nothing of yours is due within a day."),
            first_of(view, late, ("mine", all)),
        ],
        ..RecordPage::default()
    };
    let theirs = list(view.cx, &query(Whose::Team), MOST)?;
    let theirs = table(view, "Action items of your groups", &theirs);
    let theirs = Section::new("team", "Your groups", theirs).unsaid("Nothing waits for your groups.");
    let all_theirs = count(view.cx, &query(Whose::Team))?;
    page.sections.push(first_of(view, theirs, ("team", all_theirs)));
    if last_people(&view.directory).contains(&view.me) {
        let unowned = list(view.cx, &query(Whose::Unowned), MOST)?;
        let rows = table(view, "Action items without an owner", &unowned);
        let section = Section::new("unowned", "Without an owner", rows)
            .lede("Change managers settle these or give them an owner.");
        let all = count(view.cx, &query(Whose::Unowned))?;
        let section = section.unsaid("Each action item has an owner.");
        page.sections.push(first_of(view, section, ("unowned", all)));
    }
    let settled = ItemQuery {
        open: false,
        ..query(Whose::Mine)
    };
    let settled = list_settled(view.cx, &settled, SETTLED)?;
    page.sections
        .push(Section::new("settled", "Settled lately", settled_entries(view, &settled)).unsaid("Nothing yet."));
    page.sections.push(Section::new(
        "escalation",
        "How it escalates",
        SectionBody::Words(Rich::from(ESCALATION)),
    ));
    page.acts
        .push(ActForm::link("Yours by kind", view.url("/inbox?whose=mine")));
    page.acts.push(ActForm::link("Lessons", view.url("/lessons")));
    if view.cx.scope()?.is_none() {
        page.acts.push(form(view));
    }
    page.frame = view.frame.clone();
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

/// How many items wait for the reader, and how many of them are overdue.
fn title(all: i64, late: i64) -> String {
    match (all, late) {
        (0, _) => "No action items".to_owned(),
        (1, 0) => "One action item".to_owned(),
        (all, 0) => format!("{all} action items"),
        (all, late) => format!("{all} action items, {late} overdue"),
    }
}

/// A section of the first items, with how many there are and the way to the next ones where it does not hold all.
fn first_of(view: &View<'_, '_, '_>, section: Section, (whose, all): (&str, i64)) -> Section {
    if all <= MOST {
        return section;
    }
    let told = format!("The first {MOST} of {}.", pages::count(all.unsigned_abs()));
    let next = view.url(&format!("/inbox?whose={whose}&after={MOST}"));
    section
        .note(told)
        .acts(vec![ActForm::link("Next page", next).tone(ActTone::Quiet)])
}

const ESCALATION: &str = "Half of the time passed: a reminder. Due: your deputy, your manager and the owners of the services. One working day later: \
     change managers. Weekends and your absence pause the reminder.";

/// The title of an item with a link to its page. Titles of rules are translated, those of people are not.
fn titled(view: &View<'_, '_, '_>, item: &ActionItem) -> Rich {
    let href = view.url(&format!("/inbox/{}", escaped(&item.key)));
    match is_written_by_person(item) {
        true => Rich::new().said_link(item.title.as_str(), href),
        false => Rich::new().link(item.title.as_str(), href),
    }
}

fn entries(view: &View<'_, '_, '_>, items: &[ActionItem]) -> SectionBody {
    let entry = |item: &ActionItem| {
        let is_late = item.is_overdue(view.now());
        let due = view.reader.due(item.due_at);
        let (tone, when) = match is_late {
            true => (Tone::Stop, Rich::new().late(due)),
            false => (Tone::Wait, Rich::from(due)),
        };
        let entry = Entry::new(tone, titled(view, item))
            .code(item.key.as_str())
            .why(kind_label(item.kind))
            .aside(when)
            .aside(about_link(view, item));
        match &item.text {
            Some(text) => entry.quote(text.as_str()),
            None => entry,
        }
    };
    SectionBody::Entries(items.iter().map(entry).collect())
}

fn settled_entries(view: &View<'_, '_, '_>, items: &[ActionItem]) -> SectionBody {
    let entry = |item: &ActionItem| {
        let when = item.settled_at.map(|at| view.reader.distance(at)).unwrap_or_default();
        Entry::new(Tone::Ok, titled(view, item))
            .code(item.key.as_str())
            .why(closes(item))
            .aside(when)
    };
    SectionBody::Entries(items.iter().map(entry).collect())
}

/// Items as rows.
pub(super) fn table(view: &View<'_, '_, '_>, caption: &str, items: &[ActionItem]) -> SectionBody {
    let row = |item: &ActionItem| {
        let href = view.url(&format!("/inbox/{}", escaped(&item.key)));
        let title = match is_written_by_person(item) {
            true => Cell::title(item.title.as_str(), href),
            false => Cell::Told {
                text: item.title.clone(),
                href,
                sub: Rich::new(),
            },
        };
        let (tone, word) = state_label(item, view.now());
        vec![
            title,
            Cell::text(kind_label(item.kind)),
            Cell::Text(about_link(view, item)),
            Cell::said(owner_of(view, item)),
            Cell::Short(view.reader.due(item.due_at)),
            Cell::Mark(tone.mark(word)),
        ]
    };
    SectionBody::Table(Table {
        caption: caption.to_owned(),
        columns: vec![
            Column::new("Item", Fold::Never),
            Column::new("Kind", Fold::Under),
            Column::new("About", Fold::Away),
            Column::new("Owner", Fold::Under).named(),
            Column::new("Due", Fold::Under).named(),
            Column::new("State", Fold::Under),
        ],
        rows: items.iter().map(row).collect(),
        keys: items.iter().map(|item| item.key.clone()).collect(),
        ..Table::default()
    })
}

fn form(view: &View<'_, '_, '_>) -> ActForm {
    ActForm::new("open-item", "Open an action item", view.url("/inbox"))
        .field(idempotent_form::field(view))
        .field(Field::text("title", "What to do").required())
        .field(Field::textarea("text", "Helpful information"))
        .field(picks_field(view, "services", "services", "Services").hint("Keys, separated by commas."))
        .field(pick_field(view, "people", "owner", "Owner").hint("A login. Without an owner and a group it is yours."))
        .field(pick_field(view, "groups", "group", "Or a group").hint("The group's key."))
        .field(time_field(view, "due_at", "Until").hint("Within five working days unless set."))
        .submit("Open it")
}

/// Opens an item.
pub(crate) async fn open_item(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = sent(form, "/inbox".to_owned(), "/inbox".to_owned(), Place::Inbox);
    let run = |cx: &mut acts::Context<'_, '_>, body: &model::core::body::Body| {
        acts::core::noun::add::<ActionItem>(cx, body).map(drop)
    };
    send(&state, &visitor, sent, run, inbox_page).await
}

/// One item.
pub(crate) async fn show_item(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Inbox, move |view| item_page(view, &key, None)).await
}

/// Acknowledges an item, gives it another owner or settles it.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, verb)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let then = format!("/inbox/{}", escaped(&key));
    let sent = sent(form, format!("{then}/{}", escaped(&verb)), then, Place::Inbox);
    let whose = key.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &model::core::body::Body| {
        match verb.as_str() {
            "acknowledgement" => acknowledge(cx, &key, &model::core::body::Body::new()),
            "assignment" => assign(cx, &key, body),
            "settlement" => settle_item(cx, &key, body),
            _ => Err(Refusal::not_found("form").into()),
        }
        .map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        item_page(view, &whose, back)
    })
    .await
}
