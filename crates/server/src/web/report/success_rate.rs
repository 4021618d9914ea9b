//! The figures of an executive's home: the share of successful changes, the lead time, the waiting changes, the emergencies,
//! and the trend of each. Each figure links to the changes that it is counted from. The definitions are in `model/report`.

use acts::report::find_changes::{self, ChangeFilter, count_changes, tally_changes};
use acts::report::find_ended::{Ended, find_courses, find_newest_ended, find_titles};
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use model::core::enums::State as Stage;
use model::core::proportion::Share;
use model::report::evaluate::Window;
use model::report::figure::Figure as Counted;
use pages::{Cell, Column, Figure, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count, minutes};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// The span of the figures in days; the comparison span before it is as long.
const DAYS: i64 = 30;
/// The days after which a waiting change is counted separately.
const LONG_WAIT_DAYS: i64 = 7;
/// The most waiting changes that are counted.
const COUNTED: i64 = 10_000;
/// The most rows behind a figure that are shown.
const ROWS: usize = 500;
/// The hours from which a time is shown in days.
const IN_DAYS_HOURS: i64 = 48;

fn days_ago(now: Timestamp, days: i64) -> Timestamp {
    now - SignedDuration::from_hours(24 * days)
}

/// The start of counting for a figure whose window holds too many changes.
pub(crate) fn counted_from(view: &View<'_, '_, '_>, since: Timestamp) -> String {
    format!(
        "counted from {} on: there are too many changes before",
        view.reader.absolute(since)
    )
}

/// The last days, and as many before them.
fn windows(now: Timestamp) -> [Window; 2] {
    let since = days_ago(now, DAYS);
    let lately = Window { from: since, to: now };
    let before = Window {
        from: days_ago(now, 2 * DAYS),
        to: since,
    };
    [lately, before]
}

/// The figures, for a home.
pub(crate) fn section(view: &mut View<'_, '_, '_>) -> acts::Result<Section> {
    let windows = windows(view.now());
    let rows = view.url("/figures/ended");
    let (courses, since) = find_courses(view.cx, &["success_share", "written_to_done"], &windows)?;
    let course = |place: usize| courses.get(place).map(Vec::as_slice).unwrap_or_default();
    let figures = vec![
        success(course(0), rows.as_str()),
        lead_time(course(1), rows.as_str()),
        waiting(view)?,
        emergencies(view)?,
    ];
    let table = same_as_table(&figures);
    let note = match since.filter(|since| windows[0].from < *since) {
        Some(since) => Rich::new().text(counted_from(view, since)).text(". "),
        None => Rich::new().text("against the same span before; each leads to its changes. "),
    };
    let note = note.link("All metrics", view.url("/metrics"));
    let body = SectionBody::Figures(figures, table);
    Ok(Section::new("success", "How changes go: the last 30 days", body).note(note))
}

/// The same figures as text.
fn same_as_table(figures: &[Figure]) -> Table {
    let row = |it: &Figure| {
        vec![
            Cell::Name(it.label.clone()),
            Cell::text(it.value.as_str()),
            Cell::text(it.before.as_str()),
        ]
    };
    Table {
        caption: "How changes go: the last 30 days".to_owned(),
        columns: vec![
            Column::new("Figure", Fold::Never),
            Column::new("Value", Fold::Never),
            Column::new("Of what, and before", Fold::Under),
        ],
        rows: figures.iter().map(row).collect(),
        ..Table::default()
    }
}

/// Whole percent of parts per million.
pub(crate) fn percent(ppm: i64) -> i64 {
    (ppm + 5_000) / 10_000
}

fn success(course: &[Counted], href: &str) -> Figure {
    let share = |it: &Counted| Some((it.estimate?, count(it.hits), count(it.of)));
    // Without a figure of before, a part of the days is counted.
    let is_part = course.len() == 1;
    let few = |it: &Counted| match it.of {
        0 if is_part => "no work ended in the part that is counted".to_owned(),
        0 => "no work ended in these days".to_owned(),
        of => format!("{} of {}: too few for a share", count(it.hits), count(of)),
    };
    let (lately, before) = match course {
        [lately, before] => (lately, Some(before)),
        // The period before is not counted.
        [lately] => (lately, None),
        _ => return Figure::default(),
    };
    let (value, of) = match share(lately) {
        Some((it, hits, all)) => {
            let (low, high) = (percent(it.low), percent(it.high));
            (
                format!("{} %", percent(it.value)),
                format!("{hits} of {all}, likely {low} to {high} %"),
            )
        }
        None => ("–".to_owned(), few(lately)),
    };
    let before = match before.map(|before| (share(before), before.of)) {
        Some((Some((it, hits, all)), _)) => format!("{of}; before {} %, {hits} of {all}", percent(it.value)),
        Some((None, 0)) => format!("{of}; none ended before"),
        Some((None, _)) => format!("{of}; too few ended before"),
        None => of,
    };
    Figure {
        label: "Changes that succeeded".to_owned(),
        href: href.to_owned(),
        value,
        before,
        ..Figure::default()
    }
}

/// How long something took, in days where it is long.
pub(crate) fn took(whole: i64) -> String {
    match whole / 60 {
        hours if hours >= IN_DAYS_HOURS => format!("{} d", count((hours / 24).unsigned_abs())),
        _ => minutes(whole.unsigned_abs()),
    }
}

fn lead_time(course: &[Counted], href: &str) -> Figure {
    let middle = |it: Option<&Counted>| it.and_then(|it| it.estimate).map(|it| it.value);
    let earlier = match (middle(course.get(1)), course.len()) {
        (Some(it), _) => format!("half took no longer; before {}", took(it)),
        (None, 1) => "half took no longer".to_owned(),
        (None, _) => "half took no longer; none ended before".to_owned(),
    };
    Figure {
        label: "Time from written to done".to_owned(),
        href: href.to_owned(),
        value: middle(course.first()).map_or_else(|| "–".to_owned(), took),
        before: earlier,
        ..Figure::default()
    }
}

fn waiting(view: &mut View<'_, '_, '_>) -> acts::Result<Figure> {
    let long_ago = days_ago(view.now(), LONG_WAIT_DAYS);
    let states: Vec<String> = [Stage::Assessing, Stage::Authorizing]
        .iter()
        .map(|state| state.as_str().to_owned())
        .collect();
    let query = states.join(",");
    let all = ChangeFilter {
        states,
        ..ChangeFilter::default()
    };
    let old = ChangeFilter {
        created_to: Some(long_ago),
        ..all.clone()
    };
    let (all, old) = (
        count_changes(view.cx, &all, COUNTED, None)?,
        count_changes(view.cx, &old, COUNTED, None)?,
    );
    Ok(Figure {
        label: "Changes that wait for a decision".to_owned(),
        href: view.url(&format!("/changes?state={}", escaped(&query))),
        value: count(all.found.unsigned_abs()),
        before: format!(
            "{} of them written more than a week ago",
            count(old.found.unsigned_abs())
        ),
        ..Figure::default()
    })
}

fn emergencies(view: &mut View<'_, '_, '_>) -> acts::Result<Figure> {
    let now = view.now();
    let times = [days_ago(now, 2 * DAYS), days_ago(now, DAYS), now];
    let tallies = tally_changes(view.cx, &times)?;
    let share = |tally: &find_changes::Tally| Share::of(tally.emergencies.unsigned_abs(), tally.written.unsigned_abs());
    let (value, of) = match share(&tallies[1]) {
        Some(it) => (
            format!("{} %", it.percent),
            format!("{} of {} written", count(it.hits), count(it.of)),
        ),
        None => ("–".to_owned(), "none was written in these days".to_owned()),
    };
    let before = match share(&tallies[0]) {
        Some(it) => format!("{of}; before {} %, {} of {}", it.percent, count(it.hits), count(it.of)),
        None => format!("{of}; none was written before"),
    };
    let from = view.reader.field(times[1]);
    Ok(Figure {
        label: "Emergencies among changes".to_owned(),
        href: view.url(&format!("/changes?kind=emergency&created_from={}", escaped(&from))),
        value,
        before,
        ..Figure::default()
    })
}

/// The changes behind success and time: those that ended in the last days, failures first.
pub(crate) async fn show_ended(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Home, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    let [lately, _] = windows(view.now());
    let (ended, since) = find_newest_ended(view.cx, lately)?;
    let (well, ill): (Vec<Ended>, Vec<Ended>) = ended.into_iter().partition(|it| it.has_succeeded);
    let all = well.len() + ill.len();
    let told = format!("{} of {} succeeded.", count(well.len() as u64), count(all as u64));
    let sections = vec![
        rows(view, ("ill", "Did not succeed"), &ill, "All of them succeeded.")?,
        rows(view, ("well", "Succeeded"), &well, "None of them succeeded.")?,
    ];
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Home".to_owned(), view.url("/"))],
        title: "Changes whose work ended in the last 30 days".to_owned(),
        byline: match since {
            Some(since) => Rich::from(told).text(" ").text(counted_from(view, since)).text("."),
            None => Rich::from(told),
        },
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn rows(view: &mut View<'_, '_, '_>, (id, title): (&str, &str), ended: &[Ended], none: &str) -> acts::Result<Section> {
    let shown = &ended[..ended.len().min(ROWS)];
    let ids: Vec<String> = shown.iter().map(|it| it.id.clone()).collect();
    let titles = find_titles(view.cx, &ids)?;
    let row = |it: &Ended| {
        let tone = if it.has_succeeded { Tone::Ok } else { Tone::Stop };
        vec![
            Cell::Title {
                text: titles.get(&it.id).cloned().unwrap_or_default(),
                href: view.change_url(&it.key),
                key: it.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::Mark(tone.mark(capital(&plain(it.outcome.map_or("none", |it| it.as_str()))))),
            Cell::text(capital(it.kind.as_str())),
            Cell::Short(view.reader.moment(it.ended_at)),
            Cell::Short(took(it.ended_at.duration_since(it.created_at).as_mins().max(0))),
        ]
    };
    let table = Table {
        caption: title.to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Outcome", Fold::Under),
            Column::new("Kind", Fold::Under),
            Column::new("Ended", Fold::Under).named(),
            Column::new("From written to done", Fold::Under).named(),
        ],
        rows: shown.iter().map(row).collect(),
        ..Table::default()
    };
    let note = match ended.len() {
        0 => String::new(),
        all if all > ROWS => format!("the newest {ROWS} of {}", count(all as u64)),
        all => count(all as u64),
    };
    Ok(Section::new(id, title, SectionBody::Table(table))
        .note(note)
        .unsaid(none))
}
