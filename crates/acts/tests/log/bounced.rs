//! Letters that came back: the address is marked for its communication and is to be corrected, and no report becomes a comment.

use acts::directory::set_person;
use acts::integration::{set_connection, take_delivery};
use acts::notify::{action_items, communicate, take_bounce};
use model::change::related_records::{Comment, Message};
use model::core::enums::AboutKind;
use model::integration::signal::{Bounce, BouncedRecipient, Signal};
use model::notify::action_item::About;
use model::notify::communication::Communication;
use serde_json::json;
use store::record::{self, Filter};

use crate::communicating::{id_of, plan, unit};
use crate::reviewing::work;
use crate::world::{World, body};

/// The communications of a change at its announcement.
fn announced(world: &World, key: &str) -> Vec<Communication> {
    let filter = Filter::new().equals("change_key", key).order_by("id");
    world
        .look(move |cx| Ok(record::bodies::<Communication>(cx.tx, &filter)?))
        .unwrap()
}

#[test]
fn a_letter_that_came_back_marks_its_address_and_is_to_be_corrected_and_becomes_no_comment() {
    let world = World::new();
    unit(&world, "dispatch", vec!["gone@halden.example".to_owned()]);
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    let connection = world.system(|cx| {
        let wanted = json!({"kind": "mail", "name": "Replies", "reply_to": "assent@halden.example"});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    });
    let sent = announced(&world, &key).into_iter().find(|it| it.mail_address.is_some());
    let id = sent.unwrap().id.0;
    let letter = id.clone();
    world.system(move |cx| communicate::mark_letter(cx, &letter, "mailed"));
    let take = |letter: &str, address: &str| {
        let bounce = Signal::Bounce(Bounce {
            letter: format!("{letter}@assent.example"),
            recipients: vec![BouncedRecipient {
                addresses: vec![address.to_owned()],
                status: "5.1.1".to_owned(),
            }],
        });
        let connection = connection.clone();
        world.system(move |cx| take_delivery::take_signal(cx, &connection, &bounce))
    };
    let find = || announced(&world, &key).into_iter().find(|it| it.id.0 == id).unwrap();
    // Neither a made-up letter nor another address marks anything.
    assert!(take("0198c2d4-0000-7000-8000-000000000001", "gone@halden.example").starts_with("noted"));
    assert!(take(&id, "other@halden.example").starts_with("noted"));
    assert_eq!(find().undeliverable_at, None);
    for _ in 0..2 {
        assert!(take(&id, "Gone@Halden.example").contains("could not be delivered"));
    }
    let marked = find();
    assert!(marked.undeliverable_at.is_some());
    assert_eq!(
        (marked.delivery.as_deref(), marked.undeliverable_status.as_deref()),
        (Some("failed"), Some("5.1.1"))
    );
    // The mailer that notes the delivery late does not undo it.
    let letter = id.clone();
    world.system(move |cx| communicate::mark_letter(cx, &letter, "mailed"));
    assert_eq!(find().delivery.as_deref(), Some("failed"));
    let about = About::new(AboutKind::Other, "business-unit dispatch");
    let items = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    assert_eq!(items.len(), 1, "{items:?}");
    let of = key.clone();
    let told = world.by("mona", move |cx| take_bounce::find_told(cx, &of));
    assert_eq!(told[0].id, marked.id, "what came back is listed first");
    let change = id_of(&world, &key);
    let filter = Filter::new().equals("change_id", change.as_str());
    let comments = world
        .look(move |cx| Ok(record::count::<Comment>(cx.tx, &filter)?))
        .unwrap();
    assert_eq!(comments, 0);
    world.assert_replays();
}

#[test]
fn a_letter_to_a_person_that_came_back_is_a_failed_message_and_marks_the_communication() {
    let world = World::new();
    plan(&world, json!({}));
    let key = world.scheduled("Move booking to 4.2");
    work(&world);
    let connection = world.system(|cx| {
        let wanted = json!({"kind": "mail", "name": "Replies", "reply_to": "assent@halden.example"});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    });
    let all = world.look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let message = all
        .unwrap()
        .into_iter()
        .find(|it| it.topic == communicate::TOPIC)
        .unwrap();
    let person = message.person.clone();
    let login = world.look(move |cx| Ok(cx.directory()?.login(&person))).unwrap();
    let (who, address) = (login.clone(), json!({"email": "gone@halden.example"}));
    world.system(move |cx| set_person::edit_person(cx, &who, &body(address.clone())).map(drop));
    let bounce = Signal::Bounce(Bounce {
        letter: format!("{}@assent.example", message.id),
        recipients: vec![BouncedRecipient {
            addresses: vec!["gone@halden.example".to_owned()],
            status: "5.1.1".to_owned(),
        }],
    });
    world.system(move |cx| take_delivery::take_signal(cx, &connection, &bounce));
    let id = message.id.0.clone();
    let after = world.look(move |cx| Ok(record::load::<Message>(cx.tx, &id)?.map(|it| it.record.delivery)));
    assert_eq!(after.unwrap().as_deref(), Some("failed"));
    let sent = announced(&world, &key).into_iter();
    let marked: Vec<Communication> = sent.filter(|it| it.undeliverable_at.is_some()).collect();
    assert_eq!(marked.len(), 1);
    assert_eq!(marked[0].person.as_ref(), Some(&message.person));
    let about = About::new(AboutKind::Other, format!("person {login}"));
    assert_eq!(
        world
            .look(move |cx| action_items::open_about(cx, &about))
            .unwrap()
            .len(),
        1
    );
    world.assert_replays();
}
