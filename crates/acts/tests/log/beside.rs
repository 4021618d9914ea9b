//! A change of another system is compared with the rules here by the people who approved it there, and approves nothing.

use acts::core::noun;
use acts::integration::beside::read_foreign::take_page;
use jiff::Timestamp;
use model::core::enums::{ForeignDifference, ForeignPhase, Kind, Level};
use model::integration::foreign_change::{ForeignChange, Told};
use model::integration::foreign_system::ForeignSystem;
use serde_json::json;
use store::record::{self, Filter};

use crate::world::{World, body};

const URL: &str = "https://sn.example";

fn added(world: &World) -> String {
    let system = json!({"name": "SN", "kind": "servicenow", "url": URL, "environment": "production"});
    let made = world.system(move |cx| noun::add::<ForeignSystem>(cx, &body(system.clone())));
    made.id.to_string()
}

fn told(key: &str, edited: Timestamp, (phase, approvers): (ForeignPhase, &[&str])) -> Told {
    Told {
        natural_key: key.to_lowercase(),
        key: key.to_owned(),
        title: "Widen the column".to_owned(),
        kind: Kind::Normal,
        impact: Level::Low,
        state: "Implement".to_owned(),
        phase,
        service: Some("pay".to_owned()),
        by: Some("rita".to_owned()),
        approvers: approvers.iter().map(|it| (*it).to_owned()).collect(),
        planned: (
            Some(edited),
            edited.checked_add(jiff::SignedDuration::from_hours(2)).ok(),
        ),
        actual: (None, None),
        outcome: None,
        has_plan: true,
        has_way_back: true,
        opened_at: edited.checked_sub(jiff::SignedDuration::from_hours(24 * 20)).ok(),
        edited_at: edited,
    }
}

fn take(world: &World, id: &str, rows: Vec<Told>) {
    let id = id.to_owned();
    let is_taken = world.system(move |cx| take_page(cx, (&id, URL), &rows, None));
    assert!(is_taken);
}

fn kept(world: &World, key: &str) -> ForeignChange {
    let key = key.to_lowercase();
    let all = world.look(|cx| Ok(record::bodies::<ForeignChange>(cx.tx, &Filter::new().order_by("id"))?));
    all.unwrap().into_iter().find(|it| it.natural_key == key).unwrap()
}

#[test]
fn the_people_who_approved_there_are_compared_and_approve_nothing() {
    let world = World::new();
    let id = added(&world);
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    let started = ForeignPhase::Started;
    let rows = vec![
        told("CHG1", now, (started, &[])),
        told("CHG2", now, (started, &["olga", "sam", "mona"])),
        // The person who asked for it approves it there: nobody here may do that.
        told("CHG3", now, (started, &["rita"])),
        told("CHG4", now, (ForeignPhase::Stopped, &[])),
        told("CHG5", now, (ForeignPhase::Waiting, &["olga", "sam", "mona"])),
    ];
    take(&world, &id, rows.clone());
    let (nobody, all, own) = (kept(&world, "CHG1"), kept(&world, "CHG2"), kept(&world, "CHG3"));
    assert_eq!(nobody.difference, ForeignDifference::WouldStop);
    assert!(
        all.unmet_rules.len() < nobody.unmet_rules.len(),
        "{:?}",
        all.unmet_rules
    );
    assert_eq!(
        own.unmet_rules, nobody.unmet_rules,
        "an own approval counts for nothing"
    );
    assert!(
        nobody.why.len() >= nobody.unmet_rules.len(),
        "each rule has a sentence: {:?}",
        nobody.why
    );
    assert_eq!(kept(&world, "CHG4").difference, ForeignDifference::Same);
    assert_eq!(kept(&world, "CHG5").difference, ForeignDifference::Undecided);
    // The same page again writes nothing.
    let version = kept(&world, "CHG2").version;
    take(&world, &id, rows);
    assert_eq!(kept(&world, "CHG2").version, version);
    let approvals = world.look(|cx| {
        let filter = Filter::new().order_by("id");
        Ok(record::bodies::<model::change::related_records::Approval>(cx.tx, &filter)?.len())
    });
    assert_eq!(approvals.unwrap(), 0, "no approval there is one here");
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_page_of_another_address_is_not_kept() {
    let world = World::new();
    let id = added(&world);
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    let moved = id.clone();
    world.system(move |cx| noun::edit::<ForeignSystem>(cx, &moved, &body(json!({"url": "https://other.example"}))));
    let rows = vec![told("CHG1", now, (ForeignPhase::Started, &[]))];
    let whose = id.clone();
    let is_taken = world.system(move |cx| take_page(cx, (&whose, URL), &rows, None));
    assert!(!is_taken);
}
