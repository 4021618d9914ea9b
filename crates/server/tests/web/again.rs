//! Forms that are sent twice, too late, or without the fresh factor that they need; and the defaults of empty fields.

use acts::Context;
use acts::change::edit_change;
use acts::core::row_mac;
use model::change::change_file::Actor;
use model::core::enums;
use model::identity::factor;
use serde_json::{Value, json};
use store::identity::session;
use store::{Lane, Mode};

use super::{House, SECRET, TENANT, change_form, house, object, send};

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

fn change(house: &House, key: &'static str) -> Value {
    read(house, move |cx| {
        let change = cx.change(key)?;
        Ok(wire::views::change(&change, &*cx.directory()?))
    })
}

#[test]
fn a_form_that_is_sent_twice_does_its_work_once() {
    let house = house("twice");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "draft"));
    let twice = |who: &str, page: &str, path: &str, pairs: &[(&str, &str)]| {
        let mark = house.get(who, page).hidden("once");
        assert!(!mark.is_empty(), "{page}");
        let pairs: Vec<(&str, &str)> = pairs.iter().copied().chain([("once", mark.as_str())]).collect();
        for _ in 0..2 {
            let done = house.post(who, path, &pairs);
            assert_eq!(done.status, 303, "{done:?}");
        }
    };
    let times = [("starts_at", "2126-12-20T10:00"), ("ends_at", "2126-12-21T10:00")];
    let freeze = [
        times[0],
        times[1],
        ("title", "Year’s end"),
        ("environments", "production"),
    ];
    twice(&marta, "/t/halden/freezes", "/t/halden/freezes", &freeze);
    twice(&ingrid, "/t/halden/away", "/t/halden/away/absences", &times);
    let task = [("title", "Warn the hauliers"), ("kind", "prepare")];
    twice(&ingrid, CHANGE, &format!("{CHANGE}/tasks"), &task);
    let counts = read(&house, |cx| {
        let directory = cx.directory()?;
        let away = directory.absences.len();
        Ok((directory.freezes.len(), away, cx.file("CHG-1001")?.tasks.len()))
    });
    assert_eq!(counts, (1, 1, 1));
}

#[test]
fn times_are_set_over_those_that_the_page_showed() {
    let house = house("stale-times");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    let shown = house.get(&marta, CHANGE).hidden("was");
    assert!(shown.starts_with("sha256:"), "{shown}");
    let set = |who: &str, was: &str, day: &str| {
        let [from, until] = ["10:00", "12:00"].map(|hour| format!("2126-12-{day}T{hour}"));
        let pairs = [("was", was), ("planned_start", &from), ("planned_end", &until)];
        house.post(who, &format!("{CHANGE}/schedule"), &pairs)
    };
    assert_eq!(set(&ingrid, &shown, "20").status, 303);
    let late = set(&marta, &shown, "21");
    assert_eq!(late.status, 412, "{late:?}");
    assert!(
        late.shows("The times were changed after you opened this form."),
        "{late:?}"
    );
    assert!(late.shows("2126-12-21T10:00"), "what she typed stands there: {late:?}");
    assert_eq!(change(&house, "CHG-1001")["planned_start"], "2126-12-20T09:00:00Z");
    let anew = late.hidden("was");
    assert_eq!(set(&marta, &anew, "21").status, 303);
    assert_eq!(change(&house, "CHG-1001")["planned_by"], json!(["marta"]));
    let page = house.get(&marta, CHANGE);
    for said in [
        "You set the planned times, so your approval covers the plan",
        "cannot approve their own times",
    ] {
        assert!(page.shows(said), "{said}: {page:?}");
    }
    assert!(
        !page.shows("Ingrid Solheim</b>, not yet"),
        "she decides nothing: {page:?}"
    );
}

#[test]
fn what_was_typed_comes_back_behind_the_fresh_factor() {
    let house = house("held-step-up");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let mut form = change_form(&house, "draft");
    form.extend([
        ("kind", "emergency".to_owned()),
        ("threat", "Labels do not print".to_owned()),
    ]);
    let made = send(&house, &ingrid, "/t/halden/changes", &form);
    assert_eq!(made.status, 303, "{made:?}");
    // The password of the sign-in is fresh for five minutes.
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, |cx| {
            let marta = cx.directory()?.by_login("marta").unwrap().id.clone();
            let now = cx.now;
            cx.now = now - jiff::SignedDuration::from_mins(6);
            for session in session::of_person(cx.tx, marta.as_str(), now)? {
                let factor = factor::Factor {
                    kind: "password".to_owned(),
                    is_second: false,
                };
                assert!(row_mac::note_factor(cx, &session.token_digest, &factor)?);
            }
            cx.now = now;
            Ok(())
        })
        .unwrap();
    let glass = [("reason", "The sorter stands still"), ("until", "2126-12-20T10:00")];
    let asked = house.post(&marta, &format!("{CHANGE}/break-glass"), &glass);
    assert_eq!(asked.status, 403, "{asked:?}");
    assert!(
        asked.shows("The sorter stands still") && asked.shows("type=\"password\""),
        "{asked:?}"
    );
    let mut pairs = vec![
        ("password", SECRET),
        ("next", CHANGE),
        ("held", "/t/halden/changes/CHG-1001/break-glass"),
    ];
    pairs.extend([("held:reason", glass[0].1), ("held:until", glass[1].1)]);
    let back = house.post(&marta, "/t/halden/step-up", &pairs);
    assert_eq!(back.status, 200, "{back:?}");
    assert!(
        back.shows("What you typed is here") && back.shows("The sorter stands still"),
        "{back:?}"
    );
    assert!(!back.shows(SECRET));
}

#[test]
fn what_is_filled_in_from_an_earlier_change_says_so_and_nothing_of_work_that_is_done() {
    let house = house("filled");
    let ingrid = house.sign_in("ingrid");
    let earlier = change_form(&house, "draft");
    send(&house, &ingrid, "/t/halden/changes", &earlier);
    // As if it had gone well and been closed.
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, |cx| {
            cx.on_change("CHG-1001", |case| {
                let change = &mut case.file.change;
                change.state = enums::State::Closed;
                change.outcome = Some(enums::Outcome::Succeeded);
                for record in &mut change.target_records {
                    record.outcome = Some(enums::Outcome::Succeeded);
                }
                case.emit("change.closed", json!({}));
                Ok(())
            })
        })
        .unwrap();
    let mut bare = change_form(&house, "submit");
    bare.retain(|(name, _)| !name.starts_with("plan.") && !name.starts_with("rollback"));
    let done = send(&house, &ingrid, "/t/halden/changes", &bare);
    assert!(done.place().contains("&from=CHG-1001&alike=CHG-1001&seal="), "{done:?}");
    assert!(
        house
            .get(&ingrid, done.place())
            .shows("Empty fields were filled in from")
    );
    let origins = change(&house, "CHG-1002")["origins"].clone();
    assert_eq!(
        (&origins["plan"], &origins["title"]),
        (&json!("derived"), &json!("person"))
    );
    // An edit of something else leaves it so.
    read_only_title(&house);
    assert_eq!(change(&house, "CHG-1002")["origins"]["plan"], "derived");

    bare.retain(|(name, _)| !name.starts_with("planned_"));
    for (name, value) in [
        ("retrospective.actual_start", "2020-01-01T10:00"),
        ("retrospective.actual_end", "2020-01-01T11:00"),
        ("retrospective.verbal_approver", "hanne"),
        ("retrospective.reason", "Nobody answered the telephone."),
    ] {
        bare.push((name, value.to_owned()));
    }
    let told = send(&house, &ingrid, "/t/halden/changes", &bare);
    assert_eq!(told.status, 303, "{told:?}");
    assert!(!told.place().contains("from="), "{told:?}");
    assert_eq!(
        change(&house, "CHG-1003").get("plan"),
        None,
        "nobody said what was done"
    );
}

fn read_only_title(house: &House) {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, |cx| {
            edit_change::edit_change(cx, "CHG-1002", &object(json!({"title": "Another"})))
        })
        .unwrap();
}
