//! Control reports as pages. The texts of a report are English for every reader, as its bytes are the same for all; the name
//! of its framework alone is put into the reader's language.

use acts::compliance::find_violation_trend::{ViolationMonth, find_violation_trend};
use acts::compliance::report_controls::{ReportParameters, report_controls};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::compliance::control_report::{
    ControlReport, ControlResult, MonthFigures, ReportFormat, Result as Tested, TestResult,
};
use model::compliance::framework::{FRAMEWORKS, Framework};
use model::core::act::actions;
use model::core::enums::ReportFigure;
use model::core::refusal::Refusal;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone,
    count,
};

use crate::compliance::{csv, download, file_name, file_of};
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::change_query::Wanted;
use crate::web::shared::fields::time_field;
use crate::web::shared::view::{View, Visitor, problem, read_file, show};
use crate::web::shared::words;

/// The frameworks.
pub(crate) async fn list(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::AuditLog, list_page).await
}

fn list_page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(actions::AUDIT)?;
    let row = |it: &Framework| {
        vec![
            Cell::Text(Rich::new().link(it.title, view.url(&format!("/audit/reports/{}", it.id)))),
            Cell::said(it.source),
            Cell::Short(count(it.controls.len() as u64)),
        ]
    };
    let table = Table {
        caption: "Frameworks".to_owned(),
        columns: vec![
            Column::new("Framework", Fold::Never),
            Column::new("Source", Fold::Under),
            Column::new("Controls", Fold::Under).number(),
        ],
        rows: FRAMEWORKS.iter().map(row).collect(),
        ..Table::default()
    };
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: "Control reports".to_owned(),
        byline: Rich::from(
            "Each report is computed from the log: the same span and size of the log give the same report.",
        ),
        sections: vec![
            Section::new("frameworks", "Frameworks", SectionBody::Table(table)),
            violations(view)?,
        ],
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// Violations that control rules found, opened and settled by month.
fn violations(view: &mut View<'_, '_, '_>) -> acts::Result<Section> {
    let months = find_violation_trend(view.cx)?;
    let row = |it: &ViolationMonth| {
        let number = |number: i64| Cell::Short(count(u64::try_from(number).unwrap_or_default()));
        vec![
            Cell::Name(it.month.clone()),
            number(it.opened),
            number(it.done),
            number(it.dismissed),
            number(it.open),
        ]
    };
    let table = Table {
        caption: "Violations by month".to_owned(),
        columns: vec![
            Column::new("Month", Fold::Never),
            Column::new("Opened", Fold::Under).number(),
            Column::new("Remedied", Fold::Under).number(),
            Column::new("Dismissed", Fold::Under).number(),
            Column::new("Open at its end", Fold::Under).number(),
        ],
        rows: months.iter().rev().map(row).collect(),
        ..Table::default()
    };
    Ok(Section::new("violations", "Violations", SectionBody::Table(table))
        .lede("Each violation that a control rule finds is an action item of the owner of its service."))
}

/// The span and the size of the log in an address.
pub(crate) fn read_query(view: &View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<ReportParameters> {
    let time = |name: &str| match wanted.get(name) {
        None => Ok(None),
        Some(text) => match text.parse().ok().or_else(|| view.reader.read_field(text)) {
            Some(at) => Ok(Some(at)),
            None => Err(Refusal::field(name, "not_a_time", view.reader.why_unread(text))),
        },
    };
    let size = match wanted.get("size").map(str::parse::<i64>) {
        None => None,
        Some(Ok(size)) if size > 0 => Some(size),
        Some(_) => {
            let text = "The size of the log is a whole number above 0.";
            return Err(Refusal::field("size", "not_a_number", text).into());
        }
    };
    Ok(ReportParameters {
        from: time("from")?,
        to: time("to")?,
        size,
    })
}

/// The report on a framework.
pub(crate) async fn show_report(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, framework)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    show(&state, &visitor, Place::AuditLog, move |view| {
        let asked = read_query(view, &wanted)?;
        let report = report_controls(view.cx, &framework, &asked)?;
        Ok(report_page(view, &report).render())
    })
    .await
}

/// A report as a file.
pub(crate) async fn file(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, framework, format)): Path<(String, String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    let act = move |cx: &mut acts::Context<'_, '_>| {
        let view = View::open(cx, Place::AuditLog)?;
        let format = ReportFormat::named(&format).ok_or_else(|| Refusal::not_found(&format))?;
        let asked = read_query(&view, &wanted)?;
        let report = report_controls(view.cx, &framework, &asked)?;
        Ok((file_name(&report, format), format, file_of(&report, format)?))
    };
    match read_file(&state, &visitor, act).await {
        Ok((name, format, bytes)) => download(&name, format, bytes),
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/audit/reports", visitor.base())).await,
    }
}

/// The exceptions of a report as CSV (RFC 4180).
pub(crate) async fn exceptions(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, framework)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    let act = move |cx: &mut acts::Context<'_, '_>| {
        let view = View::open(cx, Place::AuditLog)?;
        let asked = read_query(&view, &wanted)?;
        report_controls(view.cx, &framework, &asked)
    };
    match read_file(&state, &visitor, act).await {
        Ok(report) => download("exceptions.csv", ReportFormat::Csv, csv(&report).into_bytes()),
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/audit/reports", visitor.base())).await,
    }
}

fn report_page(view: &View<'_, '_, '_>, report: &ControlReport) -> RecordPage {
    let query = format!(
        "from={}&to={}&size={}",
        escaped(&report.from.to_string()),
        escaped(&report.to.to_string()),
        report.log.size
    );
    let here = view.url(&format!("/audit/reports/{}", report.framework));
    let with = report
        .controls
        .iter()
        .filter(|it| it.result == Tested::Exceptions)
        .count();
    let byline = format!(
        "{} of {} controls with exceptions over {} changes.",
        count(with as u64),
        count(report.controls.len() as u64),
        count(report.population.changes)
    );
    let all = report.controls.iter();
    let byline = match all.filter(|it| it.result == Tested::NotEnforced).count() {
        0 => byline,
        1 => format!("{byline} One control is not enforced."),
        many => format!("{byline} {} controls are not enforced.", count(many as u64)),
    };
    let file = |label: &'static str, format: ReportFormat| {
        ActForm::link(label, format!("{here}/file/{}?{query}", format.as_str())).tone(ActTone::Quiet)
    };
    let rows = format!("{here}/rows?{query}");
    let mut sections = vec![summary(report), population(report, &rows), months(report)];
    sections.extend(report.controls.iter().map(|control| section(view, control, &rows)));
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Audit log".to_owned(), view.url("/audit")),
            ("Control reports".to_owned(), view.url("/audit/reports")),
        ],
        title: report.title.clone(),
        byline: Rich::from(byline),
        acts: vec![
            span_form(view, report),
            file("PDF", ReportFormat::Pdf),
            file("Workbook", ReportFormat::Xlsx),
            file("OSCAL", ReportFormat::Oscal),
            ActForm::link("Exceptions as CSV", format!("{here}/exceptions.csv?{query}")).tone(ActTone::Quiet),
            ActForm::link("Link to this report", format!("{here}?{query}")).tone(ActTone::Quiet),
        ],
        facts: facts(view, report),
        sections,
        ..RecordPage::default()
    }
}

/// The form of the span. The report then counts the log as it is by now, so the size is not kept.
fn span_form(view: &View<'_, '_, '_>, report: &ControlReport) -> ActForm {
    let moment = |name, label, at| time_field(view, name, label).value(view.reader.field(at));
    let here = view.url(&format!("/audit/reports/{}", report.framework));
    ActForm::new("span", "Choose the span", here)
        .question()
        .field(moment("from", "From", report.from))
        .field(moment("to", "To", report.to))
        .submit("Show")
}

fn facts(view: &View<'_, '_, '_>, report: &ControlReport) -> Vec<Fact> {
    vec![
        Fact::new("From", Rich::from(view.reader.moment(report.from))),
        Fact::new("To", Rich::from(view.reader.moment(report.to))),
        Fact::new("Source", Rich::new().said(report.source.as_str())),
        Fact::new("Size of the log", Rich::from(count(report.log.size))),
        Fact::new("Root", Rich::new().code(report.log.root.as_str())),
        Fact::new("Definition", Rich::new().code(report.definition.as_str())),
    ]
}

fn mark(result: Tested) -> Cell {
    let tone = match result {
        Tested::NoExceptions => Tone::Ok,
        Tested::Exceptions | Tested::NotEnforced => Tone::Stop,
        Tested::NotTested => Tone::Plain,
    };
    Cell::Mark(tone.mark(words::capital(result.as_str())))
}

fn found(control: &ControlResult) -> u64 {
    control.tests.iter().map(|test| test.found).sum()
}

/// All controls in one table.
fn summary(report: &ControlReport) -> Section {
    let row = |it: &ControlResult| {
        vec![
            Cell::Text(Rich::new().said_link(it.id.as_str(), format!("#{}", anchor(it)))),
            Cell::said(it.clause.as_str()),
            mark(it.result),
            Cell::Short(count(found(it))),
        ]
    };
    let table = Table {
        caption: "Controls".to_owned(),
        columns: vec![
            Column::new("Control", Fold::Never),
            Column::new("Clause", Fold::Under),
            Column::new("Result", Fold::Never),
            Column::new("Exceptions", Fold::Under).number(),
        ],
        rows: report.controls.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("controls", "Controls", SectionBody::Table(table))
}

/// Whole percent, rounded: 100 only where nothing is missing, and 0 only where there is nothing.
fn percent(part: u64, of: u64) -> Option<u64> {
    let rounded = (part * 100 + of / 2).checked_div(of)?;
    Some(match rounded {
        0 if part > 0 => 1,
        100 if part < of => 99,
        rounded => rounded,
    })
}

fn population(report: &ControlReport, rows_url: &str) -> Section {
    let counted = &report.population;
    let share = |part: u64, of: u64| match percent(part, of) {
        Some(percent) => format!("{} ({percent} %)", count(part)),
        None => count(part),
    };
    let ended = counted.ended;
    let administration: u64 = report.administration.values().sum();
    let linked = [
        (
            "Changes whose work began in the span",
            count(counted.changes),
            ReportFigure::Changes,
        ),
        ("Work ended", count(ended), ReportFigure::Ended),
        ("Succeeded", share(counted.succeeded, ended), ReportFigure::Succeeded),
        (
            "Rolled back",
            share(counted.rolled_back, ended),
            ReportFigure::RolledBack,
        ),
        (
            "Emergency",
            share(report.emergencies(), counted.changes),
            ReportFigure::Emergency,
        ),
        ("Break-glass", count(counted.break_glass), ReportFigure::BreakGlass),
        ("Unauthorized", count(counted.unauthorized), ReportFigure::Unauthorized),
    ];
    let link = |(label, value, figure): (&'static str, String, ReportFigure)| {
        let url = format!("{rows_url}&figure={figure}");
        vec![Cell::text(label), Cell::Text(Rich::new().link(value, url))]
    };
    let mut rows: Vec<Vec<Cell>> = linked.into_iter().map(link).collect();
    rows.push(vec![
        Cell::text("Changes of people, rights, policies and keys"),
        Cell::Short(count(administration)),
    ]);
    let table = Table {
        caption: "Population".to_owned(),
        columns: vec![Column::new("Figure", Fold::Never), Column::new("Count", Fold::Never)],
        rows,
        ..Table::default()
    };
    Section::new("population", "Population", SectionBody::Table(table))
}

/// Volume and success by month.
fn months(report: &ControlReport) -> Section {
    let row = |(month, it): (&String, &MonthFigures)| {
        let success = match percent(it.succeeded, it.ended) {
            Some(percent) => format!("{percent} %"),
            None => String::new(),
        };
        vec![
            Cell::Name(month.clone()),
            Cell::Short(count(it.changes)),
            Cell::Short(count(it.ended)),
            Cell::Short(count(it.succeeded)),
            Cell::Short(success),
        ]
    };
    let table = Table {
        caption: "By month".to_owned(),
        columns: vec![
            Column::new("Month", Fold::Never),
            Column::new("Changes", Fold::Under).number(),
            Column::new("Work ended", Fold::Under).number(),
            Column::new("Succeeded", Fold::Under).number(),
            Column::new("Success rate", Fold::Under).number(),
        ],
        rows: report.population.by_month.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("months", "By month", SectionBody::Table(table))
}

fn anchor(control: &ControlResult) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("control-{}", control.id.chars().map(plain).collect::<String>())
}

/// One control: its enforcement, and the findings of each test.
fn section(view: &View<'_, '_, '_>, control: &ControlResult, rows_url: &str) -> Section {
    let mut entries = vec![
        Entry::new(Tone::Plain, Rich::new().said(control.objective.as_str()))
            .why(Rich::new().said(control.enforcement.as_str())),
    ];
    entries.push(Entry::new(Tone::Plain, Rich::new().code(control.policy_line())).why("Policies"));
    if let Some(reason) = &control.reason {
        entries.push(Entry::new(Tone::Stop, Rich::new().said(reason.as_str())));
    }
    for test in &control.tests {
        entries.push(test_entry(test, rows_url));
        entries.extend(test.exceptions.iter().map(|it| {
            let link = Rich::new().said_link(it.change.as_str(), view.change_url(&it.change));
            let tone = if it.dismissed.is_some() {
                Tone::Plain
            } else {
                Tone::Stop
            };
            Entry::new(tone, link).why(Rich::new().said(it.text.as_str()))
        }));
    }
    let title = format!("{} · {}", control.id, control.clause);
    Section::new(anchor(control), title, SectionBody::Entries(entries)).said()
}

fn test_entry(test: &TestResult, rows_url: &str) -> Entry {
    let tone = match (test.found, test.tested) {
        (0, 0) => Tone::Plain,
        (0, _) => Tone::Ok,
        _ => Tone::Stop,
    };
    let line = Rich::new().said(test.title.as_str()).text(": ").link(
        match test.dismissed {
            0 => format!("{} of {}", count(test.found), count(test.tested)),
            dismissed => format!(
                "{} of {}, {} dismissed",
                count(test.found),
                count(test.tested),
                count(dismissed)
            ),
        },
        format!("{rows_url}&rule={}", test.rule),
    );
    Entry::new(tone, line).why(Rich::new().said(test.test.as_str()))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_rounded_and_never_makes_all_or_nothing_of_some() {
        assert_eq!(percent(3, 51), Some(6));
        assert_eq!(percent(16, 18), Some(89));
        assert_eq!((percent(1, 1_000), percent(999, 1_000)), (Some(1), Some(99)));
        assert_eq!(
            (percent(0, 7), percent(7, 7), percent(0, 0)),
            (Some(0), Some(100), None)
        );
    }
}
