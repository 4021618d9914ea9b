//! The search: a page that works without script, and the contents of the palette.

use axum::extract::{Query, State};
use axum::response::Response;
use model::core::refusal::Refusal;
use model::report::search_query::{MOST_CHARACTERS, OPERATORS, SearchQuery, ended_span};
use pages::{ActForm, ActTone, Entry, Field, Notice, Place, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::report::completions::complete;
use crate::report::search::{Item, is_key, search};
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{capital, plain};

/// The query of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct SearchPageQuery {
    q: Option<String>,
    /// Set by the palette: a whole key then lists the possible acts, rather than lead to its change.
    look: Option<String>,
}

/// The sections by the kind of their entries, in the order of the page. The palette reads them by their ids.
const SECTIONS: [(&str, &str, &str); 9] = [
    ("act", "hits-acts", "Commands"),
    ("change", "hits-changes", "Changes"),
    ("person", "hits-people", "People"),
    ("service", "hits-services", "Services"),
    ("incident", "hits-incidents", "Incidents"),
    ("freeze", "hits-freezes", "Freezes"),
    ("template", "hits-templates", "Templates"),
    ("page", "hits-pages", "Pages"),
    ("setting", "hits-settings", "Settings"),
];

/// The search; a whole key leads to its change.
pub(crate) async fn show_search(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<SearchPageQuery>,
) -> Response {
    let text = asked.q.unwrap_or_default().trim().to_owned();
    if asked.look.is_none() && is_key(&text) {
        return see(&format!("{}/changes/{}", visitor.base(), text.to_uppercase()));
    }
    show(&state, &visitor, Place::Search, move |view| page(view, &text)).await
}

fn page(view: &mut View<'_, '_, '_>, text: &str) -> acts::Result<String> {
    let language = view.frame.language.clone();
    let (found, error) = match search(view.cx, text, &language) {
        Ok(found) => (found, None),
        Err(acts::Error::Refused(refusal @ Refusal::Invalid(_))) => (Vec::new(), Some(refusal.text())),
        Err(error) => return Err(error),
    };
    view.frame.query = text.chars().take(MOST_CHARACTERS).collect();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Search".to_owned(),
        byline: Rich::from("Changes, people, services, incidents, freezes, templates, pages and settings."),
        acts: vec![form(view, text, error.clone())],
        sections: sections(view, &found),
        ..RecordPage::default()
    };
    if let Some(error) = error {
        let notice = Notice::new(Tone::Stop, view.sentence(&error)).title("The search cannot be read");
        page.notices.push(notice.answer());
    } else if found.is_empty() && !text.is_empty() {
        let none = "No results. Remove a word, or search for a part of one.";
        page.notices.push(Notice::new(Tone::Plain, none));
    }
    page.sections.extend(completions(view, text));
    page.sections.push(operators(view));
    page.acts.extend(all_changes(view, text));
    Ok(page.render())
}

fn form(view: &View<'_, '_, '_>, text: &str, error: Option<String>) -> ActForm {
    let mut field = Field::text("q", "Words and operators")
        .hint("Such as: label outcome:failed service:wms. A key leads to its change.")
        .value(text);
    field.error = error;
    let mut form = ActForm::new("search", "Search terms", view.url("/search"))
        .field(field)
        .submit("Search");
    form.is_question = true;
    form.is_open = true;
    form
}

fn sections(view: &View<'_, '_, '_>, found: &[Item]) -> Vec<Section> {
    let sections = SECTIONS.iter().filter_map(|(kind, id, title)| {
        let own = found.iter().filter(|item| item.kind == *kind);
        let entries: Vec<Entry> = own.map(|item| entry(view, item)).collect();
        let section = Section::new(*id, *title, SectionBody::Entries(entries));
        (!section.is_empty()).then_some(section)
    });
    sections.collect()
}

fn entry(view: &View<'_, '_, '_>, item: &Item) -> Entry {
    let url = view.url(&item.path);
    match item.kind {
        "act" => {
            let (verb, key) = item.key.split_once(' ').unwrap_or((item.key.as_str(), ""));
            let text = Rich::new().link(capital(verb), url);
            let why = Rich::new().said(format!("{key}: {}", item.title));
            Entry::new(Tone::Plain, text).icon("right").why(why)
        }
        "page" | "setting" => Entry::new(Tone::Plain, Rich::new().link(item.title.as_str(), url)).icon("right"),
        _ => {
            let name = if item.title.is_empty() { &item.key } else { &item.title };
            let mut entry = Entry::new(Tone::Plain, Rich::new().said_link(name.as_str(), url)).icon(icon(item.kind));
            if item.key != *name && item.kind != "freeze" {
                entry = entry.why(Rich::new().said(item.key.as_str()));
            }
            if let Some(outcome) = item.outcome {
                return entry.aside(capital(outcome.as_str()));
            }
            if item.state.is_empty() {
                return entry;
            }
            entry.aside(capital(&plain(&item.state)))
        }
    }
}

/// The shape beside a hit: that of its kind, as in the navigation; a state would be read as the hit's own.
fn icon(kind: &str) -> &'static str {
    match kind {
        "person" => "person",
        "service" => "service",
        "incident" => "incident",
        "freeze" => "snow",
        "template" => "template",
        _ => "list",
    }
}

/// The list of changes with the same filters and search terms.
fn all_changes(view: &View<'_, '_, '_>, text: &str) -> Option<ActForm> {
    let query = SearchQuery::parse(text).ok().filter(|query| !query.is_empty())?;
    let mut pairs: Vec<String> = Vec::new();
    let mut add = |name: &str, value: &str| pairs.push(format!("{name}={}", escaped(value)));
    for (name, value) in &query.terms {
        match ended_span(value, view.now()).filter(|_| *name == "ended") {
            Some((from, to)) => {
                add("ended_from", &view.reader.field(from));
                if let Some(to) = to {
                    add("ended_to", &view.reader.field(to));
                }
            }
            None => add(name, value),
        }
    }
    if !query.words.is_empty() {
        add("q", &query.words);
    }
    let link = ActForm::link(
        "All matching changes as a list",
        view.url(&format!("/changes?{}", pairs.join("&"))),
    );
    Some(link.tone(ActTone::Quiet))
}

fn completions(view: &View<'_, '_, '_>, text: &str) -> Option<Section> {
    let found = complete(text, &view.directory);
    let entries = found.into_iter().map(|it| {
        let url = view.url(&format!("/search?q={}", escaped(&it.text)));
        Entry::new(Tone::Plain, Rich::new().code_link(it.text, url))
            .icon("search")
            .why(it.explanation)
    });
    let entries: Vec<Entry> = entries.collect();
    (!entries.is_empty()).then(|| Section::new("completions", "Go on with", SectionBody::Entries(entries)))
}

fn operators(view: &View<'_, '_, '_>) -> Section {
    let entries = OPERATORS.iter().map(|operator| {
        let url = view.url(&format!("/search?q={}", escaped(operator.example)));
        Entry::new(Tone::Plain, Rich::new().code_link(operator.example, url))
            .icon("search")
            .why(operator.explanation)
    });
    Section::new("operators", "Operators", SectionBody::Entries(entries.collect()))
        .lede("They narrow changes and can be combined. Quotation marks keep a name with spaces whole.")
}
