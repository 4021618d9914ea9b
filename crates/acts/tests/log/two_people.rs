//! What one stolen administrator would do to give an accomplice a voice: by a right, a seat in a group, another's word. Each is
//! refused to one person where two are there, and goes live by two. What only takes a voice away one person does at once.

use acts::import_directory::{Options, import_directory};
use acts::propose_ownership::import_and_propose;
use acts::set_person::{create_person, edit_person, set_group};
use model::file::Lent;
use model::words::{Noun, Role};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::by_two::{activate, alone, attempt, by_two, code, hire, lines, propose};
use crate::world::{TENANT, World, body};

/// Two administrators, ada and adam, and a few people beside them.
fn two() -> World {
    let world = alone();
    hire(&world, "adam");
    world
}

fn edit(world: &World, who: &'static str, login: &'static str, words: Value) -> String {
    let done = attempt(world, who, move |room| {
        edit_person(room, login, &body(words.clone())).map(drop)
    });
    done.err()
        .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
}

fn group(world: &World, who: &'static str, key: &'static str, members: &[&str]) -> String {
    let words = json!({"members": members});
    let done = attempt(world, who, move |room| {
        set_group(room, key, &body(words.clone())).map(drop)
    });
    done.err()
        .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
}

fn roles(world: &World, login: &'static str) -> Vec<Role> {
    let found = world.look(move |room| Ok(room.directory()?.by_login(login).map(|it| it.roles.clone())));
    found.unwrap().into_iter().flatten().collect()
}

fn members(world: &World, key: &'static str) -> Vec<String> {
    let found = world.look(move |room| {
        let directory = room.directory()?;
        let members = directory.members(&key.into());
        Ok(members.iter().map(|person| directory.login(person)).collect::<Vec<_>>())
    });
    found.unwrap()
}

#[test]
fn of_two_administrators_neither_gives_a_right_that_decides_alone() {
    let world = two();
    for role in ["owner", "security", "change_manager", "commander", "executive", "admin"] {
        let words = json!({"roles": ["requester", role]});
        assert_eq!(edit(&world, "ada", "rita", words), "two_people_needed", "{role}");
        let fresh = attempt(&world, "ada", move |room| {
            create_person(room, &body(json!({"login": "eve", "roles": [role]})))
        });
        assert_eq!(code(fresh), "two_people_needed", "{role}");
    }
    assert_eq!(
        edit(&world, "ada", "rita", json!({"functions": ["dba"]})),
        "two_people_needed"
    );
    // Who asks, does the work, looks on or is a program decides nothing.
    let rights = json!({"roles": ["requester", "implementer", "auditor"]});
    assert_eq!(edit(&world, "ada", "rita", rights), "done");
    // Whoever looks on decides nothing, so that to look on no more gives a voice.
    assert_eq!(
        edit(&world, "ada", "rita", json!({"roles": ["requester"]})),
        "two_people_needed"
    );
    attempt(&world, "ada", |room| {
        create_person(
            room,
            &body(json!({"login": "nora", "roles": ["requester", "implementer"]})),
        )
    })
    .unwrap();

    let wanted = json!({"people": [{"login": "nora", "roles": ["owner"], "functions": ["DBA"]},
        {"login": "eve", "name": "Eve", "roles": ["security"]}], "reason": "They join the team."});
    let proposal = propose(&world, "ada", wanted).unwrap();
    assert_eq!(
        roles(&world, "nora"),
        [Role::Requester, Role::Implementer],
        "nothing has moved yet"
    );
    assert_eq!(
        code(activate(&world, "ada", proposal.id.as_str())),
        "second_person_needed"
    );
    activate(&world, "adam", proposal.id.as_str()).unwrap();
    assert_eq!(roles(&world, "nora"), [Role::Owner]);
    assert!(
        members(&world, "security").contains(&"eve".to_owned()),
        "the right came with its seat"
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn one_person_takes_rights_away_and_two_give_them_back() {
    let world = two();
    assert_eq!(edit(&world, "ada", "sam", json!({"roles": []})), "done");
    assert_eq!(
        edit(&world, "ada", "sam", json!({"roles": ["security"]})),
        "two_people_needed"
    );
    assert_eq!(edit(&world, "ada", "olga", json!({"active": false})), "done");
    assert_eq!(
        edit(&world, "ada", "olga", json!({"active": true})),
        "two_people_needed",
        "an owner comes back with her voice"
    );
    by_two(
        &world,
        "ada",
        json!({"people": [{"login": "olga", "active": true}], "reason": "She is back."}),
    );
    // Nothing asks for the word of somebody who only asks.
    assert_eq!(edit(&world, "ada", "rita", json!({"active": false})), "done");
    assert_eq!(edit(&world, "ada", "rita", json!({"active": true})), "done");
    world.sequence();
    world.assert_replays();
}

#[test]
fn of_two_administrators_neither_gives_a_seat_alone() {
    let world = two();
    assert_eq!(
        group(&world, "ada", "ecab", &[]),
        "done",
        "a group without members has no voice"
    );
    for key in ["ecab", "night", "security"] {
        assert_eq!(group(&world, "ada", key, &["rita"]), "two_people_needed", "{key}");
    }
    let wanted = json!({"groups": [{"key": "ecab", "name": "Emergencies", "members": ["rita", "olga"]}],
        "reason": "Somebody has to."});
    by_two(&world, "ada", wanted);
    assert_eq!(members(&world, "ecab").len(), 2);
    let wanted = json!({"groups": [{"key": "ecab", "joins": ["sam"]}], "reason": "One more."});
    by_two(&world, "ada", wanted);
    assert_eq!(
        members(&world, "ecab").len(),
        3,
        "who joins comes to those who are there"
    );
    assert_eq!(
        group(&world, "ada", "ecab", &["sam"]),
        "done",
        "one person takes members out"
    );
    // Neither who proposes nor who puts in force gets a seat by it.
    let own = |who: &str| json!({"groups": [{"key": "ecab", "joins": [who]}], "reason": "Why not."});
    assert_eq!(code(propose(&world, "ada", own("ada"))), "own_request");
    let proposal = propose(&world, "ada", own("mona")).unwrap();
    assert_eq!(code(activate(&world, "mona", proposal.id.as_str())), "own_request");
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_import_by_one_gives_no_voice_and_with_propose_it_waits_for_another() {
    let world = two();
    let rows = lines(&[
        (Noun::People, json!({"login": "nora", "roles": ["requester"]})),
        (Noun::People, json!({"login": "eve", "roles": ["owner"]})),
        (Noun::Groups, json!({"key": "night", "members": ["nora", "eve"]})),
        (
            Noun::Ownerships,
            json!({"service": "pay", "role": "owner", "group": "night"}),
        ),
    ]);
    let direct = rows.clone();
    let refused = attempt(&world, "ada", move |room| {
        import_directory(room, &direct, Options::default()).map(drop)
    });
    let model::refusal::Refusal::Invalid(errors) = refused.unwrap_err() else {
        panic!("no wrong lines");
    };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert!(fields.starts_with(&["line 2: roles"]), "{fields:?}");
    assert_eq!(errors[0].code, "two_people_needed");

    let both = rows.clone();
    let tried = attempt(&world, "ada", move |room| {
        let dry = Options {
            dry_run: true,
            ..Options::default()
        };
        Ok(import_and_propose(room, &both, dry, "A night team.".to_owned())?
            .0
            .added)
    });
    assert_eq!(tried.unwrap(), 4, "a dry run shows all of it");
    let proposal = attempt(&world, "ada", move |room| {
        let done = import_and_propose(room, &rows, Options::default(), "A night team.".to_owned())?;
        Ok(done.1.unwrap().id.0)
    });
    assert_eq!(
        roles(&world, "nora"),
        [Role::Requester],
        "who decides nothing is there at once"
    );
    assert!(roles(&world, "eve").is_empty() && members(&world, "night").is_empty());
    activate(&world, "adam", &proposal.unwrap()).unwrap();
    assert_eq!(roles(&world, "eve"), [Role::Owner]);
    assert_eq!(members(&world, "night").len(), 2);
    world.sequence();
    world.assert_replays();
}

/// The file of the first hour, by an administrator who is alone, brings the second one and everything else.
#[test]
fn a_first_administrator_sets_everything_up() {
    let world = alone();
    let rows = lines(&[
        (Noun::People, json!({"login": "adam", "roles": ["admin"]})),
        (
            Noun::People,
            json!({"login": "nora", "roles": ["owner"], "functions": ["dba"]}),
        ),
        (Noun::Groups, json!({"key": "night", "members": ["nora"]})),
        (
            Noun::Ownerships,
            json!({"service": "pay", "role": "owner", "group": "night"}),
        ),
    ]);
    let added = attempt(&world, "ada", move |room| {
        Ok(import_directory(room, &rows, Options::default())?.added)
    });
    assert_eq!(added.unwrap(), 4);
    assert_eq!(
        edit(&world, "ada", "rita", json!({"roles": ["owner"]})),
        "two_people_needed"
    );
}

/// To be alone again would be the way around all of it.
#[test]
fn nobody_gets_alone_by_being_rid_of_the_second_administrator() {
    let world = two();
    assert_eq!(
        edit(&world, "ada", "adam", json!({"roles": ["requester"]})),
        "two_people_needed"
    );
    let line = lines(&[(Noun::People, json!({"login": "adam", "roles": ["requester"]}))]);
    let by_file = attempt(&world, "ada", move |room| {
        import_directory(room, &line, Options::default()).map(drop)
    });
    assert_eq!(code(by_file), "two_people_needed");
    // At night one person locks another out, whoever it is. For a day nobody is alone by that.
    assert_eq!(edit(&world, "ada", "adam", json!({"active": false})), "done");
    let owner = || edit(&world, "ada", "rita", json!({"roles": ["owner"]}));
    assert_eq!(owner(), "two_people_needed");
    assert_eq!(
        edit(&world, "ada", "adam", json!({"roles": []})),
        "two_people_needed",
        "and nobody makes the others forget him"
    );
    by_two(
        &world,
        "ada",
        json!({"people": [{"login": "nora", "roles": ["implementer", "owner"]}], "reason": "A change manager looks."}),
    );
    world.pass_seconds(24 * 3600);
    assert_eq!(owner(), "done", "who is alone sets everything up");
    world.sequence();
    world.assert_replays();
}

/// Whoever stole one administrator makes a token or a password for somebody who may put a proposal in force.
#[test]
fn a_borrowed_account_is_no_second_person() {
    let world = two();
    let wanted = json!({"people": [{"login": "rita", "roles": ["owner"]}], "reason": "An accomplice."});
    let proposal = propose(&world, "ada", wanted).unwrap();
    for login in ["adam", "mona"] {
        let mut actor = world.actor(login);
        actor.lent = Some(Lent {
            maker: world.actor("ada").person,
            roles: None,
        });
        let id = proposal.id.0.clone();
        let done = world.desk.wait(Lane::Acts, TENANT, actor, Mode::Write, move |room| {
            acts::activate_configuration::activate_configuration(room, &id, &body(json!({}))).map(drop)
        });
        let told = format!("{done:?}");
        assert!(told.contains("second_person_needed"), "{login}: {told}");
    }
    activate(&world, "mona", proposal.id.as_str()).unwrap();
}

#[test]
fn where_a_tenant_does_not_ask_for_two_one_gives_rights_as_before() {
    let world = two();
    by_two(&world, "ada", json!({"by_two": false, "reason": "We are few."}));
    assert_eq!(edit(&world, "ada", "rita", json!({"roles": ["owner"]})), "done");
    assert_eq!(group(&world, "ada", "night", &["rita"]), "done");
}
