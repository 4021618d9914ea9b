//! The list of changes: filters live in the address, so that a list can be sent to somebody.

use std::collections::BTreeMap;

use acts::report::find_changes::{
    ChangeRow as Listed, Order, TargetRow, find_custom_values, find_ordered, find_waiting, outcome_of, read_order,
};
use acts::report::saved_views;
use axum::extract::{Query, State};
use axum::response::Response;
use model::core::enums::{Outcome, State as Stage};
use model::core::ids::{self, PersonId};
use model::core::refusal::{FieldError, Refusal};
use pages::{
    ActForm, ActTone, Bulk, ChangeList, ChangeRow, Chip, Choice, Empty, FILTER_FORM, Field, Input, Notice, Paging,
    Place, Rich, Tone, View as SavedView,
};

use acts::report::saved_views::SavedView as KeptView;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::approval::decision_card::{closed_mark, outcome_mark};
use crate::web::change::change_query::{COLUMNS, FILTERS, KINDS, OWN, RISKS, Wanted, ended_lately, filter, is_key};
use crate::web::change::{counts, custom_fields, orders};
use crate::web::shared::fields::{environment_filter, pick_field, service_filter};
use crate::web::shared::form_page::Back;
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, show, show_as};
use crate::web::shared::words::capital;

/// How many changes a page shows.
const PAGE: i64 = 50;
/// The column with the people that changes wait for.
pub(crate) const WAITS: &str = "waits_for";
/// The query parameter for a page with every row picked (`all`), for readers without a script.
const PICKED: &str = "picked";
/// The outcomes of changes that failed, also in part.
pub(crate) const UNSUCCESSFUL: &str = "failed,rolled_back,rollback_failed,partially_implemented";
/// The list's name among saved views.
pub(crate) const LIST: &str = "changes";

/// The list of changes; a whole key in the search leads to its change.
pub(crate) async fn show_list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let mut wanted = Wanted(pairs);
    if let Some(key) = wanted.get("q").filter(|q| is_key(q)) {
        return see(&format!("{}/changes/{}", visitor.base(), key.to_uppercase()));
    }
    let is_all = wanted.get(PICKED) == Some("all");
    // No link keeps the selection, so that no reader picks the rows of another page unseen.
    wanted.0.retain(|(name, _)| name != PICKED);
    show(&state, &visitor, Place::Changes, move |view| {
        page(view, &wanted, is_all, None)
    })
    .await
}

/// The list of a query, with a returned form over it.
pub(crate) async fn show_back(state: &AppState, visitor: &Visitor, query: &str, back: Back) -> Response {
    let asked = format!("/?{query}").parse().ok();
    let pairs = asked.and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    let wanted = Wanted(pairs.map(|Query(pairs)| pairs).unwrap_or_default());
    show_as(state, visitor, Place::Changes, 422, move |view| {
        page(view, &wanted, false, Some(&back))
    })
    .await
}

/// The names of orders belong to the address: a page refers to its menu instead.
fn no_such_order() -> Refusal {
    let text = "The list has no such order or page. Open the list and choose an order there.";
    Refusal::field("sort", "unknown_word", text)
}

fn page(view: &mut View<'_, '_, '_>, wanted: &Wanted, is_all: bool, back: Option<&Back>) -> acts::Result<String> {
    let (order, after) = read_order(wanted.get("sort"), wanted.get("after")).map_err(|_| no_such_order())?;
    let filter = match filter(view, wanted) {
        Ok(filter) => filter,
        Err(errors) => return unread_page(view, wanted, &errors),
    };
    let (found, next) = find_ordered(view.cx, &filter, order, PAGE, after.as_ref())?;
    let shown = wanted.columns();
    let own = match shown.iter().any(|id| id == OWN) {
        true => find_custom_values(view.cx, &found)?,
        false => BTreeMap::new(),
    };
    let waiting = match shown.iter().any(|id| id == WAITS) {
        true => find_waiting(view.cx, &found)?,
        false => BTreeMap::new(),
    };
    let rows = found.rows.iter().map(|(listed, targets)| ChangeRow {
        waits_for: waiting
            .get(&listed.id)
            .map(|people| first_of(view, people))
            .unwrap_or_default(),
        own: own
            .get(&listed.id)
            .map(|values| custom_fields::values_text(view, values))
            .unwrap_or_default(),
        ..row(view, listed, targets)
    });
    let rows: Vec<ChangeRow> = rows.collect();
    let url = view.url("/changes");
    let first = wanted.with("after", "");
    let older = next.as_ref().map(|next| {
        let sign = if first.is_empty() { '?' } else { '&' };
        format!("{url}{first}{sign}after={}", next.word(order))
    });
    let newer = after.is_some().then(|| format!("{url}{first}"));
    let shown_rows = (rows.len(), next.is_some());
    let whole = counts::whole(view, &filter, (order, after.as_ref()), shown_rows)?;
    let saved = saved_views::find_views(view.cx, LIST)?;
    let shared = saved_views::find_shared_views(view.cx, LIST)?;
    let views = views(view, wanted, &saved, &shared, &whole.figure)?;
    view.follow(None);
    view.frame.query = wanted.get("q").unwrap_or_default().to_owned();
    let mut page = ChangeList {
        frame: view.frame.clone(),
        acts: exports(view, wanted),
        views,
        chips: chips(&url, wanted),
        filters: fields(view, wanted),
        column_fields: column_fields(wanted),
        view_acts: view_acts(view, wanted, &saved),
        bulk: Some(bulk(view, wanted, is_all)),
        columns: orders::heads(&url, wanted, order),
        orders: orders::list_orders(&url, wanted, order),
        filter_url: url,
        count: whole.all,
        paging: Paging {
            newer,
            older,
            count: whole.page,
            is_sorted: order != Order::default(),
        },
        rows,
        shown,
        ..ChangeList::default()
    };
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.view_acts.iter_mut());
    }
    Ok(page.render())
}

/// The list when a filter cannot be read: nothing is listed, and the filter's field shows the reason.
fn unread_page(view: &mut View<'_, '_, '_>, wanted: &Wanted, errors: &[FieldError]) -> acts::Result<String> {
    let saved = saved_views::find_views(view.cx, LIST)?;
    let shared = saved_views::find_shared_views(view.cx, LIST)?;
    let views = views(view, wanted, &saved, &shared, "")?;
    view.frame.query = wanted.get("q").unwrap_or_default().to_owned();
    let mut filters = fields(view, wanted);
    let mut notice = Notice::new(
        Tone::Stop,
        "No change is listed, because the result would not match your filters.",
    )
    .title("A filter cannot be read")
    .answer();
    for error in errors {
        let Some(field) = filters.iter_mut().find(|field| field.name == error.field) else {
            continue;
        };
        field.error = Some(error.text.clone());
        let row = Rich::new()
            .link(field.label.as_str(), format!("#{}", field.id(FILTER_FORM)))
            .line()
            .text(error.text.as_str());
        notice.rows.push(row);
    }
    view.frame.notices.push(notice);
    let url = view.url("/changes");
    let page = ChangeList {
        frame: view.frame.clone(),
        views,
        chips: chips(&url, wanted),
        filters,
        filter_url: url,
        unfound: Some(Empty::new("A filter cannot be read", "Correct it above, or remove it.")),
        ..ChangeList::default()
    };
    Ok(page.render())
}

/// The acts on picked rows, and the same page with every row picked or none.
fn bulk(view: &View<'_, '_, '_>, wanted: &Wanted, is_all: bool) -> Bulk {
    let url = view.url("/changes");
    let pairs: Vec<String> = wanted
        .0
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let here = pairs.join("&");
    let sign = if here.is_empty() { "" } else { "&" };
    Bulk {
        url: view.url("/changes/bulk"),
        acts: crate::web::change::bulk::offered(),
        all_url: format!("{url}?{here}{sign}{PICKED}=all"),
        none_url: if here.is_empty() { url } else { format!("{url}?{here}") },
        is_all,
    }
}

/// The list as it is shown, as files.
fn exports(view: &View<'_, '_, '_>, wanted: &Wanted) -> Vec<ActForm> {
    let link = |words: &str, ending: &str| {
        let query = wanted.query();
        let sign = if query.is_empty() { "" } else { "?" };
        ActForm::link(words, view.url(&format!("/changes.{ending}{sign}{query}"))).tone(ActTone::Quiet)
    };
    vec![link("Export as CSV", "csv"), link("Export as Excel", "xlsx")]
}

fn column_fields(wanted: &Wanted) -> Vec<Field> {
    let kept = wanted.parts().into_iter().filter(|(name, _)| name != "columns");
    let mut fields: Vec<Field> = kept.map(|(name, value)| Field::hidden(name, value)).collect();
    let mut choice = Field::many("columns", "Columns beside the title", &COLUMNS);
    choice.chosen = wanted.columns();
    fields.push(choice);
    fields
}

/// The acts to keep the present list as a view, or to remove a kept view.
fn view_acts(view: &View<'_, '_, '_>, wanted: &Wanted, saved: &[KeptView]) -> Vec<ActForm> {
    let query = wanted.query();
    if let Some(kept) = saved.iter().find(|kept| kept.query == query) {
        let remove = ActForm::new("remove-view", "Remove this view", view.url("/views/removal"));
        let (verb, wish) = match kept.is_shared {
            true => ("Make this view private", "no"),
            false => ("Share this view with everyone", "yes"),
        };
        let share = ActForm::new("share-view", verb, view.url("/views/sharing"));
        return vec![
            share
                .tone(ActTone::Link)
                .field(Field::hidden("name", kept.name.as_str()))
                .field(Field::hidden("is_shared", wish)),
            remove
                .tone(ActTone::Link)
                .field(Field::hidden("name", kept.name.as_str())),
        ];
    }
    if query.is_empty() {
        return Vec::new();
    }
    let save = ActForm::new("save-view", "Save as a view", view.url("/views"))
        .tone(ActTone::Link)
        .field(Field::text("name", "Name of the view").required())
        .field(Field::hidden("query", query));
    vec![save]
}

/// The first of several people or groups, and how many more there are: `Priya Raman +1`.
fn first_of(view: &View<'_, '_, '_>, people: &[String]) -> String {
    let first = people.first().map(|who| view.waits_on(who)).unwrap_or_default();
    match people.len().saturating_sub(1) {
        0 => first,
        more => format!("{first} +{more}"),
    }
}

/// A change as the list shows it.
pub(crate) fn row(view: &View<'_, '_, '_>, listed: &Listed, targets: &[TargetRow]) -> ChangeRow {
    let first = targets.first().map(|target| target.service.clone()).unwrap_or_default();
    let more = targets.len().saturating_sub(1);
    let state = pages::State::from_word(&listed.state).unwrap_or_default();
    let owner = ids::PersonId::from(listed.owner.as_str());
    ChangeRow {
        key: listed.key.clone(),
        href: view.change_url(&listed.key),
        title: listed.title.clone(),
        kind: pages::Kind::from_word(&listed.kind).unwrap_or_default(),
        state: if listed.on_hold { pages::State::OnHold } else { state },
        outcome: outcome_of(targets).map(outcome_mark),
        closed: outcome_of(targets)
            .filter(|_| listed.state == Stage::Closed.as_str())
            .map(closed_mark),
        risk: pages::Risk::from_word(&listed.risk),
        targets: if more == 0 { first } else { format!("{first} +{more}") },
        planned: listed
            .planned_start
            .map(|at| view.reader.moment(at))
            .unwrap_or_default(),
        planned_end: listed.planned_end.map(|at| view.reader.moment(at)).unwrap_or_default(),
        waits_for: String::new(),
        owner: view.named(&owner),
        requester: view.named(&ids::PersonId::from(listed.requester.as_str())),
        team: listed.team.clone().unwrap_or_default(),
        created: view.reader.moment(listed.created_at),
        updated: view.reader.moment(listed.updated_at),
        age: view.reader.age(listed.created_at),
        own: String::new(),
    }
}

fn views(
    view: &mut View<'_, '_, '_>,
    wanted: &Wanted,
    saved: &[KeptView],
    shared: &[(PersonId, KeptView)],
    figure: &str,
) -> acts::Result<Vec<SavedView>> {
    let me = view.directory.login(&view.me);
    let mine = format!("state=open&requester={}", escaped(&me));
    let failed = format!("outcome={}", escaped(UNSUCCESSFUL));
    let lately = ended_lately(view).map(|(label, ended)| (label, format!("{failed}&{ended}")));
    let rows = [
        ("All", String::new()),
        ("Open", "state=open".to_owned()),
        ("Yours", mine),
        ("Waiting for approval", "state=authorizing".to_owned()),
        ("Under way", "state=implementing".to_owned()),
        ("To be closed", "state=reviewing".to_owned()),
        ("Without success", failed),
    ];
    // A reader who writes no changes has none of their own here.
    let rows = rows
        .into_iter()
        .chain(lately)
        .filter(|(label, _)| *label != "Yours" || view.frame.may_create);
    let rows = rows.map(|(label, query)| (label.to_owned(), query, false));
    let kept = saved.iter().map(|kept| (kept.name.clone(), kept.query.clone(), true));
    let others = shared.iter().map(|(owner, kept)| {
        let label = format!("{} ({})", kept.name, view.name(owner));
        (label, kept.query.clone(), true)
    });
    let rows: Vec<(String, String, bool)> = rows.chain(kept).chain(others).collect();
    let present = present(wanted, rows.iter().map(|(_, query, _)| query.as_str()));
    // The present view was counted already, and further.
    let others = rows.iter().filter(|(_, query, _)| *query != present);
    let queries: Vec<String> = others.map(|(_, query, _)| query.clone()).collect();
    let mut figures = counts::of_views(view, &queries)?.into_iter();
    let views = rows.into_iter().map(|(label, query, is_said)| {
        let is_current = query == present;
        let counted = match is_current {
            true => Some(figure.to_owned()),
            false => figures.next(),
        };
        SavedView {
            is_said,
            is_current,
            href: view.url(&if query.is_empty() {
                "/changes".to_owned()
            } else {
                format!("/changes?{query}")
            }),
            label,
            count: counted.unwrap_or_default(),
        }
    });
    Ok(views.collect())
}

/// The query of the present view: one with the same order, else one that differs only in the order.
fn present<'q>(wanted: &Wanted, mut queries: impl Iterator<Item = &'q str>) -> String {
    let present = wanted.query();
    if queries.any(|query| query == present) {
        return present;
    }
    let without = wanted.0.iter().filter(|(name, _)| name != "sort").cloned();
    Wanted(without.collect()).query()
}

fn chips(url: &str, wanted: &Wanted) -> Vec<Chip> {
    let set = FILTERS
        .iter()
        .filter_map(|(name, label)| Some((name, label, wanted.get(name)?)));
    set.flat_map(|(name, label, value)| {
        let is_said = !["state", "kind", "outcome", "risk"].contains(name);
        // Each of several search terms is a chip of its own, which removes that term.
        let words: Vec<&str> = if is_said {
            vec![value]
        } else {
            value.split(',').collect()
        };
        let chip = |word: &&str| {
            let rest: Vec<&str> = words.iter().copied().filter(|other| other != word).collect();
            Chip {
                label: (*label).to_owned(),
                value: if is_said {
                    (*word).to_owned()
                } else {
                    word.replace('_', " ")
                },
                remove_url: format!("{url}{}", wanted.with(name, &rest.join(","))),
                is_said,
            }
        };
        words.iter().map(chip).collect::<Vec<_>>()
    })
    .collect()
}

fn fields(view: &View<'_, '_, '_>, wanted: &Wanted) -> Vec<Field> {
    let mut fields = filter_fields(view, wanted);
    // Other filters keep the chosen columns and order.
    let kept = wanted.parts().into_iter();
    let kept = kept.filter(|(name, _)| ["columns", "sort"].contains(&name.as_str()));
    fields.extend(kept.map(|(name, value)| Field::hidden(name, value)));
    fields
}

fn filter_fields(view: &View<'_, '_, '_>, wanted: &Wanted) -> Vec<Field> {
    let present = |name: &str| wanted.get(name).unwrap_or_default().to_owned();
    let time = |name: &str, label: &str| Field::new(name, label, Input::DateTime).value(present(name)).half();
    let menu = |name: &str, label: &str, words: Vec<String>| {
        let any = std::iter::once(Choice::new("", "Any"));
        let choices = any.chain(words.iter().map(|word| Choice::new(word.as_str(), capital(word))));
        Field::new(name, label, Input::Select(choices.collect()))
            .value(present(name))
            .half()
    };
    let stages = std::iter::once("open".to_owned()).chain(Stage::ALL.iter().map(|state| state.as_str().to_owned()));
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str().to_owned());
    let levels = RISKS.map(|level| level.as_str().to_owned());
    vec![
        Field::text("q", "Words").value(present("q")),
        menu("state", "State", stages.collect()),
        menu("kind", "Kind", KINDS.map(str::to_owned).to_vec()),
        service_filter(view, &present("service")),
        environment_filter(view, &present("environment")),
        outcome_menu(menu("outcome", "Outcome", outcomes.collect())),
        menu("risk", "Risk", levels.to_vec()),
        pick_field(view, "people", "owner", "Owner’s login")
            .value(present("owner"))
            .half(),
        pick_field(view, "people", "requester", "Requester’s login")
            .value(present("requester"))
            .half(),
        pick_field(view, "teams", "team", "Team").value(present("team")).half(),
        time("planned_from", "Planned from"),
        time("planned_to", "Planned before"),
        time("created_from", "Written from"),
        time("created_to", "Written before"),
        time("ended_from", "Ended from"),
        time("ended_to", "Ended before"),
    ]
}

/// The choice of outcomes, with all that are no success as one.
fn outcome_menu(mut menu: Field) -> Field {
    if let Input::Select(choices) = &mut menu.input {
        choices.insert(1, Choice::new(UNSUCCESSFUL, "Without success"));
    }
    menu
}
