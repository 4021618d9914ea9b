//! Reports on rights: targets that nobody can approve, who could approve only with themselves, rights in one hand that
//! conflict, rights that nobody used, and the budgets of break-glass. What they propose is done on the pages they lead to.

use std::collections::BTreeMap;

use acts::find_conflicts::find_conflicts;
use acts::find_unapprovable::{Finding, find_unapprovable};
use acts::find_unused::{Unused, find_unused};
use axum::extract::State;
use axum::response::Response;
use model::act::actions;
use model::glass::GlassUse;
use pages::{Entry, Place, RecordPage, Rich, Section, SectionBody, Tone, count};
use store::record::{self, Filter};

use super::view::{View, Visitor, escaped, show};
use super::words::{names, plain};
use crate::state::AppState;

/// How many days without use are told.
const UNUSED_DAYS: i64 = 90;
/// The most services whose targets are judged.
const SERVICES: usize = 500;
/// The most rows that one report shows.
const MOST: usize = 100;
/// The most break-glasses that are shown.
const GLASSES: i64 = 50;

/// The reports.
pub(super) async fn show_rights(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Rights, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.room.allow(actions::AUDIT)?;
    let owned = find_unapprovable(view.room, "", SERVICES)?;
    let conflicts = find_conflicts(view.room)?;
    let unused = find_unused(view.room, UNUSED_DAYS)?;
    let conflicts = conflicts.into_iter().map(|it| {
        let [one, other] = it.rights.map(|right| plain(&right));
        let text = Rich::new()
            .name(named(view, &it.person))
            .text(": ")
            .text(one)
            .text(" and ")
            .text(other);
        Entry::new(Tone::Wait, text)
            .why(it.why)
            .aside(Rich::new().said(it.place))
    });
    let sections = vec![
        section(
            ("unapprovable", "Targets that nobody can approve"),
            owned.unapprovable.iter().map(|it| target(view, Tone::Stop, it)),
            "Every target of every service has people enough for each rule.",
        ),
        section(
            ("alone", "Who could approve only with themselves"),
            by_people(view, &owned.alone).into_iter(),
            "Wherever one of those who may approve writes the change or is away, another can.",
        ),
        section(
            ("conflicts", "Rights that should not lie in one hand"),
            conflicts,
            "Nobody holds rights that conflict.",
        ),
        section(
            ("unused", "Rights that nobody used in 90 days"),
            unused.items.iter().map(|it| idle(view, it)),
            "Everybody used what they hold.",
        ),
        section(
            ("glasses", "Break-glass and the budgets of teams"),
            glasses(view)?.into_iter(),
            "Nobody broke the glass.",
        ),
    ];
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Rights in doubt".to_owned(),
        byline: Rich::from("What should not stay as it is."),
        sections,
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// A report with at most [`MOST`] entries, which says how many there are.
fn section((id, title): (&str, &str), entries: impl Iterator<Item = Entry>, none: &str) -> Section {
    let mut entries: Vec<Entry> = entries.collect();
    let all = entries.len();
    entries.truncate(MOST);
    if all > MOST {
        let rest = format!("{} more, by the API and the command line", count((all - MOST) as u64));
        entries.push(Entry::new(Tone::Plain, rest));
    }
    Section::new(id, title, SectionBody::Entries(entries)).unsaid(none)
}

fn target(view: &View<'_, '_, '_>, tone: Tone, it: &Finding) -> Entry {
    let text = Rich::new()
        .said_link(it.service.as_str(), view.url(&matrix_of(it)))
        .text(", ")
        .said(it.environment.as_str());
    let have = match it.found.is_empty() {
        true => Rich::from(format!("{} needed, nobody there", it.needed)),
        false => Rich::from(format!("{} needed, there: ", it.needed)).said(it.found.join(", ")),
    };
    let entry = Entry::new(tone, text).code(it.rule.as_str()).why(have);
    match it.why.first() {
        Some(why) => entry.aside(view.sentence(why)),
        None => entry,
    }
}

/// Who could approve only with themselves, once for each rule with all the targets where it is so.
fn by_people(view: &View<'_, '_, '_>, found: &[Finding]) -> Vec<Entry> {
    let mut alike: BTreeMap<(&[String], &str, u32), Vec<&Finding>> = BTreeMap::new();
    for it in found {
        alike.entry((&it.found, &it.rule, it.needed)).or_default().push(it);
    }
    let entry = |((logins, rule, needed), at): (_, Vec<&Finding>)| {
        let logins: &[String] = logins;
        let people: Vec<String> = logins.iter().map(|login| named(view, login)).collect();
        let mut places = Rich::from(format!("{needed} needed, for "));
        for (number, it) in at.iter().enumerate() {
            places = places
                .text(if number > 0 { "; " } else { "" })
                .said_link(format!("{}, {}", it.service, it.environment), view.url(&matrix_of(it)));
        }
        Entry::new(Tone::Wait, names(&people)).code(rule).why(places)
    };
    alike.into_iter().map(entry).collect()
}

/// The name of whoever has a login.
fn named(view: &View<'_, '_, '_>, login: &str) -> String {
    let person = view.directory.by_login(login);
    person.map_or_else(|| login.to_owned(), |person| person.name.clone())
}

/// The rows of the ownership matrix that speak of a finding's target.
fn matrix_of(it: &Finding) -> String {
    let (service, environment) = (escaped(&it.service), escaped(&it.environment));
    format!("/ownership?service={service}&environment={environment}")
}

fn idle(view: &View<'_, '_, '_>, it: &Unused) -> Entry {
    let (right, place) = (it.unused.iter().map(|right| plain(right)), it.place.as_deref());
    let text = Rich::new().name(named(view, &it.person)).text(": ");
    let link = |text: &str, path: &str| Rich::new().link(text, view.url(path));
    match it.kind {
        "ownership" => Entry::new(Tone::Wait, text.text(right.collect::<Vec<_>>().join(", ")))
            .why(Rich::new().said(place.unwrap_or_default()))
            .aside(link("The matrix", "/ownership")),
        "group" => Entry::new(Tone::Wait, text.said(it.unused.join(", ")))
            .why("Others of the group decided, and they did not.")
            .aside(link("Narrow their rights", "/people")),
        "workload" => Entry::new(Tone::Wait, text.text(right.collect::<Vec<_>>().join(", ")))
            .why(Rich::from("the workload ").said(place.unwrap_or_default()))
            .aside(link("End it", "/workloads")),
        "token" => {
            let name = it.token.as_ref().and_then(|token| token["name"].as_str());
            Entry::new(Tone::Wait, text.text(right.collect::<Vec<_>>().join(", ")))
                .why(Rich::from("the token ").said(name.unwrap_or_default()))
                .aside(link("Revoke it", "/tokens"))
        }
        _ => Entry::new(Tone::Wait, text.text(right.collect::<Vec<_>>().join(", ")))
            .aside(link("Narrow their rights", "/people")),
    }
}

fn glasses(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let newest = Filter::new().descending_by("id").limit(GLASSES);
    let found = record::find::<GlassUse>(view.room.tx, &newest)?;
    let rows = found.into_iter().map(|stored| {
        let it = stored.record;
        let (tone, over) = if it.over_budget {
            (Tone::Stop, ", over the budget")
        } else {
            (Tone::Plain, "")
        };
        let team = if it.team.is_empty() {
            Rich::from("no team")
        } else {
            Rich::new().said(it.team)
        };
        let text = Rich::new()
            .link(it.change_key.as_str(), view.change_url(&it.change_key))
            .text(" by ")
            .name(view.name(&it.by));
        Entry::new(tone, text)
            .why(team.text(format!(": {} of {}{over}", it.number, it.budget)))
            .aside(view.reader.moment(it.at))
    });
    Ok(rows.collect())
}
