//! The ways of one stolen administrator to give an accomplice an approval right: by a right, a membership in a group, another's
//! approval. Each is refused to one person where two are there, and goes live by two. An act that only removes an approval
//! right is done by one person at once.

use acts::approval::set_delegation::set_delegation;
use acts::cab::training::{end_training, set_training};
use acts::core::connections;
use acts::directory::import_directory::{Options, import_directory};
use acts::directory::review_access;
use acts::directory::set_person::{create_person, edit_person, set_group};
use acts::directory::set_service::{end_dependency, set_config_item, set_dependency, set_service};
use acts::identity::set_identity_provider::set_identity_provider;
use acts::integration::set_connection::{self, create_connection};
use acts::policy::activate_configuration;
use acts::policy::propose_ownership::import_and_propose;
use acts::schedule::set_calendar::set_calendar;
use model::change::change_file::{Actor, Lent};
use model::core::enums::{Noun, Role};
use model::core::refusal::Refusal;
use model::directory::access_review;
use serde_json::{Value, json};
use store::audit::event;
use store::{Lane, Mode};

use crate::by_two::{activate, alone, attempt, by_two, code, hire, lines, propose, set};
use crate::world::{TENANT, World, body};

/// Two administrators, ada and adam, and a few people beside them.
pub fn two() -> World {
    let world = alone();
    hire(&world, "adam");
    world
}

pub fn edit(world: &World, who: &'static str, login: &'static str, words: Value) -> String {
    let done = attempt(world, who, move |cx| {
        edit_person(cx, login, &body(words.clone())).map(drop)
    });
    done.err()
        .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
}

fn group(world: &World, who: &'static str, key: &'static str, members: &[&str]) -> String {
    let words = json!({"members": members});
    let done = attempt(world, who, move |cx| set_group(cx, key, &body(words.clone())).map(drop));
    done.err()
        .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
}

fn roles(world: &World, login: &'static str) -> Vec<Role> {
    let found = world.look(move |cx| Ok(cx.directory()?.by_login(login).map(|it| it.roles.clone())));
    found.unwrap().into_iter().flatten().collect()
}

fn members(world: &World, key: &'static str) -> Vec<String> {
    let found = world.look(move |cx| {
        let directory = cx.directory()?;
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
        let fresh = attempt(&world, "ada", move |cx| {
            create_person(cx, &body(json!({"login": "eve", "roles": [role]})))
        });
        assert_eq!(code(fresh), "two_people_needed", "{role}");
    }
    assert_eq!(
        edit(&world, "ada", "rita", json!({"functions": ["dba"]})),
        "two_people_needed"
    );
    // A requester, an implementer, an observer or a program decides nothing.
    let rights = json!({"roles": ["requester", "implementer", "auditor"]});
    assert_eq!(edit(&world, "ada", "rita", rights), "done");
    // An observer decides nothing, so that the end of that role gives an approval right.
    assert_eq!(
        edit(&world, "ada", "rita", json!({"roles": ["requester"]})),
        "two_people_needed"
    );
    attempt(&world, "ada", |cx| {
        create_person(
            cx,
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
fn what_could_not_be_read_is_not_missing_as_well() {
    let world = two();
    let fields = |wanted: Value| match propose(&world, "ada", wanted) {
        Err(Refusal::Invalid(errors)) => errors.into_iter().map(|it| it.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        fields(json!({"connections": [{"id": "x"}], "reason": "It is time."})),
        ["connections[0]"]
    );
    assert_eq!(fields(json!({"connections": []})), ["reason", "rows"]);
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
    // No rule requires the approval of a mere requester.
    assert_eq!(edit(&world, "ada", "rita", json!({"active": false})), "done");
    assert_eq!(edit(&world, "ada", "rita", json!({"active": true})), "done");
    world.sequence();
    world.assert_replays();
}

/// Rules keep the authors of a change's commits apart from its approvers: the commits of an unowned account bar nobody.
#[test]
fn nobody_makes_somebodys_commits_nobodys_alone() {
    let world = two();
    let known = json!({"accounts": ["github:rita"], "email": "rita@halden.example"});
    assert_eq!(edit(&world, "ada", "rita", known), "done");
    for less in [json!({"accounts": []}), json!({"email": "other@halden.example"})] {
        assert_eq!(edit(&world, "ada", "rita", less.clone()), "two_people_needed", "{less}");
    }
    let moved = json!({"accounts": ["github:rita", "mail:rita@halden.example"], "email": "rita.b@halden.example"});
    assert_eq!(
        edit(&world, "ada", "rita", moved.clone()),
        "two_people_needed",
        "an earlier address stays as an alias, but whoever has the new one would come as her"
    );
    let mut moved = moved;
    moved["login"] = json!("rita");
    by_two(&world, "ada", json!({"people": [moved], "reason": "She married."}));
    let wanted = json!({"people": [{"login": "rita", "accounts": ["github:rita"]}], "reason": "Never hers."});
    by_two(&world, "ada", wanted);
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
    let wanted = json!({"groups": [{"key": "ecab", "members": null, "joins": ["sam"]}], "reason": "Once more."});
    by_two(&world, "ada", wanted);
    assert_eq!(
        members(&world, "ecab").len(),
        3,
        "nobody is put out by a null beside it"
    );
    assert_eq!(
        group(&world, "ada", "ecab", &["sam"]),
        "done",
        "one person takes members out"
    );
    // Neither the proposer nor the person who puts in force becomes a member by it.
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
    let refused = attempt(&world, "ada", move |cx| {
        import_directory(cx, &direct, Options::default()).map(drop)
    });
    let Refusal::Invalid(errors) = refused.unwrap_err() else {
        panic!("no wrong lines");
    };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert!(fields.starts_with(&["line 2: roles"]), "{fields:?}");
    assert_eq!(errors[0].code, "two_people_needed");

    let both = rows.clone();
    let tried = attempt(&world, "ada", move |cx| {
        let dry = Options {
            dry_run: true,
            ..Options::default()
        };
        Ok(import_and_propose(cx, &both, dry, "A night team.".to_owned())?.0.added)
    });
    assert_eq!(tried.unwrap(), 4, "a dry run shows all of it");
    let proposal = attempt(&world, "ada", move |cx| {
        let done = import_and_propose(cx, &rows, Options::default(), "A night team.".to_owned())?;
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
    let added = attempt(&world, "ada", move |cx| {
        Ok(import_directory(cx, &rows, Options::default())?.added)
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
    let by_file = attempt(&world, "ada", move |cx| {
        import_directory(cx, &line, Options::default()).map(drop)
    });
    assert_eq!(code(by_file), "two_people_needed");
    // At night one person alone can lock any other out. For a day nobody is alone by that.
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

/// The initiator of a review signs for everybody without a known manager: a signature is one person's as well.
#[test]
fn nobody_gets_alone_by_a_signature_under_a_review() {
    let world = two();
    let ada = world.actor("ada").person;
    let begun = attempt(&world, "ada", |cx| review_access::begin_review(cx, &body(json!({}))));
    let is_adams = |it: &access_review::HeldRight| it.kind == "role" && it.what == "admin" && it.person != ada;
    let part = begun
        .unwrap()
        .into_iter()
        .find(|part| part.manager == ada && part.rights.iter().any(is_adams))
        .unwrap();
    let row = part.rights.iter().find(|it| is_adams(it)).unwrap().row;
    let actor = Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("ada")
    };
    let signed = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| {
        let words = body(json!({"refused": [row], "reason": "Not needed."}));
        review_access::sign_review(cx, part.id.as_str(), &words).map(drop)
    });
    let told = format!("{:?}", signed.err());
    assert!(told.contains("two_people_needed"), "{told}");
    assert_eq!(roles(&world, "adam"), [Role::Admin]);
    world.sequence();
    world.assert_replays();
}

/// At night one person locks an account; a proposal of the day before does not open it again.
#[test]
fn who_was_deactivated_since_does_not_come_back_by_an_older_proposal() {
    let world = two();
    let wanted =
        json!({"people": [{"login": "olga", "active": true, "functions": ["dba"]}], "reason": "She learned it."});
    let proposal = propose(&world, "ada", wanted.clone()).unwrap();
    world.pass_seconds(60);
    assert_eq!(edit(&world, "adam", "olga", json!({"active": false})), "done");
    assert_eq!(code(activate(&world, "mona", proposal.id.as_str())), "moved_since");
    by_two(&world, "ada", wanted);
    let active = world.look(|cx| Ok(cx.directory()?.by_login("olga").is_some_and(|it| it.active)));
    assert!(active.unwrap(), "whoever proposes it now knows");
    world.sequence();
    world.assert_replays();
}

/// A thief of one administrator makes a token or a password for a person who may put a proposal in force.
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
            services: None,
        });
        let id = proposal.id.0.clone();
        let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| {
            activate_configuration::activate_configuration(cx, &id, &body(json!({}))).map(drop)
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

pub fn dependency(world: &World, who: &'static str, words: Value) -> std::result::Result<String, Refusal> {
    attempt(world, who, move |cx| Ok(set_dependency(cx, &body(words.clone()))?.id.0))
}

/// An owner of a sandbox becomes an owner of all that is part of it.
#[test]
fn of_two_administrators_neither_moves_owners_along_an_arrow_alone() {
    let world = alone();
    for words in [json!({"key": "sandbox"}), json!({"key": "web"})] {
        attempt(&world, "ada", move |cx| set_service(cx, &body(words.clone()))).unwrap();
    }
    let own = json!({"service": "sandbox", "role": "owner", "person": "rita"});
    set(&world, "ada", own).unwrap();
    hire(&world, "adam");
    let part = |kind: &str| json!({"from": "pay", "to": "sandbox", "kind": kind});
    assert_eq!(code(dependency(&world, "ada", part("part_of"))), "two_people_needed");
    let arrow = dependency(&world, "ada", part("depends_on")).unwrap();
    assert_eq!(code(dependency(&world, "ada", part("part_of"))), "two_people_needed");
    let line = lines(&[(Noun::Dependencies, part("part_of"))]);
    let by_file = attempt(&world, "ada", move |cx| {
        import_directory(cx, &line, Options::default()).map(drop)
    });
    assert_eq!(code(by_file), "two_people_needed");

    by_two(
        &world,
        "ada",
        json!({"dependencies": [part("part_of")], "reason": "It is."}),
    );
    let end = |who: &'static str| {
        let id = arrow.clone();
        attempt(&world, who, move |cx| end_dependency(cx, &id).map(drop))
    };
    assert_eq!(
        code(end("ada")),
        "two_people_needed",
        "else whoever answers for everything answers for it"
    );
    assert_eq!(code(dependency(&world, "ada", part("depends_on"))), "two_people_needed");
    by_two(
        &world,
        "ada",
        json!({"end_dependencies": [arrow, arrow], "reason": "No more."}),
    );
    assert_eq!(end("ada"), Ok(()), "what is no part any more is anybody's");
    let unknown = json!({"end_dependencies": ["nope"], "reason": "No."});
    assert_eq!(code(propose(&world, "ada", unknown)), "unknown");
    world.sequence();
    world.assert_replays();
}

#[test]
fn nobody_makes_a_thing_part_of_what_they_answer_for() {
    let world = alone();
    for words in [json!({"key": "sandbox"}), json!({"key": "box"})] {
        attempt(&world, "ada", move |cx| set_service(cx, &body(words.clone()))).unwrap();
    }
    let group = json!({"key": "boxes", "members": ["ada"]});
    world.system(move |cx| {
        set_group(cx, "boxes", &body(group.clone()))?;
        set_dependency(cx, &body(json!({"from": "box", "to": "sandbox", "kind": "part_of"})))?;
        acts::directory::set_service::set_ownership(
            cx,
            &body(json!({"service": "sandbox", "role": "owner", "group": "boxes"})),
        )
    });
    let part = |to: &str| json!({"from": "pay", "to": to, "kind": "part_of"});
    for to in ["sandbox", "box"] {
        assert_eq!(code(dependency(&world, "ada", part(to))), "own_request", "{to}");
        let line = lines(&[(Noun::Dependencies, part(to))]);
        let by_file = attempt(&world, "ada", move |cx| {
            import_directory(cx, &line, Options::default()).map(drop)
        });
        assert_eq!(code(by_file), "own_request", "{to}");
    }
    hire(&world, "adam");
    let wanted = |to: &str| json!({"dependencies": [part(to)], "reason": "Why not."});
    assert_eq!(code(propose(&world, "ada", wanted("box"))), "own_request");
    let proposal = propose(&world, "adam", wanted("box")).unwrap();
    assert_eq!(code(activate(&world, "ada", proposal.id.as_str())), "own_request");
    activate(&world, "mona", proposal.id.as_str()).unwrap();
}

/// A row may cover a class: moving a thing into it, or out of it, changes the approvers.
#[test]
fn of_two_administrators_neither_moves_a_thing_to_where_other_rows_answer() {
    let world = alone();
    let service = |who: &'static str, words: Value| {
        let done = attempt(&world, who, move |cx| set_service(cx, &body(words.clone())).map(drop));
        done.err()
            .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
    };
    let item = |words: Value| {
        let done = attempt(&world, "ada", move |cx| {
            set_config_item(cx, &body(words.clone())).map(drop)
        });
        done.err()
            .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
    };
    for words in [
        json!({"key": "web", "team": "Web"}),
        json!({"key": "ledger", "team": "Finance"}),
    ] {
        assert_eq!(service("ada", words), "done");
    }
    assert_eq!(
        item(json!({"key": "orders-db", "service": "web", "kind": "database"})),
        "done"
    );
    for class in ["team:Finance", "regime:sox", "item_kind:database"] {
        set(&world, "ada", json!({"class": class, "role": "data", "person": "rita"})).unwrap();
    }
    hire(&world, "adam");
    assert_eq!(
        service("ada", json!({"key": "web", "team": "Finance"})),
        "two_people_needed"
    );
    assert_eq!(
        service("ada", json!({"key": "ledger", "team": "Web"})),
        "two_people_needed"
    );
    assert_eq!(
        service("ada", json!({"key": "web", "regimes": ["sox"]})),
        "two_people_needed"
    );
    assert_eq!(
        service("ada", json!({"key": "web", "regimes": ["pci_dss"], "team": "Shop"})),
        "done"
    );
    assert_eq!(item(json!({"key": "orders-db", "kind": "cache"})), "two_people_needed");
    assert_eq!(
        item(json!({"key": "orders-db", "service": "ledger"})),
        "two_people_needed"
    );
    assert_eq!(item(json!({"key": "orders-db", "name": "Orders"})), "done");
    let fresh = |kind: &str| json!({"key": format!("new-{kind}"), "service": "web", "kind": kind});
    assert_eq!(item(fresh("database")), "two_people_needed");
    assert_eq!(item(fresh("cache")), "done", "no row answers for that kind");
    let wanted = json!({"services": [{"key": "web", "team": "Finance"}], "config_items": [{"key": "orders-db",
        "service": "ledger"}], "reason": "Finance takes it over."});
    by_two(&world, "ada", wanted);
    let moved = world.look(|cx| {
        let directory = cx.directory()?;
        let team = directory.services.get(&"web".into()).unwrap().team.clone();
        Ok((team, directory.config_items.get("orders-db").unwrap().service.0.clone()))
    });
    assert_eq!(moved.unwrap(), (Some("Finance".to_owned()), "ledger".to_owned()));
    world.sequence();
    world.assert_replays();
}

#[test]
fn nobody_lends_another_persons_word_alone() {
    let world = two();
    let words = |from: Option<&str>| {
        json!({"delegator": from, "delegate": "rita", "starts_at": "2026-11-20T08:00:00Z",
            "ends_at": "2026-12-20T08:00:00Z", "reason": "Ill."})
    };
    let lend = |actor: Actor, words: Value| {
        let act = move |cx: &mut acts::Context<'_, '_>| set_delegation(cx, &body(words.clone())).map(drop);
        format!("{:?}", world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act))
    };
    let told = lend(world.actor("ada"), words(Some("olga")));
    assert!(told.contains("two_people_needed"), "{told}");
    // By a token for her it would count as the same person.
    let mut borrowed = world.actor("olga");
    borrowed.lent = Some(Lent {
        maker: world.actor("ada").person,
        roles: None,
        services: None,
    });
    let told = lend(borrowed, words(Some("olga")));
    assert!(told.contains("two_people_needed"), "{told}");
    assert_eq!(
        lend(world.actor("olga"), words(Some("olga"))),
        "Ok(())",
        "her own word she lends herself"
    );
    let missing = json!({"delegations": [words(None)], "reason": "Ill."});
    assert!(
        propose(&world, "ada", missing).is_err(),
        "whose word it is must be said"
    );
    let own = json!({"delegations": [{"delegator": "sam", "delegate": "ada", "starts_at": "2026-11-20T08:00:00Z",
        "ends_at": "2026-12-20T08:00:00Z"}], "reason": "Why not."});
    assert_eq!(code(propose(&world, "ada", own)), "own_request");
    by_two(
        &world,
        "ada",
        json!({"delegations": [words(Some("sam"))], "reason": "Sam is ill."}),
    );
    let lent = world.look(|cx| Ok(cx.directory()?.delegations.len()));
    assert_eq!(lent.unwrap(), 2);
    world.sequence();
    world.assert_replays();
}

#[test]
fn nobody_says_alone_that_somebody_is_trained() {
    let world = two();
    let words = json!({"person": "rita", "training": "pci_dss", "starts_at": "2026-11-20T08:00:00Z",
        "ends_at": "2026-12-20T08:00:00Z"});
    let train = |words: Value| {
        attempt(&world, "ada", move |cx| {
            Ok(set_training(cx, &body(words.clone()))?.id.0)
        })
    };
    assert_eq!(code(train(words.clone())), "two_people_needed");
    by_two(&world, "ada", json!({"trainings": [words], "reason": "She passed."}));
    let id = train(words).unwrap();
    attempt(&world, "ada", move |cx| end_training(cx, &id)).unwrap();
    world.sequence();
    world.assert_replays();
}

/// The latest event of a kind that has no place in the log yet.
fn latest(world: &World, kind: &str) -> Value {
    let waiting = world.look(|cx| Ok(event::unsequenced(cx.tx, 1_000)?)).unwrap();
    let last = waiting.iter().rfind(|it| it.event.kind == kind).unwrap();
    serde_json::from_slice(&last.event.bytes).unwrap()
}

#[test]
fn two_people_say_whose_word_on_people_is_taken() {
    let world = two();
    let set = |words: Value| {
        let done = attempt(&world, "ada", move |cx| {
            set_identity_provider(cx, "corp", &body(words.clone())).map(drop)
        });
        done.err()
            .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
    };
    let corp = |map: Value, more: Value| {
        let mut words = json!({"issuer": "https://login.example", "client_id": "assent", "groups_claim": "groups",
            "roles": map});
        let Value::Object(more) = more else { panic!("no object") };
        words.as_object_mut().unwrap().extend(more);
        words
    };
    let (none, admins) = (json!({}), json!({"everybody": "admin"}));
    assert_eq!(set(corp(none.clone(), json!({}))), "two_people_needed");
    let mut wanted = corp(none.clone(), json!({"key": "corp", "client_secret": "hush"}));
    let secret = propose(
        &world,
        "ada",
        json!({"identity_providers": [wanted], "reason": "We sign in there."}),
    );
    assert_eq!(code(secret), "not_here");
    wanted = corp(none.clone(), json!({"key": "corp"}));
    by_two(
        &world,
        "ada",
        json!({"identity_providers": [wanted], "reason": "We sign in there."}),
    );
    assert_eq!(
        set(corp(
            none.clone(),
            json!({"client_secret": "hush", "name": "Corporate"})
        )),
        "done"
    );
    // Another secret shows in the log, the same one again does not; neither is part of it.
    for (secret, is_other) in [("hush", false), ("quiet", true)] {
        assert_eq!(set(corp(none.clone(), json!({"client_secret": secret}))), "done");
        let told = latest(&world, "identity_provider.set");
        assert_eq!(told["data"].get("secret_replaced").is_some(), is_other, "{told}");
        assert!(!told.to_string().contains(secret), "{told}");
    }
    for more in [
        json!({"groups": {"all": "security"}}),
        json!({"trusts_mail": true}),
        json!({"creates_people": true}),
        json!({"issuer": "https://elsewhere.example"}),
    ] {
        assert_eq!(set(corp(none.clone(), more.clone())), "two_people_needed", "{more}");
    }
    assert_eq!(set(corp(admins.clone(), json!({}))), "two_people_needed");
    // One ends it; its content when it comes back is for two again, whatever was written meanwhile.
    assert_eq!(set(corp(admins.clone(), json!({"active": false}))), "done");
    assert_eq!(set(corp(admins, json!({}))), "two_people_needed");
    world.sequence();
    world.assert_replays();
}

/// The deliveries of a connection count as evidence, as an attestation, as the running version.
#[test]
fn a_connection_that_one_made_waits_for_another() {
    let world = two();
    let make = || {
        attempt(&world, "ada", |cx| {
            let hub = json!({"kind": "github", "name": "Hub", "map": []});
            Ok(create_connection(cx, &body(hub))?.0)
        })
    };
    let made = make().unwrap();
    assert_eq!((made.active, made.waits), (false, true));
    let ended = make().unwrap();
    let id = ended.id.0.clone();
    attempt(&world, "ada", move |cx| set_connection::end_connection(cx, &id)).unwrap();
    let wanted = |id: &str| json!({"connections": [id], "reason": "Our repositories."});
    assert_eq!(
        code(propose(&world, "ada", wanted(ended.id.as_str()))),
        "unknown",
        "what has ended waits no more"
    );
    by_two(&world, "ada", wanted(made.id.as_str()));
    let id = made.id.0.clone();
    let found = world.look(move |cx| connections::connection(cx, &id)).unwrap();
    assert_eq!((found.active, found.waits), (true, false));
    world.sequence();
    world.assert_replays();
}

#[test]
fn hours_are_changed_by_two_and_holidays_added_by_one() {
    let world = two();
    let set = |words: Value| {
        let done = attempt(&world, "ada", move |cx| {
            set_calendar(cx, &body(words.clone())).map(drop)
        });
        done.err()
            .map_or_else(|| "done".to_owned(), |refusal| code::<()>(Err(refusal)))
    };
    let hours = json!([{"day": "monday", "from": "00:00", "to": "23:59"}]);
    assert_eq!(set(json!({"key": "default", "hours": hours})), "two_people_needed");
    assert_eq!(
        set(json!({"key": "default", "zone": "Asia/Tokyo"})),
        "two_people_needed"
    );
    let holidays = json!([{"date": "2026-12-25", "title": "Christmas Day"}]);
    assert_eq!(set(json!({"key": "default", "holidays": holidays})), "done");
    assert_eq!(set(json!({"key": "default", "holidays": []})), "two_people_needed");
    // A new one moves nothing until a person's clocks run by it.
    assert_eq!(set(json!({"key": "always", "hours": hours})), "done");
    assert_eq!(
        edit(&world, "ada", "olga", json!({"calendar": "always"})),
        "two_people_needed"
    );
    // Without a calendar, clocks run by one's zone; a mere requester gets no requests.
    let tokyo = || json!({"zone": "Asia/Tokyo"});
    assert_eq!(edit(&world, "ada", "olga", tokyo()), "two_people_needed");
    assert_eq!(edit(&world, "ada", "rita", tokyo()), "done");
    let group = attempt(&world, "ada", |cx| {
        set_group(cx, "security", &body(json!({"members": ["sam"], "calendar": "always"})))
    });
    assert_eq!(code(group), "two_people_needed");
    by_two(
        &world,
        "ada",
        json!({"calendars": [{"key": "default", "hours": hours}], "reason": "We work at night."}),
    );
    world.sequence();
    world.assert_replays();
}

/// A proposal names people, so that it is in the log as a commitment that can be erased.
#[test]
fn what_a_proposal_says_of_people_does_not_stand_in_the_log() {
    let world = two();
    let wanted = json!({"people": [{"login": "eve", "name": "Evelyn Unforgettable", "email": "eve@halden.example",
        "roles": ["owner"]}], "reason": "She joins."});
    let first = propose(&world, "ada", wanted.clone()).unwrap();
    let second = propose(&world, "ada", wanted).unwrap();
    assert_ne!(first.digest, second.digest, "no guess can be tested against a digest");
    by_two(&world, "ada", json!({"by_two": true, "reason": "As it is."}));
    activate(&world, "adam", first.id.as_str()).unwrap();
    world.sequence();
    let told = world.look(|cx| {
        let leaves = event::page(cx.tx, 0, 10_000)?.into_iter().map(|event| event.bytes);
        Ok(String::from_utf8(leaves.collect::<Vec<_>>().concat()).unwrap())
    });
    let told = told.unwrap();
    assert!(told.contains("ownership.activated"));
    assert!(!told.contains("Unforgettable") && !told.contains("eve@halden.example"));
}
