//! A gate that a finding about the log closed is opened again by two people who explain it, and by nothing else.

use acts::audit::read_grounds::{GroundsReader, News, known_lacks, note_lack};
use acts::directory::set_person::create_person;
use acts::gate::answer;
use acts::gate::reopen_gate::reopen_gate;
use model::change::change_file::{Actor, Lent};
use model::core::refusal::Refusal;
use proof::grounds::Lack;
use serde_json::json;
use store::{Lane, Mode};

use crate::grounded::{question, with_rows_that_are_gone};
use crate::world::{TENANT, World, body};

fn read(reader: &mut GroundsReader, world: &World) -> Vec<News> {
    reader.read_news(&world.executor, TENANT, || true).unwrap()
}

/// Closes the gate as the server's thread does.
fn close(world: &World, news: Vec<News>, id: &str) -> Lack {
    let lacks = news.into_iter().filter_map(|it| match it {
        News::Lack(lack) => Some(lack),
        News::Reopened(_) => None,
    });
    let lack = lacks.into_iter().find(|it| it.change.as_deref() == Some(id)).unwrap();
    let closed = world.executor.services().closed();
    closed.close_change(TENANT, id, &lack.what);
    let about = lack.clone();
    assert!(world.system(move |cx| note_lack(cx, &about)));
    lack
}

fn reopen(world: &World, key: &str, login: &'static str) -> Result<(), Refusal> {
    reopen_as(world, key, world.actor(login))
}

fn reopen_as(world: &World, key: &str, actor: Actor) -> Result<(), Refusal> {
    let (key, words) = (
        key.to_owned(),
        json!({"text": "A restore wrote the two rows; they are away."}),
    );
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| {
        reopen_gate(cx, &key, &body(words.clone()))
    });
    match done {
        Ok(()) => Ok(()),
        Err(acts::Error::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

fn is_closed(world: &World) -> bool {
    let asked = question();
    let answer = world.look(move |cx| answer::ask(cx, &asked)).unwrap();
    answer.reasons.iter().any(|reason| reason.code == "ungrounded")
}

#[test]
fn two_people_with_both_roles_open_a_gate_that_a_finding_closed() {
    let (world, key) = with_rows_that_are_gone();
    let k = key.clone();
    let id = world.look(move |cx| Ok(cx.change(&k)?.id)).unwrap();
    let refused = reopen(&world, &key, "sam").unwrap_err();
    assert_eq!(refused.code(), "gate_not_closed", "nothing is noted yet");
    let mut reader = GroundsReader::default();
    let lack = close(&world, read(&mut reader, &world), id.as_str());
    assert!(is_closed(&world));

    for (login, code) in [
        ("olga", "not_allowed"),
        ("rita", "not_allowed"),
        ("pipe", "not_allowed"),
    ] {
        assert_eq!(reopen(&world, &key, login).unwrap_err().code(), code, "{login}");
    }
    reopen(&world, &key, "sam").unwrap();
    assert!(is_closed(&world), "one person alone opens nothing");
    let Refusal::NotNow { code, unmet, .. } = reopen(&world, &key, "sam").unwrap_err() else {
        panic!("the same person is refused for now")
    };
    assert_eq!(
        (code, unmet[0].waiting_on.as_slice()),
        ("second_person", &["mona".to_owned()][..])
    );
    reopen(&world, &key, "mona").unwrap();
    assert!(is_closed(&world), "it opens by the log");
    world.sequence();
    let news = read(&mut reader, &world);
    assert!(news.contains(&News::Reopened(id.0.clone())), "{news:?}");
    world.executor.services().closed().open_change(TENANT, id.as_str());
    assert!(!is_closed(&world));
    assert_eq!(reopen(&world, &key, "mona").unwrap_err().code(), "gate_not_closed");

    // A server that starts later reads the same log from its beginning, and closes nothing.
    assert_eq!(world.look(known_lacks).unwrap(), Vec::new());
    let again = read(&mut GroundsReader::default(), &world);
    let is_old = |it: &News| matches!(it, News::Lack(found) if found.change == lack.change);
    assert!(!again.iter().any(is_old), "{again:?}");
    assert!(
        !world.system(move |cx| note_lack(cx, &lack)),
        "the old finding is no news"
    );
    // The decisions of two people are in the log, and their texts are not.
    let text: String = world
        .look(move |cx| {
            let events = store::audit::event::latest_of_subject(cx.tx, ("change", id.as_str()), 50)?;
            Ok(events
                .iter()
                .map(|it| String::from_utf8_lossy(&it.bytes).into_owned())
                .collect())
        })
        .unwrap();
    assert!(
        text.contains("change.gate_reopened") && !text.contains("A restore wrote"),
        "{text}"
    );
}

/// A thief of one account makes the second one, or comes as its person by a sign-in of their own making.
#[test]
fn one_hand_opens_no_gate_as_two_people() {
    let (world, key) = with_rows_that_are_gone();
    let k = key.clone();
    let id = world.look(move |cx| Ok(cx.change(&k)?.id)).unwrap();
    world
        .system(|cx| create_person(cx, &body(json!({"login": "ada", "roles": ["admin", "change_manager"]}))).map(drop));
    world.by("ada", |cx| {
        create_person(cx, &body(json!({"login": "puppet", "roles": ["security"]}))).map(drop)
    });
    close(&world, read(&mut GroundsReader::default(), &world), id.as_str());
    reopen(&world, &key, "ada").unwrap();
    assert_eq!(reopen(&world, &key, "puppet").unwrap_err().code(), "second_person");
    for by_token in [true, false] {
        let lent = Lent {
            maker: world.actor("ada").person,
            roles: None,
            services: None,
        };
        let actor = Actor {
            by_token,
            lent: Some(lent),
            ..world.actor("sam")
        };
        assert_eq!(reopen_as(&world, &key, actor).unwrap_err().code(), "lent_voice");
    }
    assert!(is_closed(&world));
    reopen(&world, &key, "sam").unwrap();
}
