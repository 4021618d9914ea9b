//! The page of one entry of the log: the people who may open it, its text, and its withheld parts.

use acts::Context;
use acts::audit::find_log::find_log;
use acts::audit::show_event::{EventView, show_event};
use acts::core::write;
use acts::directory::{create_tenant, provision, set_person};
use model::change::change_file::Actor;
use model::identity::provider::ProvisionedPerson;
use serde_json::json;
use store::audit::event;
use store::{Lane, Mode};

use super::{House, TENANT, change_form, house, object, send};

/// Does something on the host, as the system.
fn on_host<T: Send + 'static>(
    house: &House,
    tenant: &str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> T {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, tenant, Actor::system(), Mode::Write, act)
        .unwrap()
}

/// The newest event of a kind, as the interface shows it, once all events have their place.
fn newest(house: &House, kind: &'static str) -> EventView {
    loop {
        let found = on_host(house, TENANT, move |cx| {
            if event::count_unsequenced(cx.tx)? > 0 {
                return Ok(None);
            }
            let entries = find_log(cx, None, 200)?.entries;
            let found = entries.into_iter().find(|it| it.kind == kind).and_then(|it| it.index);
            let place = found.expect("such an event").to_string();
            show_event(cx, &place).map(Some)
        });
        if let Some(found) = found {
            return found;
        }
    }
}

fn path(id: &str) -> String {
    format!("/t/halden/audit/events/{id}")
}

#[test]
fn an_entry_is_open_to_whoever_reads_the_log_and_to_nobody_else() {
    let house = house("entry-doors");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let id = newest(&house, "ownership.set").id;
    let page = house.get(&marta, &path(&id));
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.shows("An entry of the log") && page.shows(&id), "{page:?}");
    let refused = house.get(&ingrid, &path(&id));
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(!refused.shows("booking-api"), "{refused:?}");
    assert_eq!(
        house.get("", &path(&id)).place(),
        format!("/t/halden/sign-in?next={}", path(&id))
    );
    let foreign = on_host(&house, "other", |cx| {
        create_tenant::create_tenant(cx, "Other", false)?;
        let person = set_person::create_person(cx, &object(json!({"login": "otto", "name": "Otto"})))?;
        Ok(event::of_subject(cx.tx, "person", person.id.as_str())?
            .pop()
            .expect("it was told")
            .id)
    });
    for nothing in [foreign.as_str(), "999999", "-1", "no-such-event"] {
        let answer = house.get(&marta, &path(nothing));
        assert_eq!(answer.status, 404, "{nothing}: {answer:?}");
        assert!(answer.shows("Page not found"), "{answer:?}");
    }
    let theirs = format!("/t/other/audit/events/{foreign}");
    assert_eq!(
        house.get(&marta, &theirs).place(),
        format!("/t/other/sign-in?next={theirs}")
    );
}

#[test]
fn an_entry_says_in_words_that_something_is_withheld() {
    let house = house("entry-withheld");
    let marta = house.sign_in("marta");
    let told = |phone: &str| ProvisionedPerson {
        login: "petra".to_owned(),
        name: "Petra".to_owned(),
        external_id: Some("hr-4711".to_owned()),
        attributes: vec![("phoneNumbers".to_owned(), json!([{"value": phone}]).to_string())],
        ..ProvisionedPerson::default()
    };
    let (before, after) = (told("+47-111"), told("+47-222"));
    on_host(&house, TENANT, move |cx| {
        let petra = provision::create_person(cx, &before)?;
        provision::replace_person(cx, petra.id.as_str(), &after).map(drop)
    });
    let made = house.get(&marta, &path(&newest(&house, "person.created").id));
    for words in ["External id", "Attributes", "withheld", "Petra"] {
        assert!(made.shows(words), "{words}: {made:?}");
    }
    let edited = house.get(&marta, &path(&newest(&house, "person.edited").id));
    assert!(edited.shows("Attributes") && edited.shows("withheld"), "{edited:?}");
    for page in [made, edited] {
        for secret in ["hr-4711", "+47-", "phoneNumbers"] {
            assert!(!page.shows(secret), "{secret}: {page:?}");
        }
    }
}

#[test]
fn an_entry_reads_as_people_write_and_a_long_text_says_where_all_of_it_is() {
    let house = house("entry-words");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let person = house.get(&marta, &path(&newest(&house, "person.created").id));
    for words in ["Active", "yes", "Roles", "security, change_manager, admin"] {
        assert!(person.shows(words), "{words}: {person:?}");
    }
    let answers = house.get(&marta, &path(&newest(&house, "ownership.set").id));
    assert!(answers.shows("Hanne Brandt"), "{answers:?}");

    let long = format!("{}until the very end", "A new column. ".repeat(50));
    let mut form = change_form(&house, "draft");
    form.retain(|(name, _)| *name != "description");
    form.push(("description", long));
    assert_eq!(send(&house, &ingrid, "/t/halden/changes", &form).status, 303);
    let event = newest(&house, "change.created");
    let page = house.get(&marta, &path(&event.id));
    assert!(
        page.shows("A new column.") && !page.shows("until the very end"),
        "{page:?}"
    );
    assert!(
        page.shows("All of it: ") && page.shows(&format!("assent audit show {}", event.id)),
        "{page:?}"
    );
    assert!(page.shows("Ingrid Solheim") && page.shows("CHG-1001"), "{page:?}");
    let records = json!(event.records).to_string();
    assert!(records.contains("until the very end"), "the interface tells all of it");
    let stamp = |name: &str| {
        let fields = event.records.iter().flat_map(|it| &it.changes);
        let found = fields
            .into_iter()
            .find(|it| it.field == name)
            .and_then(|it| it.after.clone());
        found.expect("it was set").as_str().unwrap().to_owned()
    };
    assert!(
        !page.shows(&stamp("planned_start")),
        "a time is told as the reader's clock shows it"
    );
    // Texts that are erased since are marked so.
    for (act, pairs) in [
        ("cancellation", vec![("reason", "Not needed")]),
        ("erasure", vec![("kind", "texts"), ("reason", "Request of 12 November")]),
    ] {
        let done = house.post(&marta, &format!("/t/halden/changes/CHG-1001/{act}"), &pairs);
        assert_eq!(done.status, 303, "{act}: {done:?}");
    }
    let erased = house.get(&marta, &path(&event.id));
    assert!(erased.shows("erased") && !erased.shows("A new column."), "{erased:?}");
}

#[test]
fn each_record_stands_under_what_it_is_and_is_called() {
    let house = house("entry-names");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    let form = change_form(&house, "draft");
    assert_eq!(send(&house, &ingrid, "/t/halden/changes", &form).status, 303);
    let said = house.post(&ingrid, "/t/halden/changes/CHG-1001/comments", &[("text", "Seen.")]);
    assert_eq!(said.status, 303, "{said:?}");
    let headed = |page: &super::Answer, title: &str, name: &str| {
        let heading = format!("<h2>{title} <span translate=\"no\">{name}</span></h2>");
        assert!(page.shows(&heading), "{heading}: {page:?}");
    };
    headed(
        &house.get(&marta, &path(&newest(&house, "change.created").id)),
        "Change",
        "CHG-1001",
    );
    headed(
        &house.get(&marta, &path(&newest(&house, "service.set").id)),
        "Service",
        "booking-api",
    );
    headed(
        &house.get(&marta, &path(&newest(&house, "person.created").id)),
        "Person",
        "Marta Lindqvist",
    );
    let comment = newest(&house, "comment.added");
    let page = house.get(&marta, &path(&comment.id));
    headed(&page, "Comment by", "Ingrid Solheim");
    // A field of the comment has the change's id; people know the change by its key.
    let id = comment
        .records
        .iter()
        .flat_map(|it| &it.changes)
        .find(|it| it.field == "change");
    let id = id.and_then(|it| it.after.clone()).expect("it names its change");
    assert!(!page.shows(id.as_str().unwrap()), "{page:?}");
}

#[test]
fn an_entry_that_wrote_nothing_leads_to_the_one_before_it_in_the_same_act() {
    let house = house("entry-told-by");
    let marta = house.sign_in("marta");
    // Passwords rest apart from records; the act that made the people reported a record just before.
    let event = newest(&house, "person.password_set");
    let teller = event.told_by.expect("another told of it").id;
    let page = house.get(&marta, &path(&event.id));
    assert!(page.shows(&format!("href=\"{}\"", path(&teller))), "{page:?}");
    assert!(page.shows("It wrote no record by itself."), "{page:?}");
    assert!(page.shows("What an earlier entry of the same act wrote"), "{page:?}");
    let itself = house.get(&marta, &path(&teller));
    assert!(
        itself.shows("What it wrote") && !itself.shows("It wrote no record"),
        "{itself:?}"
    );
    // An act that wrote no record is shown alone.
    on_host(&house, TENANT, |cx| {
        let event = write::draft(
            "attempt.refused",
            ("person", "nobody".to_owned()),
            cx.now,
            json!({"what": "x"}),
        );
        cx.emit(vec![event], write::Written::default())
    });
    let alone = house.get(&marta, &path(&newest(&house, "attempt.refused").id));
    assert!(
        alone.shows("It wrote no record.") && !alone.shows("earlier entry"),
        "{alone:?}"
    );
}
