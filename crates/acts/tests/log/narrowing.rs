//! The log narrowed page by page: a response covers so many entries and no more, states that it stopped there, and the pages
//! together have every entry that fits, once.

use acts::Error;
use acts::audit::find_log::{LogFilter, LogPage, search_within};
use acts::compliance::forensic_timeline::{Wanted, find_forensic, whole};
use acts::core::write;
use acts::incident::set_incident;
use model::change::change_file::{Actor, WayIn};
use model::core::refusal::Refusal;
use serde_json::json;
use store::audit::log;
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

/// The most entries that one response covers.
const MOST: i64 = 10;

/// All pages of the entries that fit a filter, each looking at `most` entries.
fn pages(world: &World, filter: &LogFilter, (most, limit): (i64, i64)) -> Vec<LogPage> {
    let mut found: Vec<LogPage> = Vec::new();
    loop {
        let (filter, before) = (filter.clone(), found.last().and_then(|page| page.next));
        let page = world
            .look(move |cx| search_within(cx, &filter, most, before, limit))
            .unwrap();
        assert!(before.is_none_or(|before| page.next.is_none_or(|next| next < before)));
        found.push(page);
        if found.last().is_some_and(|page| page.next.is_none()) {
            return found;
        }
    }
}

fn indexes(pages: &[LogPage]) -> Vec<i64> {
    let entries = pages.iter().flat_map(|page| &page.entries);
    entries.map(|told| told.index.unwrap()).collect()
}

/// A log with few matching entries, far apart.
fn long_log() -> World {
    let world = World::new();
    for round in 0..3 {
        world.draft(&format!("Draft {round}"));
        world.noise(4 * usize::try_from(MOST).unwrap() + round);
        world.system(|cx| {
            let pay = cx.directory()?.services.get(&"pay".into()).unwrap().id.0.clone();
            let drafts = (0..7)
                .map(|_| write::draft("tenant.looked_at", ("service", pay.clone()), cx.now, json!({})))
                .collect();
            cx.emit(drafts, write::Written::default())
        });
    }
    world.sequence();
    world
}

#[test]
fn an_answer_that_stopped_says_so_and_from_where_the_next_goes_on() {
    let world = long_log();
    let of_kind = LogFilter {
        kind: Some("change".to_owned()),
        ..LogFilter::default()
    };
    let whole = pages(&world, &of_kind, (i64::MAX, 1_000));
    assert_eq!(whole.len(), 1);
    assert!(!whole[0].is_cut && whole[0].entries.len() >= 3, "{whole:?}");
    let found = pages(&world, &of_kind, (MOST, 1_000));
    assert_eq!(indexes(&found), indexes(&whole));
    let (last, before) = found.split_last().unwrap();
    assert!(!last.is_cut, "the beginning of the log was looked at");
    assert!(before.iter().all(|page| page.is_cut && page.next.is_some()));
    assert!(before.iter().any(|page| page.entries.is_empty()), "a page may be empty");
    // The first response covered the newest entries, and no other.
    let size = world.look(|cx| Ok(log::state(cx.tx)?.unwrap().size)).unwrap();
    assert_eq!(found[0].next, Some(size - MOST));
    // With few a page, a full one ends where it is full and reports no cut.
    let few = pages(&world, &of_kind, (MOST, 1));
    assert_eq!(indexes(&few), indexes(&whole));
}

#[test]
fn what_is_about_one_thing_is_cut_by_what_is_about_it_and_a_change_never() {
    let world = long_log();
    let about = |word: &str, kind: Option<&str>| LogFilter {
        about: Some(word.to_owned()),
        kind: kind.map(str::to_owned),
        ..LogFilter::default()
    };
    let whole = pages(&world, &about("pay", None), (i64::MAX, 1_000));
    assert_eq!(whole.len(), 1);
    assert!(whole[0].entries.len() > 21, "{}", whole[0].entries.len());
    // Its oldest entries alone fit, behind pages of others.
    let oldest = about("pay", Some("service"));
    let found = pages(&world, &oldest, (MOST, 1_000));
    assert!(
        found.len() > 2 && found[0].is_cut && found[0].entries.is_empty(),
        "{found:?}"
    );
    assert_eq!(indexes(&found), indexes(&pages(&world, &oldest, (i64::MAX, 1_000))));
    let change = pages(&world, &about("CHG-1001", None), (1, 1_000));
    assert_eq!(change.len(), 1);
    assert!(!change[0].is_cut && !change[0].entries.is_empty(), "{change:?}");
}

/// Rita looks at something, by a session and from an address.
fn looks_from(world: &World, session: &'static str, address: &'static str) {
    let via = WayIn {
        session: Some(session.to_owned()),
        address: Some(address.to_owned()),
        ..WayIn::default()
    };
    let actor = Actor {
        via: Some(via),
        ..world.actor("rita")
    };
    let look = |cx: &mut acts::Context<'_, '_>| {
        let draft = write::draft("tenant.looked_at", ("service", "pay".to_owned()), cx.now, json!({}));
        cx.emit(vec![draft], write::Written::default())
    };
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, look)
        .unwrap();
}

fn code(error: Error) -> String {
    match error {
        Error::Refused(Refusal::Invalid(errors)) => errors[0].code.clone(),
        other => panic!("no refusal of a field: {other:?}"),
    }
}

#[test]
fn what_came_from_an_address_is_found_by_it_and_the_log_does_not_name_it() {
    let world = World::new();
    looks_from(&world, "one", "203.0.113.7");
    looks_from(&world, "two", "203.0.113.7");
    looks_from(&world, "two", "2001:db8::7");
    world.sequence();
    let count = |filter: LogFilter| {
        pages(&world, &filter, (1_000, 1_000))
            .iter()
            .map(|page| page.entries.len())
            .sum::<usize>()
    };
    let from = |address: &str| LogFilter {
        address: Some(address.to_owned()),
        ..LogFilter::default()
    };
    assert_eq!(count(from("203.0.113.7")), 2);
    assert_eq!(count(from("::ffff:203.0.113.7")), 2, "another form of the same address");
    assert_eq!(count(from("2001:0DB8::7")), 1);
    assert_eq!(count(from("203.0.113.8")), 0);
    let both = LogFilter {
        session: Some("two".to_owned()),
        ..from("203.0.113.7")
    };
    assert_eq!(count(both), 1);
    let by_token = LogFilter {
        token: Some("two".to_owned()),
        ..LogFilter::default()
    };
    assert_eq!(count(by_token), 0, "a session is no token");
    let wrong = from("the office");
    let refused = world.look(move |cx| search_within(cx, &wrong, 10, None, 10));
    assert_eq!(code(refused.unwrap_err()), "unreadable");
    let all = pages(&world, &LogFilter::default(), (1_000, 1_000));
    let data: Vec<String> = all
        .iter()
        .flat_map(|page| &page.entries)
        .map(|it| json!(it.data).to_string())
        .collect();
    assert!(data.iter().any(|it| it.contains("\"session\":\"one\"")), "{data:?}");
    assert!(
        data.iter()
            .all(|it| !it.contains("203.0.113") && !it.contains("2001:db8")),
        "{data:?}"
    );
}

#[test]
fn the_timeline_of_an_incident_has_its_own_entries_and_those_of_its_services() {
    let world = World::new();
    let wanted = json!({"title": "It is slow", "severity": 3, "services": ["pay"]});
    let incident = world.by("mona", move |cx| set_incident::open_incident(cx, &body(wanted.clone())));
    let beside = json!({"title": "It is slower", "severity": 3, "services": ["pay"]});
    world.by("mona", move |cx| set_incident::open_incident(cx, &body(beside.clone())));
    let elsewhere = json!({"title": "Nobody knows where", "severity": 3});
    world.by("mona", move |cx| {
        set_incident::open_incident(cx, &body(elsewhere.clone()))
    });
    world.noise(3);
    world.system(|cx| {
        let pay = cx.directory()?.services.get(&"pay".into()).unwrap().id.0.clone();
        let about = |id: &str| write::draft("tenant.looked_at", ("service", id.to_owned()), cx.now, json!({}));
        let lack = write::draft(
            "change.ungrounded",
            ("ungrounded", "e1".to_owned()),
            cx.now,
            json!({"event": "e1"}),
        );
        let drafts = vec![about(&pay), about("another"), lack];
        cx.emit(drafts, write::Written::default())
    });
    world.sequence();
    let around = Wanted {
        incident: Some(incident.key.clone()),
        ..Wanted::default()
    };
    let (found, _) = world.look(move |cx| whole(cx, &around)).unwrap();
    let has = |kind: &str| found.iter().filter(|it| it.kind == kind).count();
    assert_eq!(
        (has("incident.opened"), has("tenant.looked_at")),
        (2, 1),
        "its own and another on its service: {found:?}"
    );
    assert_eq!(
        has("change.ungrounded"),
        1,
        "what may have been written past the server"
    );
    let opened = found
        .iter()
        .find(|it| it.subject == incident.id.0 && it.kind == "incident.opened");
    let data = &opened.unwrap().data;
    assert_eq!((&data["key"], &data["severity"]), (&json!(incident.key), &json!(3)));
}

#[test]
fn a_timeline_is_about_something_and_in_the_order_of_the_log() {
    let world = World::new();
    looks_from(&world, "one", "203.0.113.7");
    looks_from(&world, "two", "203.0.113.7");
    world.sequence();
    let of_all = world.look(|cx| find_forensic(cx, &Wanted::default(), None, 10));
    assert_eq!(code(of_all.unwrap_err()), "missing");
    let unknown = Wanted {
        incident: Some("INC-99".to_owned()),
        ..Wanted::default()
    };
    let unknown = world.look(move |cx| find_forensic(cx, &unknown, None, 10));
    assert_eq!(code(unknown.unwrap_err()), "unknown");
    let of_address = Wanted {
        filter: LogFilter {
            address: Some("203.0.113.7".to_owned()),
            ..LogFilter::default()
        },
        incident: None,
    };
    let (found, is_cut) = world.look(move |cx| whole(cx, &of_address)).unwrap();
    let sessions: Vec<&str> = found
        .iter()
        .filter_map(|it| it.data["via"]["session"].as_str())
        .collect();
    assert_eq!((sessions, is_cut), (vec!["one", "two"], false));
}
