//! Conflicts: the recorded ones, with their owner, arbiters, precedents and decision; and the conflicts of a change, for its
//! page and its card.

use std::collections::{BTreeMap, BTreeSet};

use acts::Context;
use acts::core::noun;
use acts::schedule::change_conflicts::{changes_of, find_of};
use acts::schedule::keep_conflicts::{find_decided, precedents_among};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::change::record::Change;
use model::core::body::Body;
use model::core::enums::{ConflictDecision, ConflictState};
use model::core::ids::PersonId;
use model::core::refusal::Refusal;
use model::schedule::conflict_record::Conflict;
use model::schedule::conflicts::{Found, Planned};
use pages::{ActForm, ActTone, Fact, Field, Notice, Place, RecordPage, Rich, Section, SectionBody, Tone};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::schedule::list::sent;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send};
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::view::{View, Visitor, show};

/// The path of the page.
const PATH: &str = "/conflicts";
/// The most conflicts that a change's page names.
const MOST_NAMED: usize = 3;

/// The page of conflicts that are kept.
pub(crate) async fn conflicts(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Calendar, move |view| {
        page_of(view, &words, None)
    })
    .await
}

/// Decides a conflict, or names another owner.
pub(crate) async fn decide(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let path = format!("{PATH}/{}", escaped(&id));
    let sent = sent(form, path, PATH, Place::Calendar, "conflict_decided");
    let run = move |cx: &mut Context<'_, '_>, body: &Body| noun::edit::<Conflict>(cx, &id, body).map(drop);
    send(&state, &visitor, sent, run, page).await
}

fn page(view: &mut View<'_, '_, '_>, back: Option<&Back>) -> acts::Result<String> {
    page_of(view, &ListQuery::default(), back)
}

fn page_of(view: &mut View<'_, '_, '_>, words: &ListQuery, back: Option<&Back>) -> acts::Result<String> {
    let mut found = noun::list::<Conflict>(view.cx)?;
    found.sort_by_key(|it| (it.state != ConflictState::Open, it.due_at));
    let open = found.iter().filter(|it| it.state == ConflictState::Open).count();
    let (found, told) = words.cut(found);
    let mut page = RecordPage {
        acts: words.page_acts(&view.url(PATH), &told),
        frame: view.frame.clone(),
        crumb: vec![("Calendar".to_owned(), view.url("/calendar"))],
        title: "Conflicts".to_owned(),
        byline: Rich::from("Changes that cannot both run as planned, each with its owner and the people who decide."),
        ..RecordPage::default()
    };
    if open == 0 {
        page.byline = page.byline.line().text("No conflict waits for a decision.");
    }
    let ids: BTreeSet<&str> = found
        .iter()
        .flat_map(|it| [it.one.as_str(), it.other.as_str()])
        .collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let changes = changes_of(view.cx, &ids)?;
    let around = Around {
        changes: changes.into_iter().map(|it| (it.id.0.clone(), it)).collect(),
        decided: find_decided(view.cx)?,
    };
    for conflict in &found {
        page.sections.push(section(view, conflict, &around)?);
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, below);
    }
    Ok(page.render())
}

/// What the conflicts of a page need, read at once.
struct Around {
    /// Their changes, by id.
    changes: BTreeMap<String, Change>,
    /// The conflicts decided last.
    decided: Vec<Conflict>,
}

fn section(view: &mut View<'_, '_, '_>, conflict: &Conflict, around: &Around) -> acts::Result<Section> {
    let change = |id: &str| {
        around
            .changes
            .get(id)
            .ok_or_else(|| Refusal::not_found(format!("change {id}")))
    };
    let (one, other) = (change(&conflict.one)?, change(&conflict.other)?);
    let arbiters = conflict.arbiters(&view.directory, [one, other], view.now());
    let mut facts = facts(view, conflict, &arbiters);
    let like = precedents_among(view.cx, conflict, &around.decided)?;
    let before = like
        .iter()
        .map(|it| format!("{} and {}: {}", it.one_key, it.other_key, decision(it)));
    let before: Vec<String> = before.collect();
    if !before.is_empty() {
        let lines = before.iter().skip(1).fold(Rich::from(before[0].as_str()), |text, row| {
            text.line().text(row.as_str())
        });
        facts.push(Fact::new("Decided before", lines));
    }
    let title = format!("{} and {}", conflict.one_key, conflict.other_key);
    let id = format!("conflict-{}", conflict.id);
    let section = Section::new(id, title, SectionBody::Facts(facts)).said();
    let mut forms = Vec::new();
    if arbiters.contains(&view.me) && conflict.state == ConflictState::Open {
        forms.push(decide_form(view, conflict));
    }
    let is_concerned = [&one.content.owner, &other.content.owner].contains(&&view.me)
        || conflict.owner.as_ref() == Some(&view.me)
        || arbiters.contains(&view.me);
    if is_concerned {
        forms.push(owner_form(view, conflict));
    }
    Ok(section.acts(forms))
}

fn facts(view: &View<'_, '_, '_>, conflict: &Conflict, arbiters: &[PersonId]) -> Vec<Fact> {
    let link = |key: &str| (key.to_owned(), view.change_url(key));
    let (one, other) = (link(&conflict.one_key), link(&conflict.other_key));
    let changes = Rich::new().link(one.0, one.1).text(", ").link(other.0, other.1);
    let reasons = conflict
        .why
        .iter()
        .enumerate()
        .fold(Rich::new(), |text, (place, why)| match place {
            0 => text.text(why.as_str()),
            _ => text.line().text(why.as_str()),
        });
    let names: Vec<String> = arbiters.iter().map(|person| view.name(person)).collect();
    let held = match (conflict.state, conflict.holds) {
        (ConflictState::Open, true) => "Neither change starts before a decision.",
        (ConflictState::Open, false) => "Both changes may start.",
        _ => "The decision binds both changes.",
    };
    let mut facts = vec![
        Fact::new("Changes", changes),
        Fact::new("Why", reasons),
        Fact::new(
            "Together",
            view.reader.span(conflict.overlaps_from, conflict.overlaps_to),
        ),
        Fact::new("Held", held),
        Fact::new("Decides", Rich::new().said(names.join(", "))),
    ];
    if let Some(owner) = &conflict.owner {
        facts.push(Fact::new("Assigned to", view.person(owner)));
    }
    match conflict.state {
        ConflictState::Open => facts.push(Fact::new("Due", view.moment(conflict.due_at))),
        _ => facts.push(Fact::new("Decision", decision(conflict))),
    }
    if let Some(reason) = conflict
        .reason
        .as_ref()
        .filter(|_| conflict.state == ConflictState::Decided)
    {
        facts.push(Fact::new("Reason", Rich::new().said(reason.as_str())));
    }
    facts
}

fn decision(conflict: &Conflict) -> String {
    match (conflict.decision, &conflict.moves) {
        (Some(ConflictDecision::OneMoves), Some(moves)) => format!("{moves} moves"),
        (Some(ConflictDecision::OneMoves), None) => "one moves".to_owned(),
        (Some(ConflictDecision::BothStay), _) => "both stay as planned".to_owned(),
        (Some(ConflictDecision::OneWindow), _) => "both are done in one window".to_owned(),
        (None, _) => "not decided".to_owned(),
    }
}

fn decide_form(view: &View<'_, '_, '_>, conflict: &Conflict) -> ActForm {
    let decisions = [
        ("one_moves", "One moves"),
        ("both_stay", "Both stay as planned"),
        ("one_window", "Both are done in one window"),
    ];
    let (one, other) = (conflict.one_key.as_str(), conflict.other_key.as_str());
    let url = view.url(&format!("{PATH}/{}", escaped(conflict.id.as_str())));
    ActForm::new(format!("decide-{}", conflict.id), "Decide", url)
        .tone(ActTone::Go)
        .field(Field::select("decision", "Decision", &decisions).required())
        .field(
            Field::select(
                "moves",
                "The change that moves",
                &[("", "None"), (one, one), (other, other)],
            )
            .hint("Only where one moves."),
        )
        .field(
            Field::textarea("reason", "Why")
                .hint("Both owners read the reason, and later arbiters find it as precedent.")
                .required(),
        )
        .submit("Decide the conflict")
}

fn owner_form(view: &View<'_, '_, '_>, conflict: &Conflict) -> ActForm {
    let url = view.url(&format!("{PATH}/{}", escaped(conflict.id.as_str())));
    ActForm::new(format!("owner-{}", conflict.id), "Another owner", url)
        .tone(ActTone::Link)
        .field(crate::web::shared::fields::pick_field(view, "people", "owner", "Owner").required())
        .submit("Name another owner")
}

/// Adds the other plan of a conflict to a text: a link to the change, marked if it is a planned undo; or the title of
/// maintenance.
pub(crate) fn named(view: &View<'_, '_, '_>, text: Rich, it: &Found) -> Rich {
    let text = match it.is_undo {
        true => text.text("the planned undo of "),
        false => text,
    };
    match it.change {
        Some(_) => text.link(it.with.as_str(), view.change_url(&it.with)),
        None => text.said(it.with.as_str()),
    }
}

/// The conflicts of a change, for its page: the first few, with the path between the two changes.
///
/// # Errors
/// The store's.
pub(crate) fn notice(view: &mut View<'_, '_, '_>, change: &Change) -> acts::Result<Option<Notice>> {
    let Some(mine) = Planned::of(change) else {
        return Ok(None);
    };
    let found = find_of(view.cx, &mine)?;
    let mut lines = found.iter().take(MOST_NAMED);
    let Some(first) = lines.next() else {
        return Ok(None);
    };
    let line = |text: Rich, it: &Found| {
        let text = named(view, text, it);
        it.met
            .iter()
            .fold(text, |text, met| text.text(format!(": {}", met.sentence())))
    };
    let mut text = lines.fold(line(Rich::new(), first), |text, it| line(text.line(), it));
    let more = found.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        text = text.line().text(format!("{more} more conflicts."));
    }
    let propose = view.url(&format!("/calendar/propose?change={}", escaped(&change.key)));
    let text = text
        .line()
        .link("Another time", propose)
        .text(" ")
        .link("All conflicts", view.url(PATH));
    Ok(Some(Notice::new(Tone::Wait, text).title("Conflict with another plan")))
}
