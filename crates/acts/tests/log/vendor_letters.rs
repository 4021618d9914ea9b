//! Letters between vendors and the server: the content of their jobs, and the number of accepted letters.

use acts::core::noun;
use acts::integration::{set_connection, take_delivery};
use acts::schedule::notice_by_mail::{LETTER, mail_notice_address, notice_address, notify_refused, read_letter};
use model::change::related_records::Message;
use model::directory::vendor::Vendor;
use model::integration::signal::{MailReply, Signal};
use serde_json::json;
use store::queue::job;
use store::record::{self, Filter};

use crate::world::{World, body};

const DESK: &str = "noc@hosts.example";

/// A world in which mail is taken, with a vendor; returns the id of the connection, and the vendor.
fn mailed(world: &World) -> (String, Vendor) {
    let connection = world.system(|cx| {
        let wanted = json!({"kind": "mail", "name": "Replies", "reply_to": "assent@halden.example"});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    });
    let vendor = world.system(|cx| {
        let wanted = json!({"key": "hosts", "name": "Hosts", "services": ["pay"], "contacts": [DESK]});
        noun::add::<Vendor>(cx, &body(wanted))
    });
    (connection, vendor)
}

fn letters(world: &World) -> Vec<job::Job> {
    let jobs = world.look(|cx| Ok(job::list(cx.tx, "waiting", 1_000)?)).unwrap();
    jobs.into_iter().filter(|it| it.kind == LETTER).collect()
}

#[test]
fn the_job_of_a_letter_holds_the_address_sealed_and_a_refusal_is_told() {
    let world = World::new();
    let (_, vendor) = mailed(&world);
    world.system(|cx| mail_notice_address(cx, "hosts"));
    let of = vendor.clone();
    let address = world.look(move |cx| notice_address(cx, &of)).unwrap().unwrap();
    let tag = address.split(['+', '@']).nth(1).unwrap().to_owned();
    let waiting = letters(&world).remove(0);
    assert!(!waiting.payload.contains(&tag), "{}", waiting.payload);
    let (id, payload) = (waiting.id.clone(), waiting.payload.clone());
    let read = world.look(move |cx| read_letter(cx, &id, &payload)).unwrap();
    assert!(read.text.contains(&address), "{}", read.text);
    // A text that was moved to another job does not open.
    let payload = waiting.payload.clone();
    assert!(world.look(move |cx| read_letter(cx, "other", &payload)).is_err());
    let (id, subject) = (waiting.id.clone(), waiting.subject.clone());
    world.system(move |cx| notify_refused(cx, &id, &subject, DESK));
    let told = world
        .look(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new())?))
        .unwrap();
    let told = told.iter().find(|it| it.topic == "desk_letter_refused").unwrap();
    assert!(told.text.contains(DESK) && !told.text.contains(&tag), "{}", told.text);
}

#[test]
fn a_vendor_has_a_limit_of_letters_a_day_also_about_what_is_past() {
    let world = World::new();
    let (connection, vendor) = mailed(&world);
    let address = world.look(move |cx| notice_address(cx, &vendor)).unwrap().unwrap();
    let token = address.split(['+', '@']).nth(1).unwrap().to_owned();
    let send = |number: usize| {
        let reply = Signal::MailReply(MailReply {
            message_id: format!("m{number}@hosts.example"),
            from: DESK.to_owned(),
            tokens: vec![token.clone()],
            text: format!(
                "Reference: NH-{number}\nServices: pay\nStart: 2026-11-01 20:00 UTC\nEnd: 2026-11-01 23:00 UTC\nState: cancelled"
            ),
            subject: "Disks".to_owned(),
            files: Vec::new(),
            left_out: Vec::new(),
        });
        let id = connection.clone();
        world.system(move |cx| take_delivery::take_signals(cx, &id, std::slice::from_ref(&reply)))
    };
    for number in 0..100 {
        assert!(send(number).starts_with("recorded the notice"), "{number}");
    }
    let answers = letters(&world).len();
    assert!(send(100).contains("100 letters within a day"));
    assert_eq!(letters(&world).len(), answers, "nothing is answered either");
    world.pass_seconds(24 * 3600 + 1);
    assert!(send(101).starts_with("recorded the notice"));
}
