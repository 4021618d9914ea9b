//! The proposals of the report on unused rights: one right at a time, and never one without which a rule in force finds too few
//! people, or nobody can administer people any more.

use acts::directory::{set_person, set_service};
use acts::policy::activate_configuration::activate_configuration;
use acts::policy::find_unused::Unused;
use acts::policy::propose_configuration::propose_policies;
use serde_json::{Value, json};

use crate::configuring::{ASKED, CASES, strict};
use crate::rights::{DAY, decide_after, of_kind, unused, world_with_seconds};
use crate::world::{World, body};

fn kept(row: &Unused) -> &str {
    row.kept.as_deref().unwrap_or_else(|| panic!("{row:?}"))
}

#[test]
fn the_last_administrator_is_never_proposed_to_go_and_of_two_only_one_is() {
    let world = world_with_seconds();
    world.system(|cx| {
        let nils = json!({"login": "nils", "roles": ["admin"]});
        set_person::create_person(cx, &body(nils)).map(drop)
    });
    world.pass_seconds(40 * DAY);
    let nils = of_kind(&world, "nils", "role").remove(0);
    assert_eq!(
        (nils.unused.join(" ").as_str(), &nils.proposal),
        ("admin", &Value::Null)
    );
    assert_eq!(
        kept(&nils),
        "The right `admin` stays. nils is the only administrator left."
    );
    // Of two people who both leave it unused one can go; the report names one alone.
    world.system(|cx| {
        let lena = json!({"login": "lena", "roles": ["admin", "requester"]});
        set_person::create_person(cx, &body(lena)).map(drop)
    });
    world.pass_seconds(40 * DAY);
    let both = [of_kind(&world, "nils", "role"), of_kind(&world, "lena", "role")].concat();
    let stays: Vec<&Unused> = both.iter().filter(|row| row.kept.is_some()).collect();
    assert_eq!((both.len(), stays.len()), (2, 1), "{both:#?}");
    let lena = both.iter().find(|row| row.person == "lena").unwrap();
    let left = if lena.kept.is_some() {
        json!(["admin"])
    } else {
        json!([])
    };
    assert_eq!(
        lena.proposal["body"]["roles"], left,
        "what is not needed goes all the same: {lena:?}"
    );
}

/// Puts a tenant's rule in force with a high requirement.
fn ask(world: &World, asks: &str, when: &str) {
    let mut wanted = strict();
    wanted["files"][0]["content"] = json!(format!(
        "@id(\"house.require.more\")\n@reason(\"x\")\n@require(\"approval\")\n{asks}\n@covers(\"what\")\n\
         permit (principal, action == Action::\"require\", resource)\nwhen {{ {when} }};\n"
    ));
    wanted["cases"][0]["content"] = json!(CASES.replace(ASKED, "house.require.more"));
    let id = world.by("ada", move |cx| Ok(propose_policies(cx, &body(wanted.clone()))?.id.0));
    world.by("adam", move |cx| {
        activate_configuration(cx, &id, &body(json!({}))).map(drop)
    });
}

fn hire_administrators(world: &World) {
    world.system(|cx| {
        for login in ["ada", "adam"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
}

#[test]
fn each_proposal_takes_one_seat_and_the_rule_that_asks_the_group_keeps_its_people() {
    let world = world_with_seconds();
    hire_administrators(&world);
    world.system(|cx| {
        let members = body(json!({"name": "Owners", "members": ["olga", "omar", "otto"]}));
        set_person::set_group(cx, "owners", &members)?;
        for row in cx.directory()?.ownerships.iter().cloned().collect::<Vec<_>>() {
            set_service::end_ownership(cx, row.id.as_str())?;
        }
        set_service::set_ownership(cx, &body(json!({"role": "owner", "group": "owners"})))
    });
    decide_after(&world, 35, "one");
    ask(
        &world,
        "@from(\"group:owners\")\n@count(\"2\")",
        "resource.category == Category::\"facility\"",
    );
    let rows = [of_kind(&world, "omar", "group"), of_kind(&world, "otto", "group")].concat();
    let (stays, goes): (Vec<&Unused>, Vec<&Unused>) = rows.iter().partition(|row| row.kept.is_some());
    let ([stays], [goes]) = (&stays[..], &goes[..]) else {
        panic!("{rows:#?}")
    };
    assert_eq!(
        kept(stays),
        "`house.require.more` requires 2 of the group owners; 1 would be left."
    );
    assert_eq!(stays.proposal, Value::Null);
    let mut left: Vec<&str> = goes.proposal["body"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|login| login.as_str().unwrap())
        .collect();
    left.sort_unstable();
    let mut others = vec!["olga", stays.person.as_str()];
    others.sort_unstable();
    assert_eq!(left, others, "nobody else goes with {}", goes.person);
    assert!(goes.proposal["if_match"].is_string(), "{:?}", goes.proposal);
}

#[test]
fn a_row_of_the_matrix_stays_where_a_rule_asks_two_owners_of_the_service() {
    let world = world_with_seconds();
    hire_administrators(&world);
    world.pass_seconds(40 * DAY);
    decide_after(&world, 0, "one");
    assert!(
        of_kind(&world, "otto", "ownership")[0].kept.is_none(),
        "one owner is enough"
    );
    ask(
        &world,
        "@from(\"owner\")\n@count(\"2\")",
        "resource.touches.contains(Touch::\"network\") || resource.category == Category::\"facility\"",
    );
    let row = unused(&world, "otto")
        .into_iter()
        .find(|row| row.kind == "ownership")
        .unwrap();
    assert_eq!(
        (kept(&row), &row.proposal),
        (
            "`house.require.more` requires 2 of the service's owner; 1 would be left for pay in production.",
            &Value::Null
        )
    );
}
