//! A refusal names the people who may do it.

use acts::directory::{set_person, set_service};
use acts::{Context, Result};
use model::core::refusal::Refusal;
use serde_json::json;

use crate::by_two::attempt;
use crate::world::{ARTIFACT, World, body};

/// The code of a person's refusal, and the people named in it.
fn refused<T: Send + std::fmt::Debug + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> (&'static str, Vec<String>) {
    match attempt(world, login, act).unwrap_err() {
        Refusal::NotAllowed { code, waiting_on, .. } => (code, waiting_on),
        other => panic!("{other}"),
    }
}

fn draft(world: &World) -> String {
    world.draft_at("Ship", ARTIFACT, ["2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"])
}

#[test]
fn whom_the_rules_refuse_is_told_whom_they_let() {
    let world = World::new();
    let key = draft(&world);
    let k = key.clone();
    let (code, others) = refused(&world, "sam", move |cx| acts::change::verbs::submit_change(cx, &k));
    assert_eq!(code, "not_allowed");
    // Owner, requester and change managers of a change submit it; security does not, and neither do implementers.
    assert!(
        others.contains(&"rita".to_owned()) && others.contains(&"mona".to_owned()),
        "{others:?}"
    );
    assert!(
        !others
            .iter()
            .any(|login| ["sam", "ivo", "pipe"].contains(&login.as_str())),
        "{others:?}"
    );
    // A leaver is never named.
    world.system(|cx| set_person::edit_person(cx, "mona", &body(json!({"active": false}))).map(drop));
    let (_, others) = refused(&world, "sam", move |cx| acts::change::verbs::submit_change(cx, &key));
    assert!(!others.contains(&"mona".to_owned()), "{others:?}");
}

#[test]
fn whom_nobody_asked_is_told_who_was() {
    let world = World::new();
    let key = draft(&world);
    let k = key.clone();
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &k));
    let (k, request) = (key.clone(), body(json!({"dependencies_reviewed": true})));
    world.by("rita", move |cx| acts::change::verbs::assess_change(cx, &k, &request));
    let says = |login: &'static str| {
        let key = key.clone();
        move |cx: &mut Context<'_, '_>| {
            let digest = cx.change(&key)?.digests.content;
            let comment = format!("By {login}");
            let words = body(json!({"decision": "approve", "content_digest": digest, "comment": comment}));
            acts::approval::verbs::approve_change(cx, &key, &words)
        }
    };
    let (code, before) = refused(&world, "ivo", says("ivo"));
    assert_eq!(code, "not_asked");
    assert!(before.contains(&"olga".to_owned()), "{before:?}");
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "nobody"}))).map(drop));
    assert_eq!(
        refused(&world, "nobody", says("nobody")),
        ("not_asked", Vec::new()),
        "who may not read"
    );
    // An approver who has decided is not named again.
    world.by("olga", says("olga"));
    let (_, after) = refused(&world, "ivo", says("ivo"));
    let without: Vec<String> = before.into_iter().filter(|login| login != "olga").collect();
    assert_eq!(after, without);
}

#[test]
fn what_is_about_no_change_names_who_may_do_it() {
    let world = crate::by_two::alone();
    let (code, others) = refused(&world, "rita", |cx| {
        set_service::set_service(cx, &body(json!({"key": "post", "criticality": "low"})))
    });
    assert_eq!(code, "not_allowed");
    assert!(
        others.contains(&"ada".to_owned()) && !others.contains(&"sam".to_owned()),
        "{others:?}"
    );
}

#[test]
fn whoever_may_not_read_here_learns_of_nobody() {
    let world = crate::by_two::alone();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "nobody"}))).map(drop));
    let key = draft(&world);
    let (code, others) = refused(&world, "nobody", move |cx| acts::change::verbs::submit_change(cx, &key));
    assert_eq!((code, others), ("not_allowed", Vec::new()));
    let (code, others) = refused(&world, "nobody", |cx| {
        set_service::set_service(cx, &body(json!({"key": "post", "criticality": "low"})))
    });
    assert_eq!((code, others), ("not_allowed", Vec::new()));
}
