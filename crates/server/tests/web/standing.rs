//! Existing values when a form is sent: times that nobody touched, another person's text, a meeting that goes on.

use acts::directory::set_person;
use acts::policy::propose_configuration;
use model::change::change_file::Actor;
use serde_json::{Value, json};
use store::{Lane, Mode};

use super::{Answer, House, TENANT, change_form, house, object, send};

const CHANGE: &str = "/t/halden/changes/CHG-1001";

/// A hidden field as a browser sends it.
fn hidden(page: &Answer, name: &str) -> String {
    page.hidden(name).replace("&quot;", "\"").replace("&#34;", "\"")
}

fn act(house: &House, act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<()> + Send + 'static) {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
        .unwrap();
}

fn planned_start(house: &House) -> Value {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, |cx| {
            let change = cx.change("CHG-1001")?;
            Ok(wire::views::change(&change, &*cx.directory()?)["planned_start"].clone())
        })
        .unwrap()
}

/// A change that is assessed, with the risk that its assessment states.
fn assessed(house: &House, ingrid: &str, risk: &str) {
    send(house, ingrid, "/t/halden/changes", &change_form(house, "submit"));
    let risk = [
        ("dependencies_reviewed", "true"),
        ("risk_override.level", risk),
        ("risk_override.reason", "It is the month’s end."),
    ];
    let done = house.post(ingrid, &format!("{CHANGE}/assessment"), &risk);
    assert_eq!(done.status, 303, "{done:?}");
}

#[test]
fn a_time_that_nobody_touched_stays_the_second_of_an_hour_that_comes_twice() {
    let house = house("standing-times");
    let ingrid = house.sign_in("ingrid");
    assessed(&house, &ingrid, "low");
    act(&house, |cx| {
        cx.on_change("CHG-1001", |case| {
            case.file.change.planned_start = Some("2027-10-31T01:30:00Z".parse().unwrap());
            case.file.change.planned_end = Some("2027-10-31T03:00:00Z".parse().unwrap());
            case.emit("change.edited", json!({"fields": ["planned_start", "planned_end"]}));
            Ok(())
        })
    });
    let page = house.get(&ingrid, CHANGE);
    assert!(page.shows("2027-10-31T02:30"), "{page:?}");
    let (was, stands) = (hidden(&page, "was"), hidden(&page, "stands"));
    let set = |start: &str, stands: &str, was: &str| {
        let pairs = [
            ("was", was),
            ("stands", stands),
            ("planned_start", start),
            ("planned_end", "2027-10-31T05:00"),
        ];
        house.post(&ingrid, &format!("{CHANGE}/schedule"), &pairs)
    };
    let done = set("2027-10-31T02:30", &stands, &was);
    assert_eq!(done.status, 303, "{done:?}");
    assert!(!done.place().contains("twice="), "{done:?}");
    assert_eq!(planned_start(&house), "2027-10-31T01:30:00Z");

    let form = house.get(&ingrid, &format!("{CHANGE}/edit"));
    let mut pairs = change_form(&house, "keep");
    pairs.retain(|(name, _)| !name.starts_with("planned_") && *name != "title");
    pairs.extend([
        ("title", "Another title".to_owned()),
        ("planned_start", "2027-10-31T02:30".to_owned()),
        ("planned_end", "2027-10-31T05:00".to_owned()),
        ("revision", hidden(&form, "revision")),
        ("was", hidden(&form, "was")),
    ]);
    let done = send(&house, &ingrid, &format!("{CHANGE}/edit"), &pairs);
    assert_eq!(done.status, 303, "{done:?}");
    assert!(!done.place().contains("twice="), "{done:?}");
    assert_eq!(planned_start(&house), "2027-10-31T01:30:00Z");

    // A person who edits it sets it by the local clock, and learns which of two times was taken.
    let was = hidden(&house.get(&ingrid, CHANGE), "was");
    let done = set("2027-10-31T02:15", &stands, &was);
    assert!(done.status == 303 && done.place().contains("twice="), "{done:?}");
    assert_eq!(planned_start(&house), "2027-10-31T00:15:00Z");
}

/// The form over the change with a title, over the content of a page.
fn titled(house: &House, page: &Answer, title: &str) -> Vec<(&'static str, String)> {
    let mut pairs = change_form(house, "keep");
    pairs.retain(|(name, _)| *name != "title" && !name.starts_with("planned_"));
    pairs.push(("title", title.to_owned()));
    for name in ["revision", "was", "both"] {
        pairs.push((name, hidden(page, name)));
    }
    pairs
}

#[test]
fn a_pick_over_a_text_that_changed_once_more_is_asked_for_anew() {
    let house = house("standing-picks");
    let ingrid = house.sign_in("ingrid");
    let mut form = change_form(&house, "keep");
    form.retain(|(name, _)| !name.starts_with("planned_"));
    send(&house, &ingrid, "/t/halden/changes", &form);
    let edit = format!("{CHANGE}/edit");
    let fresh = || house.get(&ingrid, &edit);
    let first = fresh();
    assert_eq!(
        send(&house, &ingrid, &edit, &titled(&house, &first, "Theirs")).status,
        303
    );
    let asked = send(&house, &ingrid, &edit, &titled(&house, &first, "Mine"));
    assert!(asked.status == 412 && asked.shows("pick.title"), "{asked:?}");
    let third = titled(&house, &fresh(), "Theirs, once more");
    assert_eq!(send(&house, &ingrid, &edit, &third).status, 303);

    let mut picked = titled(&house, &asked, "Mine");
    picked.push(("pick.title", "theirs".to_owned()));
    let anew = send(&house, &ingrid, &edit, &picked);
    assert!(anew.status == 412 && anew.shows("Theirs, once more"), "{anew:?}");
    let question = anew.body.split_once("name=\"pick.title\"").unwrap().1;
    let question = question.split_once("</fieldset>").unwrap().0;
    assert!(!question.contains("checked"), "neither side is picked: {question}");

    let mut picked = titled(&house, &anew, "Mine");
    picked.push(("pick.title", "theirs".to_owned()));
    assert_eq!(send(&house, &ingrid, &edit, &picked).status, 303);
    assert!(house.get(&ingrid, CHANGE).shows("Theirs, once more"));
}

#[test]
fn what_happened_meanwhile_is_named_and_is_no_edit() {
    let house = house("standing-meanwhile");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    assessed(&house, &ingrid, "low");
    let edit = format!("{CHANGE}/edit");
    let form = house.get(&ingrid, &edit);
    let say = |act: &str| house.post(&marta, &format!("{CHANGE}/{act}"), &[("reason", "Customs asks again.")]);
    assert_eq!(say("hold").status, 303);
    let mut pairs = titled(&house, &form, "Mine");
    pairs.extend(
        change_form(&house, "keep")
            .into_iter()
            .filter(|(name, _)| name.starts_with("planned_")),
    );
    let held = send(&house, &ingrid, &edit, &pairs);
    assert_eq!(held.status, 412, "{held:?}");
    for said in [
        "Something happened since you opened this form",
        "Marta Lindqvist",
        "put it on hold",
    ] {
        assert!(held.shows(said), "{said}: {held:?}");
    }
    for said in ["while you did", "Two of you edited"] {
        assert!(!held.shows(said), "{said}: {held:?}");
    }
    assert_eq!(say("cancellation").status, 303);
    let over = send(&house, &ingrid, &edit, &pairs);
    assert_eq!(over.status, 409, "{over:?}");
    assert!(over.shows("cancelled") && over.shows("Mine"), "{over:?}");
    for said in ["while you did", "save it", "Save them"] {
        assert!(!over.shows(said), "{said}: {over:?}");
    }
}

/// Puts the rules of a board in force, which four people are of.
fn with_a_board(house: &House, marta: &str) {
    act(house, |cx| {
        for (login, name) in [("otto", "Otto Berg"), ("olga", "Olga Nilsen")] {
            let body = object(json!({"login": login, "name": name, "roles": ["owner"], "zone": "Europe/Oslo"}));
            set_person::create_person(cx, &body)?;
        }
        let cab = object(json!({"name": "CAB", "members": ["hanne", "marta", "otto", "olga"]}));
        set_person::set_group(cx, "cab", &cab)?;
        let ecab = object(json!({"name": "ECAB", "members": ["hanne", "marta"]}));
        set_person::set_group(cx, "ecab", &ecab)?;
        let pack = object(json!({"packs": ["cab"], "reason": "A board decides about high risk."}));
        propose_configuration::propose_policies(cx, &pack).map(drop)
    });
    let page = house.get(marta, "/t/halden/policies");
    let before = page.body.split_once("/activation\"").unwrap().0;
    let id = before.rsplit('/').next().unwrap();
    let set = house.post(marta, &format!("/t/halden/policies/{id}/activation"), &[]);
    assert_eq!(set.status, 303, "{set:?}");
}

#[test]
fn who_sits_at_the_meeting_votes_there_and_the_card_tells_of_the_board() {
    let house = house("standing-board");
    let (ingrid, hanne, marta) = (house.sign_in("ingrid"), house.sign_in("hanne"), house.sign_in("marta"));
    with_a_board(&house, &marta);
    assessed(&house, &ingrid, "high");
    let who_decides = |who: &str| {
        let page = house.get(who, CHANGE);
        let card = page.body.split_once("Who decides").unwrap().1;
        card.split_once("</dd>").unwrap().0.to_owned()
    };
    let card = who_decides(&ingrid);
    assert!(
        card.contains("decides at a meeting, and no meeting is open.") && card.contains("It waits for"),
        "{card}"
    );
    let title = [("group", "cab"), ("title", "Tuesday")];
    assert_eq!(house.post(&marta, &format!("{CHANGE}/meeting"), &title).status, 303);
    let page = house.get(&hanne, CHANGE);
    let id = page.body.split_once("/meetings/").unwrap().1;
    let id = id.split_once("/attendance").unwrap().0.to_owned();
    let there = house.post(&hanne, &format!("{CHANGE}/meetings/{id}/attendance"), &[]);
    assert_eq!(there.status, 303, "{there:?}");
    let card = who_decides(&ingrid);
    assert!(
        card.contains("required members attend the meeting “Tuesday” without a conflict of interest.")
            && card.contains("Otto Berg"),
        "{card}"
    );
    for place in [CHANGE, "/t/halden/"] {
        let page = house.get(&hanne, place);
        let at = format!("value=\"{id}\" selected=\"selected\">At the meeting “Tuesday”");
        assert!(page.shows(&at), "{place}: {page:?}");
        assert!(!page.shows("selected=\"selected\">Outside of a meeting"), "{place}");
    }
}

#[test]
fn a_filter_whose_times_stand_the_wrong_way_round_is_told() {
    let house = house("standing-filter");
    let ingrid = house.sign_in("ingrid");
    for name in ["planned", "created"] {
        let address = format!("/t/halden/changes?{name}_from=2026-12-01T00:00&{name}_to=2026-11-01T00:00");
        let page = house.get(&ingrid, &address);
        assert!(page.shows("A filter cannot be read"), "{page:?}");
        assert!(page.shows("must not lie before “"), "{page:?}");
        assert!(!page.shows("No change matches these filters"), "{page:?}");
    }
    let right = house.get(
        &ingrid,
        "/t/halden/changes?planned_from=2026-11-01T00:00&planned_to=2026-12-01T00:00",
    );
    assert!(!right.shows("A filter cannot be read"), "{right:?}");
}

#[test]
fn an_example_stands_as_its_form_takes_it_in_every_language() {
    let house = house("standing-examples");
    let marta = house.sign_in("marta");
    let hours = [
        ("key", "office"),
        ("name", "Office"),
        ("zone", "Europe/Oslo"),
        ("hours", "monday 08:00 to 17:00"),
        ("holidays", "25.12. Christmas"),
    ];
    let class = [("role", "owner"), ("class", "xx"), ("person", "hanne")];
    let (hours_at, class_at) = ("/t/halden/hours", "/t/halden/ownership");
    let told = house.post(&marta, hours_at, &hours);
    assert!(told.status == 422 && told.shows("such as 2026-12-25."), "{told:?}");
    let told = house.post(&marta, &format!("{hours_at}?language=de"), &hours);
    assert!(
        told.shows("ist kein Datum wie 2026-12-25.") && !told.shows("is no date"),
        "{told:?}"
    );
    let told = house.post(&marta, class_at, &class);
    assert!(
        told.status == 422 && told.shows("is no class; write a word"),
        "{told:?}"
    );
    let told = house.post(&marta, &format!("{class_at}?language=de"), &class);
    assert!(
        told.shows("ist keine Klasse; schreiben Sie ein Wort und seinen Wert"),
        "{told:?}"
    );
}
