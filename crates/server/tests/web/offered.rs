//! Acts that would be refused now have their reason in place of their button, and a card's warnings of its change.

use super::{House, change_form, house, send};

const CHANGE: &str = "/t/halden/changes/CHG-1001";

/// A change that is submitted without the fields of these names.
fn submitted(house: &House, cookie: &str, without: &[&str]) {
    let mut form = change_form(house, "submit");
    form.retain(|(name, _)| !without.iter().any(|start| name.starts_with(start)));
    let done = send(house, cookie, "/t/halden/changes", &form);
    assert_eq!(done.status, 303, "{done:?}");
}

#[test]
fn an_assessment_is_not_offered_while_plan_and_way_back_are_missing() {
    let house = house("unassessed");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    submitted(&house, &ingrid, &["plan.", "rollback"]);
    let own = house.get(&ingrid, CHANGE);
    assert!(!own.shows("Record the assessment"), "{own:?}");
    assert!(
        own.shows("The change has no plan.") && own.shows("/changes/CHG-1001/edit#s-plan"),
        "who may edit it is led to its field: {own:?}"
    );
    assert!(
        own.shows("The change has no rollback plan.") && own.shows("/edit#s-back"),
        "{own:?}"
    );
    let refused = house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    assert_eq!(refused.status, 409, "the page tells what the act would: {refused:?}");

    let other = house.get(&marta, CHANGE);
    assert!(!other.shows("Break glass now"), "{other:?}");
    let why = other.body.split_once("act-break-glass-why").unwrap().1;
    assert!(why.contains("The change has no rollback plan."), "{why}");
}

#[test]
fn what_is_whole_is_assessed_and_the_glass_is_there_to_be_broken() {
    let house = house("assessable");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    submitted(&house, &ingrid, &[]);
    assert!(house.get(&ingrid, CHANGE).shows("Record the assessment"));
    let page = house.get(&marta, CHANGE);
    assert!(
        page.shows("break-glass") && !page.shows("act-break-glass-why"),
        "{page:?}"
    );
}

/// Walks the change to where it is scheduled.
fn approved(house: &House, ingrid: &str) {
    submitted(house, ingrid, &[]);
    let assessed = house.post(
        ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    assert_eq!(assessed.status, 303, "{assessed:?}");
    approve_as(house, "hanne");
    approve_as(house, "marta");
}

fn approve_as(house: &House, login: &str) {
    let cookie = house.sign_in(login);
    let digest = house.get(&cookie, CHANGE).hidden("content_digest");
    let word = [("decision", "approve"), ("content_digest", digest.as_str())];
    let said = house.post(&cookie, &format!("{CHANGE}/approvals"), &word);
    assert_eq!(said.status, 303, "{said:?}");
}

#[test]
fn a_start_before_its_window_says_when_the_window_opens() {
    let house = house("unopened");
    let ingrid = house.sign_in("ingrid");
    approved(&house, &ingrid);
    let page = house.get(&ingrid, CHANGE);
    let why = page.body.split_once("act-start-why").unwrap().1;
    assert!(why.contains("The window opens at"), "{page:?}");
}

#[test]
fn what_was_recorded_is_told_with_whom_it_waits_for() {
    let house = house("what-next");
    let ingrid = house.sign_in("ingrid");
    let form = change_form(&house, "submit");
    let done = send(&house, &ingrid, "/t/halden/changes", &form);
    assert_eq!(done.status, 303, "{done:?}");
    let page = house.get(&ingrid, done.place());
    assert!(
        page.shows("Submitted for assessment.") && page.shows("Waiting for "),
        "{page:?}"
    );
}

#[test]
fn the_freeze_that_lets_a_change_pass_stands_in_its_card() {
    let house = house("excepted");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    submitted(&house, &ingrid, &[]);
    let freeze = [
        ("title", "Year’s end"),
        ("starts_at", "2020-12-20T10:00"),
        ("environments", "production"),
        ("ends_at", "2126-12-21T10:00"),
    ];
    let listed = house.post(&marta, "/t/halden/freezes", &freeze);
    assert_eq!(listed.status, 409, "what it hits is listed first: {listed:?}");
    assert!(
        listed.shows("CHG-1001") && listed.shows("Send the form again to set it."),
        "{listed:?}"
    );
    assert!(!house.get(&ingrid, CHANGE).shows(" stops it, "));
    let seen = listed.hidden("seen");
    let again: Vec<(&str, &str)> = freeze.into_iter().chain([("seen", seen.as_str())]).collect();
    let set = house.post(&marta, "/t/halden/freezes", &again);
    assert_eq!(set.status, 303, "{set:?}");
    let stopped = house.get(&ingrid, CHANGE);
    assert!(!stopped.shows("It may pass the freeze"));
    assert!(
        stopped.shows("Before you decide") && stopped.shows(" stops it, "),
        "{stopped:?}"
    );
    let list = house.get(&marta, "/t/halden/freezes");
    let id = list.body.split_once("/freezes/").unwrap().1;
    let id = id.split_once("/exceptions").unwrap().0;
    let id = id.rsplit('/').next().unwrap();
    let reason = "Customs cannot wait.";
    let excepted = house.post(
        &marta,
        &format!("/t/halden/freezes/{id}/exceptions"),
        &[("change", "CHG-1001"), ("reason", reason)],
    );
    assert_eq!(excepted.status, 303, "{excepted:?}");
    let page = house.get(&ingrid, CHANGE);
    let card = page.body.split_once("It may pass the freeze").unwrap().1;
    let card = card.split_once("</dd>").unwrap().0;
    for said in ["Year’s end", "Sat 21 Dec 2126 10:00", "Marta Lindqvist", reason] {
        assert!(card.contains(said), "{said}: {card}");
    }
}

#[test]
fn who_rejected_is_no_yes_and_is_counted() {
    let house = house("rejected-count");
    let ingrid = house.sign_in("ingrid");
    submitted(&house, &ingrid, &[]);
    house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    let hanne = house.sign_in("hanne");
    let digest = house.get(&hanne, CHANGE).hidden("content_digest");
    let word = [
        ("decision", "reject"),
        ("comment", "Not in this week."),
        ("content_digest", digest.as_str()),
    ];
    let said = house.post(&hanne, &format!("{CHANGE}/approvals"), &word);
    assert_eq!(said.status, 303, "{said:?}");
    let page = house.get(&ingrid, CHANGE);
    assert!(page.shows("0 of 1 approved"), "{page:?}");
}

#[test]
fn the_list_and_the_home_page_name_the_same_people() {
    let house = house("same-people");
    let ingrid = house.sign_in("ingrid");
    submitted(&house, &ingrid, &[]);
    house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    // The first of the approvers, and the number of others: each page names the same first one.
    let list = house.get(&ingrid, "/t/halden/changes?columns=waits_for");
    let home = house.get(&ingrid, "/t/halden/");
    assert!(list.shows("Marta Lindqvist +1"), "{list:?}");
    assert!(
        home.shows("Marta Lindqvist</span> or <span translate=\"no\">Hanne Brandt"),
        "{home:?}"
    );
    approve_as(&house, "hanne");
    let list = house.get(&ingrid, "/t/halden/changes?columns=waits_for");
    assert!(list.shows("Marta Lindqvist") && !list.shows("Hanne Brandt"), "{list:?}");
    let home = house.get(&ingrid, "/t/halden/");
    assert!(home.shows("Marta Lindqvist") && !home.shows("Hanne Brandt"), "{home:?}");
    approve_as(&house, "marta");
    // Its evidence is still missing, which she brings.
    let list = house.get(&ingrid, "/t/halden/changes?columns=waits_for");
    let row = list.body.split_once("CHG-1001").unwrap().1;
    assert!(row.contains("Ingrid Solheim") && !row.contains("Hanne Brandt"), "{row}");
    assert!(house.get(&ingrid, "/t/halden/").shows("waits for you"));
}

#[test]
fn an_emergency_is_not_due_before_it_was_asked() {
    let house = house("emergency-due");
    let ingrid = house.sign_in("ingrid");
    let mut form = change_form(&house, "submit");
    form.retain(|(name, _)| !name.starts_with("planned_"));
    form.extend([
        ("kind", "emergency".to_owned()),
        ("threat", "Labels do not print".to_owned()),
    ]);
    let done = send(&house, &ingrid, "/t/halden/changes", &form);
    assert_eq!(done.status, 303, "{done:?}");
    let assessed = house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    assert_eq!(assessed.status, 303, "{assessed:?}");
    let asked = house.sign_in("hanne");
    for page in [CHANGE, "/t/halden/"] {
        let page = house.get(&asked, page);
        assert!(page.shows("CHG-1001") && page.shows("Due "), "{page:?}");
        assert!(!page.shows("A decision was due"), "{page:?}");
    }
}

#[test]
fn a_card_names_whose_word_is_missing_once() {
    let house = house("once-missing");
    let ingrid = house.sign_in("ingrid");
    submitted(&house, &ingrid, &[]);
    house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    approve_as(&house, "hanne");
    let page = house.get(&ingrid, CHANGE);
    let missing = page.body.split_once("Still missing").unwrap().1;
    let missing = missing.split_once("</dl>").unwrap().0;
    assert_eq!(
        missing.matches("Marta Lindqvist").count(),
        1,
        "two rules lack one word: {missing}"
    );
}

#[test]
fn a_form_looks_at_the_people_that_it_names() {
    let house = house("busy-people");
    let ingrid = house.sign_in("ingrid");
    submitted(&house, &ingrid, &[]);
    let mut form = change_form(&house, "draft");
    form.push(("fit", "look".to_owned()));
    let page = send(&house, &ingrid, "/t/halden/changes", &form);
    assert!(page.shows("both need ingrid"), "{page:?}");
    form.retain(|(name, _)| *name != "implementers");
    let alone = send(&house, &ingrid, "/t/halden/changes", &form);
    assert!(
        alone.shows("is planned then too") && !alone.shows("both need ingrid"),
        "{alone:?}"
    );
}
