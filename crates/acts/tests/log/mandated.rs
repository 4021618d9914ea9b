//! Auditors with a mandate: given by two people, they read inside of it, and nothing once it is over.

use acts::audit::note_look::{note_look, wanted};
use acts::core::noun;
use acts::directory::deactivate_person::deactivate_person;
use acts::directory::set_audit_mandate::confirm_audit_mandate;
use acts::directory::set_person;
use acts::report::find_changes::{ChangeFilter, find_changes};
use acts::{Context, Error, Result};
use model::directory::audit_mandate::AuditMandate;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn attempt<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> std::result::Result<T, String> {
    let actor = world.actor(login);
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.map_err(|error| match error {
        Error::Refused(model::core::refusal::Refusal::Invalid(errors)) => errors[0].code.clone(),
        Error::Refused(refusal) => refusal.code().to_owned(),
        other => panic!("no refusal: {other:?}"),
    })
}

/// A world with two administrators and an outside auditor.
fn world() -> World {
    let world = World::new();
    for (login, role) in [("ada", "admin"), ("bea", "admin"), ("ext", "auditor")] {
        let person = body(json!({"login": login, "roles": [role]}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    world
}

fn propose(world: &World, wanted: Value) -> std::result::Result<AuditMandate, String> {
    let mut whole = json!({
        "person": "ext", "reason": "Year-end audit", "starts_at": "2026-11-20T00:00:00Z", "ends_at": "2026-12-20T00:00:00Z",
    });
    whole.as_object_mut().unwrap().extend(body(wanted));
    attempt(world, "ada", move |cx| {
        noun::add::<AuditMandate>(cx, &body(whole.clone()))
    })
}

fn confirm(world: &World, who: &'static str, id: &str) -> std::result::Result<AuditMandate, String> {
    let id = id.to_owned();
    attempt(world, who, move |cx| confirm_audit_mandate(cx, &id))
}

/// The keys of the changes that the auditor finds, and whether they can open one.
fn reads(world: &World, key: &str) -> (Vec<String>, bool) {
    let found = attempt(world, "ext", |cx| find_changes(cx, &ChangeFilter::default(), 100, None)).unwrap();
    let key = key.to_owned();
    let opened = attempt(world, "ext", move |cx| cx.change(&key).map(drop)).is_ok();
    (found.rows.into_iter().map(|(row, _)| row.key).collect(), opened)
}

#[test]
fn a_mandate_holds_once_a_second_person_confirms_it_and_binds_for_good() {
    let world = world();
    let key = world.draft("Inside");
    let mandate = propose(&world, json!({"services": ["pay"]})).unwrap();
    assert_eq!(
        confirm(&world, "ada", &mandate.id.0).unwrap_err(),
        "second_person_needed"
    );
    assert_eq!(confirm(&world, "ext", &mandate.id.0).unwrap_err(), "not_allowed");
    confirm(&world, "bea", &mandate.id.0).unwrap();
    assert_eq!(confirm(&world, "bea", &mandate.id.0).unwrap_err(), "not_open");
    assert_eq!(reads(&world, &key), (vec![key.clone()], true));
    world.pass_seconds(31 * 24 * 3600);
    assert_eq!(reads(&world, &key), (Vec::new(), false), "it is over");
    let again = propose(
        &world,
        json!({"ends_at": "2027-01-20T00:00:00Z", "starts_at": "2026-12-20T00:00:00Z"}),
    )
    .unwrap();
    confirm(&world, "mona", &again.id.0).unwrap();
    assert!(reads(&world, &key).1);
    let id = again.id.0.clone();
    attempt(&world, "ada", move |cx| noun::end::<AuditMandate>(cx, &id)).unwrap();
    assert_eq!(reads(&world, &key), (Vec::new(), false), "taking it back frees nobody");
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_mandate_ends_with_the_compromised_account_of_one_of_the_two_who_gave_it() {
    for login in ["ada", "bea"] {
        let world = world();
        let key = world.draft("Inside");
        let mandate = propose(&world, json!({"services": ["pay"]})).unwrap();
        confirm(&world, "bea", &mandate.id.0).unwrap();
        assert!(reads(&world, &key).1);
        world.system(move |cx| deactivate_person(cx, login, &body(json!({"compromised": true}))).map(drop));
        assert_eq!(reads(&world, &key), (Vec::new(), false), "{login}");
        world.sequence();
        world.assert_replays();
    }
}

#[test]
fn what_lies_outside_of_services_or_span_is_absent_and_nothing_is_done() {
    let world = world();
    let early = world.draft("Before the span");
    world.pass_seconds(3600);
    let inside = world.draft("In the span");
    let span = json!({"span_from": "2026-11-20T08:30:00Z", "span_to": "2026-11-20T09:30:00Z"});
    let mandate = propose(&world, span).unwrap();
    confirm(&world, "bea", &mandate.id.0).unwrap();
    assert_eq!(reads(&world, &inside), (vec![inside.clone()], true));
    assert!(!reads(&world, &early).1);
    let key = inside.clone();
    let said = attempt(&world, "ext", move |cx| {
        acts::change::verbs::comment_change(cx, &key, &body(json!({"text": "Why?"})))
    });
    assert_eq!(said.unwrap_err(), "mandate_reads_only");
    let report = attempt(&world, "ext", |cx| {
        acts::compliance::reconcile_runs::reconcile_runs(cx, &acts::compliance::reconcile_runs::Wanted::default())
    });
    assert_eq!(report.unwrap_err(), "mandate_reads_only");
    let seen = attempt(&world, "ext", |cx| {
        Ok(cx.visible()?.incidents.len() + cx.visible()?.freezes.len())
    })
    .unwrap();
    assert_eq!(seen, 0);
}

#[test]
fn a_mandate_is_refused_for_other_rights_overlaps_and_wrong_times() {
    let world = world();
    for (wanted, code) in [
        (json!({"person": "olga"}), "other_rights"),
        (json!({"person": "nobody"}), "unknown"),
        (json!({"ends_at": "2026-11-01T00:00:00Z"}), "out_of_order"),
        (json!({"ends_at": "2028-11-01T00:00:00Z"}), "too_long"),
        (
            json!({"span_from": "2026-02-01T00:00:00Z", "span_to": "2026-01-01T00:00:00Z"}),
            "out_of_order",
        ),
        (json!({"services": ["nowhere"]}), "unknown"),
    ] {
        assert_eq!(propose(&world, wanted.clone()).unwrap_err(), code, "{wanted}");
    }
    let mandate = propose(&world, json!({})).unwrap();
    assert_eq!(propose(&world, json!({})).unwrap_err(), "not_unique");
    // An account that got another right in between is no outside auditor any more.
    let more = body(json!({"roles": ["auditor", "requester"]}));
    world.system(move |cx| set_person::edit_person(cx, "ext", &more));
    assert_eq!(confirm(&world, "bea", &mandate.id.0).unwrap_err(), "other_rights");
}

#[test]
fn what_an_auditor_read_and_who_read_a_report_is_noted_once_a_day() {
    let world = world();
    let mandate = propose(&world, json!({})).unwrap();
    let look_at = |world: &World, login: &'static str, about: (&'static str, &'static str)| {
        attempt(world, login, move |cx| {
            let look = wanted(cx, about)?;
            if let Some(look) = &look {
                note_look(cx, look)?;
            }
            Ok(look.is_some())
        })
        .unwrap()
    };
    let look = |world: &World, login: &'static str| look_at(world, login, ("change", "CHG-1001"));
    let inside = look_at(&world, "ext", ("change", "CHG-1002"));
    assert!(
        inside,
        "who has the right without a mandate is an auditor of the organisation itself"
    );
    confirm(&world, "bea", &mandate.id.0).unwrap();
    assert_eq!(
        [look(&world, "ext"), look(&world, "ext"), look(&world, "olga")],
        [true, false, false]
    );
    let report = ("page", "/audit/reports/sox");
    assert_eq!(
        [look_at(&world, "mona", report), look_at(&world, "mona", report)],
        [true, false],
        "of a report it is noted whoever reads it"
    );
    world.pass_seconds(24 * 3600);
    assert!(look(&world, "ext"), "another day");
    world.sequence();
    world.assert_replays();
}
