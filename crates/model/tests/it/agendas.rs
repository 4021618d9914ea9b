//! Agendas of boards: order, time boxes, digests, months, and forecasts beside outcomes.

use model::cab::agenda::{month_before, month_span};
use model::cab::agenda_item::{AgendaItem, ItemListing, digest_of, listing, put_in_order, time_box};
use model::cab::board_forecast::{BoardForecast, scores};
use model::cab::meeting::ListedChange;
use model::change::change_file::ChangeFile;
use model::core::enums::Level;

use crate::world::{World, at, facts};

fn item(file: &ChangeFile, key: &str, risk: Level, since: &str) -> AgendaItem {
    AgendaItem {
        change_key: key.to_owned(),
        risk,
        ..AgendaItem::of(file, at(since))
    }
}

#[test]
fn the_highest_risk_comes_first_then_what_waits_longest() {
    let world = World::with(facts(), Vec::new());
    let mut items = vec![
        item(&world.file, "CHG-1", Level::Low, "08:00"),
        item(&world.file, "CHG-2", Level::High, "10:00"),
        item(&world.file, "CHG-3", Level::High, "09:00"),
        item(&world.file, "CHG-4", Level::Medium, "07:00"),
    ];
    put_in_order(&mut items);
    let keys: Vec<&str> = items.iter().map(|it| it.change_key.as_str()).collect();
    assert_eq!(keys, ["CHG-3", "CHG-2", "CHG-4", "CHG-1"]);
    assert_eq!(items.iter().map(|it| it.place).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let digest = digest_of(&items);
    items[3].content_digest = "sha256:other".to_owned();
    assert_ne!(digest_of(&items), digest, "the digest covers the content of each item");
}

#[test]
fn a_higher_risk_gets_more_time_and_only_a_high_one_needs_the_meeting() {
    assert!(time_box(Level::Low) < time_box(Level::Medium) && time_box(Level::Medium) < time_box(Level::High));
    for (risk, expected) in [
        (Level::None, ItemListing::Vote),
        (Level::Low, ItemListing::Vote),
        (Level::Medium, ItemListing::Vote),
        (Level::High, ItemListing::Live),
    ] {
        assert_eq!(listing(risk).0, expected);
    }
}

#[test]
fn a_month_is_written_as_year_and_month() {
    let (from, to) = month_span("2026-12").unwrap();
    assert_eq!(
        (from.to_string(), to.to_string()),
        ("2026-12-01T00:00:00Z".into(), "2027-01-01T00:00:00Z".into())
    );
    for text in ["2026-13", "2026-1", "2026-00", "1999-12", "october", "2026-10-01", ""] {
        assert_eq!(month_span(text), None, "{text}");
    }
    assert_eq!(month_before("2027-01-15T00:00:00Z".parse().unwrap()), "2026-12");
    assert_eq!(month_before("2026-11-30T23:59:59Z".parse().unwrap()), "2026-10");
}

#[test]
fn forecasts_are_compared_from_five_outcomes_on() {
    let forecast = |percent: i64| BoardForecast {
        id: "f1".into(),
        version: 1,
        agenda: "m1".into(),
        group: "cab".into(),
        change: "c1".into(),
        change_key: "CHG-1".to_owned(),
        person: "olga".into(),
        percent,
        at: at("10:00"),
    };
    let given: Vec<BoardForecast> = [90, 80, 100, 60, 50].map(forecast).into();
    let outcomes = [Some(true), Some(true), Some(true), Some(false), Some(true)];
    let rows: Vec<_> = given.iter().zip(outcomes).collect();
    let told = &scores(&rows)[0];
    assert_eq!((told.given, told.compared, told.succeeded), (5, 5, 4));
    // 0.01 + 0.04 + 0 + 0.36 + 0.25 = 0.66, a fifth of which is 0.132.
    assert_eq!((told.expected, told.brier), (Some(76), Some(132_000)));
    let fewer = &scores(&rows[..4])[0];
    assert_eq!((fewer.compared, fewer.expected, fewer.brier), (4, None, None));
}

#[test]
fn a_list_takes_the_place_of_what_it_had() {
    let mut meeting: model::cab::meeting::Meeting = serde_json::from_value(serde_json::json!({
        "id": "m1", "version": 1, "group": "cab", "title": "Tuesday", "starts_at": "2026-11-20T10:00:00Z", "by": "mia",
        "at": "2026-11-20T10:00:00Z",
    }))
    .unwrap();
    let change = "c1".into();
    assert!(
        meeting.lists(&change, "sha256:1"),
        "without an agenda every change may be voted on"
    );
    meeting.listed = Some(Vec::new());
    assert!(!meeting.lists(&change, "sha256:1"));
    let listed = |digest: &str| ListedChange {
        change: "c1".into(),
        content_digest: digest.to_owned(),
    };
    meeting.list_anew(&change, Some(listed("sha256:1")));
    meeting.list_anew(&change, Some(listed("sha256:2")));
    assert!(!meeting.lists(&change, "sha256:1") && meeting.lists(&change, "sha256:2"));
    meeting.list_anew(&change, None);
    assert!(!meeting.lists(&change, "sha256:2"));
}
