//! An auditor's sample: so many of a population, drawn so that anybody can draw the same again; and a bundle verified.
//!
//! The draw: for each change of the population SHA-256 over the seed, a line feed and the key; the smallest digests are the
//! sample. `printf '%s\n%s' SEED KEY | sha256sum` repeats it manually.

use acts::audit::{export_bundle, find_timeline};
use acts::report::find_changes::{ChangeFilter, ChangeRow as Listed, find_changes, outcome_of_row};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use model::core::act::actions;
use model::core::refusal::Refusal;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Fold, Notice, Place, RecordPage, Rich, Section, SectionBody, Table,
    Tone, count,
};
use proof::report::Outcome;
use store::{Lane, Mode};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::outcome_mark;
use crate::web::change::change_query::{Wanted, filter};
use crate::web::shared::response::html;
use crate::web::shared::view::{View, Visitor, problem, show};
use crate::web::shared::words;

/// The default size of a draw.
const USUAL: usize = 25;
/// The largest draw.
const MOST: usize = 500;
/// The most changes of a population.
const POPULATION: usize = 100_000;
/// How many are read at once.
const BATCH: i64 = 1_000;
/// The longest seed, in characters.
const SEED_LIMIT: usize = 200;

/// Shows the population, the seed and the sample.
pub(crate) async fn sample(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    show(&state, &visitor, Place::AuditLog, move |view| {
        sample_page(view, &wanted)
    })
    .await
}

/// The population: the changes that match the filters; without filters all closed changes.
fn population(view: &mut View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<Vec<Listed>> {
    let mut filter: ChangeFilter = filter(view, wanted).map_err(Refusal::Invalid)?;
    if wanted.parts().is_empty() {
        filter.states = vec!["closed".to_owned()];
    }
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let found = find_changes(view.cx, &filter, BATCH, after)?;
        rows.extend(found.rows.into_iter().map(|(row, _)| row));
        after = found.next;
        if after.is_none() || rows.len() >= POPULATION {
            return Ok(rows);
        }
    }
}

/// The digest by which a change is drawn, in hexadecimal.
fn lot(seed: &str, key: &str) -> String {
    let text = proof::crypto::digest_text(format!("{seed}\n{key}").as_bytes());
    text.trim_start_matches("sha256:").to_owned()
}

/// The sample: the smallest lots, smallest first.
fn draw(rows: Vec<Listed>, seed: &str, size: usize) -> Vec<(String, Listed)> {
    let mut lots: Vec<(String, Listed)> = rows.into_iter().map(|row| (lot(seed, &row.key), row)).collect();
    lots.sort_by(|one, other| (&one.0, &one.1.key).cmp(&(&other.0, &other.1.key)));
    lots.truncate(size);
    lots
}

fn sample_page(view: &mut View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<String> {
    view.cx.allow(actions::AUDIT)?;
    let log = find_timeline::find_seal(view.cx)?;
    let given = wanted
        .get("seed")
        .map(|seed| seed.chars().take(SEED_LIMIT).collect::<String>());
    // The root of the log cannot be predicted, so nobody can choose it as a seed.
    let seed = given.unwrap_or_else(|| log.root.clone());
    let size = wanted
        .get("size")
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(USUAL)
        .clamp(1, MOST);
    let rows = population(view, wanted)?;
    let whole = rows.len();
    let query = match wanted.query() {
        empty if empty.is_empty() => "state=closed".to_owned(),
        query => query,
    };
    let drawn = draw(rows, &seed, size);
    let size = drawn.len();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit log".to_owned(), view.url("/audit"))],
        title: format!("A sample of {size} from {}", count(whole as u64)),
        ..RecordPage::default()
    };
    page.acts
        .push(ActForm::link("The population as CSV", view.url(&format!("/changes.csv?{query}"))).tone(ActTone::Quiet));
    page.facts = facts(view, &query, &seed, whole);
    let method = Rich::from("For each change of the population: SHA-256 over the seed, a line feed and the key. ")
        .text("The smallest digests are the sample. By hand: ")
        .code("printf '%s\\n%s' SEED KEY | sha256sum");
    page.notices
        .push(Notice::new(Tone::Plain, method).title("How it was drawn"));
    let other = "The population is the list of changes in the database. An audit sample is drawn from the population of \
                 control reports, which comes from the log.";
    page.notices.push(Notice::new(Tone::Plain, other));
    page.acts
        .push(ActForm::link("Audit samples", view.url("/audit-samples")).tone(ActTone::Quiet));
    let rows = table(view, &drawn);
    page.sections
        .push(Section::new("sample", "The sample", SectionBody::Table(rows)).note("smallest digest first"));
    page.sections.push(other_draws(view, &query, &seed));
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, query: &str, seed: &str, whole: usize) -> Vec<Fact> {
    vec![
        Fact::new("Population", Rich::from(format!("{} changes", count(whole as u64)))),
        Fact::new("Query", Rich::new().code(query)),
        Fact::new("Seed", Rich::new().code(seed)),
        Fact::new("Time zone", Rich::from(view.reader.zone_name())),
        Fact::new("Drawn", Rich::from(view.reader.moment(view.now()))),
    ]
}

fn table(view: &View<'_, '_, '_>, drawn: &[(String, Listed)]) -> Table {
    let time = |at: Option<Timestamp>| at.map(|at| view.reader.moment(at)).unwrap_or_default();
    let rows = drawn.iter().map(|(lot, row)| {
        let verify = view.url(&format!("/audit/verify/{}", escaped(&row.key)));
        vec![
            Cell::Title {
                text: row.title.clone(),
                href: view.change_url(&row.key),
                key: row.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            match outcome_of_row(row) {
                Some(outcome) => Cell::Mark(outcome_mark(outcome)),
                None => Cell::text(words::capital(&row.state)),
            },
            Cell::Short(time(row.planned_start)),
            Cell::Text(Rich::new().code(lot.get(..12).unwrap_or(lot))),
            Cell::Text(Rich::new().link(format!("Verify {}", row.key), verify)),
        ]
    });
    Table {
        caption: "The sample".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("State", Fold::Under),
            Column::new("Planned", Fold::Away),
            Column::new("Digest begins", Fold::Away),
            Column::new("Bundle", Fold::Under),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

/// The same draw as an address, and others: the address contains all inputs of the draw.
fn other_draws(view: &View<'_, '_, '_>, query: &str, seed: &str) -> Section {
    let entry = |words: &str, why: &str, query: &str, size: usize| {
        let address = view.url(&format!("/audit/sample?{query}&size={size}&seed={}", escaped(seed)));
        Entry::new(Tone::Plain, Rich::new().link(words, address.as_str()))
            .icon("right")
            .why(why)
    };
    let entries = vec![
        entry(
            "The same sample again",
            "The same changes and the same seed always give the same rows.",
            query,
            USUAL,
        ),
        entry(
            "Sixty of them",
            "The same order, carried on to the sixtieth change.",
            query,
            60,
        ),
        entry(
            "Emergencies alone",
            "Emergency changes in every state, under the same seed.",
            "kind=emergency",
            USUAL,
        ),
    ];
    Section::new("draws", "Draw again", SectionBody::Entries(entries))
}

/// Makes a change's bundle and verifies it, as the command line does offline.
pub(crate) async fn verify(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    let back = format!("{}/audit/sample", visitor.base());
    let whose = key.clone();
    let export = move |cx: &mut acts::Context<'_, '_>| {
        cx.allow(actions::READ)?;
        cx.change(&whose)?;
        cx.allow(actions::AUDIT)?;
        export_bundle::pack_bundle(cx, &whose)
    };
    let bytes = match state.act(Lane::Worker, &visitor.caller, Mode::Read, export).await {
        Ok(bytes) => bytes,
        Err(failure) => return problem(&state, &visitor, &failure, &back).await,
    };
    let draw = move |cx: &mut acts::Context<'_, '_>| {
        let view = View::open(cx, Place::AuditLog)?;
        Ok(verified_page(&view, &key, &bytes))
    };
    match state.act(Lane::Worker, &visitor.caller, Mode::Read, draw).await {
        Ok(page) => html(200, page),
        Err(failure) => problem(&state, &visitor, &failure, &back).await,
    }
}

/// Errors and undecidable checks come first, then the passed checks with their counts, and the remarks separately.
fn check_sections(checked: &proof::bundle::BundleReport) -> Vec<Section> {
    let found = |is_remark: bool| {
        let findings = checked.report.findings.iter();
        let wanted = findings.filter(move |finding| (finding.outcome == Outcome::Good) == is_remark);
        let entries = wanted.map(|finding| {
            let tone = match finding.outcome {
                Outcome::Good => Tone::Plain,
                Outcome::Bad => Tone::Stop,
                Outcome::CannotTell => Tone::Wait,
            };
            Entry::new(tone, finding.text.as_str()).code(finding.code)
        });
        SectionBody::Entries(entries.collect())
    };
    let mut sections = vec![Section::new("findings", "What failed", found(false))];
    let tone = match checked.outcome {
        Outcome::Good => Tone::Ok,
        _ => Tone::Plain,
    };
    let done = [
        (checked.events_proven as u64, "events are in the log, each at its index"),
        (
            checked.records_checked as u64,
            "records match the log, with every text under its digest",
        ),
        (
            checked.log_size.unwrap_or_default(),
            "entries are in the log at the checkpoint, which its key signed",
        ),
    ];
    let rows = done
        .into_iter()
        .map(|(number, words)| Entry::new(tone, Rich::from(format!("{} {words}", count(number)))));
    sections.push(Section::new(
        "checked",
        "What was checked",
        SectionBody::Entries(rows.collect()),
    ));
    sections.push(Section::new("remarks", "Observations", found(true)));
    sections.retain(|section| !section.is_empty());
    sections
}

fn verified_page(view: &View<'_, '_, '_>, key: &str, bytes: &[u8]) -> String {
    let checked = proof::bundle::verify(bytes, None);
    let words = match checked.outcome {
        Outcome::Good => "good",
        Outcome::Bad => "bad",
        _ => "undecided",
    };
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Audit log".to_owned(), view.url("/audit")),
            (key.to_uppercase(), view.change_url(key)),
        ],
        title: format!("The bundle of {} is {words}", key.to_uppercase()),
        ..RecordPage::default()
    };
    page.sections.extend(check_sections(&checked));
    page.notices.push(Notice::new(
        Tone::Plain,
        Rich::from("This server made the bundle and checked it. To verify it independently: fetch it, and run ")
            .code(format!("assent audit verify {}.zip", key.to_uppercase()))
            .text(" on a machine of your own, with the log’s key from another source."),
    ));
    page.acts.push(ActForm::link(
        "Fetch the bundle",
        format!("/api/v1/changes/{}/bundle", escaped(key)),
    ));
    page.facts = vec![
        Fact::new("Log", Rich::from(checked.origin.unwrap_or_default())),
        Fact::new("SHA-256", Rich::new().code(proof::crypto::digest_text(bytes))),
    ];
    page.render()
}
