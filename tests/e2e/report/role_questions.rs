//! Nine roles with three questions each: every result is compared with a count over the lists that shares no code with it. The
//! place of each result for people is in docs/guide/dashboards.md.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tests::faults::eventually;
use tests::{Place, Server};

type Counts = BTreeMap<String, i64>;

/// The demo, and all of its changes as a reader of everything lists them.
struct Demo<'s> {
    server: &'s Server,
    changes: Vec<Value>,
    /// Each question that was checked.
    asked: RefCell<BTreeSet<String>>,
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// Whether a time of a record lies in a window.
fn within(value: &Value, (from, to): (Timestamp, Timestamp)) -> bool {
    value.is_string() && from <= at(value) && at(value) < to
}

fn is_open(change: &Value) -> bool {
    !["closed", "cancelled", "rejected"].contains(&change["state"].as_str().unwrap())
}

fn minutes(from: &Value, to: &Value) -> i64 {
    at(to).duration_since(at(from)).as_mins()
}

/// The value in the middle, the lower one of two.
fn middle(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

impl<'s> Demo<'s> {
    fn open(server: &'s Server) -> Self {
        let demo = Self {
            server,
            changes: Vec::new(),
            asked: RefCell::default(),
        };
        eventually("the figures reach the end of the log", || {
            let shown = demo.get("executive", "/metrics/success_share");
            shown["projected_to"] == shown["log_size"] && whole(&shown["of"]) > 0
        });
        let changes = demo.all("executive", "/changes");
        Self { changes, ..demo }
    }

    fn get(&self, role: &str, path: &str) -> Value {
        let path = format!("/api/v1{path}");
        self.server.must("GET", &path, &self.server.token(role), None)
    }

    fn all(&self, role: &str, path: &str) -> Vec<Value> {
        let (mut items, mut after) = (Vec::new(), String::new());
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(role, &format!("{path}{joint}limit=200{after}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return items,
            }
        }
    }

    /// The rows of a tile of a dashboard by their ids, and when it was counted.
    fn tile(&self, role: &str, (dashboard, tile): (&str, &str), query: &str) -> (Counts, Timestamp) {
        let shown = self.get(role, &format!("/dashboards/{dashboard}/figures?{query}"));
        let mut tiles = shown["tiles"].as_array().unwrap().iter();
        let found = tiles.find(|it| it["id"] == tile).unwrap();
        let rows = found["rows"].as_array().unwrap().iter();
        let rows = rows.map(|row| (text(&row["id"]), whole(&row["count"])));
        (rows.collect(), at(&shown["at"]))
    }

    /// A figure with its window and how much of it is left out by rule.
    fn figure(&self, role: &str, path: &str) -> (Value, (Timestamp, Timestamp), i64) {
        let shown = self.get(role, &format!("/metrics/{path}"));
        let window = (at(&shown["from"]), at(&shown["to"]));
        let left_out = shown["excluded"].as_object().unwrap().values().map(whole).sum();
        (shown, window, left_out)
    }

    /// The number of matching changes, by one of their values.
    fn by(&self, is: impl Fn(&Value) -> bool, word: impl Fn(&Value) -> String) -> Counts {
        let mut counts = Counts::new();
        for change in self.changes.iter().filter(|it| is(it)) {
            *counts.entry(word(change)).or_default() += 1;
        }
        counts
    }

    fn count(&self, is: impl Fn(&Value) -> bool) -> i64 {
        self.by(is, |_| String::new()).values().sum()
    }

    /// The changes whose work ended in a window with an outcome.
    fn ended(&self, window: (Timestamp, Timestamp)) -> Vec<&Value> {
        let changes = self.changes.iter();
        let has_ended = |it: &&Value| within(&it["actual_end"], window) && it["succeeded"].is_boolean();
        changes.filter(has_ended).collect()
    }

    /// The work on targets in production that ended in a window: the change and the target.
    fn deployed(&self, window: (Timestamp, Timestamp)) -> Vec<(&Value, &Value)> {
        let targets = self.changes.iter().flat_map(|change| {
            let targets = change["targets"].as_array().unwrap().iter();
            targets.map(move |target| (change, target))
        });
        let is_it = |(_, it): &(&Value, &Value)| {
            it["environment"] == "production" && it["outcome"].is_string() && within(&it["actual_end"], window)
        };
        targets.filter(is_it).collect()
    }

    /// The people and roles that decisions wait for, by the approval requirements of each undecided change.
    fn waiting(&self) -> Counts {
        let mut counts = Counts::new();
        let is_undecided = |it: &&Value| ["assessing", "authorizing"].contains(&it["state"].as_str().unwrap());
        for change in self.changes.iter().filter(is_undecided) {
            let path = format!("/changes/{}/requirements", text(&change["key"]));
            let unmet = self.get("executive", &path);
            let people: BTreeSet<String> = unmet["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|it| it["step"] == "approval")
                .flat_map(|it| it["waiting_on"].as_array().cloned().unwrap_or_default())
                .map(|it| text(&it))
                .collect();
            for person in people {
                *counts.entry(person).or_default() += 1;
            }
        }
        counts
    }

    /// The open incidents by severity; of one service alone unless it is empty.
    fn incidents(&self, service: &str) -> Counts {
        let mut counts = Counts::new();
        for it in self.all("commander", "/incidents") {
            let mut services = it["services"].as_array().unwrap().iter();
            if it["state"] == "open" && (service.is_empty() || services.any(|key| key == service)) {
                *counts.entry(whole(&it["severity"]).to_string()).or_default() += 1;
            }
        }
        counts
    }

    fn answered(&self, role: &str, question: &str) {
        let is_new = self.asked.borrow_mut().insert(format!("{role}: {question}"));
        assert!(is_new, "{role}: {question}");
    }

    fn login(&self, role: &str) -> String {
        text(&self.server.person(role)["login"])
    }
}

/// Rows with a count of zero are on a tile and in no count.
fn some(mut counts: Counts) -> Counts {
    counts.retain(|_, count| *count > 0);
    counts
}

fn of_requesters(demo: &Demo<'_>) {
    let me = demo.login("requester");
    let (own, _) = demo.tile("requester", ("requester", "own"), "");
    let wanted = demo.by(
        |it| is_open(it) && it["requester"] == me.as_str(),
        |it| text(&it["state"]),
    );
    assert_eq!(some(own), wanted);
    assert!(!wanted.is_empty(), "the requester of the demo has open changes");
    demo.answered("requester", "Which of my changes are open, and in which state?");
    let (waiting, _) = demo.tile("requester", ("requester", "waiting"), "");
    assert_eq!(waiting, demo.waiting());
    demo.answered("requester", "Whom do decisions wait for?");
    let (freezes, now) = demo.tile("requester", ("requester", "freezes"), "");
    let ahead = demo.all("requester", "/freezes").into_iter().filter(|it| {
        let until = now + hours(14 * 24);
        at(&it["starts_at"]) < until && (it["ends_at"].is_null() || at(&it["ends_at"]) > now)
    });
    let ahead: BTreeSet<String> = ahead.map(|it| text(&it["id"])).collect();
    assert_eq!(freezes.into_keys().collect::<BTreeSet<String>>(), ahead);
    demo.answered("requester", "Which freeze is ahead?");
}

fn of_approvers(demo: &Demo<'_>) {
    let me = demo.login("owner");
    let (waiting, _) = demo.tile("owner", ("approver", "waiting"), "");
    assert_eq!(waiting.get(&me), demo.waiting().get(&me));
    demo.answered("approver", "What waits for me?");
    let (shown, _, _) = demo.figure("owner", "time_to_approve?by=approver");
    let groups = shown["groups"].as_array().unwrap();
    let rows = demo.all("owner", &format!("/metrics/time_to_approve/rows?approver={me}"));
    let counted: Vec<&Value> = rows.iter().filter(|it| it["counted"] == "hit").collect();
    assert_eq!((groups.len(), &groups[0]["group"]), (1, &Value::from(me.as_str())));
    assert_eq!(groups[0]["of"], counted.len());
    let total: i64 = counted.iter().map(|it| whole(&it["minutes"])).sum();
    assert_eq!(groups[0]["total"], total);
    demo.answered("approver", "How long do my decisions take?");
    let (items, _) = demo.tile("owner", ("approver", "items"), "");
    let overdue = demo.all("owner", "/action-items?open=true&overdue=true");
    assert_eq!(items["overdue"], i64::try_from(overdue.len()).unwrap());
    demo.answered("approver", "Which action items are overdue?");
}

fn of_service_owners(demo: &Demo<'_>) {
    let service = "label-print";
    let has = |it: &Value| {
        it["targets"]
            .as_array()
            .unwrap()
            .iter()
            .any(|target| target["service"] == service)
    };
    let (states, _) = demo.tile("owner", ("service_owner", "states"), &format!("service={service}"));
    assert_eq!(
        some(states),
        demo.by(|it| is_open(it) && has(it), |it| text(&it["state"]))
    );
    demo.answered("service_owner", "What is open on my service?");
    for service in ["customs-gateway", service] {
        let (incidents, _) = demo.tile("owner", ("service_owner", "incidents"), &format!("service={service}"));
        assert_eq!(incidents, demo.incidents(service), "{service}");
    }
    demo.answered("service_owner", "Which incidents are open on it?");
    let (shown, window, left_out) = demo.figure("owner", "change_failure_rate?service=wms");
    let work = demo.deployed(window).into_iter();
    let work: Vec<&Value> = work.map(|(_, it)| it).filter(|it| it["service"] == "wms").collect();
    let failed = work
        .iter()
        .filter(|it| !text(&it["outcome"]).starts_with("succeeded"))
        .count();
    let (hits, failed) = (whole(&shown["hits"]), i64::try_from(failed).unwrap());
    assert_eq!(whole(&shown["of"]) + left_out, i64::try_from(work.len()).unwrap());
    assert!(hits <= failed && failed <= hits + left_out && hits > 0, "{shown}");
    demo.answered("service_owner", "How many of its deployments failed?");
}

fn of_change_managers(demo: &Demo<'_>) {
    let (shown, window, _) = demo.figure("change_manager", "success_share?by=category");
    let ended = demo.ended(window);
    let groups = shown["groups"].as_array().unwrap();
    assert!(groups.len() > 1, "{shown}");
    for group in groups {
        let of_group: Vec<&&Value> = ended.iter().filter(|it| it["category"] == group["group"]).collect();
        let left_out: i64 = group["excluded"].as_object().unwrap().values().map(whole).sum();
        let misses = of_group.iter().filter(|it| it["succeeded"] == false).count();
        assert_eq!(
            whole(&group["of"]) + left_out,
            i64::try_from(of_group.len()).unwrap(),
            "{group}"
        );
        assert!(
            whole(&group["of"]) - whole(&group["hits"]) <= i64::try_from(misses).unwrap(),
            "{group}"
        );
    }
    demo.answered("change_manager", "Why did success fall?");
    let asked = "category=database";
    let (shown, _, _) = demo.figure("change_manager", &format!("time_to_approve?by=rule&{asked}"));
    let mut minutes = Counts::new();
    for row in demo.all("change_manager", &format!("/metrics/time_to_approve/rows?{asked}")) {
        if row["counted"] == "hit" {
            *minutes.entry(text(&row["rule"])).or_default() += whole(&row["minutes"]);
        }
    }
    let timed: Vec<&Value> = shown["groups"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["total"].is_i64())
        .collect();
    for group in &timed {
        assert_eq!(whole(&group["total"]), minutes[&text(&group["group"])], "{group}");
    }
    let most = timed.iter().map(|it| whole(&it["total"])).max();
    let slowest = shown["bottleneck"]["group"].as_str().map(|rule| minutes[rule]);
    assert_eq!(slowest, most.filter(|minutes| *minutes > 0));
    assert!(slowest.is_some(), "{shown}");
    demo.answered("change_manager", "Who is the bottleneck for changes to databases?");
    let (ages, now) = demo.tile("change_manager", ("change_manager", "ages"), "");
    let age = |it: &Value| {
        let age = now.duration_since(at(&it["created_at"])).as_hours();
        let name = match age {
            ..24 => "day",
            24..168 => "week",
            168..720 => "month",
            _ => "older",
        };
        name.to_owned()
    };
    assert_eq!(some(ages), demo.by(is_open, age));
    demo.answered("change_manager", "How old is the backlog?");
}

fn of_boards(demo: &Demo<'_>) {
    let (waiting, _) = demo.tile("security", ("board", "waiting"), "");
    assert_eq!(waiting, demo.waiting());
    demo.answered("board", "What is undecided, and at whom?");
    let (risk, now) = demo.tile("security", ("board", "risk"), "");
    let ahead = (now, now + hours(14 * 24));
    let is_ahead = |it: &Value| is_open(it) && within(&it["planned_start"], ahead);
    assert_eq!(some(risk), demo.by(is_ahead, |it| text(&it["risk"]["level"])));
    demo.answered("board", "Which risks are ahead?");
    let (failures, now) = demo.tile("security", ("board", "failures"), "");
    let window = (now - hours(30 * 24), now + hours(1));
    for outcome in ["failed", "rolled_back", "rollback_failed", "partially_implemented"] {
        let is_it = |it: &Value| it["outcome"] == outcome && within(&it["actual_end"], window);
        let wanted = demo.count(|it| is_it(it) || it["targets"].as_array().unwrap().iter().any(is_it));
        assert_eq!(failures[outcome], wanted, "{outcome}");
    }
    demo.answered("board", "What failed in the last 30 days?");
}

fn of_commanders(demo: &Demo<'_>) {
    let (incidents, _) = demo.tile("commander", ("commander", "incidents"), "");
    assert_eq!(incidents, demo.incidents(""));
    assert!(!incidents.is_empty(), "the demo has an open incident");
    demo.answered("commander", "Which incidents are open, and how severe are they?");
    let (states, _) = demo.tile("commander", ("commander", "states"), "");
    assert_eq!(states["implementing"], demo.count(|it| it["state"] == "implementing"));
    demo.answered("commander", "What is under way right now?");
    let service = "label-print";
    let shown = demo.get("commander", &format!("/what-changed?service={service}"));
    let (from, before) = (at(&shown["from"]), at(&shown["before"]));
    let items = shown["items"].as_array().unwrap().iter();
    let own = items.filter(|it| it["distance"] == 0 && it["change"].is_string());
    let own: BTreeSet<String> = own.map(|it| text(&it["change"])).collect();
    let touches = |it: &&Value| {
        let mut targets = it["targets"].as_array().unwrap().iter();
        targets.any(|target| {
            let has_begun = target["actual_start"].is_string() && at(&target["actual_start"]) < before;
            let has_ended = target["actual_end"].is_string() && at(&target["actual_end"]) < from;
            target["service"] == service && has_begun && !has_ended
        })
    };
    let wanted: BTreeSet<String> = demo.changes.iter().filter(touches).map(|it| text(&it["key"])).collect();
    assert_eq!(own, wanted);
    demo.answered("commander", "What changed on the service before?");
}

fn of_executives(demo: &Demo<'_>) {
    let (shown, window, left_out) = demo.figure("executive", "success_share");
    let ended = demo.ended(window);
    let good = ended.iter().filter(|it| it["succeeded"] == true).count();
    let (hits, good) = (whole(&shown["hits"]), i64::try_from(good).unwrap());
    assert_eq!(whole(&shown["of"]) + left_out, i64::try_from(ended.len()).unwrap());
    assert!(hits <= good && good <= hits + left_out, "{shown}");
    demo.answered("executive", "Do our changes succeed?");
    let (shown, window, _) = demo.figure("executive", "emergency_volume");
    let wanted = demo.count(|it| it["kind"] == "emergency" && within(&it["created_at"], window));
    let weeks = shown["weeks"].as_array().unwrap().iter();
    assert_eq!(weeks.map(|it| whole(&it["count"])).sum::<i64>(), wanted);
    assert_eq!(whole(&shown["hits"]), wanted);
    demo.answered("executive", "Are emergencies on the rise?");
    let (shown, window, left_out) = demo.figure("executive", "written_to_done");
    let took = demo
        .ended(window)
        .into_iter()
        .filter(|it| at(&it["created_at"]) <= at(&it["actual_end"]));
    let took: Vec<i64> = took.map(|it| minutes(&it["created_at"], &it["actual_end"])).collect();
    assert_eq!(whole(&shown["of"]) + left_out, i64::try_from(took.len()).unwrap());
    if left_out == 0 {
        assert_eq!(whole(&shown["value"]), middle(took));
    }
    demo.answered("executive", "How long does a change take?");
}

fn of_auditors(demo: &Demo<'_>) {
    let (shown, window, _) = demo.figure("auditor", "emergency_share?by=kind");
    let kinds = demo.by(|it| within(&it["created_at"], window), |it| text(&it["kind"]));
    assert_eq!(whole(&shown["of"]), kinds.values().sum::<i64>());
    assert_eq!(
        whole(&shown["hits"]),
        kinds.get("emergency").copied().unwrap_or_default()
    );
    for group in shown["groups"].as_array().unwrap() {
        assert_eq!(whole(&group["of"]), kinds[&text(&group["group"])], "{group}");
    }
    let weeks = shown["share_weeks"].as_array().unwrap().iter();
    let of_weeks: i64 = weeks.map(|it| whole(&it["of"])).sum();
    assert!(of_weeks > 0 && of_weeks <= whole(&shown["of"]), "{shown}");
    demo.answered("auditor", "How many changes were emergencies?");
    let (shown, window, _) = demo.figure("auditor", "emergency_volume");
    let causes = shown["causes"].as_array().unwrap();
    let wanted = demo.count(|it| it["kind"] == "emergency" && within(&it["created_at"], window));
    assert_eq!(causes.iter().map(|it| whole(&it["counted"])).sum::<i64>(), wanted);
    assert!(
        causes.iter().all(|it| whole(&it["confirmed"]) <= whole(&it["counted"])),
        "{shown}"
    );
    demo.answered("auditor", "What caused them, and was that confirmed?");
    let log = demo.get("auditor", "/event-log?format=csv");
    let window = (at(&log["from"]), at(&log["to"]));
    let lines = log["text"].as_str().unwrap().lines().skip(1);
    let cases: BTreeSet<&str> = lines.filter_map(|line| line.split(',').next()).collect();
    let created = demo.changes.iter().filter(|it| within(&it["created_at"], window));
    let created: BTreeSet<&str> = created.map(|it| it["key"].as_str().unwrap()).collect();
    assert_eq!(cases, created);
    demo.answered("auditor", "Which events does each change have?");
}

fn of_platforms(demo: &Demo<'_>) {
    let (shown, window, left_out) = demo.figure("implementer", "deployment_frequency");
    let deployed = demo.deployed(window);
    assert_eq!(whole(&shown["of"]) + left_out, i64::try_from(deployed.len()).unwrap());
    demo.answered("platform", "How often do we deploy?");
    let (shown, window, left_out) = demo.figure("implementer", "lead_time");
    let took: Vec<i64> = demo
        .deployed(window)
        .into_iter()
        .filter(|(change, it)| {
            let is_success = text(&it["outcome"]).starts_with("succeeded");
            is_success && at(&change["created_at"]) <= at(&it["actual_end"])
        })
        .map(|(change, it)| minutes(&change["created_at"], &it["actual_end"]))
        .collect();
    if left_out == 0 {
        // A deployment that an incident spoiled has failed, and has no lead time.
        assert!(whole(&shown["of"]) <= i64::try_from(took.len()).unwrap(), "{shown}");
        if shown["of"] == took.len() {
            assert_eq!(whole(&shown["value"]), middle(took));
        }
    }
    demo.answered("platform", "How long is our lead time?");
    let submitted = |it: &Value| it["state"] != "draft";
    let fields = demo.all("admin", "/field-use");
    let use_of = |name: &str| fields.iter().find(|it| it["field"] == name).unwrap();
    for name in ["description", "objectives", "plan", "rollback_plan", "tester"] {
        let it = use_of(name);
        assert_eq!(whole(&it["asked"]), demo.count(submitted), "{name}");
        assert_eq!(
            whole(&it["filled"]),
            demo.count(|it| submitted(it) && !it[name].is_null()),
            "{name}"
        );
    }
    let items = demo.all("change_manager", "/action-items");
    let about = use_of("action_item.about");
    assert_eq!(whole(&about["asked"]), i64::try_from(items.len()).unwrap());
    let comments = use_of("approval.comment");
    assert!(
        whole(&comments["asked"]) > 0 && comments["is_read"] == false,
        "{comments}"
    );
    demo.answered("platform", "Which fields can we drop?");
}

#[test]
fn each_of_the_27_questions_of_nine_roles_has_the_answer_of_an_independent_count() {
    let place = Place::demo("role-questions");
    let server = Server::start(&place, true);
    let demo = Demo::open(&server);
    of_requesters(&demo);
    of_approvers(&demo);
    of_service_owners(&demo);
    of_change_managers(&demo);
    of_boards(&demo);
    of_commanders(&demo);
    of_executives(&demo);
    of_auditors(&demo);
    of_platforms(&demo);
    let asked = demo.asked.borrow();
    let roles: BTreeSet<&str> = asked.iter().filter_map(|it| it.split(": ").next()).collect();
    assert_eq!((asked.len(), roles.len()), (27, 9));
    // The guide names the place of each result.
    let guide = std::fs::read_to_string(tests::root().join("docs/guide/dashboards.md")).unwrap();
    for line in asked.iter() {
        let (role, question) = line.split_once(": ").unwrap();
        assert!(guide.contains(&format!("| {role} | {question} | ")), "{line}");
    }
}
