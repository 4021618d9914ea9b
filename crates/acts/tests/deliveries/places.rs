//! A status may name another place than its deployment did: which of the two comes first does not decide where either belongs.

use acts::integration::edit_connection;
use model::change::related_records::Deployment;
use model::integration::signal::Signal;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::{World, artifact, asked, body, status};

/// The place of a message that was sent for another.
fn at(place: &str, mut signal: Signal) -> Signal {
    match &mut signal {
        Signal::Deployment(told) => place.clone_into(&mut told.environment),
        Signal::DeploymentStatus(told) => place.clone_into(&mut told.environment),
        _ => {}
    }
    signal
}

impl World {
    /// Lets the connection report on a second place.
    fn with_staging(self) -> Self {
        let id = self.connection.clone();
        self.by("ada", move |cx| {
            let map = json!([{
                "repository": "pay", "service": "pay", "environments": {"prod": "production", "stg": "staging"},
            }]);
            edit_connection::edit_connection(cx, &id, &body(json!({"map": map})))
        });
        self
    }

    /// For each deployment its place, whether it was lawful, and its state, in the order of places.
    fn by_place(&self) -> Vec<Value> {
        self.system(|cx| {
            let rows = record::bodies::<Deployment>(cx.tx, &Filter::new().order_by("id"))?;
            let mut told: Vec<Value> = rows
                .into_iter()
                .map(|it| json!([it.environment, it.status, it.unauthorized]))
                .collect();
            told.sort_by_key(ToString::to_string);
            Ok(told)
        })
    }
}

#[test]
fn a_status_of_another_place_than_its_deployment_s_comes_to_the_same_in_both_orders() {
    let told = |is_turned: bool| {
        let world = World::new().with_staging();
        let artifact = artifact(1, 0);
        let key = world.planned(artifact.clone());
        world.set_clock(crate::began() + jiff::SignedDuration::from_mins(5));
        let mut words = vec![
            at("stg", asked("7", &artifact, 1)),
            at("prod", status("7", &artifact, "in_progress", 2)),
        ];
        if is_turned {
            words.reverse();
        }
        for word in words.iter().chain(&words.clone()) {
            world.take(word.clone());
        }
        let state = world.system(move |cx| Ok(json!(cx.change(&key)?.state)));
        (state, world.by_place())
    };
    let (state, places) = told(false);
    assert_eq!(state, "implementing");
    assert_eq!(
        places,
        [
            json!(["production", "in_progress", false]),
            json!(["staging", null, false])
        ]
    );
    assert_eq!(told(true), (state, places));
}
