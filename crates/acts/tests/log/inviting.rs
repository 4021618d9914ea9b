//! Invitations by mail: one when a change is scheduled and one when it moves, for its people who wish for them, and a cancellation
//! when it does not take place.

use acts::change::verbs::cancel_change;
use acts::notify::invite::{CANCEL, REQUEST};
use acts::notify::set_telling::set_telling;
use model::change::related_records::Message;
use serde_json::json;
use store::record::{self, Filter};

use crate::world::{World, body};

fn invitations(world: &World, topic: &str) -> Vec<String> {
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let mut people: Vec<String> = all
        .unwrap()
        .into_iter()
        .filter(|it| it.topic == topic)
        .map(|it| it.person.0)
        .collect();
    people.sort();
    people
}

#[test]
fn people_who_wish_for_it_are_invited_once_and_told_when_it_is_off() {
    let world = World::new();
    let wish = body(json!({"how": "at_once", "has_invitations": true}));
    world.by("ivo", move |cx| set_telling(cx, "ivo", &wish).map(drop));
    let ivo = world.actor("ivo").person.0;
    let key = world.scheduled("Widen the column");
    assert_eq!(invitations(&world, REQUEST), [ivo.as_str()], "olga wished for none");
    let k = key.clone();
    let text = body(json!({"text": "Seen."}));
    world.by("rita", move |cx| acts::change::verbs::comment_change(cx, &k, &text));
    assert_eq!(invitations(&world, REQUEST).len(), 1, "nothing has moved");
    let reason = body(json!({"reason": "Not needed any more."}));
    world.by("rita", move |cx| cancel_change(cx, &key, &reason));
    assert_eq!(invitations(&world, CANCEL), [ivo.as_str()]);
    world.assert_replays();
}
