//! Accounts that one person made or gave ownership within the day are that person, for changes of high risk and sensitive ones.

use jiff::SignedDuration;
use model::core::enums::{State, Touch};
use model::directory::impersonation::CredentialGrant;
use model::directory::snapshot::Directory;
use serde_json::json;

use super::{grave_estate, harmless, shop};
use crate::people::{dawn, directory};
use crate::world::{World, code, facts_but};

/// Everybody here was made by one of them, so long before.
fn made_by_ann(mut estate: Directory, hours: i64) -> Directory {
    let hand = CredentialGrant {
        by: "ann".into(),
        at: dawn() - SignedDuration::from_hours(hours),
    };
    for login in ["rita", "olga", "sam", "mia", "sue"] {
        estate.people.get_mut(&login.into()).unwrap().made_by = Some(hand.clone());
    }
    estate
}

fn asked(estate: Directory) -> World {
    World::create("rita", facts_but(harmless()), Vec::new(), estate)
        .unwrap()
        .until_authorizing()
}

#[test]
fn nobody_whom_one_person_made_today_decides_what_another_of_theirs_wrote() {
    let mut world = asked(made_by_ann(grave_estate(), 1));
    for who in ["olga", "sam", "mia"] {
        assert_eq!(code(world.approve(who)), "not_asked", "{who}");
    }
    assert_eq!(code(world.peer_review("sue", "agree")), "own_work");
    assert!(world.unmet().contains(&"cannot_be_met".to_owned()));
    assert_eq!(world.state(), State::Authorizing);
}

#[test]
fn a_day_later_they_are_people_of_their_own() {
    let mut world = asked(made_by_ann(grave_estate(), 25));
    world.peer_review("sue", "agree").unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_change_that_is_neither_grave_nor_sensitive_does_not_ask_whose_accounts_they_are() {
    let mut world = asked(made_by_ann(directory(), 1));
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
    let mut estate = made_by_ann(directory(), 1);
    shop(&mut estate).holds.insert(Touch::PersonalData);
    let mut sensitive = asked(estate);
    assert_eq!(
        code(sensitive.approve("olga")),
        "not_asked",
        "it is sensitive, whatever its risk"
    );
}

/// Two records of one person, made before addresses were looked at.
#[test]
fn an_account_with_the_address_of_the_writer_decides_nothing_on_a_grave_change() {
    let mut estate = grave_estate();
    for (login, mail) in [("rita", "rita@halden.example"), ("olga", "Rita@halden.example")] {
        estate.people.get_mut(&login.into()).unwrap().email = Some(mail.to_owned());
    }
    let mut world = asked(estate);
    assert_eq!(code(world.approve("olga")), "not_asked");
    world.approve("sam").unwrap();
}

#[test]
fn ownership_that_the_writer_gave_today_is_their_own_word() {
    let mut estate = grave_estate();
    let mut rows: Vec<_> = estate.ownerships.iter().cloned().collect();
    for row in &mut rows {
        row.hand = Some(CredentialGrant {
            by: "rita".into(),
            at: dawn(),
        });
    }
    estate.ownerships = rows.into();
    let mut world = asked(estate);
    assert_eq!(code(world.approve("olga")), "not_asked");
    world.approve("sam").unwrap();
}

#[test]
fn what_is_written_by_a_way_in_that_another_handed_out_is_theirs_as_well() {
    let mut world = World::create("rita", facts_but(json!({})), Vec::new(), grave_estate()).unwrap();
    world.file.change.handed_by.push("olga".into());
    let mut world = world.until_authorizing();
    assert_eq!(code(world.approve("olga")), "not_asked");
    world.approve("sam").unwrap();
}
