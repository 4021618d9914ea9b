//! Emergency cards need two people; the uses under them are reported once, and every difference is a person's action item.

use acts::core::noun;
use acts::core::signing_keys;
use acts::directory::deactivate_person::deactivate_person;
use acts::emergency::set_emergency_card::print_card;
use acts::notify::act_on_items::settle_item;
use acts::{Clock, Context};
use model::change::change_file::Actor;
use model::core::enums::{AboutKind, ActionState, Severity};
use model::emergency::emergency_card::EmergencyCard;
use model::emergency::emergency_report::EmergencyReport;
use model::emergency::emergency_use::EmergencyUse;
use model::notify::action_item::{About, ActionItem};
use proof::emergency::{self, Line};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

fn tried<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    tried_as(world, fresh(world, login), act)
}

/// Somebody who showed a factor just now.
fn fresh(world: &World, login: &'static str) -> Actor {
    Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor(login)
    }
}

/// An act with a fresh factor.
fn by<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> T {
    let actor = fresh(world, login);
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, act)
        .unwrap()
}

fn tried_as<T: Send + 'static>(
    world: &World,
    actor: Actor,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Ok(_) => String::new(),
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

/// Olga's proposal: two uses of `pay` in production.
fn wanted(world: &World, more: &Value) -> Value {
    let ends_at = (world.clock.now() + jiff::SignedDuration::from_hours(48)).to_string();
    let mut wanted = json!({"services": ["pay"], "environment": "production", "uses": 2, "ends_at": ends_at, "reason": "In the safe."});
    for (name, value) in more.as_object().unwrap() {
        wanted[name] = value.clone();
    }
    wanted
}

fn proposed(world: &World) -> String {
    let input = wanted(world, &json!({}));
    let card = by(world, "olga", move |cx| {
        noun::add::<EmergencyCard>(cx, &body(input.clone()))
    });
    card.id.0
}

fn sign(world: &World, login: &'static str, id: &str) -> String {
    let id = id.to_owned();
    tried(world, login, move |cx| {
        noun::edit::<EmergencyCard>(cx, &id, &body(json!({"approved": true})))
    })
}

/// A card that two people signed, as it is printed.
fn signed(world: &World) -> (String, String) {
    let id = proposed(world);
    assert_eq!(sign(world, "mona", &id), "");
    let printed = id.clone();
    let (_, token) = by(world, "mona", move |cx| print_card(cx, &printed));
    (id, token)
}

#[test]
fn a_card_is_signed_by_two_people_as_it_was_proposed() {
    let world = World::new();
    for (more, field) in [
        (json!({"uses": 0}), "invalid"),
        (json!({"uses": 21}), "invalid"),
        (json!({"services": []}), "invalid"),
        (json!({"environment": "nowhere"}), "invalid"),
        (json!({"ends_at": "2029-01-01T00:00:00Z"}), "invalid"),
        (json!({"approved": true}), "invalid"),
    ] {
        let input = wanted(&world, &more);
        let code = tried(&world, "olga", move |cx| {
            noun::add::<EmergencyCard>(cx, &body(input.clone()))
        });
        assert_eq!(code, field, "{more}");
    }
    let input = wanted(&world, &json!({}));
    let code = tried(&world, "ivo", move |cx| {
        noun::add::<EmergencyCard>(cx, &body(input.clone()))
    });
    assert_eq!(code, "not_allowed");
    let id = proposed(&world);
    let unsigned = id.clone();
    assert_eq!(tried(&world, "mona", move |cx| print_card(cx, &unsigned)), "not_open");
    assert_eq!(sign(&world, "olga", &id), "own_proposal");
    let other = id.clone();
    let code = tried(&world, "mona", move |cx| {
        noun::edit::<EmergencyCard>(cx, &other, &body(json!({"approved": true, "uses": 9})))
    });
    assert_eq!(code, "invalid", "it is signed as it was proposed");
    assert_eq!(sign(&world, "mona", &id), "");
    assert_eq!(sign(&world, "mona", &id), "not_open");
    let (printed, again) = (id.clone(), id.clone());
    let (card, token) = by(&world, "olga", move |cx| print_card(cx, &printed));
    assert_eq!(
        by(&world, "mona", move |cx| print_card(cx, &again)).1,
        token,
        "the same card each time"
    );
    assert_eq!(card.uses, 2);
    let keys = world.look(signing_keys::jwks).unwrap();
    let claims = emergency::open(&token, &keys).unwrap();
    assert_eq!(claims.signers, ["olga", "mona"]);
    let lost = id.clone();
    world.by("mona", move |cx| noun::end::<EmergencyCard>(cx, &lost));
    assert_eq!(tried(&world, "mona", move |cx| print_card(cx, &id)), "not_open");
}

#[test]
fn a_card_is_proposed_signed_and_printed_with_a_fresh_factor_and_each_printing_is_told() {
    let world = World::new();
    let input = wanted(&world, &json!({}));
    let propose = move |cx: &mut Context<'_, '_>| noun::add::<EmergencyCard>(cx, &body(input.clone()));
    assert_eq!(tried_as(&world, world.actor("olga"), propose), "step_up_required");
    let id = proposed(&world);
    let signing = id.clone();
    let sign_it =
        move |cx: &mut Context<'_, '_>| noun::edit::<EmergencyCard>(cx, &signing, &body(json!({"approved": true})));
    assert_eq!(tried_as(&world, world.actor("mona"), sign_it), "step_up_required");
    assert_eq!(sign(&world, "mona", &id), "");
    let printing = id.clone();
    let print = move |cx: &mut Context<'_, '_>| print_card(cx, &printing);
    let by_token = Actor {
        by_token: true,
        ..fresh(&world, "mona")
    };
    for actor in [world.actor("mona"), by_token] {
        assert_eq!(tried_as(&world, actor, print.clone()), "step_up_required");
    }
    by(&world, "mona", print);
    world.sequence();
    world.assert_replays();
}

/// A record of so many lines under a card; `more` alters each line before it is sealed.
fn record(world: &World, (name, card): (&str, Option<&str>), count: i64, more: impl Fn(&mut Line)) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for number in 1..=count {
        let previous = lines
            .last()
            .map_or_else(|| Line::first_previous(name), |line| line.digest.clone());
        let mut line = Line {
            record: name.to_owned(),
            number,
            previous,
            host: "dock-1".to_owned(),
            at: world.clock.now().as_second(),
            card: card.map(str::to_owned),
            service: "pay".to_owned(),
            environment: "production".to_owned(),
            artifact: None,
            commit: None,
            by: "ivo".to_owned(),
            reason: "The rack burns.".to_owned(),
            code: if card.is_some() { "good" } else { "no_card" }.to_owned(),
            digest: String::new(),
        };
        more(&mut line);
        lines.push(line.sealed().unwrap());
    }
    lines
}

fn report(world: &World, lines: &[Line]) -> EmergencyReport {
    let rows: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    let input = json!({"record": rows.join("\n")});
    world.by("ivo", move |cx| noun::add::<EmergencyReport>(cx, &body(input.clone())))
}

fn items(world: &World) -> Vec<ActionItem> {
    let about = About::new(AboutKind::Service, "pay");
    world
        .look(move |cx| acts::notify::action_items::open_about(cx, &about))
        .unwrap()
}

#[test]
fn a_record_is_reported_once_and_its_uses_are_looked_at() {
    let world = World::new();
    let (id, token) = signed(&world);
    let lines = record(&world, ("one", Some(&token)), 2, |_| {});
    let reported = report(&world, &lines);
    assert_eq!((reported.lines, reported.added, reported.differences.len()), (2, 2, 0));
    let found = items(&world);
    assert_eq!(found.len(), 2);
    let is_medium = |item: &ActionItem| item.severity == Some(Severity::Medium) && item.state == ActionState::Open;
    assert!(found.iter().all(is_medium), "{found:?}");
    assert!(
        found.iter().all(|item| item.owner.is_none() && item.group.is_none()),
        "the one owner signed the card, so the change managers have it: {found:?}"
    );
    for login in ["olga", "mona", "ivo"] {
        let key = found[0].key.clone();
        let code = tried(&world, login, move |cx| {
            settle_item(cx, &key, &body(json!({"state": "done", "reason": "It was fine."})))
        });
        assert_eq!(code, "own_request", "{login} had a part in it");
    }
    let again = report(&world, &lines);
    assert_eq!((again.added, again.differences.len(), again.id), (0, 0, reported.id));
    assert_eq!(items(&world).len(), 2);
    let uses = world.by("mona", noun::list::<EmergencyUse>);
    assert!(uses.len() == 2 && uses.iter().all(|used| used.card == id && used.allowed));
    world.assert_replays();
}

#[test]
fn every_difference_is_found_and_named() {
    let world = World::new();
    let (id, token) = signed(&world);
    let now = world.clock.now().as_second();
    let of = |name: &str, more: &dyn Fn(&mut Line)| {
        report(&world, &record(&world, (name, Some(&token)), 1, more)).differences
    };
    // A copy of the card on another host: its two uses are over after one of each.
    assert_eq!(of("a", &|_| {}), [] as [&str; 0]);
    assert_eq!(of("b", &|line| line.host = "dock-2".to_owned()), [] as [&str; 0]);
    assert_eq!(of("c", &|_| {}), ["beyond_uses"]);
    let refused = |line: &mut Line| line.code = "expired".to_owned();
    assert_eq!(
        of("d", &|line| {
            refused(line);
            line.at = now + 49 * 3_600
        }),
        ["after_expiry", "clock_ahead", "refused_there"]
    );
    assert_eq!(
        of("e", &|line| {
            refused(line);
            line.at = now - 3_600
        }),
        ["before_valid", "refused_there"]
    );
    assert_eq!(
        of("f", &|line| {
            refused(line);
            line.environment = "lab".to_owned()
        }),
        ["outside_scope", "refused_there"]
    );
    assert_eq!(
        of("g", &|line| {
            refused(line);
            line.artifact = Some(format!("sha256:{:064x}", 7))
        }),
        ["refused_there", "unknown_artifact"]
    );
    assert_eq!(
        of("h", &|line| {
            refused(line);
            line.card = Some(format!("{token}x"))
        }),
        ["card_forged", "refused_there"]
    );
    let without = record(&world, ("i", None), 1, |_| {});
    assert_eq!(report(&world, &without).differences, ["no_card", "refused_there"]);
    // A card that was revoked while the host could not know it.
    world.by("mona", move |cx| noun::end::<EmergencyCard>(cx, &id));
    assert!(of("j", &|_| {}).contains(&"revoked".to_owned()));
    let high = items(&world)
        .into_iter()
        .filter(|item| item.severity == Some(Severity::High));
    assert_eq!(high.count(), 8, "each difference is somebody's item");
    world.assert_replays();
}

#[test]
fn what_was_used_is_held_to_the_commit_and_the_person_and_a_stopped_use_deployed_nothing() {
    let world = World::new();
    let (_, token) = signed(&world);
    let of = |name: &str, more: &dyn Fn(&mut Line)| {
        report(&world, &record(&world, (name, Some(&token)), 1, more)).differences
    };
    let commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
    assert_eq!(
        of("a", &|line| line.commit = Some(commit.to_owned())),
        ["unknown_artifact"]
    );
    assert_eq!(of("b", &|line| line.by = "eve".to_owned()), ["unknown_person"]);
    let stopped = |line: &mut Line| line.code = "expired".to_owned();
    assert_eq!(of("c", &stopped), ["refused_there"]);
    let hours = |count| (world.clock.now() + jiff::SignedDuration::from_hours(count)).to_string();
    let freeze = json!({"title": "Peak", "reason": "Peak", "starts_at": hours(1), "ends_at": hours(9)});
    world.by("mona", move |cx| {
        acts::schedule::set_freeze::set_freeze(cx, &body(freeze.clone())).map(drop)
    });
    world.pass_seconds(7_200);
    assert_eq!(of("d", &|_| {}), ["beyond_uses", "freeze"]);
    let texts: Vec<String> = items(&world).into_iter().filter_map(|item| item.text).collect();
    let is_stopped = |text: &&String| text.contains("was stopped at");
    assert_eq!(texts.iter().filter(is_stopped).count(), 1, "{texts:?}");
    assert!(
        !texts
            .iter()
            .any(|text| is_stopped(&text) && text.contains("deployed to"))
    );
    world.assert_replays();
}

#[test]
fn a_use_against_the_stop_of_a_gate_that_could_be_asked_is_a_difference() {
    let world = World::new();
    let (_, token) = signed(&world);
    let key = world.scheduled("Widen the column");
    let of = |name: &str, more: &dyn Fn(&mut Line)| {
        report(&world, &record(&world, (name, Some(&token)), 1, more)).differences
    };
    let named = |line: &mut Line| line.artifact = Some(ARTIFACT.to_owned());
    let reason = body(json!({"reason": "Not before Monday."}));
    world.by("mona", move |cx| acts::change::verbs::hold_change(cx, &key, &reason));
    assert_eq!(of("a", &named), ["gate_said_no"]);
    world.pass_seconds(7_200);
    // No trace shows that a server was there at that time.
    assert_eq!(of("b", &named), [] as [&str; 0]);
    // The report before this one shows that it was.
    assert_eq!(of("c", &named), ["beyond_uses", "gate_said_no"]);
    // A use that a host refused was no use against anybody.
    let refused = |line: &mut Line| {
        named(line);
        line.code = "expired".to_owned();
    };
    assert_eq!(of("d", &refused), ["refused_there"]);
    world.assert_replays();
}

#[test]
fn a_use_against_the_stop_of_a_service_that_another_system_leads_is_a_difference_without_a_check() {
    let world = World::new();
    let (_, token) = signed(&world);
    let of = |name: &str| report(&world, &record(&world, (name, Some(&token)), 1, |_| {})).differences;
    assert_eq!(of("a"), [] as [&str; 0]);
    world.system(|cx| {
        let mut service = cx.directory()?.services.get(&"pay".into()).cloned().unwrap();
        let led = json!({"system": "s", "kind": "servicenow", "since": cx.now});
        service.led_by = serde_json::from_value(led).ok();
        cx.put_estate("service.led_elsewhere", service, json!({})).map(drop)
    });
    assert_eq!(of("b"), ["gate_said_no"]);
}

#[test]
fn a_record_that_was_edited_or_cut_is_named_as_such() {
    let world = World::new();
    let (_, token) = signed(&world);
    let whole = record(&world, ("r", Some(&token)), 2, |_| {});
    assert_eq!(report(&world, &whole).added, 2);
    // Its end was cut and another one written: the same place with another text.
    let mut other = whole[1].clone();
    other.by = "sam".to_owned();
    let other = other.sealed().unwrap();
    let forked = report(&world, &[whole[0].clone(), other]);
    assert_eq!(forked.added, 1);
    assert!(forked.differences.contains(&"record_forked".to_owned()), "{forked:?}");
    let cut = report(&world, &whole[..1]);
    assert_eq!((cut.added, cut.differences), (0, vec!["record_cut".to_owned()]));
    // A line whose text was changed without its digest.
    let mut edited = record(&world, ("s", Some(&token)), 1, |_| {});
    edited[0].by = "rita".to_owned();
    assert!(
        report(&world, &edited)
            .differences
            .contains(&"record_edited".to_owned())
    );
    for text in ["", "{}", "no record"] {
        let input = json!({"record": text});
        let code = tried(&world, "ivo", move |cx| {
            noun::add::<EmergencyReport>(cx, &body(input.clone()))
        });
        assert_eq!(code, "invalid", "{text}");
    }
    let mut worded = record(&world, ("t", Some(&token)), 1, |_| {});
    worded[0].by = "Ivo, the new one".to_owned();
    let row = serde_json::to_string(&worded[0]).unwrap();
    let code = tried(&world, "ivo", move |cx| {
        noun::add::<EmergencyReport>(cx, &body(json!({"record": row})))
    });
    assert_eq!(code, "invalid", "the log shows no words in clear");
}

/// Two people signed: where the account of one of both was compromised, nobody had a second look.
#[test]
fn a_card_ends_with_the_compromised_account_of_who_proposed_or_signed_it() {
    let world = World::new();
    let (_, waiting) = (signed(&world), proposed(&world));
    let in_use = |world: &World| {
        let cards = world.look(noun::in_use::<EmergencyCard>).unwrap();
        cards.into_iter().map(|card| card.id.0).collect::<Vec<_>>()
    };
    assert_eq!(in_use(&world).len(), 2);
    let compromised = |login: &'static str| {
        let said = json!({"compromised": true, "reason": "Phished."});
        world.system(move |cx| deactivate_person(cx, login, &body(said.clone())).map(drop));
    };
    compromised("mona");
    assert_eq!(in_use(&world), [waiting], "she signed the first alone");
    compromised("olga");
    assert!(in_use(&world).is_empty());
    world.sequence();
    world.assert_replays();
}
