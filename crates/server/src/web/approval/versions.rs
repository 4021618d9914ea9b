//! Two versions of a change side by side: each differing field, with its last editor, and a menu of all versions.

use acts::change::compare_versions::{Comparison, ContentVersion, compare_versions};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use pages::{Cell, Column, Entry, Fold, Place, RecordPage, Rich, Section, SectionBody, Table, Tone};

use crate::http::state::AppState;
use crate::web::approval::card_news::versions_url;
use crate::web::approval::edit_words::{label, value};
use crate::web::shared::view::{View, Visitor, show};

/// The versions that the address names.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct VersionsQuery {
    from: Option<String>,
    to: Option<String>,
}

/// The page.
pub(crate) async fn show_versions(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    Query(asked): Query<VersionsQuery>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| page(view, &key, &asked)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str, asked: &VersionsQuery) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let (from, to) = (asked.from.as_deref(), asked.to.as_deref());
    let given = |text: Option<&'_ str>| text.filter(|it| !it.is_empty()).map(str::to_owned);
    let (from, to) = (given(from), given(to));
    let compared = compare_versions(view.cx, key, (from.as_deref(), to.as_deref()))?;
    let change = view.cx.change(key)?;
    let is_one = compared.from == compared.to;
    let mut sections = vec![
        Section::new("edits", "What differs", SectionBody::Table(edits(view, &compared))).unsaid(match is_one {
            true => "This is one version; compare it with an older one below.",
            false => "The versions are identical.",
        }),
    ];
    if compared.versions.len() < 2 {
        sections.clear();
    }
    if !compared.questions.is_empty() {
        let asked = compared.questions.iter().map(|it| {
            Entry::new(Tone::Plain, view.person(&it.by).text(" returned it with a question"))
                .icon("back")
                .quote(it.reason.as_str())
                .aside(view.ago(it.at))
        });
        sections.push(Section::new(
            "questions",
            "Questions in between",
            SectionBody::Entries(asked.collect()),
        ));
    }
    sections.push(Section::new(
        "versions",
        "All versions",
        SectionBody::Table(versions(view, &change.key, &compared)),
    ));
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Changes".to_owned(), view.url("/changes")),
            (change.key.clone(), view.change_url(&change.key)),
        ],
        title: match is_one {
            true => format!("Version {}", compared.to),
            false => format!("Version {} compared with version {}", compared.from, compared.to),
        },
        byline: Rich::from("Each edit of the content makes a new version; a state, a comment or a watcher does not."),
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

fn edits(view: &View<'_, '_, '_>, compared: &Comparison) -> Table {
    let rows = compared.edits.iter().map(|it| {
        let told = |given| value(view, &it.change.field, given);
        let (old, new) = (told(&it.change.old), told(&it.change.new));
        vec![
            Cell::Name(label(&it.change.field)),
            Cell::Text(old.map_or_else(|| Rich::from("–"), |text| Rich::new().removed(text))),
            Cell::Text(new.map_or_else(|| Rich::from("–"), |text| Rich::new().inserted(text))),
            Cell::Text(view.person(&it.by).line().append(view.moment(it.at))),
        ]
    });
    Table {
        caption: "Each field that differs".to_owned(),
        columns: vec![
            Column::new("Field", Fold::Never),
            Column::new("Before", Fold::Under).named(),
            Column::new("After", Fold::Under).named(),
            Column::new("Edited by", Fold::Under).named(),
        ],
        rows: rows.collect(),
        ..Table::default()
    }
}

fn versions(view: &View<'_, '_, '_>, key: &str, compared: &Comparison) -> Table {
    let newest = compared.versions.len();
    let row = |it: &ContentVersion| {
        let beside = match it.number < newest {
            true => Rich::new().link("Compare with the newest", versions_url(view, key, (it.number, newest))),
            false => Rich::from("The newest"),
        };
        vec![
            Cell::Name(format!("Version {}", it.number)),
            Cell::Text(view.person(&it.by)),
            Cell::Text(view.moment(it.at)),
            Cell::Text(Rich::new().digest(it.digest.as_str())),
            Cell::Text(beside),
        ]
    };
    Table {
        caption: "Versions of the change, the newest first".to_owned(),
        columns: vec![
            Column::new("Version", Fold::Never),
            Column::new("Edited by", Fold::Under).named(),
            Column::new("When", Fold::Under),
            Column::new("Digest", Fold::Under),
            Column::new("Compare", Fold::Under),
        ],
        rows: compared.versions.iter().rev().map(row).collect(),
        ..Table::default()
    }
}
