//! A major incident on a real store: its freeze follows it in the same transaction, its commander lets single changes through, and
//! the log rebuilds all of it.

use acts::approval::set_delegation::set_delegation;
use acts::core::noun;
use acts::directory::{set_person, set_service};
use acts::incident::{close_incident, command_incident, note_entry, set_incident, sign_exception, take_alert};
use acts::integration::set_connection::create_connection;
use acts::schedule::{edit_span, loosen_freeze, set_freeze};
use acts::{Context, Error, Result};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use model::core::enums::{IncidentState, TimelineKind};
use model::core::ids::RecordId;
use model::directory::snapshot::{Freeze, Incident};
use model::incident::entry::{IncidentEntry, MOST};
use model::integration::signal::Alert;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

type Act<T> = fn(&mut Context<'_, '_>, &str, &model::core::body::Body) -> Result<T>;

impl World {
    fn opened(&self, login: &'static str, wanted: Value) -> Incident {
        self.by(login, move |cx| set_incident::open_incident(cx, &body(wanted.clone())))
    }

    fn incident(&self, key: &str) -> Incident {
        let key = key.to_owned();
        self.look(move |cx| Ok(cx.directory()?.incidents.get(&key).unwrap().clone()))
            .unwrap()
    }

    /// The freezes that follow from an incident and are in force.
    fn follows(&self, key: &str) -> Vec<Freeze> {
        let key = key.to_owned();
        self.look(move |cx| {
            let directory = cx.directory()?;
            let own = |row: &&Freeze| row.course.major_incident.as_deref() == Some(key.as_str());
            Ok(directory.freezes.iter().filter(own).cloned().collect())
        })
        .unwrap()
    }

    /// One act with a fresh factor.
    fn tries<T: Send + 'static>(&self, login: &'static str, key: &str, wanted: Value, act: Act<T>) -> Result<T> {
        let actor = Actor {
            stepped_up_at: Some(self.executor.tools().clock.now()),
            ..self.actor(login)
        };
        let key = key.to_owned();
        self.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, move |cx| {
            act(cx, &key, &body(wanted.clone()))
        })
    }

    fn does<T: Send + 'static>(&self, login: &'static str, key: &str, wanted: Value, act: Act<T>) -> T {
        self.tries(login, key, wanted, act).unwrap()
    }

    /// A change of high risk: nobody states how hard it is. It is a draft, which is open.
    fn risky(&self, login: &'static str) -> String {
        let request = json!({
            "title": "Move it", "description": "d", "justification": "j", "category": "application",
            "impact": {"data": "high", "availability": "high", "compliance": "high"}, "complexity": "high",
            "targets": [{"service": "pay", "environment": "production"}],
        });
        self.by(login, move |cx| {
            acts::change::create_change::create_change(cx, &body(request.clone()), &[])
        })
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T>) -> &'static str {
    match answer {
        Err(Error::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    }
}

fn grave() -> Value {
    json!({"title": "Payments are down", "severity": 1, "services": ["pay"]})
}

fn until(world: &World) -> String {
    (world.executor.tools().clock.now() + SignedDuration::from_hours(1)).to_string()
}

#[test]
fn the_freeze_follows_its_incident_from_the_first_moment_to_the_last() {
    let world = World::new();
    let minor = world.opened("mona", json!({"title": "Slow", "severity": 3, "services": ["pay"]}));
    assert!(world.follows(&minor.key).is_empty());
    world.does("mona", &minor.key, json!({"severity": 1}), set_incident::edit_incident);
    let freezes = world.follows(&minor.key);
    assert_eq!(freezes.len(), 1, "{freezes:#?}");
    assert!(freezes[0].title.contains(&minor.key) && !freezes[0].halt);
    world.does(
        "mona",
        &minor.key,
        json!({"severity": 4, "title": "Slower"}),
        set_incident::edit_incident,
    );
    let moved = world.follows(&minor.key);
    assert_eq!(
        (moved.len(), &moved[0].id),
        (1, &freezes[0].id),
        "a lower severity ends nothing"
    );
    assert!(moved[0].title.contains("Slower"));
    world.assert_replays();
    let now = world.executor.tools().clock.now().to_string();
    world.does(
        "mona",
        &minor.key,
        json!({"resolved_at": now}),
        set_incident::edit_incident,
    );
    assert!(world.follows(&minor.key).is_empty());
    let again = json!({"resolved_at": null, "severity": 1});
    world.does("mona", &minor.key, again, set_incident::edit_incident);
    let second = world.follows(&minor.key);
    assert!(
        second.len() == 1 && second[0].id != freezes[0].id,
        "opened again, it freezes again"
    );
    world.verify(None);
    world.assert_replays();
}

#[test]
fn a_grave_incident_that_its_reporter_makes_not_major_says_why() {
    let world = World::new();
    let first = world.opened("mona", grave());
    world.does("mona", &first.key, json!({}), command_incident::command_incident);
    let reason = json!({"reason": "Nothing is wrong."});
    world.does("mona", &first.key, reason, command_incident::stand_down);
    let second = world.opened("mona", grave());
    assert!(second.course.major_since.is_none() && second.course.withheld_at.is_some());
    let key = second.key.clone();
    let entries = world.look(move |cx| note_entry::timeline(cx, &key)).unwrap();
    assert!(
        entries.iter().any(|row| row.text.contains("not a major incident")),
        "{entries:#?}"
    );
    // Nor does the reporter bring the service under the freeze of another incident.
    world.system(|cx| set_service::set_service(cx, &body(json!({"key": "web", "criticality": "low"}))).map(drop));
    let elsewhere = world.opened(
        "mona",
        json!({"title": "Web is down", "severity": 1, "services": ["web"]}),
    );
    assert!(elsewhere.is_major());
    let wider = json!({"services": ["pay", "web"]});
    let widened = world.tries("mona", &elsewhere.key, wider, set_incident::edit_incident);
    assert_eq!(code(widened), "own_request");
    // Neither the reporter nor an account that counts as theirs declares it; another person does.
    world.system(|cx| {
        for login in ["max", "mia"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["change_manager"]})))?;
        }
        Ok(())
    });
    let starts_at = world.executor.tools().clock.now().to_string();
    let lent = json!({"delegate": "mia", "starts_at": starts_at, "ends_at": until(&world), "reason": "Away"});
    world.by("mona", move |cx| set_delegation(cx, &body(lent.clone())).map(drop));
    let declares = |login: &'static str| {
        let reason = json!({"reason": "It is broken all the same."});
        world.tries(login, &second.key, reason, command_incident::declare_major)
    };
    assert_eq!(code(declares("mona")), "own_request");
    assert_eq!(code(declares("mia")), "own_request");
    let declared = declares("max").unwrap();
    assert!(declared.is_major() && declared.course.withheld_at.is_none());
    world.sequence();
    world.assert_replays();
}

#[test]
fn an_edit_is_in_the_timeline_and_an_implementer_takes_no_security_away() {
    let world = World::new();
    let wanted = json!({"title": "Slow", "severity": 3, "services": ["pay"], "kind": "security"});
    let key = world.opened("mona", wanted).key;
    let plain = json!({"kind": "service"});
    assert_eq!(
        code(world.tries("ivo", &key, plain.clone(), set_incident::edit_incident)),
        "not_yours"
    );
    world.does("ivo", &key, json!({"title": "Slower"}), set_incident::edit_incident);
    world.does("mona", &key, plain, set_incident::edit_incident);
    let entries = world.look(move |cx| note_entry::timeline(cx, &key)).unwrap();
    let has = |text: &str| entries.iter().any(|row| row.text == text && row.by.is_some());
    assert!(
        has("Title “Slow” → “Slower”") && has("Kind security → service"),
        "{entries:#?}"
    );
}

#[test]
fn nobody_moves_the_freeze_of_an_incident_by_hand() {
    let world = World::new();
    let incident = world.opened("mona", grave());
    let freeze = world.follows(&incident.key)[0].id.0.clone();
    let key = world.risky("rita");
    let reason = json!({"reason": "It is in the way."});
    let exception = json!({"change": key, "reason": "r"});
    assert_eq!(
        code(world.tries("mona", &freeze, reason, loosen_freeze::end_freeze)),
        "follows_incident"
    );
    let wider = json!({"title": "Mine"});
    assert_eq!(
        code(world.tries("mona", &freeze, wider, edit_span::edit_freeze)),
        "follows_incident"
    );
    assert_eq!(
        code(world.tries("mona", &freeze, exception, set_freeze::except_from_freeze)),
        "follows_incident"
    );
}

#[test]
fn a_signature_is_an_exception_with_an_end_that_is_reviewed_before_the_incident_is_closed() {
    let world = World::new();
    let incident = world.opened("mona", grave());
    let key = world.risky("rita");
    let wanted = json!({"change": key, "reason": "Customers wait.", "until": until(&world)});
    let sign: Act<Incident> = sign_exception::sign_exception;
    assert_eq!(
        code(world.tries("mona", &incident.key, wanted.clone(), sign)),
        "not_commander"
    );
    world.does("mona", &incident.key, json!({}), command_incident::command_incident);
    let signed = world.does("mona", &incident.key, wanted, sign);
    assert_eq!(signed.course.signatures.len(), 1);
    let exceptions = world.follows(&incident.key)[0].exceptions.clone();
    assert_eq!((exceptions.len(), exceptions[0].until.is_some()), (1, true));
    // An edit of the change ends it, and taking the edit back does not bring it again.
    let edit = |text: &'static str| {
        let key = key.clone();
        world.by("rita", move |cx| {
            acts::change::edit_change::edit_change(cx, &key, &body(json!({"description": text})))
        });
    };
    edit("other");
    edit("d");
    assert!(world.follows(&incident.key)[0].exceptions.is_empty());
    world.does(
        "mona",
        &incident.key,
        json!({"severity": 2}),
        set_incident::edit_incident,
    );
    assert!(
        world.follows(&incident.key)[0].exceptions.is_empty(),
        "nor does a move of the incident"
    );
    let now = world.executor.tools().clock.now().to_string();
    world.does(
        "mona",
        &incident.key,
        json!({"resolved_at": now}),
        set_incident::edit_incident,
    );
    let close: Act<Incident> = close_incident::close_incident;
    assert_eq!(
        code(world.tries("mona", &incident.key, json!({}), close)),
        "incident_not_done"
    );
    let review = json!({"change": key, "justified": false, "reason": "It could have waited."});
    let own = world.tries("mona", &incident.key, review.clone(), sign_exception::review_signature);
    assert_eq!(code(own), "own_request");
    world.system(|cx| {
        let max = json!({"login": "max", "roles": ["change_manager"]});
        acts::directory::set_person::create_person(cx, &body(max)).map(drop)
    });
    world.does("max", &incident.key, review, sign_exception::review_signature);
    let closed = world.does("mona", &incident.key, json!({}), close);
    assert_eq!(closed.state(), IncidentState::Closed);
    world.verify(None);
    world.assert_replays();
}

#[test]
fn a_commander_does_not_let_their_own_change_through() {
    let world = World::new();
    let incident = world.opened("mona", grave());
    let own = world.risky("mona");
    world.does("mona", &incident.key, json!({}), command_incident::command_incident);
    let wanted = json!({"change": own, "reason": "Mine.", "until": until(&world)});
    assert_eq!(
        code(world.tries("mona", &incident.key, wanted, sign_exception::sign_exception)),
        "own_request"
    );
}

#[test]
fn duplicates_are_merged_into_one_that_goes_on_and_never_into_a_ring() {
    let world = World::new();
    let one = world.opened(
        "mona",
        json!({"title": "One", "severity": 3, "external_ref": "jira:OPS-7"}),
    );
    let two = world.opened("mona", grave());
    let merge: Act<Incident> = close_incident::merge_incident;
    let into = |key: &str| json!({"into": key, "reason": "The same."});
    // The major one goes on in the other.
    world.does("mona", &two.key, into(&one.key), merge);
    let kept = world.incident(&one.key);
    assert!(kept.is_major() && kept.severity == 1 && kept.services == two.services);
    assert!(world.follows(&two.key).is_empty() && world.follows(&one.key).len() == 1);
    assert_eq!(code(world.tries("mona", &one.key, into(&two.key), merge)), "invalid");
    assert_eq!(code(world.tries("mona", &one.key, into(&one.key), merge)), "invalid");
    world.assert_replays();
}

#[test]
fn a_signature_that_nobody_reviewed_goes_with_a_merge() {
    let world = World::new();
    let one = world.opened("mona", json!({"title": "One", "severity": 3}));
    let two = world.opened("mona", grave());
    let key = world.risky("rita");
    world.does("mona", &two.key, json!({}), command_incident::command_incident);
    let wanted = json!({"change": key, "reason": "Customers wait.", "until": until(&world)});
    world.does("mona", &two.key, wanted, sign_exception::sign_exception);
    let into = json!({"into": one.key, "reason": "The same."});
    let merged = world.does("mona", &two.key, into, close_incident::merge_incident);
    let kept = world.incident(&one.key);
    assert_eq!((merged.unreviewed().count(), kept.unreviewed().count()), (0, 1));
    assert_eq!(merged.course.signatures.len(), 1, "none is ever taken out");
    assert!(
        kept.course.signatures[0].withdrawn_at.is_some(),
        "it lets nothing through the freeze of another"
    );
    assert!(world.follows(&one.key)[0].exceptions.is_empty());
    world.assert_replays();
}

#[test]
fn a_typed_reference_matches_no_alert_and_nobody_moves_that_of_a_source() {
    let world = World::new();
    let typed = world.opened(
        "mona",
        json!({"title": "Mine", "severity": 4, "external_ref": "pagerduty:p1"}),
    );
    let told = world.system(|cx| {
        let wanted = body(json!({"kind": "pagerduty", "name": "Pager", "map": []}));
        let connection = create_connection(cx, &wanted)?.0.id.0;
        let alert = Alert {
            source_key: "p1".to_owned(),
            is_over: false,
            reopens: false,
            tells_state: false,
            title: "Slow".to_owned(),
            services: vec!["pay".to_owned()],
            severity: 3,
            started_at: cx.now,
            later_starts: Vec::new(),
            told_at: None,
            told_number: None,
            ended_at: None,
        };
        let first = take_alert::take_alert(cx, &connection, &alert)?;
        Ok([first, take_alert::take_alert(cx, &connection, &alert)?])
    });
    assert!(
        told[0].ends_with("is opened") && told[1].ends_with("is known already"),
        "{told:?}"
    );
    let key = told[0].split(' ').next().unwrap();
    assert_ne!(key, typed.key);
    for (field, other) in [
        ("external_ref", "pagerduty:p1"),
        ("external_ref", "INC-7"),
        ("external_ref", "ask Ola"),
        ("external_keys", "ask Ola"),
        ("external_keys", "pagerduty:p1"),
    ] {
        let value = if field == "external_keys" {
            json!([other])
        } else {
            json!(other)
        };
        let opened = world.tries(
            "mona",
            "",
            json!({"title": "Two", "severity": 4, field: value}),
            |cx, _, body| set_incident::open_incident(cx, body),
        );
        assert_eq!(code(opened), "invalid", "{other}");
    }
    for other in [json!("pagerduty:p2"), Value::Null] {
        let edit = world.tries("mona", key, json!({"external_ref": other}), set_incident::edit_incident);
        assert_eq!(code(edit), "invalid");
    }
    world.does(
        "mona",
        &typed.key,
        json!({"external_ref": "jira:OPS-8"}),
        set_incident::edit_incident,
    );
}

#[test]
fn an_incident_takes_the_title_of_its_source_until_a_person_gives_it_another() {
    let world = World::new();
    let connection = world.system(|cx| {
        let wanted = body(json!({"kind": "jira", "name": "Issues", "map": []}));
        Ok(create_connection(cx, &wanted)?.0.id.0)
    });
    let report = |number: i64, title: &'static str| {
        let connection = connection.clone();
        world.pass_seconds(60);
        world.system(move |cx| {
            let alert = Alert {
                source_key: "issue/OPS-7".to_owned(),
                is_over: false,
                reopens: true,
                tells_state: true,
                title: title.to_owned(),
                services: vec!["pay".to_owned()],
                severity: 3,
                started_at: cx.now,
                later_starts: Vec::new(),
                told_at: Some(cx.now),
                told_number: Some(number),
                ended_at: None,
            };
            let told = take_alert::take_alert(cx, &connection, &alert)?;
            let key = told.split(' ').next().unwrap_or_default().to_owned();
            let title = cx.directory()?.incidents.get(&key).map(|it| it.title.clone());
            Ok((key, title.unwrap_or_default()))
        })
    };
    let (key, first) = report(1, "Slow");
    assert_eq!(first, "Slow");
    assert_eq!(report(2, "Payments fail"), (key.clone(), "Payments fail".to_owned()));
    world.does("mona", &key, json!({"severity": 2}), set_incident::edit_incident);
    assert_eq!(report(3, "Cards fail").1, "Cards fail", "another field was edited");
    world.does(
        "mona",
        &key,
        json!({"title": "No card works"}),
        set_incident::edit_incident,
    );
    assert_eq!(report(4, "All is well").1, "No card works");
    world.assert_replays();
}

#[test]
fn the_timeline_tells_who_noted_what_and_nothing_of_the_future() {
    let world = World::new();
    let incident = world.opened("mona", grave());
    let note = |at: Option<&str>| json!({"about": incident.key, "text": "The provider is called.", "at": at});
    let add: Act<IncidentEntry> = |cx, _, body| noun::add::<IncidentEntry>(cx, body);
    let entry = world.does("mona", "", note(None), add);
    assert!(entry.by.is_some());
    assert_eq!(
        code(world.tries("mona", "", note(Some("2030-01-01T00:00:00Z")), add)),
        "invalid"
    );
    let unknown = json!({"about": "INC-999", "text": "x"});
    assert_eq!(code(world.tries("mona", "", unknown, add)), "invalid");
    let key = incident.key.clone();
    let told = world.look(move |cx| note_entry::timeline(cx, &key)).unwrap();
    let texts: Vec<&str> = told.iter().map(|entry| entry.text.as_str()).collect();
    assert!(texts.contains(&"The provider is called."), "{texts:?}");
    assert!(
        texts.iter().any(|text| text.starts_with("Opened with severity 1")),
        "{texts:?}"
    );
    assert!(
        texts.iter().any(|text| text.starts_with("The freeze is in force")),
        "{texts:?}"
    );
    world.assert_replays();
}

#[test]
fn a_timeline_that_alerts_have_filled_still_tells_who_commands() {
    let world = World::new();
    let key = world.opened("mona", grave()).key;
    let about = key.clone();
    world.system(move |cx| {
        for number in 0..MOST {
            let entry = IncidentEntry {
                id: RecordId(cx.new_id()?),
                version: 0,
                about: about.clone(),
                at: cx.now,
                kind: TimelineKind::Alert,
                text: format!("Alert {number}"),
                by: None,
                recorded_at: cx.now,
            };
            cx.put_estate("incident_entry.added", entry, json!({}))?;
        }
        Ok(())
    });
    world.pass_seconds(60);
    let add: Act<IncidentEntry> = |cx, _, body| noun::add::<IncidentEntry>(cx, body);
    let note = json!({"about": key, "text": "One more."});
    assert_eq!(code(world.tries("mona", "", note, add)), "too_many");
    world.does("mona", &key, json!({}), command_incident::command_incident);
    let told = world.look(move |cx| note_entry::timeline(cx, &key)).unwrap();
    assert_eq!(told[0].kind, TimelineKind::Command, "{:?}", told[0]);
}
