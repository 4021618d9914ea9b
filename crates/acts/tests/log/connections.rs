//! Connections that are edited in place: their address and secret stay, and the edit alone gives nobody an approval right.

use acts::core::connections::{connection, connection_secret};
use acts::integration::edit_connection::edit_connection;
use acts::integration::set_connection::{self, create_connection};
use model::core::refusal::Refusal;
use model::directory::snapshot::Connection;
use serde_json::{Value, json};

use crate::by_two::{activate, alone, attempt, by_two, code, hire, propose};
use crate::world::{World, body};

fn hub() -> Value {
    json!({"kind": "gitlab", "name": "Hub", "api": {"token": "sixteen_letters_"},
        "map": [{"repository": "halden/pay", "service": "pay", "environments": {"prod": "production"}}]})
}

fn make(world: &World, who: &'static str) -> Connection {
    attempt(world, who, |cx| Ok(create_connection(cx, &body(hub()))?.0)).unwrap()
}

fn edit(world: &World, who: &'static str, id: &str, words: Value) -> Result<Connection, Refusal> {
    let id = id.to_owned();
    attempt(world, who, move |cx| edit_connection(cx, &id, &body(words.clone())))
}

fn stands(world: &World, id: &str) -> Connection {
    let id = id.to_owned();
    world.look(move |cx| connection(cx, &id)).unwrap()
}

fn calls(world: &World) -> Vec<String> {
    let base = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    base.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let mut statement = base.prepare("SELECT kind FROM \"call\" ORDER BY kind").unwrap();
    let kinds = statement.query_map([], |row| row.get(0)).unwrap();
    kinds.collect::<Result<_, _>>().unwrap()
}

/// One repository more, as a request writes the whole map.
fn two_repositories() -> Value {
    json!([{"repository": "halden/pay", "service": "pay", "environments": {"prod": "production"}},
        {"repository": "halden/pay-web", "service": "pay", "environments": {"prod": "production"}}])
}

#[test]
fn a_repository_joins_and_the_secret_stays() {
    let world = alone();
    let made = make(&world, "ada");
    let id = made.id.0.clone();
    let secret = |id: &str| {
        let id = id.to_owned();
        world.look(move |cx| connection_secret(cx, &id)).unwrap()
    };
    let before = secret(&id);
    let after = edit(&world, "ada", &id, json!({"map": two_repositories(), "name": "GitLab"})).unwrap();
    assert_eq!(
        (after.id.as_str(), after.version, after.name.as_str()),
        (id.as_str(), 2, "GitLab")
    );
    assert_eq!(secret(&id), before);
    let since: Vec<bool> = after.map.iter().map(|row| row.since.is_some()).collect();
    assert_eq!(
        since,
        [false, true],
        "what ran in the new one before is not looked into"
    );
    // A reader of the map sends it back unchanged; the facts of a row are kept.
    let mut map = serde_json::to_value(&after.map).unwrap();
    model::core::typed::flatten(&mut map);
    let told = json!({"map": map});
    assert_eq!(edit(&world, "ada", &id, told).unwrap(), after);
    assert_eq!(calls(&world), ["deployments_read", "freezes", "freezes_read"]);
    for (words, refused) in [
        (json!({"secret": "a-secret-of-more-than-24-letters"}), "unknown_field"),
        (json!({"kind": "github"}), "unknown_field"),
        (json!({"api": {"base": "https://elsewhere.example"}}), "not_here"),
        (json!({"api": {"app": 7, "installation": 8}}), "missing"),
        (
            json!({"map": [{"repository": "halden/pay", "service": "nothing"}]}),
            "unknown",
        ),
        (json!({"name": null}), "missing"),
    ] {
        assert_eq!(code(edit(&world, "ada", &id, words.clone())), refused, "{words}");
    }
    assert_eq!(code(edit(&world, "rita", &id, json!({"name": "Mine"}))), "not_allowed");
    // A credential turns without the record; taken away with its address, it is not sent to another.
    assert_eq!(
        edit(&world, "ada", &id, json!({"api": {"token": "another_sixteen_"}})).unwrap(),
        after
    );
    assert_eq!(edit(&world, "ada", &id, json!({"api": null})).unwrap().api, None);
    let other = json!({"api": {"base": "https://gitlab.halden.example"}});
    assert_eq!(code(edit(&world, "ada", &id, other)), "missing");
    let gone = id.clone();
    attempt(&world, "ada", move |cx| set_connection::end_connection(cx, &gone)).unwrap();
    assert_eq!(code(edit(&world, "ada", &id, json!({"name": "Hub"}))), "not_in_state");
    world.sequence();
    world.assert_replays();
}

#[test]
fn of_two_administrators_neither_gives_a_repository_a_voice_alone() {
    let world = alone();
    let id = make(&world, "ada").id.0;
    hire(&world, "adam");
    let key = "-----BEGIN PUBLIC KEY-----";
    for words in [
        json!({"map": two_repositories()}),
        json!({"map": [{"repository": "halden/pay", "service": "pay", "environments": {"prod": "production", "live": "production"}}]}),
        json!({"builders": [{"builder": "evil", "public_key": key}]}),
        json!({"links": [{"from": "title"}]}),
        json!({"owner": "rita"}),
    ] {
        assert_eq!(
            code(edit(&world, "ada", &id, words.clone())),
            "two_people_needed",
            "{words}"
        );
    }
    // A name moves nothing, and one person alone may remove approval rights.
    edit(&world, "ada", &id, json!({"name": "GitLab"})).unwrap();
    let wanted = json!({"connection_edits": [{"id": id, "map": two_repositories()}], "reason": "The shop's front."});
    let stale = propose(&world, "ada", wanted.clone()).unwrap();
    edit(&world, "adam", &id, json!({"map": []})).unwrap();
    assert_eq!(code(activate(&world, "mona", stale.id.as_str())), "moved_since");
    let credential = json!({"connection_edits": [{"id": id, "api": {"token": "sixteen_letters_"}}], "reason": "No."});
    assert_eq!(code(propose(&world, "ada", credential)), "not_here");
    by_two(&world, "ada", wanted);
    let found = stands(&world, &id);
    assert_eq!((found.active, found.map.len()), (true, 2));
    world.sequence();
    world.assert_replays();
}

/// A connection that waits for its approval has no effect, so one person may change it; but then nobody puts the earlier
/// proposal in force.
#[test]
fn what_was_changed_after_it_was_proposed_is_proposed_anew() {
    let world = alone();
    hire(&world, "adam");
    let id = make(&world, "ada").id.0;
    assert!(stands(&world, &id).waits);
    let wanted = json!({"connections": [id], "reason": "Our repositories."});
    let proposal = propose(&world, "ada", wanted.clone()).unwrap();
    edit(&world, "ada", &id, json!({"map": two_repositories()})).unwrap();
    assert_eq!(code(activate(&world, "mona", proposal.id.as_str())), "moved_since");
    assert!(stands(&world, &id).waits);
    by_two(&world, "ada", wanted);
    assert!(stands(&world, &id).active);
    world.sequence();
    world.assert_replays();
}
