//! The manager of each person, where no directory has it: set one by one or by a file, and used by reviews of access.

use acts::directory::import_directory::{Line, import_directory};
use acts::directory::{review_access, set_person};
use acts::{Context, Error};
use model::change::change_file::Actor;
use model::core::enums::Noun;
use model::core::refusal::Refusal;
use model::directory::access_review::AccessReview;
use model::directory::snapshot;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::by_two::attempt;
use crate::world::{TENANT, World, body};

fn managed(login: &'static str, manager: Value) -> impl Fn(&mut Context<'_, '_>) -> acts::Result<()> + Send + 'static {
    move |cx| set_person::edit_person(cx, login, &body(json!({"manager": manager}))).map(drop)
}

fn words(done: Result<(), Refusal>) -> String {
    format!("{:?}", done.expect_err("it was taken"))
}

#[test]
fn a_manager_who_was_named_looks_at_what_their_people_may_do() {
    let world = World::new();
    world.system(|cx| {
        let new =
            |login: &str, role: &str, manager: &str| body(json!({"login": login, "roles": [role], "manager": manager}));
        set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]})))?;
        set_person::create_person(cx, &new("kari", "requester", "mona"))?;
        let told = json!({"manager": {"value": cx.directory()?.by_login("sam").unwrap().id}}).to_string();
        let ivo = cx.directory()?.by_login("ivo").cloned().unwrap();
        let attributes = vec![(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User".to_owned(),
            told,
        )];
        cx.put_estate("person.edited", snapshot::Person { attributes, ..ivo }, json!({}))?;
        // By a file, where the manager is on a line before.
        let line = |number, fields| Line {
            number,
            is_row: false,
            noun: Noun::People,
            fields: body(fields),
        };
        let lines = [
            line(2, json!({"login": "lena", "roles": ["requester"]})),
            line(3, json!({"login": "pipe", "manager": "lena"})),
            line(4, json!({"login": "sam", "name": "Sam"})),
        ];
        import_directory(cx, &lines, Default::default()).map(drop)
    });
    world.by("adam", managed("rita", json!("olga")));
    let part_of = |parts: &[AccessReview], login: &'static str| {
        let person = world.actor(login).person;
        let part = parts
            .iter()
            .find(|part| part.rights.iter().any(|right| right.person == person));
        let manager = part.unwrap().manager.clone();
        world.look(move |cx| Ok(cx.directory()?.login(&manager))).unwrap()
    };
    let parts = world.by("adam", |cx| review_access::begin_review(cx, &body(json!({}))));
    for (login, manager) in [
        ("kari", "mona"),
        ("rita", "olga"),
        ("pipe", "lena"),
        ("ivo", "sam"),
        ("sam", "adam"),
    ] {
        assert_eq!(part_of(&parts, login), manager, "{login}");
    }
    // A setting here precedes the directory, until it is removed.
    let named = |login: &'static str| {
        let found = world.look(move |cx| {
            let directory = cx.directory()?;
            let manager = directory.manager_of(directory.by_login(login).unwrap());
            Ok(manager.map(|it| it.login.clone()))
        });
        found.unwrap().unwrap_or_default()
    };
    world.by("adam", managed("ivo", json!("olga")));
    assert_eq!(named("ivo"), "olga");
    world.by("adam", managed("ivo", Value::Null));
    assert_eq!(named("ivo"), "sam");
    world.assert_replays();
}

#[test]
fn nobody_is_their_own_manager_at_no_distance_and_nobody_chooses_theirs() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(
            cx,
            &body(json!({"login": "adam", "roles": ["admin"], "manager": "mona"})),
        )
        .map(drop)
    });
    world.by("adam", managed("rita", json!("olga")));
    world.by("adam", managed("olga", json!("sam")));
    let own = words(attempt(&world, "adam", managed("rita", json!("rita"))));
    assert!(own.contains("own_manager"), "{own}");
    let ring = words(attempt(&world, "adam", managed("sam", json!("rita"))));
    assert!(
        ring.contains("manager_cycle") && ring.contains("sam → rita → olga → sam"),
        "{ring}"
    );
    let nobody = words(attempt(&world, "adam", managed("sam", json!("zed"))));
    assert!(nobody.contains("There is no person with the login `zed`"), "{nobody}");
    let chosen = words(attempt(&world, "adam", managed("adam", json!("olga"))));
    assert!(chosen.contains("You cannot choose your own manager"), "{chosen}");
    let line = Line {
        number: 7,
        is_row: false,
        noun: Noun::People,
        fields: body(json!({"login": "sam", "manager": "olga"})),
    };
    let bring =
        move |cx: &mut Context<'_, '_>| import_directory(cx, std::slice::from_ref(&line), Default::default()).map(drop);
    let by_file = world
        .executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, bring);
    let Err(Error::Refused(refusal)) = by_file else {
        panic!("a ring was imported")
    };
    let told = format!("{refusal:?}");
    assert!(
        told.contains("line 7: manager") && told.contains("Example: login=olga"),
        "{told}"
    );
    world.assert_replays();
}
