//! Timers that were taken away are found and made up for.

use store::Filter;

use crate::world::World;

#[test]
fn a_timer_that_was_lost_is_found_and_set_again() {
    let world = World::new();
    let key = world.scheduled("Move booking to 4.2");
    world.draft("Nothing is due here");
    let found = world
        .look(|room| acts::find_lost_timers::find_lost_timers(room, ""))
        .unwrap();
    assert!(found.subjects.is_empty(), "{found:?}");
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(connection.execute("DELETE FROM timer", []).unwrap(), 1);
    drop(connection);
    let found = world
        .look(|room| acts::find_lost_timers::find_lost_timers(room, ""))
        .unwrap();
    let k = key.clone();
    let id = world.look(move |room| Ok(room.change(&k)?.id.0)).unwrap();
    assert_eq!(found.subjects, [("change", id.clone())]);
    let subject = id.clone();
    world.system(move |room| acts::run_timer::run_timer(room, "change", &subject));
    let timers = world.look(move |room| Ok(store::timer::of_subject(room.tx, "change", &id)?));
    assert_eq!(timers.unwrap().len(), 1);
    let count = world.look(|room| Ok(store::record::count::<model::change::Change>(room.tx, &Filter::new())?));
    assert_eq!(count.unwrap(), 2);
}
