//! Reports on rights: targets that nobody can approve, people who could approve only with themselves, conflicting rights of one
//! person, unused rights, and the budgets of break-glass. The linked pages carry out the proposed remedies.

use std::collections::BTreeMap;

use acts::identity::audit_workload_trust;
use acts::policy::find_unapprovable::{Finding, find_unapprovable};
use acts::policy::find_unused::{Unused, find_unused};
use acts::schedule::find_conflicts::{Conflict, find_conflicts};
use axum::extract::State;
use axum::response::Response;
use model::core::act::actions;
use model::emergency::records::BreakGlassUse;
use model::integration::workload::Workload;
use pages::{Cell, Column, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count};
use store::record::{self, Filter};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{self, plain};

/// How many days without use are reported.
const UNUSED_DAYS: i64 = 90;
/// The most services whose targets are judged.
const SERVICES: usize = 500;
/// The most rows that one report shows.
const MOST: usize = 100;
/// The most targets that a row names; the matrix has them all.
const PLACES: usize = 4;
/// The most break-glasses that are shown.
const GLASSES: i64 = 50;

/// The reports.
pub(crate) async fn show_rights(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Rights, page).await
}

/// A report: its question, its columns and rows, and its text when there are none.
struct Report {
    id: &'static str,
    title: &'static str,
    /// The meaning of a finding, and the remedy.
    means: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
    none: &'static str,
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(actions::AUDIT)?;
    let reports = reports(view)?;
    let mut sections = vec![summary(&reports)];
    sections.extend(reports.into_iter().map(section));
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Questionable rights".to_owned(),
        byline: Rich::from("Findings about rights that need attention."),
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn reports(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Report>> {
    let owned = find_unapprovable(view.cx, "", SERVICES)?;
    let conflicts = find_conflicts(view.cx)?;
    let unused = find_unused(view.cx, UNUSED_DAYS)?;
    let open = audit_workload_trust::doubted(view.cx)?;
    Ok(vec![
        Report {
            id: "unapprovable",
            title: "Targets that nobody can approve",
            means: "A change there would wait forever. Name people in the matrix, or add them to the rule’s group.",
            columns: &["Where", "Rule", "There", "Why"],
            rows: owned.unapprovable.iter().map(|it| target(view, it)).collect(),
            none: "Every target of every service has enough people for each rule.",
        },
        Report {
            id: "alone",
            title: "Approvers without a substitute",
            means: "Where they write the change themselves or are away, nobody can decide. Name another person as well.",
            columns: &["Who", "Rule", "For"],
            rows: by_people(view, &owned.alone),
            none: "If an approver writes the change or is away, another one can approve.",
        },
        Report {
            id: "conflicts",
            title: "Rights that one person should not combine",
            means: "One person could do what takes two. Remove one of the two rights.",
            columns: &["Who", "Rights", "Where", "Why"],
            rows: conflicts.into_iter().map(|it| conflict(view, it)).collect(),
            none: "No person has rights that conflict.",
        },
        Report {
            id: "unused",
            title: "Rights not used in 90 days",
            means: "Unused rights only help whoever steals the account. Remove them on the linked pages.",
            columns: &["Who", "What", "Where", "Mend it"],
            rows: unused.items.iter().map(|it| idle(view, it)).collect(),
            none: "All rights were used.",
        },
        Report {
            id: "workloads",
            title: "Workloads that accept jobs of anyone",
            means: "No claim restricts the owner of the repository. Name the repository with its full owner on the workload’s \
                    page, or end the workload.",
            columns: &["Workload", "Issuer", "Acts as", "It may"],
            rows: open.iter().map(|it| open_workload(view, it)).collect(),
            none: "Every workload restricts whose jobs it accepts.",
        },
        Report {
            id: "glasses",
            title: "Break-glass and the budgets of teams",
            means: "Each use is validated by another person. If a team exceeds its budget, review its rules or its planning.",
            columns: &["Change", "Who", "Team", "Budget", "Bypassed", "When"],
            rows: glasses(view)?,
            none: "Break-glass was not used.",
        },
    ])
}

/// A summary of all reports with their number of findings.
fn summary(reports: &[Report]) -> Section {
    let rows = reports.iter().map(|report| {
        let found = match report.rows.len() {
            0 => Tone::Ok.mark("Nothing"),
            many => Tone::Wait.mark(count(many as u64)),
        };
        vec![
            Cell::Told {
                text: report.title.to_owned(),
                href: format!("#{}", report.id),
                sub: Rich::new(),
            },
            Cell::Mark(found),
        ]
    });
    let table = table("In short", &["What", "Found"], rows.collect());
    Section::new("summary", "In short", SectionBody::Table(table))
}

fn table(caption: &str, columns: &[&'static str], rows: Vec<Vec<Cell>>) -> Table {
    let column = |(place, words): (usize, &&'static str)| match place {
        0 => Column::new(words, Fold::Never),
        _ => Column::new(words, Fold::Under),
    };
    Table {
        caption: caption.to_owned(),
        columns: columns.iter().enumerate().map(column).collect(),
        rows,
        ..Table::default()
    }
}

/// A report with at most [`MOST`] rows, with the total number.
fn section(report: Report) -> Section {
    let all = report.rows.len();
    let rows: Vec<Vec<Cell>> = report.rows.into_iter().take(MOST).collect();
    let note = match all {
        0 => String::new(),
        all if all > MOST => format!(
            "{MOST} of {}, the rest by the API and the command line",
            count(all as u64)
        ),
        all => count(all as u64),
    };
    let table = table(report.title, report.columns, rows);
    Section::new(report.id, report.title, SectionBody::Table(table))
        .lede(report.means)
        .note(note)
        .unsaid(report.none)
}

fn target(view: &View<'_, '_, '_>, it: &Finding) -> Vec<Cell> {
    let have = match it.found.is_empty() {
        true => Rich::from(format!("{} needed, none available", it.needed)),
        false => Rich::from(format!("{} needed, available: ", it.needed)).said(it.found.join(", ")),
    };
    vec![
        Cell::title(format!("{}, {}", it.service, it.environment), view.url(&matrix_of(it))),
        Cell::Text(Rich::new().code(it.rule.as_str())),
        Cell::Text(have),
        Cell::Text(it.why.first().map_or_else(Rich::new, |why| view.sentence(why))),
    ]
}

/// People who could approve only with themselves, once for each rule with the targets concerned.
fn by_people(view: &View<'_, '_, '_>, found: &[Finding]) -> Vec<Vec<Cell>> {
    let mut alike: BTreeMap<(&[String], &str, u32), Vec<&Finding>> = BTreeMap::new();
    for it in found {
        alike.entry((&it.found, &it.rule, it.needed)).or_default().push(it);
    }
    let row = |((logins, rule, needed), at): ((&[String], &str, u32), Vec<&Finding>)| {
        let people: Vec<String> = logins.iter().map(|login| named(view, login)).collect();
        let mut places = Rich::from(format!("{needed} needed, for "));
        for (number, it) in at.iter().take(PLACES).enumerate() {
            places = places
                .text(if number > 0 { "; " } else { "" })
                .said_link(format!("{}, {}", it.service, it.environment), view.url(&matrix_of(it)));
        }
        if at.len() > PLACES {
            places = places.text(format!(" and {} more", count((at.len() - PLACES) as u64)));
        }
        vec![
            Cell::title(words::and(&people), ""),
            Cell::Text(Rich::new().code(rule)),
            Cell::Text(places),
        ]
    };
    alike.into_iter().map(row).collect()
}

fn conflict(view: &View<'_, '_, '_>, it: Conflict) -> Vec<Cell> {
    let [one, other] = it.rights.map(|right| plain(&right));
    vec![
        Cell::title(named(view, &it.person), ""),
        Cell::Text(Rich::from(one).text(" and ").text(other)),
        Cell::said(it.place),
        Cell::text(it.why),
    ]
}

/// The name of the person with a login.
fn named(view: &View<'_, '_, '_>, login: &str) -> String {
    let person = view.directory.by_login(login);
    person.map_or_else(|| login.to_owned(), |person| person.shown_name())
}

/// The rows of the ownership matrix that apply to a finding's target.
fn matrix_of(it: &Finding) -> String {
    let (service, environment) = (escaped(&it.service), escaped(&it.environment));
    format!("/ownership?service={service}&environment={environment}")
}

fn idle(view: &View<'_, '_, '_>, it: &Unused) -> Vec<Cell> {
    let rights = it
        .unused
        .iter()
        .map(|right| plain(right))
        .collect::<Vec<_>>()
        .join(", ");
    let place = it.place.as_deref().unwrap_or_default();
    let token = it
        .token
        .as_ref()
        .and_then(|token| token["name"].as_str())
        .unwrap_or_default();
    let (what, place, mend, path) = match it.kind {
        "ownership" => (Rich::from(rights), Rich::new().said(place), "The matrix", "/ownership"),
        "group" => (
            Rich::new().said(it.unused.join(", ")),
            Rich::from("Others of the group decided, and they did not."),
            "Narrow their rights",
            "/people",
        ),
        "workload" => (
            Rich::from(rights),
            Rich::from("the workload ").said(place),
            "End it",
            "/workloads",
        ),
        "token" => (
            Rich::from(rights),
            Rich::from("the token ").said(token),
            "Revoke it",
            "/tokens",
        ),
        _ => (Rich::from(rights), Rich::new(), "Narrow their rights", "/people"),
    };
    vec![
        Cell::title(named(view, &it.person), ""),
        Cell::Text(what),
        Cell::Text(place),
        Cell::Text(match (&it.kept, it.proposal.is_null()) {
            (Some(kept), true) => view.sentence(kept),
            (Some(kept), false) => view.sentence(kept).text(" ").link(mend, view.url(path)),
            (None, _) => Rich::new().link(mend, view.url(path)),
        }),
    ]
}

fn open_workload(view: &View<'_, '_, '_>, it: &Workload) -> Vec<Cell> {
    let scopes: Vec<&str> = it.scopes.iter().map(String::as_str).collect();
    vec![
        Cell::title(it.name.as_str(), view.url(&format!("/workloads/{}", escaped(&it.key)))),
        Cell::Text(Rich::new().code(it.issuer.as_str())),
        Cell::said(view.name(&it.person)),
        Cell::said(scopes.join(", ")),
    ]
}

fn glasses(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Vec<Cell>>> {
    let newest = Filter::new().descending_by("id").limit(GLASSES);
    let found = record::find::<BreakGlassUse>(view.cx.tx, &newest)?;
    let rows = found.into_iter().map(|stored| {
        let it = stored.record;
        let told = format!("{} of {}", it.number, it.budget);
        let budget = match it.over_budget {
            true => Tone::Stop.mark(format!("{told}, over the budget")),
            false => Tone::Plain.mark(told),
        };
        let rows = it.bypassed.iter().enumerate();
        let bypassed = rows.fold(Rich::new(), |rich, (place, row)| {
            let rich = if place > 0 { rich.line() } else { rich };
            rich.append(view.sentence(&row.text))
        });
        let team = match it.team.is_empty() {
            true => Rich::from("no team"),
            false => Rich::new().said(it.team),
        };
        vec![
            Cell::title(it.change_key.as_str(), view.change_url(&it.change_key)),
            Cell::said(view.name(&it.by)),
            Cell::Text(team),
            Cell::Mark(budget),
            Cell::Text(bypassed),
            Cell::Short(view.reader.moment(it.at)),
        ]
    });
    Ok(rows.collect())
}
