//! Agendas of boards: frozen with the items that need the board, votes before the meeting, items at it, minutes, series,
//! forecasts.

use std::collections::BTreeSet;

use acts::cab::agenda_pack::find_agenda_pack;
use acts::cab::board_forecasts::board_scores;
use acts::cab::board_pack::find_pack;
use acts::cab::{agenda, agenda_items, meetings, sign_minutes};
use acts::core::noun;
use acts::directory::set_person;
use acts::effects::run_timer::run_timer;
use acts::notify::action_items;
use acts::{Context, Error, Result};
use jiff::SignedDuration;
use model::cab::agenda::{Agenda, AgendaState};
use model::cab::agenda_item::{AgendaItem, ItemListing, ItemOutcome, ListingGround, digest_of};
use model::cab::board_forecast::BoardForecast;
use model::cab::meeting::{BoardDecision, Meeting};
use model::cab::meeting_series::MeetingSeries;
use model::cab::minutes::{minutes_of, verifies};
use model::change::record::Change;
use model::change::related_records::Message;
use model::core::enums::{AboutKind, ActionKind, ActionState, Level};
use model::core::refusal::Refusal;
use model::notify::action_item::{About, ActionItem};
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

const BOARD: &str = "@id(\"house.require.cab\")\n@reason(\"The board decides.\")\n@require(\"approval\")\n@from(\"group:cab\")\n\
    @quorum(\"2\")\n@covers(\"what\")\npermit (principal, action == Action::\"require\", resource);\n";

/// A world whose changes all need the board of olga and sam.
fn world() -> World {
    let world = World::with_policy(BOARD);
    world.system(|cx| {
        let group = body(json!({"name": "Board", "members": ["olga", "sam"]}));
        set_person::set_group(cx, "cab", &group).map(drop)
    });
    world
}

fn attempt<T: std::fmt::Debug + Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
) -> String {
    match world
        .executor
        .wait(Lane::Acts, TENANT, world.actor(login), Mode::Write, act)
    {
        Ok(_) => String::new(),
        Err(Error::Refused(Refusal::Invalid(errors))) => errors[0].code.clone(),
        Err(Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

/// A change that waits for its approvals; returns its key.
fn asked(world: &World, title: &str) -> String {
    let key = world.draft_at(title, ARTIFACT, ["2026-12-10T10:00:00Z", "2026-12-10T12:00:00Z"]);
    let (submitted, assessed) = (key.clone(), key.clone());
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &submitted));
    world.by("rita", move |cx| {
        acts::change::verbs::assess_change(cx, &assessed, &body(json!({"dependencies_reviewed": true})))
    });
    key
}

/// A meeting in four hours whose agenda is frozen in one; its id.
fn planned(world: &World) -> String {
    world.system(|cx| {
        let hours = |hours| (cx.now + SignedDuration::from_hours(hours)).to_string();
        let (starts_at, freeze_at) = (hours(4), hours(1));
        let meeting = json!({"group": "cab", "title": "Tuesday", "starts_at": starts_at});
        let meeting = meetings::open_meeting(cx, &body(meeting))?;
        let wanted = json!({"meeting": meeting.id, "freeze_at": freeze_at, "chair": "olga"});
        noun::add::<Agenda>(cx, &body(wanted)).map(|made| made.id.0)
    })
}

/// Lets so many hours pass and runs an agenda's due timers.
fn pass(world: &World, id: &str, hours: i64) -> (Agenda, Vec<AgendaItem>) {
    world.pass_seconds(hours * 3_600);
    let id = id.to_owned();
    world.system(move |cx| {
        run_timer(cx, "agenda", &id)?;
        let (agenda, _) = agenda::load_agenda(cx, &id)?;
        let items = agenda::items_of(cx, &agenda.id)?;
        Ok((agenda, items))
    })
}

fn attend(world: &World, login: &'static str, meeting: &str) {
    let id = meeting.to_owned();
    world.by(login, move |cx| meetings::attend_meeting(cx, &id, &body(json!({}))));
}

fn votes(world: &World, login: &'static str, key: &str, meeting: &str) -> String {
    let (key, meeting) = (key.to_owned(), meeting.to_owned());
    attempt(world, login, move |cx| {
        let digest = cx.change(&key)?.digests.content;
        let request = json!({"decision": "approve", "content_digest": digest, "meeting": meeting});
        acts::approval::verbs::approve_change(cx, &key, &body(request)).map(|_| ())
    })
}

#[test]
fn what_is_not_contested_is_decided_by_vote_and_the_chair_signs_what_came_of_it() {
    let world = world();
    let key = asked(&world, "Widen the column");
    let id = planned(&world);
    let (frozen, items) = pass(&world, &id, 1);
    assert_eq!((frozen.state, frozen.voted), (AgendaState::Frozen, false));
    assert_eq!(frozen.digest.as_deref(), Some(digest_of(&items).as_str()));
    assert_eq!(items.len(), 1);
    assert_eq!(
        (items[0].change_key.as_str(), items[0].listing),
        (key.as_str(), ItemListing::Vote)
    );
    let before = frozen.votes.unwrap().0;
    assert_eq!(votes(&world, "olga", &key, &before), "not_attending");
    for login in ["olga", "sam"] {
        attend(&world, login, &before);
        assert_eq!(votes(&world, login, &key, &before), "");
    }
    let decided = key.clone();
    let decisions = world.look(move |cx| Ok(cx.change(&decided)?.board_decisions)).unwrap();
    // The second person's coming makes the quorum for the first vote; their own vote joins it in a second decision.
    let (olga, sam) = (world.actor("olga").person, world.actor("sam").person);
    let both = |it: &BoardDecision| it.meeting.as_str() == before && it.present.len() == 2;
    assert!(decisions.iter().all(both), "the board decided before the meeting");
    let voted: Vec<BTreeSet<_>> = decisions
        .into_iter()
        .map(|it| it.approved_by.into_iter().collect())
        .collect();
    assert_eq!(voted, [BTreeSet::from([olga.clone()]), BTreeSet::from([olga, sam])]);

    let (begun, items) = pass(&world, &id, 3);
    assert!(begun.voted);
    assert_eq!(items[0].listing, ItemListing::Vote, "nothing is left for the meeting");
    let sign = |login: &'static str| {
        let id = id.clone();
        attempt(&world, login, move |cx| sign_minutes::sign_minutes(cx, &id))
    };
    assert_eq!(sign("sam"), "not_the_chair");
    attend(&world, "olga", &id);
    assert_eq!(sign("olga"), "");
    assert_eq!(sign("olga"), "signed");
    let kept = id.clone();
    let signed = world.look(move |cx| agenda::load_agenda(cx, &kept)).unwrap();
    let (signed, meeting) = signed;
    assert!(meeting.ended_at.is_some(), "signing ends the meeting");
    let minutes = minutes_of(&signed).unwrap();
    assert_eq!(
        (minutes.present.len(), minutes.by_vote.len(), minutes.absent.len()),
        (1, 1, 0)
    );
    assert_eq!(
        (minutes.items[0].outcome, minutes.items[0].yes),
        (ItemOutcome::Approved, 2)
    );
    assert!(verifies(&signed));
    let forged = Agenda {
        minutes: signed.minutes.as_ref().map(|text| text.replace("approved", "rejected")),
        ..signed
    };
    assert!(!verifies(&forged), "other minutes are not those that were signed");
    let sent = world.look(|cx| record::bodies::<Message>(cx.tx, &Filter::new().order_by("id")).map_err(Error::from));
    let sent = sent.unwrap().into_iter().filter(|it| it.topic == "minutes").count();
    assert_eq!(sent, 2);
    let pack = world.look(|cx| find_pack(cx, "2026-11")).unwrap();
    assert_eq!((pack.reviewed.len(), pack.changed()), (1, 0));
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_objection_moves_an_item_to_the_meeting_and_what_comes_later_waits_for_the_chair() {
    let world = world();
    let key = asked(&world, "Widen the column");
    let id = planned(&world);
    let (frozen, items) = pass(&world, &id, 1);
    let before = frozen.votes.clone().unwrap().0;
    let item = items[0].id.0.clone();
    let objects = |login: &'static str| {
        let item = item.clone();
        attempt(&world, login, move |cx| {
            agenda_items::object_to_vote(cx, &item, &body(json!({"reason": "The invoice run waits."})))
        })
    };
    assert_eq!(objects("rita"), "not_of_the_board");
    assert_eq!(objects("sam"), "");
    assert_eq!(objects("sam"), "decided_live");
    attend(&world, "olga", &before);
    assert_eq!(
        votes(&world, "olga", &key, &before),
        "not_on_agenda",
        "votes before the meeting have ended for it"
    );

    let late = asked(&world, "Renew the certificate");
    let (agenda, items) = pass(&world, &id, 3);
    assert_eq!(
        (items[0].listing, items[0].ground),
        (ItemListing::Live, ListingGround::Contested)
    );
    let shown = agenda.clone();
    let later = world.look(move |cx| agenda::later_items(cx, &shown)).unwrap();
    assert_eq!(later.iter().map(|it| &it.change_key).collect::<Vec<_>>(), [&late]);
    for login in ["olga", "sam"] {
        attend(&world, login, &id);
    }
    assert_eq!(votes(&world, "sam", &late, &id), "not_on_agenda");
    let adds = |login: &'static str| {
        let wanted = json!({"agenda": id, "change": late, "reason": "It ends on Friday."});
        attempt(&world, login, move |cx| {
            noun::add::<AgendaItem>(cx, &body(wanted.clone()))
        })
    };
    assert_eq!(adds("sam"), "not_allowed", "only the chair adds");
    assert_eq!(adds("olga"), "");
    assert_eq!(votes(&world, "sam", &late, &id), "");

    let turns = |login: &'static str, wanted: Value| {
        let item = item.clone();
        attempt(&world, login, move |cx| {
            agenda_items::take_turn(cx, &item, &body(wanted.clone()))
        })
    };
    assert_eq!(turns("sam", json!({})), "not_allowed");
    assert_eq!(turns("olga", json!({})), "");
    assert_eq!(turns("olga", json!({})), "missing", "it is before the board already");
    assert_eq!(turns("olga", json!({"minutes": 3})), "");
    let kept = item.clone();
    let begun = world
        .look(move |cx| Ok(record::load::<AgendaItem>(cx.tx, &kept)?.unwrap().record))
        .unwrap();
    assert_eq!(begun.added_minutes, 3);
    let ends = begun.box_ends_at().unwrap().duration_since(begun.begun_at.unwrap());
    assert_eq!(ends.as_mins(), begun.box_minutes + 3);
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_was_edited_after_the_freeze_is_not_voted_on() {
    let world = world();
    let key = asked(&world, "Widen the column");
    let id = planned(&world);
    let (frozen, _) = pass(&world, &id, 1);
    let before = frozen.votes.clone().unwrap();
    attend(&world, "olga", before.as_str());
    let listed = before.clone();
    world.system(move |cx| {
        let stored = record::load::<Meeting>(cx.tx, listed.as_str())?.unwrap().record;
        let mut rows = stored.listed.clone().unwrap();
        rows[0].content_digest = "sha256:00".to_owned();
        let other = Meeting {
            listed: Some(rows),
            ..stored
        };
        cx.put_estate("meeting.listed", other, json!({})).map(drop)
    });
    assert_eq!(votes(&world, "olga", &key, before.as_str()), "not_on_agenda");
}

#[test]
fn a_meeting_of_a_group_without_members_is_not_opened() {
    let world = world();
    world.system(|cx| set_person::set_group(cx, "empty", &body(json!({"name": "Empty", "members": []}))).map(drop));
    let opens = |group: &'static str| {
        attempt(&world, "mona", move |cx| {
            meetings::open_meeting(cx, &body(json!({"group": group, "title": "Tuesday"})))
        })
    };
    assert_eq!((opens("empty"), opens("cab")), ("no_members".to_owned(), String::new()));
    // The members of a board that meets by a rule leave, and come back.
    let series = world.by("mona", |cx| {
        let first = (cx.now + SignedDuration::from_hours(24 * 40)).to_string();
        let wanted =
            json!({"group": "cab", "title": "Review", "starts_at": first, "rrule": "FREQ=MONTHLY", "chair": "olga"});
        noun::add::<MeetingSeries>(cx, &body(wanted)).map(|made| made.id.0)
    });
    world.pass_seconds(38 * 24 * 3_600);
    let meetings_with = |members: &'static [&'static str]| {
        let id = series.clone();
        world.system(move |cx| {
            set_person::set_group(cx, "cab", &body(json!({"name": "Board", "members": members})))?;
            run_timer(cx, "meeting_series", &id)?;
            Ok(record::count::<Meeting>(cx.tx, &Filter::new())?)
        })
    };
    assert_eq!(meetings_with(&[]), 1, "nobody would meet");
    assert_eq!(meetings_with(&["olga", "sam"]), 2);
}

#[test]
fn a_frozen_pack_is_kept_and_a_month_that_is_over_looks_ahead_from_its_end() {
    let world = world();
    let id = world.system(|cx| {
        let hours = |hours| (cx.now + SignedDuration::from_hours(hours)).to_string();
        let (starts_at, freeze_at) = (hours(4), hours(1));
        let meeting = json!({"group": "cab", "title": "Review", "starts_at": starts_at});
        let meeting = meetings::open_meeting(cx, &body(meeting))?;
        let wanted = json!({"meeting": meeting.id, "freeze_at": freeze_at, "chair": "olga", "month": "2026-10"});
        noun::add::<Agenda>(cx, &body(wanted)).map(|made| made.id.0)
    });
    let (frozen, _) = pass(&world, &id, 1);
    let pack: Value = serde_json::from_str(frozen.pack.as_deref().unwrap()).unwrap();
    assert_eq!(pack["month"], "2026-10");
    assert_eq!(proof::canonical::digest(&pack).ok(), frozen.pack_digest);

    let key = asked(&world, "Widen the column");
    world.system(move |cx| {
        let change = cx.change(&key)?;
        let mut high = Change {
            id: "high".into(),
            key: "CHG-1".to_owned(),
            number: 1,
            ..change
        };
        high.risk.level = Level::High;
        Ok(record::insert(cx.tx, &high, "{}")?)
    });
    let ahead = |month: &'static str| {
        let pack = world.look(move |cx| find_pack(cx, month)).unwrap();
        pack.upcoming.len()
    };
    assert_eq!((ahead("2026-10"), ahead("2026-11")), (0, 1));
}

#[test]
fn a_change_behind_a_thousand_others_that_are_open_needs_the_board_as_well() {
    let world = world();
    let id = planned(&world);
    let key = asked(&world, "Widen the column");
    let k = key.clone();
    // Older ones, which wait for others than the board.
    world.system(move |cx| {
        let change = cx.change(&k)?;
        for number in change.number - 1_000..change.number {
            let other = Change {
                id: format!("c{number}").as_str().into(),
                key: format!("CHG-{number}"),
                number,
                requests: Vec::new(),
                planned_start: None,
                planned_end: None,
                ..change.clone()
            };
            record::insert(cx.tx, &other, "{}")?;
        }
        Ok(())
    });
    let pack = world.look(move |cx| find_agenda_pack(cx, &id)).unwrap();
    let keys: Vec<String> = pack.items.into_iter().map(|it| it.item.change_key).collect();
    assert_eq!(keys, [key]);
}

#[test]
fn an_agenda_is_planned_before_its_meeting_by_a_board_that_has_members() {
    let world = world();
    world.system(|cx| set_person::set_group(cx, "empty", &body(json!({"name": "Empty", "members": []}))).map(drop));
    let plans = |group: &'static str, [starts, freezes]: [i64; 2], chair: &'static str| {
        attempt(&world, "mona", move |cx| {
            let at = |minutes| (cx.now + SignedDuration::from_mins(minutes)).to_string();
            let (starts_at, freeze_at) = (at(starts), at(freezes));
            let meeting = json!({"group": group, "title": "Tuesday", "starts_at": starts_at});
            let meeting = meetings::open_meeting(cx, &body(meeting))?;
            let wanted = json!({"meeting": meeting.id, "freeze_at": freeze_at, "chair": chair});
            noun::add::<Agenda>(cx, &body(wanted))
        })
    };
    assert_eq!(plans("cab", [600, 60], "olga"), "");
    assert_eq!(plans("empty", [600, 60], "olga"), "no_members");
    assert_eq!(plans("cab", [600, 60], "rita"), "not_of_the_board");
    assert_eq!(plans("cab", [600, 660], "olga"), "too_late");
    assert_eq!(plans("cab", [3_000, 60], "olga"), "too_early");
    assert_eq!(plans("cab", [0, 60], "olga"), "has_begun");
}

#[test]
fn a_series_plans_its_next_meeting_once_with_the_month_that_it_reviews() {
    let world = world();
    let add = |rule: &'static str, days: i64| {
        attempt(&world, "mona", move |cx| {
            let first = (cx.now + SignedDuration::from_hours(24 * days)).to_string();
            let wanted = json!({"group": "cab", "title": "Review", "starts_at": first, "rrule": rule, "chair": "olga",
                "review": true});
            noun::add::<MeetingSeries>(cx, &body(wanted))
        })
    };
    assert_ne!(add("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", 2), "", "it never comes");
    assert_eq!(add("FREQ=HOURLY", 2), "not_a_rule");
    assert_eq!(add("FREQ=MONTHLY", -2), "in_the_past");
    assert_eq!(add("FREQ=MONTHLY", 2), "");
    let plan = || {
        world.look(|cx| {
            let series = noun::list::<MeetingSeries>(cx)?;
            let agendas = agenda::agendas_of(cx, &"cab".into())?;
            Ok((series, agendas))
        })
    };
    let (series, agendas) = plan().unwrap();
    assert_eq!((series.len(), agendas.len()), (1, 1));
    assert_eq!(agendas[0].month.as_deref(), Some("2026-10"));
    let id = series[0].id.0.clone();
    world.system(move |cx| run_timer(cx, "meeting_series", &id));
    assert_eq!(plan().unwrap().1.len(), 1, "the same meeting is planned once");
    world.sequence();
    world.assert_replays();
}

/// An action item of the board for one of its meetings.
fn item(world: &World, what: &str, meeting: &str) -> Option<ActionItem> {
    let (about, part) = (About::new(AboutKind::Board, "cab"), format!("{what}/{meeting}"));
    let found = world.look(move |cx| action_items::find(cx, ActionKind::Other, &about, &part));
    found.unwrap()
}

#[test]
fn the_chair_has_the_minutes_to_sign_until_they_are_signed() {
    let world = world();
    let id = planned(&world);
    assert!(item(&world, "minutes", &id).is_none(), "the agenda is open");
    pass(&world, &id, 1);
    let asked = item(&world, "minutes", &id).unwrap();
    assert_eq!(
        (asked.state, asked.owner),
        (ActionState::Open, Some(world.actor("olga").person))
    );
    let at = id.clone();
    world.by("mona", move |cx| {
        noun::edit::<Agenda>(cx, &at, &body(json!({"chair": "sam"})))
    });
    let asked = item(&world, "minutes", &id).unwrap();
    assert_eq!(
        (asked.state, asked.owner),
        (ActionState::Open, Some(world.actor("sam").person))
    );
    pass(&world, &id, 3);
    let at = id.clone();
    world.by("sam", move |cx| sign_minutes::sign_minutes(cx, &at));
    assert_eq!(item(&world, "minutes", &id).unwrap().state, ActionState::Done);
    world.assert_replays();
}

#[test]
fn a_chair_who_left_the_board_is_to_be_replaced() {
    let world = world();
    let planned = attempt(&world, "mona", move |cx| {
        let first = (cx.now + SignedDuration::from_hours(24 * 20)).to_string();
        let wanted =
            json!({"group": "cab", "title": "Review", "starts_at": first, "rrule": "FREQ=MONTHLY", "chair": "olga"});
        noun::add::<MeetingSeries>(cx, &body(wanted))
    });
    assert_eq!(planned, "");
    world.system(|cx| {
        let group = body(json!({"name": "Board", "members": ["sam"]}));
        set_person::set_group(cx, "cab", &group).map(drop)
    });
    world.pass_seconds(13 * 24 * 3_600);
    let series = world.look(noun::list::<MeetingSeries>).unwrap().remove(0).id.0;
    world.system(move |cx| run_timer(cx, "meeting_series", &series));
    let agendas = world.look(|cx| agenda::agendas_of(cx, &"cab".into())).unwrap();
    let id = agendas[0].id.0.clone();
    assert_eq!(item(&world, "chair", &id).unwrap().state, ActionState::Open);
    let at = id.clone();
    world.by("mona", move |cx| {
        noun::edit::<Agenda>(cx, &at, &body(json!({"chair": "sam"})))
    });
    assert_eq!(item(&world, "chair", &id).unwrap().state, ActionState::Done);
    let at = id.clone();
    world.by("mona", move |cx| meetings::end_meeting(cx, &at));
    assert!(
        item(&world, "minutes", &id).is_none(),
        "it is called off before its agenda is frozen"
    );
    world.assert_replays();
}

#[test]
fn members_forecast_before_the_work_and_nobody_else_does() {
    let world = world();
    let key = asked(&world, "Widen the column");
    let id = planned(&world);
    pass(&world, &id, 1);
    let forecasts = |login: &'static str, percent: i64| {
        let wanted = json!({"agenda": id, "change": key, "percent": percent});
        attempt(&world, login, move |cx| {
            noun::add::<BoardForecast>(cx, &body(wanted.clone()))
        })
    };
    assert_eq!(forecasts("rita", 50), "not_of_the_board");
    assert_ne!(forecasts("olga", 101), "");
    assert_eq!(forecasts("olga", 90), "");
    assert_eq!(forecasts("olga", 70), "", "another one takes its place");
    let scores = world.look(|cx| board_scores(cx, &"cab".into())).unwrap();
    assert_eq!(
        (scores.len(), scores[0].given, scores[0].compared, scores[0].brier),
        (1, 1, 0, None)
    );
    world.sequence();
    world.assert_replays();
}
