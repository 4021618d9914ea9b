//! The stored data of a change, by forms: its legal hold, its erasure, and the retention.

use super::{change_form, house, send};

#[test]
fn what_is_kept_of_a_change_is_held_and_erased_by_forms() {
    let house = house("kept");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let made = send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "draft"));
    assert_eq!(made.status, 303, "{made:?}");
    let change = "/t/halden/changes/CHG-1001";
    let say = |who: &str, act: &str, pairs: &[(&str, &str)]| house.post(who, &format!("{change}/{act}"), pairs);
    let reason = ("reason", "Case 4711");
    assert!(
        !house.get(&marta, change).shows("Erase its texts"),
        "people still decide by them"
    );
    assert_eq!(say(&ingrid, "cancellation", &[("reason", "Not needed")]).status, 303);
    assert!(!house.get(&ingrid, change).shows("Erase its texts"));
    assert!(house.get(&marta, change).shows("Erase its texts"));

    assert_eq!(say(&ingrid, "legal-hold", &[reason]).status, 403);
    assert_eq!(say(&marta, "legal-hold", &[reason]).status, 303);
    let held = house.get(&marta, change);
    assert!(
        held.shows("Under a legal hold by Marta Lindqvist") && held.shows("Case 4711"),
        "{held:?}"
    );
    assert!(!held.shows("Erase its texts"));
    let erase = [("kind", "texts"), ("reason", "Request of 12 November")];
    let refused = say(&marta, "erasure", &erase);
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.shows("is under a legal hold"), "{refused:?}");
    assert_eq!(say(&marta, "legal-hold/end", &[reason]).status, 303);

    // Nobody else sets policies here, so nobody else could confirm it.
    assert_eq!(say(&marta, "erasure", &erase).status, 303);
    let erased = house.get(&ingrid, change);
    assert!(
        erased.shows("[erased]") && !erased.shows("customs reference"),
        "{erased:?}"
    );
    assert!(
        erased.shows("had all texts and files of this change erased"),
        "{erased:?}"
    );

    let propose = |pairs: &[(&str, &str)]| house.post(&marta, "/t/halden/policies/retention/proposal", pairs);
    let days = [
        ("changes_days", "400"),
        ("deliveries_days", ""),
        ("reason", "Our rules"),
    ];
    assert_eq!(propose(&days).status, 303);
    let page = house.get(&marta, "/t/halden/policies");
    assert!(
        page.shows("texts and files of ended changes: 400 days; raw deliveries: for ever"),
        "{page:?}"
    );
    assert_eq!(propose(&[("changes_days", "7"), ("reason", "Quick")]).status, 422);
}

#[test]
fn the_reconciliation_the_dry_run_and_the_rules_are_pages_of_auditors() {
    let house = house("reconciled");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let (reconciliation, preview) = ("/t/halden/audit/reconciliation", "/t/halden/retention/preview");
    for path in [reconciliation, preview] {
        assert_eq!(house.get(&ingrid, path).status, 403, "{path}");
        assert_eq!(house.get(&marta, path).status, 200, "{path}");
    }
    let page = house.get(&marta, &format!("{reconciliation}?from=2020-01-01T00:00:00Z"));
    assert!(
        page.shows("Ran without an approval") && page.shows("never reported"),
        "{page:?}"
    );
    assert!(page.shows("People with access, and what they changed"), "{page:?}");
    let csv = house.get(&marta, &format!("{reconciliation}.csv"));
    assert!(csv.status == 200 && csv.shows("section"), "{csv:?}");
    assert_eq!(
        house.get(&marta, &format!("{reconciliation}?service=nowhere")).status,
        422
    );
    assert_eq!(house.get(&marta, &format!("{preview}?changes_days=7")).status, 422);

    let rule = [("regime", "sox"), ("record_kind", "change"), ("active", "true")];
    assert_eq!(house.post(&marta, "/t/halden/retention-rules", &rule).status, 303);
    assert!(house.get(&marta, preview).shows("sox-change"));
    let days = [("changes_days", "400"), ("reason", "Our rules")];
    let refused = house.post(&marta, "/t/halden/policies/retention/proposal", &days);
    assert!(refused.status == 422 && refused.shows("sox-change"), "{refused:?}");
}
