//! The unusual fields in the forms of an assessment, a decision and the log of actions.

use acts::Context;
use acts::report::find_records;
use model::change::change_file::Actor;
use model::core::enums;
use store::{Lane, Mode};

use super::{House, TENANT, change_form, house, send};

const CHANGE: &str = "/t/halden/changes/CHG-1001";

fn read<T: Send + 'static>(
    house: &House,
    look: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> T {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, look)
        .unwrap()
}

#[test]
fn risk_comment_and_several_conditions_are_said_by_form() {
    let house = house("more");
    let (ingrid, hanne, marta) = (house.sign_in("ingrid"), house.sign_in("hanne"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    let assess = |pairs: &[(&str, &str)]| house.post(&ingrid, &format!("{CHANGE}/assessment"), pairs);
    let why = ("risk_override.reason", "It is the month’s end.");
    let silent = assess(&[why]);
    assert_eq!(silent.status, 422, "{silent:?}");
    assert!(silent.shows("act-assess-risk_override.level-e"), "{silent:?}");
    assert_eq!(assess(&[why, ("risk_override.level", "medium")]).status, 303);
    let page = house.get(&hanne, CHANGE);
    assert!(
        page.shows("Medium risk") && page.shows("It is the month’s end."),
        "{page:?}"
    );

    let digest = page.hidden("content_digest");
    assert!(
        page.shows("With a comment") && page.shows("Comment on your approval"),
        "{page:?}"
    );
    let yes = [
        ("decision", "approve"),
        ("comment", "Good that staging ran first."),
        ("content_digest", digest.as_str()),
    ];
    let said = house.post(&hanne, &format!("{CHANGE}/approvals"), &yes);
    assert_eq!(said.status, 303, "{said:?}");
    assert!(house.get(&ingrid, CHANGE).shows("Good that staging ran first."));

    let digest = house.get(&marta, CHANGE).hidden("content_digest");
    let conditions = [
        ("decision", "approve_with_conditions"),
        ("condition", "Back up first\r\nWarn the hauliers"),
        ("due", "close"),
        ("content_digest", digest.as_str()),
    ];
    let said = house.post(&marta, &format!("{CHANGE}/approvals"), &conditions);
    assert_eq!(said.status, 303, "{said:?}");
    let texts = read(&house, |cx| {
        let file = cx.file("CHG-1001")?;
        Ok(file.conditions.iter().map(|row| row.text.clone()).collect::<Vec<_>>())
    });
    assert_eq!(texts, ["Back up first", "Warn the hauliers"]);
}

#[test]
fn an_entry_says_when_it_happened() {
    let house = house("happened");
    let ingrid = house.sign_in("ingrid");
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, |cx| {
            cx.on_change("CHG-1001", |case| {
                case.file.change.state = enums::State::Implementing;
                case.emit("change.implementing", serde_json::json!({}));
                Ok(())
            })
        })
        .unwrap();
    assert!(house.get(&ingrid, CHANGE).shows("name=\"occurred_at\""));
    let now = house.running.state().executor().tools().clock.now();
    let at = now - jiff::SignedDuration::from_mins(7);
    let local = at.to_zoned(jiff::tz::TimeZone::get("Europe/Oslo").unwrap());
    let local = local.strftime("%Y-%m-%dT%H:%M").to_string();
    let entry = [
        ("kind", "step"),
        ("text", "Drained the queue."),
        ("occurred_at", local.as_str()),
    ];
    let noted = house.post(&ingrid, &format!("{CHANGE}/implementation/entries"), &entry);
    assert_eq!(noted.status, 303, "{noted:?}");
    let happened = read(&house, |cx| {
        let id = cx.change("CHG-1001")?.id;
        let entries = find_records::find_entries(cx, id.as_str())?;
        Ok(entries[0].occurred_at)
    });
    assert_eq!(happened.as_second() / 60, at.as_second() / 60);
}
