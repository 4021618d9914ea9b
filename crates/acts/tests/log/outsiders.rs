//! Ways around a rule that strangers tried: an approval by a token that another person made, an outside look at one's own work,
//! a template's two approvals where one person is both, holidays without end.

use acts::approval::{set_delegation, verbs};
use acts::change::{create_change, set_template};
use acts::core::noun;
use acts::directory::{set_person, set_service};
use acts::schedule::set_calendar;
use acts::{Context, Result};
use model::change::change_file::Actor;
use model::core::enums;
use model::emergency::outside_look::OutsideLook;
use model::identity::factor;
use serde_json::json;

use crate::by_two::{attempt_as, code};
use crate::world::{World, body};

/// The code with which somebody is refused, or nothing.
fn tried<T: Send + std::fmt::Debug + 'static>(
    (world, actor): (&World, Actor),
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> Option<String> {
    let done = attempt_as(world, actor, act);
    done.is_err().then(|| code(done))
}

#[test]
fn a_voice_that_takes_a_fresh_factor_is_lent_by_one_alone() {
    let lend = |cx: &mut Context<'_, '_>| {
        let wanted = json!({"delegate": "sam", "starts_at": "2026-11-20T09:00:00Z", "ends_at": "2026-11-21T09:00:00Z"});
        set_delegation::set_delegation(cx, &body(wanted)).map(drop)
    };
    let plain = World::new();
    assert_eq!(
        tried((&plain, plain.actor("olga")), lend),
        None,
        "no rule asks for a factor"
    );
    let strict = World::with_pack("sox");
    let olga = strict.actor("olga");
    let refused = tried((&strict, olga.clone()), lend);
    assert_eq!(refused.as_deref(), Some("step_up_required"));
    let fresh = Actor {
        stepped_up_at: Some("2026-11-20T08:00:00Z".parse().unwrap()),
        factor: Some(factor::Factor::new("totp", true)),
        ..olga
    };
    assert_eq!(tried((&strict, fresh), lend), None);
}

#[test]
fn nobody_looks_from_outside_at_a_change_of_their_own_that_is_still_open() {
    let world = World::new();
    world.system(|cx| {
        for who in ["nora", "vera"] {
            let made = json!({"login": who, "roles": ["requester"]});
            set_person::create_person(cx, &body(made))?;
        }
        let outside = json!({"name": "Outside", "members": ["nora", "vera"]});
        set_person::set_group(cx, "outside", &body(outside)).map(drop)
    });
    world.by("nora", |cx| {
        create_change::create_change(cx, &body(json!({"title": "Mine"})), &[])
    });
    let look = |cx: &mut Context<'_, '_>| {
        let words = body(json!({"group": "outside", "text": "All is well."}));
        noun::add::<OutsideLook>(cx, &words).map(drop)
    };
    let refused = tried((&world, world.actor("nora")), look);
    assert_eq!(refused.as_deref(), Some("not_outside"));
    assert_eq!(tried((&world, world.actor("vera")), look), None);
}

#[test]
fn whoever_is_owner_and_change_manager_counts_as_what_the_other_is_not() {
    for order in [["mona", "both"], ["both", "mona"], ["both", "olga"], ["olga", "both"]] {
        let world = World::new();
        world.system(|cx| {
            let both = json!({"login": "both", "roles": ["owner", "change_manager"]});
            set_person::create_person(cx, &body(both))?;
            for who in ["olga", "both"] {
                let owner = json!({"service": "pay", "role": "owner", "person": who});
                set_service::set_ownership(cx, &body(owner))?;
            }
            Ok(())
        });
        world.by("rita", |cx| {
            let wanted = json!({"key": "patch", "title": "Patch", "services": ["pay"], "environments": ["production"],
                "locked": {"description": "d"}, "review_by": "2027-05-01T00:00:00Z"});
            set_template::propose_template(cx, &body(wanted))
        });
        for who in order {
            world.by(who, |cx| set_template::approve_template(cx, "patch", &body(json!({}))));
        }
        let state = world.system(|cx| Ok(cx.directory()?.templates.get("patch").unwrap().state));
        assert_eq!(state, enums::TemplateState::Approved, "{order:?}");
    }
    let world = World::new();
    world.system(|cx| {
        let owner = json!({"service": "pay", "role": "owner", "person": "olga"});
        set_service::set_ownership(cx, &body(owner)).map(drop)
    });
    world.by("rita", |cx| {
        let wanted = json!({"key": "patch", "title": "Patch", "services": ["pay"], "environments": ["production"],
            "locked": {"description": "d"}, "review_by": "2027-05-01T00:00:00Z"});
        set_template::propose_template(cx, &body(wanted))
    });
    world.by("mona", |cx| {
        set_template::approve_template(cx, "patch", &body(json!({})))
    });
    let state = world.system(|cx| Ok(cx.directory()?.templates.get("patch").unwrap().state));
    assert_eq!(state, enums::TemplateState::Proposed, "one person is never both");
}

#[test]
fn holidays_leave_days_on_which_somebody_works() {
    let world = World::new();
    let set = |count: i64| {
        let first = jiff::civil::date(2026, 12, 1);
        let days = (0..count).map(|day| first.saturating_add(jiff::ToSpan::days(day)));
        let holidays: Vec<_> = days
            .map(|date| json!({"date": date.to_string(), "title": "Rest"}))
            .collect();
        let hours = json!([{"day": "monday", "from": "08:00", "to": "17:00"}, {"day": "friday", "from": "08:00", "to": "17:00"}]);
        let wanted = json!({"key": "default", "zone": "Europe/Oslo", "hours": hours, "holidays": holidays});
        tried((&world, Actor::system()), move |cx| {
            set_calendar::set_calendar(cx, &body(wanted.clone())).map(drop)
        })
    };
    assert_eq!(set(30), None);
    assert_eq!(set(70).as_deref(), Some("no_working_hours"));
}

#[test]
fn whoever_reviewed_tests_or_validated_a_change_is_not_outside_of_it() {
    let world = World::new();
    world.system(|cx| {
        for who in ["nora", "vera", "tess"] {
            let made = json!({"login": who, "roles": ["requester", "owner"]});
            set_person::create_person(cx, &body(made))?;
        }
        let outside = json!({"name": "Outside", "members": ["nora", "vera", "tess"]});
        set_person::set_group(cx, "outside", &body(outside)).map(drop)
    });
    let look = |who: &'static str| {
        tried((&world, world.actor(who)), |cx| {
            let words = body(json!({"group": "outside", "text": "All is well."}));
            noun::add::<OutsideLook>(cx, &words).map(drop)
        })
    };
    let key = world.approved(world.draft("Reviewed"));
    assert_eq!(look("tess"), None, "nobody of them has a part yet");
    world.by("nora", move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let word = body(json!({"verdict": "agree", "content_digest": digest}));
        verbs::peer_review_change(cx, &key, &word).map(drop)
    });
    assert_eq!(look("nora").as_deref(), Some("not_outside"), "the peer");
    world.by("rita", |cx| {
        let tested = json!({"title": "Tested", "tester": "vera"});
        create_change::create_change(cx, &body(tested), &[])
    });
    assert_eq!(look("vera").as_deref(), Some("not_outside"), "the tester");
    assert_eq!(look("tess"), None);
}
