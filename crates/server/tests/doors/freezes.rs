//! Exceptions from a freeze: their holders, their scope, and their end.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use model::change::related_records::Message;
use serde_json::json;
use store::record::{self, Filter};

use crate::world::World;

/// A freeze lets a manager's exception pass: the exception can be taken back, is given once, and ends with an edit of its
/// subject.
#[test]
fn an_exception_from_a_freeze_is_withdrawn_and_ends_with_an_edit() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let state = || world.get("rita", &format!("/changes/{key}")).expect(200)["state"].clone();
    let now = world.server.state().executor().tools().clock.now();
    let span = json!({"title": "Year end", "starts_at": now.to_string(),
        "ends_at": (now + jiff::SignedDuration::from_hours(30)).to_string()});
    let freeze = world.post("mona", "/freezes", &span).expect(201);
    let path = format!("/freezes/{}/exceptions", freeze["id"].as_str().unwrap());
    let except = || world.post("mona", &path, &json!({"change": key, "reason": "It must"}));
    let withdraw = |who: &str| world.as_person(who, "DELETE", &format!("{path}/{key}")).send();
    assert_eq!(state(), "approved");
    withdraw("mona").problem(404, "not_found");
    assert_eq!(except().expect(201)["exceptions"][0]["change_key"], json!(key));
    assert_eq!(state(), "scheduled");
    except().problem(409, "excepted_already");
    withdraw("rita").problem(403, "not_allowed");
    assert_eq!(withdraw("mona").expect(200).get("exceptions"), None);
    assert_eq!(state(), "approved");
    except().expect(201);
    assert_eq!(state(), "scheduled");
    // Another artifact under another title is not the excepted one, under any approver.
    let tag = world.get("rita", &format!("/changes/{key}")).header("etag").to_owned();
    let other = json!({"title": "Something else"});
    let edit = world
        .as_person("rita", "PATCH", &format!("/changes/{key}"))
        .header("if-match", &tag);
    edit.json(&other).send().expect(200);
    let left = world
        .get("mona", &format!("/freezes/{}", freeze["id"].as_str().unwrap()))
        .expect(200);
    assert_eq!(left.get("exceptions"), None, "{left}");
    let told = world.act(|cx| {
        let all = record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?;
        Ok(all.iter().filter(|it| it.record.topic == "exception_lapsed").count())
    });
    assert_eq!(told, 1, "who excepted it is told; its owner edited it");
    except().expect(201);
    let gone = format!("/freezes/{}", freeze["id"].as_str().unwrap());
    let ending = json!({"reason": "The year is over."});
    world
        .as_person("mona", "DELETE", &gone)
        .json(&ending)
        .send()
        .expect(200);
    except().problem(409, "freeze_over");
    withdraw("mona").problem(409, "freeze_over");
}
