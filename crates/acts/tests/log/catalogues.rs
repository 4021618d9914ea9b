//! Rows that the import of a catalogue ends, where two people must approve moves of decisions.

use acts::directory::import_directory::{Options, import_directory};
use acts::directory::set_person::set_group;
use acts::policy::propose_ownership::import_and_propose;
use model::core::enums::Noun;
use model::core::refusal::Refusal;
use serde_json::json;

use crate::by_two::{activate, attempt, lines};
use crate::two_people::two;
use crate::world::body;

#[test]
fn an_owner_whom_a_catalogue_says_no_more_goes_by_two_people() {
    let world = two();
    world.system(|cx| {
        for key in ["platform", "finance"] {
            set_group(cx, key, &body(json!({"members": ["olga", "ivo"]})))?;
        }
        Ok(())
    });
    let said = |owner: &str| {
        lines(&[
            (Noun::Services, json!({"key": "pay"})),
            (
                Noun::Ownerships,
                json!({"service": "pay", "role": "owner", "group": owner}),
            ),
        ])
    };
    let catalogue = Options {
        from_catalogue: true,
        ends_unsaid: true,
        ..Options::default()
    };
    let first = said("platform");
    world.system(move |cx| import_directory(cx, &first, catalogue).map(drop));
    let owners = || {
        let found = world.look(|cx| {
            let directory = cx.directory()?;
            let rows = directory.ownerships.iter().filter(|row| row.is_in_force(cx.now));
            Ok(rows
                .filter_map(|row| Some((row.group.clone()?.0, row.is_from_catalogue)))
                .collect::<Vec<_>>())
        });
        found.unwrap()
    };
    assert_eq!(owners(), [("platform".to_owned(), true)]);
    let alone = said("finance");
    let refused = attempt(&world, "ada", move |cx| {
        import_directory(cx, &alone, catalogue).map(drop)
    });
    let Refusal::Invalid(errors) = refused.unwrap_err() else {
        panic!("no wrong lines");
    };
    let told = errors.iter().find(|error| error.field == "line 1: owner");
    assert!(
        told.is_some_and(
            |it| it.code == "two_people_needed" && it.text.contains("`service:pay everywhere owner group:platform`")
        ),
        "{errors:#?}"
    );
    let moved = said("finance");
    let (ended, proposal) = attempt(&world, "ada", move |cx| {
        let done = import_and_propose(cx, &moved, catalogue, "It moved.".to_owned())?;
        Ok((done.0.ended, done.1.unwrap().id.0))
    })
    .unwrap();
    assert_eq!(
        (ended, owners()),
        (1, vec![("platform".to_owned(), true)]),
        "nothing moves yet"
    );
    activate(&world, "adam", &proposal).unwrap();
    assert_eq!(owners(), [("finance".to_owned(), true)]);
    world.sequence();
    world.assert_replays();
}
