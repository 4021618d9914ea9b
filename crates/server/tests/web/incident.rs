//! The incident behind a change, as its page shows it.

use super::{change_form, house, send};

#[test]
fn an_incident_of_ours_is_linked_and_another_is_called_an_outside_reference() {
    let house = house("incident");
    let ingrid = house.sign_in("ingrid");
    let reported = [
        ("title", "Bookings stand still"),
        ("severity", "2"),
        ("services", "booking-api"),
    ];
    assert_eq!(house.post(&ingrid, "/t/halden/incidents", &reported).status, 303);
    let mut made = Vec::new();
    for (named, kind, number) in [
        ("INC-101", "emergency", "1001"),
        ("inc-101", "normal", "1002"),
        ("jira:4711", "normal", "1003"),
    ] {
        let mut form = change_form(&house, "draft");
        form.push(("kind", kind.to_owned()));
        form.push(("incident", named.to_owned()));
        let answer = send(&house, &ingrid, "/t/halden/changes", &form);
        assert_eq!(answer.status, 303, "{answer:?}");
        made.push(house.get(&ingrid, &format!("/t/halden/changes/CHG-{number}")));
    }
    let link = "href=\"/t/halden/incidents/INC-101\"";
    assert!(made[0].shows(link) && made[1].shows(link), "{:?}", made[1]);
    assert!(!made[0].shows("(outside reference)"));
    assert!(
        made[2].shows("jira:4711") && made[2].shows("(outside reference)"),
        "{:?}",
        made[2]
    );
    assert!(!made[2].shows("/incidents/jira"));
}
