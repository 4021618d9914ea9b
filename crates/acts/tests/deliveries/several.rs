//! Many where one was assumed: several builds of one status, several services of one repository, and a repository with another
//! name.

use acts::core::connections;
use acts::directory::set_service;
use acts::integration::{edit_connection, take_delivery};
use jiff::SignedDuration;
use model::integration::signal::{Repository, Signal};
use serde_json::json;

use crate::messengers::of;
use crate::{World, artifact, began, body, status};

fn with_all(word: &str, artifacts: &[String]) -> Signal {
    let Signal::DeploymentStatus(mut told) = status("app@10", &artifacts[0], word, 2) else {
        unreachable!("a status was made");
    };
    told.artifact = None;
    told.artifacts = artifacts.to_vec();
    Signal::DeploymentStatus(told)
}

#[test]
fn of_several_artifacts_the_one_that_a_change_names_counts_wherever_it_is_listed() {
    for place in 0..3 {
        let world = World::new();
        world.set_clock(began() - SignedDuration::from_mins(30));
        let key = world.planned(artifact(1, 0));
        world.set_clock(began() + SignedDuration::from_mins(30));
        let mut all = vec![artifact(7, 0), artifact(8, 0)];
        all.insert(place, artifact(1, 0));
        world.take(with_all("in_progress", &all));
        assert_eq!(world.stands_at(&key)[0], "implementing", "place {place}");
        all.reverse();
        world.take(with_all("success", &all));
        assert_eq!(world.stands_at(&key)[1], "succeeded", "place {place}");
        assert_eq!(world.unauthorized(), 0);
    }
}

#[test]
fn of_several_artifacts_that_no_change_names_none_begins_anything() {
    let world = World::new();
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_all("in_progress", &[artifact(7, 0), artifact(8, 0)]));
    assert_eq!(world.stands_at(&key)[0], "scheduled");
    assert_eq!(world.unauthorized(), 1);
}

#[test]
fn services_of_one_repository_are_told_apart_by_the_environment() {
    let world = World::new();
    world.by("ada", |cx| {
        set_service::set_service(cx, &body(json!({"key": "print", "criticality": "low"})))
    });
    let id = world.connection.clone();
    world.by("ada", move |cx| {
        let row = |service: &str, theirs: &str| json!({"repository": "pay", "service": service, "environments": {theirs: "production"}});
        let map = json!([row("print", "print-prod"), row("pay", "prod")]);
        edit_connection::edit_connection(cx, &id, &body(json!({"map": map})))
    });
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("1", &artifact(1, 0), "in_progress", 2));
    assert_eq!(world.stands_at(&key)[0], "implementing");
    // Rows that cannot be told apart are refused where they are set.
    let id = world.connection.clone();
    let refused = world.by("ada", move |cx| {
        let row =
            |service: &str| json!({"repository": "pay", "service": service, "environments": {"prod": "production"}});
        let map = json!([row("pay"), row("print")]);
        Ok(edit_connection::edit_connection(cx, &id, &body(json!({"map": map}))).is_err())
    });
    assert!(refused);
}

impl World {
    fn is_called(&self, connection: &str, id: &str, name: &str, signal: Signal) -> String {
        let connection = connection.to_owned();
        let signals = vec![
            Signal::Repository(Repository {
                id: id.to_owned(),
                name: name.to_owned(),
            }),
            signal,
        ];
        self.system(move |cx| take_delivery::take_signals(cx, &connection, &signals))
    }
}

#[test]
fn a_renamed_repository_is_followed_by_its_id_and_another_one_with_its_name_is_not() {
    let world = World::new();
    let hub = world.connect("github", "acme/pay");
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    let tell = |name: &str, word: &str, at: i64| of(name, status("9", &artifact(1, 0), word, at));
    world.is_called(&hub, "42", "acme/pay", tell("acme/pay", "in_progress", 2));
    assert_eq!(world.stands_at(&key)[0], "implementing");
    let said = world.is_called(&hub, "77", "acme/pay", tell("acme/pay", "failure", 3));
    assert!(said.contains("another repository"), "{said}");
    assert_eq!(world.stands_at(&key)[0], "implementing");
    let said = world.is_called(&hub, "42", "acme/payments", tell("acme/payments", "success", 5));
    assert!(said.contains("is called acme/payments now"), "{said}");
    assert_eq!(world.stands_at(&key)[1], "succeeded", "it is the same deployment");
    assert_eq!(world.unauthorized(), 0);
    let row = world.system(move |cx| Ok(connections::connection(cx, &hub)?.map.remove(0)));
    assert_eq!((row.repository.as_str(), row.keyed_by()), ("acme/payments", "acme/pay"));
}
