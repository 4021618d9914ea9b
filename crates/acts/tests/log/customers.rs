//! Customers' lists: letters for people outside the organisation, and their owners' way off a list and back.

use acts::Result;
use acts::core::noun;
use acts::notify::communicate::address_letter;
use acts::notify::set_communication_plan::preview_communication;
use acts::notify::set_customer_list::{find_customer_letter, opt_in, opt_out};
use model::notify::business_unit::BusinessUnit;
use model::notify::communication::Communication;
use model::notify::communication_plan::CommunicationPlan;
use model::notify::customer_list::CustomerList;
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::reviewing::work;
use crate::world::{TENANT, World, body};

fn list(key: &str, addresses: &[&str]) -> Value {
    json!({"key": key, "name": "Those who complain", "services": ["pay"], "mail_addresses": addresses, "language": "de"})
}

fn plan(more: Value) -> Value {
    let mut wanted = body(json!({
        "key": "customers", "name": "Customers", "audiences": ["customers"], "stages": ["announced", "cancelled"],
        "subject_en": "{services}: {stage}", "text_en": "{start} to {end}: {disruption}.",
        "subject_de": "{services}: {stage}", "text_de": "{start} bis {end}: {disruption}.",
    }));
    wanted.extend(body(more));
    Value::Object(wanted)
}

/// The error of an act of the change manager as text; empty where it is done.
fn refused<T: Send + 'static>(
    world: &World,
    act: impl Fn(&mut acts::Context<'_, '_>) -> Result<T> + Send + 'static,
) -> String {
    let actor = world.actor("mona");
    let done = world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act);
    done.err().map(|error| format!("{error:?}")).unwrap_or_default()
}

fn add_list(world: &World, wanted: &Value) -> CustomerList {
    let wanted = body(wanted.clone());
    world.by("mona", move |cx| noun::add::<CustomerList>(cx, &wanted))
}

fn shown(world: &World, id: &str) -> CustomerList {
    let id = id.to_owned();
    world.by("mona", move |cx| noun::show::<CustomerList>(cx, &id))
}

/// The notices to customers, in the order of their addresses.
fn sent(world: &World) -> Vec<Communication> {
    let all = world.look(|cx| Ok(record::bodies::<Communication>(cx.tx, &Filter::new().order_by("id"))?));
    let mut all: Vec<Communication> = all.unwrap();
    all.sort_by_key(|it| it.mail_address.clone());
    all
}

/// Cancels the change; the addresses that are notified of it.
fn told_of_the_end(world: &World, key: &str) -> Vec<String> {
    let (k, reason) = (key.to_owned(), body(json!({"reason": "Not needed."})));
    world.by("rita", move |cx| acts::change::verbs::cancel_change(cx, &k, &reason));
    work(world);
    let told = sent(world).into_iter().filter(|it| it.stage.as_str() == "cancelled");
    told.filter_map(|it| it.mail_address).collect()
}

#[test]
fn customers_read_nothing_internal_and_are_told_until_they_opt_out() {
    let world = World::new();
    let first = add_list(&world, &list("one", &["ops@customer.example", "two@customer.example"]));
    let second = add_list(&world, &list("other", &["Ops@customer.example"]));
    let wanted = body(plan(json!({})));
    world.by("mona", move |cx| noun::add::<CommunicationPlan>(cx, &wanted));
    let key = world.scheduled("Replace the vault of Hansen");
    work(&world);
    let told = sent(&world);
    let lists: Vec<_> = told.iter().map(|it| it.customer_list.as_deref()).collect();
    assert_eq!(
        lists,
        [Some("one"), Some("one")],
        "an address of two lists is told once"
    );

    let letter_of = |id: &str| {
        let id = id.to_owned();
        world.look(move |cx| address_letter(cx, &id)).unwrap()
    };
    let letter = letter_of(told[0].id.as_str()).unwrap();
    assert_eq!(letter.subject, "pay: Angekündigt");
    let whole = format!("{}\n{}", letter.subject, letter.text);
    for internal in ["Hansen", key.as_str(), "complain", "olga", "rita"] {
        assert!(!whole.contains(internal), "{internal} is in {whole}");
    }
    let link = letter.unsubscribe.unwrap();
    assert!(whole.contains(&link), "{whole}");
    let parts: Vec<String> = link.rsplit('/').take(2).map(str::to_owned).collect();
    let (code, id) = (parts[0].clone(), parts[1].clone());
    let is_told = |id: &str, code: &str| {
        let (id, code) = (id.to_owned(), code.to_owned());
        let found = world.look(move |cx| find_customer_letter(cx, &id, &code));
        found.ok().map(|it| it.is_told)
    };
    assert_eq!(is_told(&id, &code), Some(true));
    assert_eq!(is_told(told[1].id.as_str(), &code), None, "a code opens its own letter");

    let (letter, secret) = (id.clone(), code.clone());
    for _ in 0..2 {
        let (letter, secret) = (letter.clone(), secret.clone());
        world.system(move |cx| opt_out(cx, &letter, &secret));
    }
    assert_eq!(is_told(&id, &code), Some(false));
    for list in [&first, &second] {
        let now = shown(&world, list.id.as_str());
        assert_eq!(now.opted_out_addresses.len(), 1, "{now:?}");
    }
    assert!(letter_of(&id).is_none(), "what was on its way is not sent");
    let (again, edited) = (
        first.id.0.clone(),
        body(json!({"mail_addresses": ["OPS@customer.example"]})),
    );
    let said = refused(&world, move |cx| noun::edit::<CustomerList>(cx, &again, &edited));
    assert!(said.contains("opted_out"), "{said}");

    assert_eq!(told_of_the_end(&world, &key), ["two@customer.example"]);

    world.system(move |cx| opt_in(cx, &letter, &secret));
    assert_eq!(is_told(&id, &code), Some(true));
    assert!(shown(&world, first.id.as_str()).opted_out_addresses.is_empty());
    world.assert_replays();
}

#[test]
fn a_plan_for_customers_with_internal_words_is_refused() {
    let world = World::new();
    for (more, code) in [
        (json!({"subject_en": "{title}"}), "internal_placeholder"),
        (json!({"text_de": "{change}"}), "internal_placeholder"),
        (json!({"audiences": ["customers", "owners"]}), "not_allowed"),
        (json!({"acknowledge": true}), "not_allowed"),
    ] {
        let wanted = body(plan(more));
        let said = refused(&world, move |cx| noun::add::<CommunicationPlan>(cx, &wanted));
        assert!(said.contains(code), "{code} is not in {said}");
    }
    let wrong = body(json!({"key": "x", "name": "x", "mail_addresses": ["no"]}));
    let said = refused(&world, move |cx| noun::add::<CustomerList>(cx, &wrong));
    assert!(said.contains("services") && said.contains("not_an_address"), "{said}");
}

#[test]
fn who_was_taken_off_every_list_may_still_opt_out_and_is_not_put_back() {
    let world = World::new();
    let first = add_list(&world, &list("one", &["ops@customer.example"]));
    let wanted = body(plan(json!({})));
    world.by("mona", move |cx| noun::add::<CommunicationPlan>(cx, &wanted));
    world.scheduled("Replace the vault");
    work(&world);
    let id = sent(&world)[0].id.0.clone();
    let asked = id.clone();
    let letter = world.look(move |cx| address_letter(cx, &asked)).unwrap();
    let link = letter.and_then(|it| it.unsubscribe).unwrap();
    let code = link.rsplit('/').next().unwrap().to_owned();
    let edit = |addresses: Value| {
        let (list, wanted) = (first.id.0.clone(), body(json!({"mail_addresses": addresses})));
        refused(&world, move |cx| noun::edit::<CustomerList>(cx, &list, &wanted))
    };
    let page = || {
        let (id, code) = (id.clone(), code.clone());
        let found = world.look(move |cx| find_customer_letter(cx, &id, &code)).unwrap();
        (found.is_told, found.has_left)
    };
    assert_eq!(edit(json!([])), "");
    assert_eq!(page(), (false, false), "on no list, and not at its owner's wish");
    for _ in 0..2 {
        let (id, code) = (id.clone(), code.clone());
        world.system(move |cx| opt_out(cx, &id, &code));
    }
    assert_eq!(page(), (false, true));
    assert_eq!(shown(&world, first.id.as_str()).opted_out_addresses.len(), 1);
    let said = edit(json!(["OPS@customer.example"]));
    assert!(said.contains("opted_out"), "{said}");
    world.assert_replays();
}

#[test]
fn an_address_that_opted_out_is_reached_through_no_business_unit_either() {
    let world = World::new();
    add_list(&world, &list("one", &["ops@customer.example"]));
    let wanted = body(plan(json!({})));
    world.by("mona", move |cx| noun::add::<CommunicationPlan>(cx, &wanted));
    let unit = |key: &str| {
        body(
            json!({"key": key, "name": key, "services": ["pay"], "contacts": ["sam"], "language": "en",
            "mail_addresses": ["Ops@customer.example", "desk@halden.example"]}),
        )
    };
    let desk = unit("desk");
    let desk = world.by("mona", move |cx| noun::add::<BusinessUnit>(cx, &desk));
    let inside = body(
        json!({"key": "inside", "name": "Inside", "audiences": ["business_units"], "stages": ["announced", "cancelled"],
        "subject_en": "{stage}", "text_en": "{start}"}),
    );
    let inside = world.by("mona", move |cx| noun::add::<CommunicationPlan>(cx, &inside));
    let key = world.scheduled("Replace the vault");
    work(&world);
    let told = sent(&world);
    let letter = told.iter().find(|it| it.customer_list.is_some()).unwrap().id.0.clone();
    let counted = || {
        let (id, about) = (inside.id.0.clone(), body(json!({"change": key})));
        let preview = world.by("rita", move |cx| preview_communication(cx, &id, &about));
        preview.recipient_count
    };
    let before = counted();
    let asked = letter.clone();
    let link = world.look(move |cx| address_letter(cx, &asked)).unwrap().unwrap();
    let code = link.unsubscribe.unwrap().rsplit('/').next().unwrap().to_owned();
    world.system(move |cx| opt_out(cx, &letter, &code));

    assert_eq!(counted() + 1, before, "the preview counts whom a letter reaches");
    let (id, named) = (desk.id.0.clone(), body(json!({"name": "The desk"})));
    let edit = move |cx: &mut acts::Context<'_, '_>| noun::edit::<BusinessUnit>(cx, &id, &named);
    assert_eq!(refused(&world, edit), "", "the unit stays editable");
    let another = unit("another");
    let said = refused(&world, move |cx| noun::add::<BusinessUnit>(cx, &another));
    assert!(said.contains("opted_out"), "{said}");
    assert_eq!(told_of_the_end(&world, &key), ["desk@halden.example"]);
}
