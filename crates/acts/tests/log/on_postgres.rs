//! The same on PostgreSQL, where two servers really write at once. Left out when no server is named.

use acts::audit::export_bundle::pack_bundle;
use acts::audit::note_log_sizes::note_log_sizes;
use acts::audit::sequence_events::sequence_events;
use proof::bundle;
use proof::report::Outcome;

use crate::world::{TENANT, World, run};

#[test]
fn the_whole_story_of_a_log_on_postgresql() {
    let Some((world, database)) = World::on_postgres() else {
        return;
    };
    let key = world.closed("Give every shipment a customs reference");
    let other = world.other_desk(0);
    let mut checkpoints = vec![world.checkpoint()];
    for round in 0..8 {
        world.noise(60);
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| sequence_events(&world.executor, TENANT, "server-1"));
            let second = scope.spawn(|| sequence_events(&other, TENANT, "server-2"));
            (first.join().unwrap().unwrap(), second.join().unwrap().unwrap())
        });
        assert!(!(first.has_pen && second.has_pen), "two pens in round {round}");
        let grown = world.checkpoint();
        let placed = (first.to - first.from) + (second.to - second.from);
        assert_eq!(placed, grown.size - checkpoints[round].size, "round {round}");
        checkpoints.push(grown);
    }
    for older in &checkpoints {
        assert_eq!(world.verify(Some(older)).outcome, Outcome::Good, "since {}", older.size);
    }
    assert_eq!(note_log_sizes(&world.executor).unwrap(), 2);
    let bytes = world.look(move |cx| pack_bundle(cx, &key)).unwrap();
    assert_eq!(bundle::verify(&bytes, Some(&world.keys(TENANT))).outcome, Outcome::Good);
    assert_eq!(world.replay().findings, []);
    run(
        &database.url,
        "UPDATE \"change\" SET title = 'Another' WHERE key = 'CHG-1001'",
    );
    let findings = world.replay().findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].field.as_deref(), Some("title"));
    world.executor.tools().store.close();
}
