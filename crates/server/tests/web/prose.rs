//! Long texts of a change: their Markdown is drawn where they are by themselves, and taken out where they are within a line;
//! steps are shown as they are typed.

use super::{change_form, house, send};

#[test]
fn markdown_is_drawn_or_taken_out_and_steps_stand_as_they_are_typed() {
    let house = house("prose");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let mut form = change_form(&house, "submit");
    form.retain(|(name, _)| *name != "description");
    form.push((
        "description",
        "A **new** column, see [why](https://example.org/x).".to_owned(),
    ));
    form.push(("plan.0.check", "`rm *_old*` leaves **nothing**".to_owned()));
    assert_eq!(send(&house, &ingrid, "/t/halden/changes", &form).status, 303);
    let change = "/t/halden/changes/CHG-1001";
    let hold = [("reason", "We wait for **finance**.")];
    assert_eq!(house.post(&marta, &format!("{change}/hold"), &hold).status, 303);
    let said = [("text", "Seen on *staging*.")];
    assert_eq!(house.post(&marta, &format!("{change}/comments"), &said).status, 303);

    let page = house.get(&ingrid, change);
    assert!(
        page.shows("<p>A <strong>new</strong> column, see <a href=\"https://example.org/x\""),
        "{page:?}"
    );
    assert!(
        page.shows("A new column, see why."),
        "the card tells the words alone: {page:?}"
    );
    assert!(!page.shows("**new**"), "{page:?}");
    assert!(page.shows("We wait for finance."), "{page:?}");
    assert!(page.shows("<p>Seen on <em>staging</em>.</p>"), "{page:?}");
    assert!(
        page.shows("`rm *_old*` leaves **nothing**"),
        "a command is never changed: {page:?}"
    );
}
