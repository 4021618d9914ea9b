//! Every edit in the database past the server, in any recorded or derived column, is found: every column of every table with
//! rows, at random rows and places.
//!
//! `ASSENT_TEST_MUTATIONS` sets how often each column is changed; without it, two columns of each table are changed once. A
//! column that nobody compares fails the test.

use std::collections::BTreeMap;

use acts::audit::{replay_log, turn_key};
use acts::change::{link_change, record_entry};
use acts::core::{noun, signing_keys};
use model::audit::time_authority::TimeAuthority;
use model::audit::watched_log::WatchedLog;
use model::audit::witness::Witness;
use model::compliance::report_schedule::ReportSchedule;
use model::emergency::outside_look;
use model::gate::provenance;
use model::integration::dialect::Dialect;
use model::integration::outside_run::OutsideRun;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Value, json};
use store::queue::timer;

use crate::world::{ARTIFACT, TENANT, World, body};
use crate::{beside_rows, wave_rows};

/// Where each migration lies.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../store/migrations");

/// Columns without any second source, each with the reason.
const FREE: &[(&str, &str)] = &[
    // A text that went to another tenant is one that is gone, and that is what an erasure leaves.
    ("text_salt", "tenant"),
    // One that counts higher only makes verifiers take the list anew; one that counts lower than its entries is found.
    ("revocation_state", "epoch"),
    // An event of the system's log records when a key was made.
    ("signing_key", "created_at"),
];

/// The same numbers on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        // Xorshift, which is enough to choose places by.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Every recorded or derived column by table, as the migrations tag them.
pub(crate) fn columns() -> BTreeMap<String, Vec<String>> {
    let mut files: Vec<_> = std::fs::read_dir(MIGRATIONS)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    let is_sql = |file: &&std::path::PathBuf| file.extension().is_some_and(|it| it == "sql");
    let texts = files
        .iter()
        .filter(is_sql)
        .map(|file| std::fs::read_to_string(file).unwrap());
    for line in texts.collect::<String>().lines() {
        let word = |rest: &str| rest.split_whitespace().next().unwrap_or_default().replace('"', "");
        if let Some(rest) = line
            .strip_prefix("CREATE TABLE ")
            .or_else(|| line.strip_prefix("ALTER TABLE "))
        {
            table = word(rest);
        }
        if let Some(gone) = line.strip_prefix("DROP TABLE ") {
            found.remove(word(gone).trim_end_matches(';'));
        }
        let column = line.split(" ADD COLUMN ").last().unwrap_or_default();
        if line.contains("-- recorded") || line.contains("-- derived") {
            let columns = found.entry(table.clone()).or_default();
            // A table that was made anew under another key is named twice.
            if !columns.contains(&word(column)) {
                columns.push(word(column));
            }
        }
    }
    found
}

/// Another value than this one, of the same kind: one letter, one bit, one step aside.
fn other(cell: &Cell, dice: &mut Dice) -> Cell {
    match cell {
        Cell::Null => Cell::Text("x".to_owned()),
        Cell::Integer(0) => Cell::Integer(1),
        Cell::Integer(1) => Cell::Integer(0),
        Cell::Integer(number) => Cell::Integer(number + 1),
        Cell::Real(number) => Cell::Real(number + 1.0),
        Cell::Blob(bytes) if bytes.is_empty() => Cell::Blob(vec![1]),
        Cell::Blob(bytes) => {
            let mut bytes = bytes.clone();
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
            Cell::Blob(bytes)
        }
        Cell::Text(text) => {
            let places: Vec<usize> = text
                .char_indices()
                .filter(|(_, it)| it.is_ascii_alphanumeric())
                .map(|(at, _)| at)
                .collect();
            if places.is_empty() {
                return Cell::Text(format!("{text}x"));
            }
            let at = places[dice.below(places.len())];
            let mut bytes = text.clone().into_bytes();
            bytes[at] = match bytes[at] {
                b'z' => b'a',
                b'Z' => b'A',
                b'9' => b'1',
                byte => byte + 1,
            };
            Cell::Text(String::from_utf8(bytes).unwrap())
        }
    }
}

/// One place in the database.
struct Place<'c> {
    base: &'c Connection,
    table: &'c str,
    column: &'c str,
}

impl Place<'_> {
    fn rows(&self) -> Vec<i64> {
        let sql = format!(
            "SELECT rowid FROM \"{}\" WHERE tenant = '{TENANT}' ORDER BY rowid",
            self.table
        );
        let mut statement = self.base.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn read(&self, row: i64) -> Cell {
        let sql = format!("SELECT \"{}\" FROM \"{}\" WHERE rowid = ?1", self.column, self.table);
        self.base.query_row(&sql, [row], |row| row.get(0)).unwrap()
    }

    /// Writes past the server; `false` when the table itself does not take it.
    fn write(&self, row: i64, cell: &Cell) -> bool {
        let sql = format!(
            "UPDATE \"{}\" SET \"{}\" = ?1 WHERE rowid = ?2",
            self.table, self.column
        );
        let done = self
            .base
            .execute(&sql, params_from_iter([cell.clone(), Cell::Integer(row)]));
        done.is_ok()
    }
}

/// Something in the tables of the estate and of the directory.
fn furnish(world: &World) {
    use acts::approval::{set_absence, set_delegation};
    use acts::change::set_template;
    use acts::directory::{set_person, set_service};
    use acts::identity::{set_identity_provider, set_token};
    use acts::incident::set_incident;
    use acts::integration::{set_connection, set_webhook};
    use acts::schedule::{set_calendar, set_freeze};
    world.system(|cx| {
        set_person::set_group(
            cx,
            "eyes",
            &body(json!({"key": "eyes", "name": "Eyes", "members": ["sam", "olga"]})),
        )?;
        let mail = json!({"login": "uma", "roles": ["owner"], "name": "Uma", "email": "uma@halden.example", "accounts": ["github:uma"]});
        set_person::create_person(cx, &body(mail))?;
        set_service::set_service(cx, &body(json!({"key": "web", "name": "Web", "criticality": "low", "team": "Shop"})))?;
        set_service::set_environment(cx, &body(json!({"key": "lab", "name": "Lab"})))?;
        set_service::set_config_item(cx, &body(json!({"key": "web-1", "service": "web"})))?;
        set_service::set_dependency(cx, &body(json!({"from": "web", "to": "pay"})))?;
        let place = json!({"title": "Sunday", "starts_at": "2027-01-03T08:00:00Z", "ends_at": "2027-01-03T12:00:00Z",
            "services": ["web"], "environments": ["lab"], "reason": "Audit."});
        let mut window = body(place.clone());
        window.remove("reason");
        set_service::set_window(cx, &window)?;
        set_freeze::set_freeze(cx, &body(place))?;
        set_incident::open_incident(
            cx,
            &body(json!({"title": "Slow", "severity": 2, "services": ["web"], "started_at": "2026-11-20T07:00:00Z"})),
        )?;
        set_calendar::set_calendar(
            cx,
            &body(json!({"key": "oslo", "name": "Oslo", "zone": "Europe/Oslo", "hours": [{"day": "monday", "from": "08:00", "to": "16:00"}]})),
        )?;
        set_absence::set_absence(
            cx,
            &body(json!({"person": "sam", "starts_at": "2026-12-20T07:00:00Z", "ends_at": "2026-12-28T07:00:00Z"})),
        )?;
        set_delegation::set_delegation(
            cx,
            &body(json!({"delegator": "olga", "delegate": "uma", "starts_at": "2026-12-20T07:00:00Z",
                "ends_at": "2026-12-28T07:00:00Z", "reason": "Away."})),
        )?;
        set_token::create_token(cx, &body(json!({"name": "ci", "person": "pipe", "scopes": ["gate"]})))?;
        set_connection::create_connection(cx, &body(json!({"kind": "github", "name": "Hub", "map": []})))?;
        set_webhook::create_webhook(
            cx,
            &body(json!({"name": "Out", "url": "https://hooks.example/in", "kinds": ["change.*"]})),
        )?;
        acts::integration::set_sink::create_sink(
            cx,
            &body(json!({"name": "Siem", "url": "tls://siem.example:6514", "format": "cef", "kinds": ["change.*"]})),
        )?;
        set_identity_provider::set_identity_provider(
            cx,
            "idp",
            &body(json!({"name": "Idp", "issuer": "https://id.example", "client_id": "assent"})),
        )?;
        Ok(())
    });
    furnish_rarer(world);
    furnish_outsiders(world);
    furnish_dashboards(world);
    let template = body(json!({
        "key": "restart", "title": "Restart", "services": ["web"], "environments": ["lab"], "free": ["planned_start", "planned_end"],
        "locked": {"category": "application", "complexity": "low", "description": "d", "justification": "j",
            "plan": [{"title": "One"}], "rollback_plan": [{"title": "Back", "minutes": 2}]},
    }));
    world.by("rita", move |cx| set_template::propose_template(cx, &template));
}

/// A certificate of a time-stamping authority.
pub(crate) const CERTIFICATE: &str = include_str!("../../../proof/src/time_stamp/fixtures/ec-ca.pem");

fn provenance_told(at: jiff::Timestamp) -> provenance::Provenance {
    provenance::Provenance {
        id: "".into(),
        version: 0,
        repository: "halden/web".to_owned(),
        commit: "6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned(),
        tree: None,
        artifact: Some(ARTIFACT.to_owned()),
        files: None,
        before: None,
        committers: None,
        is_partial: false,
        merged: None,
        source: "ci".to_owned(),
        at,
    }
}

/// Records that fewer tenants have.
fn furnish_rarer(world: &World) {
    use acts::cab::{meetings, on_call, training};
    use acts::compliance::set_retention;
    use acts::gate::keep_provenance;
    use acts::identity::set_workload;
    use model::cab::duty_rota::DutyRota;
    use model::cab::lesson_assignment::LessonAssignment;
    use model::cab::lesson_attempt::LessonAttempt;
    use model::change::custom_field::CustomField;
    use model::compliance::hold_order::HoldOrder;
    use model::compliance::retention_rule::RetentionRule;
    use model::notify::action_item::ActionItem;
    use model::notify::announcement::Announcement;
    use model::risk::probe::Probe;
    use model::schedule::outside_calendar::OutsideCalendar;
    use model::schedule::planning_terms::PlanningTerms;
    use model::schedule::traffic::Traffic;
    world.by("olga", |cx| {
        noun::add::<LessonAttempt>(cx, &body(json!({"lesson": "intervals"})))
    });
    world.system(|cx| {
        let lesson = json!({"lesson": "approval", "person": "olga", "due_at": "2026-12-20T07:00:00Z"});
        noun::add::<LessonAssignment>(cx, &body(lesson))?;
        let live = json!({"lesson": "approval", "starts_at": "2026-12-20T07:00:00Z", "text": "Room 4"});
        noun::add::<model::cab::lesson_session::LessonSession>(cx, &body(live))?;
        let days = json!({"starts_at": "2026-12-20T07:00:00Z", "ends_at": "2026-12-28T07:00:00Z"});
        let with = |more: Value| {
            let mut wanted = body(days.clone());
            wanted.extend(body(more));
            wanted
        };
        training::set_training(cx, &with(json!({"person": "sam", "training": "sox"})))?;
        on_call::set_on_call(cx, &with(json!({"group": "eyes", "person": "sam"})))?;
        noun::add::<Announcement>(cx, &with(json!({"title": "Docks closed", "text": "Plan nothing."})))?;
        let probe = json!({"key": "backup", "title": "The last backup", "url": "https://b.example/{service}",
            "pointer": "/age", "reads": "age_hours", "owner": "eyes"});
        noun::add::<Probe>(cx, &body(probe))?;
        noun::add::<ActionItem>(
            cx,
            &body(json!({"title": "Renew it", "text": "It ends soon.", "owner": "olga"})),
        )?;
        noun::add::<CustomField>(cx, &body(json!({"key": "dock", "name": "Dock", "holds": "text"})))?;
        noun::add::<PlanningTerms>(cx, &body(json!({"gap_minutes": 5})))?;
        noun::add::<Traffic>(
            cx,
            &body(json!({"service": "web", "zone": "UTC", "profile": "mon,9,1200"})),
        )?;
        let rota = json!({"group": "eyes", "people": ["sam"], "starts_at": "2026-11-30T08:00:00Z", "time_zone": "Europe/Oslo"});
        noun::add::<DutyRota>(cx, &body(rota))?;
        noun::add::<OutsideCalendar>(cx, &body(json!({"name": "Works", "services": ["web"]})))?;
        noun::add::<HoldOrder>(cx, &body(json!({"reason": "Case 4711", "services": ["web"]})))?;
        let rule = json!({"regime": "own", "record_kind": "change", "keep_days": 100, "active": true});
        noun::add::<RetentionRule>(cx, &body(rule))?;
        meetings::open_meeting(cx, &body(json!({"group": "eyes", "title": "Board"})))?;
        let workload = json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "pipe",
            "claims": {"repository": "halden/*"}});
        set_workload::set_workload(cx, "jobs", &body(workload))?;
        set_retention::propose_retention(cx, &body(json!({"changes_days": 400, "reason": "As the law says."})))?;
        keep_provenance::keep(cx, provenance_told(cx.now))
    });
}

/// An agenda with an item and a forecast, and a board that meets by a rule.
fn furnish_boards(world: &World, key: &str) {
    use acts::cab::agenda::{freeze_agenda, keep};
    use acts::cab::meetings::open_meeting;
    use model::cab::agenda::Agenda;
    use model::cab::agenda_item::AgendaItem;
    use model::cab::board_forecast::BoardForecast;
    use model::cab::meeting_series::MeetingSeries;
    let key = key.to_owned();
    world.system(move |cx| {
        let at = |hours| (cx.now + jiff::SignedDuration::from_hours(hours)).to_string();
        let (starts_at, freeze_at) = (at(4), at(1));
        let meeting = json!({"group": "eyes", "title": "Board", "starts_at": starts_at});
        let meeting = open_meeting(cx, &body(meeting))?;
        let wanted = json!({"meeting": meeting.id, "freeze_at": freeze_at, "chair": "olga"});
        let agenda = noun::add::<Agenda>(cx, &body(wanted))?;
        let agenda = freeze_agenda(cx, agenda.id.as_str())?;
        let file = cx.file(&key)?;
        let item = AgendaItem {
            id: cx.new_id()?.as_str().into(),
            agenda: agenda.id.clone(),
            place: 1,
            reason: Some("It cannot wait.".to_owned()),
            ..AgendaItem::of(&file, cx.now)
        };
        keep(cx, "agenda_item.listed", item, json!({}))?;
        let forecast = BoardForecast {
            id: cx.new_id()?.as_str().into(),
            version: 0,
            agenda: agenda.id.clone(),
            group: agenda.group.clone(),
            change: file.change.id.0.as_str().into(),
            change_key: key.clone(),
            person: agenda.chair.clone(),
            percent: 80,
            at: cx.now,
        };
        keep(cx, "board_forecast.given", forecast, json!({}))?;
        let first = (cx.now + jiff::SignedDuration::from_hours(24 * 30)).to_string();
        let series =
            json!({"group": "eyes", "title": "Board", "starts_at": first, "rrule": "FREQ=WEEKLY", "chair": "olga"});
        noun::add::<MeetingSeries>(cx, &body(series)).map(drop)
    });
}

/// The audience of changes, and a vendor with a notice.
fn furnish_outsiders(world: &World) {
    use model::directory::vendor::Vendor;
    use model::notify::business_unit::BusinessUnit;
    use model::notify::{communication_plan::CommunicationPlan, customer_list::CustomerList};
    use model::schedule::vendor_notice::VendorNotice;
    world.system(|cx| {
        let unit = json!({"key": "dispatch", "name": "Dispatch", "services": ["web"], "contacts": ["uma"],
            "mail_addresses": ["dispatch@halden.example"], "language": "de"});
        noun::add::<BusinessUnit>(cx, &body(unit))?;
        let list = json!({"key": "buyers", "name": "Buyers", "services": ["web"], "mail_addresses": ["ops@customer.example"]});
        noun::add::<CustomerList>(cx, &body(list))?;
        let plan = json!({"key": "all", "name": "All", "audiences": ["owners", "business_units"],
            "stages": ["announced", "reminder"], "reminder_minutes": 30, "acknowledge": true,
            "subject_en": "{stage}: {title}", "text_en": "From {start}.", "text_de": "Ab {start}."});
        noun::add::<CommunicationPlan>(cx, &body(plan))?;
        let vendor = json!({"key": "hosts", "name": "Hosts", "services": ["web"], "contacts": ["n@h.example"], "members": ["ivo"]});
        noun::add::<Vendor>(cx, &body(vendor))?;
        let notice = json!({"vendor": "hosts", "reference": "H-1", "title": "Disks", "text": "Row 4.", "services": ["web"],
            "impact": "outage", "starts_at": "2026-12-20T07:00:00Z", "ends_at": "2026-12-28T07:00:00Z"});
        noun::add::<VendorNotice>(cx, &body(notice)).map(drop)
    });
}

/// A dashboard, and its subscriber by mail.
fn furnish_dashboards(world: &World) {
    use model::report::dashboard_subscription::DashboardSubscription;
    use model::report::saved_dashboard::Dashboard;
    world.by("rita", |cx| {
        let saved = json!({"title": "Mine", "tiles": ["own", "states"], "query": "kind=normal", "is_shared": true});
        let saved = noun::add::<Dashboard>(cx, &body(saved))?;
        let letter = json!({"dashboard": saved.id, "rhythm": "weekly", "hour": 7});
        noun::add::<DashboardSubscription>(cx, &body(letter)).map(drop)
    });
}

/// A change under way, with a condition and a line in its log of actions.
fn under_way(world: &World) {
    let key = world.scheduled("Under way");
    world.evidence(&key, "note", b"works");
    let k = key.clone();
    world.by("sam", move |cx| {
        let digest = cx.change(&k)?.digests.content;
        let conditions = json!([{"text": "A backup is there", "due": "close"}]);
        let decision =
            json!({"decision": "approve_with_conditions", "content_digest": digest, "conditions": conditions});
        acts::approval::verbs::approve_change(cx, &k, &body(decision))
    });
    world.by("ivo", move |cx| {
        acts::change::verbs::start_change(cx, &key)?;
        record_entry::record_entry(cx, &key, &body(json!({"text": "Drained.", "kind": "step"})))
    });
}

/// Records that only outside systems, policies of their own, or a night with an incident bring. Each record is written as the
/// act that makes it writes it: with its event, by the one way into the tables.
fn write_records(world: &World, key: &str) {
    use model::change::related_records::{ChecklistItem, Deployment, PeerReview};
    use model::directory::access_review::AccessReview;
    use model::emergency::outside_look::OutsideLook;
    use model::emergency::records::BreakGlassUse;
    use model::gate::provenance::OutsideCheck;
    use model::risk::forecast::inputs::FEATURES;
    use model::risk::forecast::model_record::FailureModel;
    use model::risk::forecast::outcome::Outcome;
    use model::schedule::conflict_record::Conflict;
    let key = key.to_owned();
    world.system(move |cx| {
        let change = cx.change(&key)?.id;
        let (at, commit) = ("2026-11-20T08:00:00Z", "6dcb09b5b57875f334f61aebed695e2e4193db5e");
        let with_id = |name: &str, more: Value| {
            let mut record = body(json!({"id": format!("r-{name}"), "version": 0, "at": at, "change": change, "change_key": key}));
            record.extend(body(more));
            Value::Object(record)
        };
        let checked = json!({"rule": "own.list", "title": "The docks know", "done": {"by": "p-1", "at": at, "text": "Told."}});
        write_one::<ChecklistItem>(cx, "checklist_item.ticked", with_id("item", checked))?;
        let deployed = json!({"connection": "c-1", "natural_key": "halden/web/1", "service": "web", "environment": "lab",
            "commit": commit, "artifact": ARTIFACT, "seen_statuses": ["1"], "status": "success", "status_at": at});
        write_one::<Deployment>(cx, "deployment.told", with_id("deployment", deployed))?;
        let opened = json!({"team": "Shop", "by": "p-1", "number": 1, "budget": 3});
        write_one::<BreakGlassUse>(cx, "glass.used", with_id("glass", opened))?;
        let asked = json!({"connection": "c-1", "ask": "protection_rule", "natural_key": "halden/web/2", "repository": "halden/web",
            "service": "web", "environment": "lab", "theirs": "Lab", "commit": commit, "number": 7, "reply_to": "https://ci.example/1",
            "named": key, "found_by": "title", "answer": "waiting", "text": "Its approvals are missing."});
        write_one::<OutsideCheck>(cx, "outside_check.asked", with_id("check", asked))?;
        let read = json!({"person": "p-1", "verdict": "agree", "text": "Read.", "what_digest": "sha256:aa", "state": "standing"});
        write_one::<PeerReview>(cx, "peer_review.given", with_id("peer", read))?;
        let looked = json!({"group": "eyes", "by": "p-1", "text": "Nothing odd.", "changes": [key]});
        write_one::<OutsideLook>(cx, "outside_look.recorded", with_id("look", looked))?;
        let met = json!({"one": change, "other": "c-9", "one_key": key, "other_key": "CHG-9", "kinds": ["people"], "why": ["both need sam"],
            "overlaps_from": at, "overlaps_to": at, "state": "gone", "holds": false, "found_at": at, "due_at": at, "decided_at": at});
        write_one::<Conflict>(cx, "conflict.gone", with_id("conflict", met))?;
        let told = json!({"natural_key": "CHG-1/started//p-1", "plan": "all", "stage": "started", "person": "p-1", "language": "de"});
        write_one::<model::notify::communication::Communication>(cx, "communication.sent", with_id("told", told))?;
        let outcome = Outcome {
            at: 0,
            known_at: 0,
            place: serde_json::from_value(json!({"kind": "facility", "service": "pay", "team": "Docks"})).unwrap(),
            inputs: vec![0; FEATURES.len()],
            failed: true,
        };
        let fitted = FailureModel {
            id: "r-model".into(),
            ..FailureModel::fitted(&[("lab".to_owned(), vec![outcome])].into(), 1, cx.now, None)
        };
        cx.put_estate("failure_model.fitted", fitted, json!({}))?;
        let reviewed = json!({"campaign": "2026-4", "manager": "p-1", "begun_by": "p-2", "begun_at": at, "due_at": "2026-12-20T07:00:00Z",
            "rights": [{"row": 1, "person": "p-3", "kind": "role", "what": "security"}]});
        write_one::<AccessReview>(cx, "access_review.begun", with_id("review", reviewed))?;
        let timer = timer::NewTimer {
            id: "r-timer",
            subject_table: "access_review",
            subject_id: "r-review",
            kind: "reminder",
            run_at: cx.now,
        };
        Ok(timer::set(cx.tx, &timer)?)
    });
}

/// An emergency card, and its uses.
fn write_emergency(world: &World) {
    use model::emergency::emergency_card::EmergencyCard;
    use model::emergency::emergency_report::EmergencyReport;
    use model::emergency::emergency_use::EmergencyUse;
    world.system(|cx| {
        let at = "2026-11-20T08:00:00Z";
        let card = json!({"id": "r-card", "version": 0, "services": ["web"], "environment": "lab", "uses": 2,
            "ends_at": "2026-12-20T08:00:00Z", "reason": "In the safe.", "by": "p-1", "approved": true, "approved_by": "p-2",
            "approved_at": at, "active": true});
        write_one::<EmergencyCard>(cx, "emergency_card.signed", card)?;
        let used = json!({"id": "r-use", "version": 0, "digest": "sha256:ac", "place": "r/1", "card": "r-card", "service": "web",
            "environment": "lab", "build": ARTIFACT, "host": "dock-1", "said_by": "ivo", "reason": "The rack burns.", "done_at": at,
            "allowed": true, "differences": ["unknown_artifact"], "by": "p-1", "at": at});
        write_one::<EmergencyUse>(cx, "emergency_use.reported", used)?;
        let reported = json!({"id": "r-report", "version": 0, "named": "r", "lines": 1, "added": 1,
            "differences": ["unknown_artifact"], "by": "p-1", "at": at});
        write_one::<EmergencyReport>(cx, "emergency_report.added", reported)
    });
}

/// Drift, and the result of a canary, as outside systems report them.
fn write_drift(world: &World, key: &str) {
    use model::incident::drift::{
        baseline::DriftBaseline, finding::DriftFinding, rule::DriftRule, source::DriftSource,
    };
    use model::incident::monitor::Monitor;
    use model::incident::objective::Objective;
    use model::incident::objective_measure::ObjectiveMeasure;
    use model::incident::raised_monitor::RaisedMonitor;
    use model::incident::watch_verdict::WatchVerdict;
    use model::integration::foreign_change::ForeignChange;
    use model::integration::foreign_system::ForeignSystem;
    use model::integration::imported_change::ImportedChange;
    let key = key.to_owned();
    world.system(move |cx| {
        let at = "2026-11-20T08:00:00Z";
        let with_id = |name: &str, more: Value| {
            let mut record = body(json!({"id": format!("r-{name}"), "version": 0, "at": at}));
            record.extend(body(more));
            Value::Object(record)
        };
        let mapped = json!({"pattern": "prod/*", "connection": "c-1", "service": "web", "environment": "lab", "place": 100, "active": true});
        write_one::<DriftRule>(cx, "drift_rule.added", with_id("rule", mapped))?;
        let expected = json!({"pattern": "prod/*", "attribute": "spec.replicas", "connection": "c-1", "service": "web",
            "environment": "lab", "reason": "The autoscaler.", "ends_at": at, "by": "p-1", "approved": true, "active": true});
        write_one::<DriftBaseline>(cx, "drift_baseline.proposed", with_id("baseline", expected))?;
        let reported = json!({"connection": "c-1", "scope": "host-7", "reported_at": at, "reports": 1, "differences": 1, "expected": 0});
        write_one::<DriftSource>(cx, "drift_source.reported", with_id("source", reported))?;
        let drifted = json!({"source": "r-source", "connection": "c-1", "natural_key": "sha256:aa", "address": "prod/web",
            "attribute": "spec.paused", "service": "web", "environment": "lab", "state": "open", "is_there": true, "since": at,
            "appeared_at": at, "first_seen": at, "last_seen": at, "count": 1, "doer": "ada"});
        write_one::<DriftFinding>(cx, "drift_finding.opened", with_id("finding", drifted))?;
        let verdict = json!({"connection": "c-1", "change": key, "natural_key": "sha256:ab", "judged": "web", "service": "web",
            "environment": "lab", "result": "inconclusive", "text": "No data."});
        write_one::<WatchVerdict>(cx, "watch_verdict.taken", with_id("verdict", verdict))?;
        let monitor = json!({"key": "latency", "title": "Latency", "services": ["web"], "scrape_targets": ["probe.example:9115"],
            "expression": "up", "hold_minutes": 2, "active": true});
        write_one::<Monitor>(cx, "monitor.added", with_id("monitor", monitor))?;
        let raised = json!({"change": key, "monitor": "r-monitor", "monitor_key": "latency", "places": ["web/lab"], "lowered_at": at,
            "active": false});
        write_one::<RaisedMonitor>(cx, "raised_monitor.raised", with_id("raised", raised))?;
        let objective = json!({"key": "errors", "title": "Errors", "service": "web", "url": "https://prometheus.example",
            "expression": "up", "bound_is": "at_most", "bound": "1", "active": true});
        write_one::<Objective>(cx, "objective.added", with_id("objective", objective))?;
        let system = json!({"name": "SN", "kind": "servicenow", "url": "https://sn.example", "environment": "lab",
            "read_since": at, "service_map": "Web = web", "active": true});
        write_one::<ForeignSystem>(cx, "foreign_system.added", with_id("foreign", system))?;
        let theirs = json!({"system": "r-foreign", "natural_key": "a1", "foreign_key": "CHG1", "title": "Theirs", "kind": "normal",
            "impact": "medium", "told_state": "Implement", "phase": "started", "told_service": "Web", "service": "web",
            "environment": "lab", "told_by": "ada", "told_approvers": ["bob"], "edited_at": at, "read_at": at,
            "difference": "would_stop", "judged_at": at, "unmet_rules": ["base.owner"], "why": ["Nobody."]});
        write_one::<ForeignChange>(cx, "foreign_change.compared", with_id("theirs", theirs))?;
        let past = json!({"source": "sn", "foreign_key": "CHG0", "title": "Theirs", "kind": "normal", "service": "web",
            "environment": "lab", "outcome": "succeeded", "told_by": "ada", "ended_at": at, "is_imported": true,
            "imported_at": at, "by": "p-1"});
        write_one::<ImportedChange>(cx, "imported_change.added", with_id("past", past))?;
        let measure = json!({"change": key, "objective": "r-objective", "objective_key": "errors", "place": "web/lab",
            "natural_key": "sha256:ac", "value": "2", "bound": "1", "result": "missed", "measured_count": 1, "missed_count": 1});
        write_one::<ObjectiveMeasure>(cx, "objective_measure.taken", with_id("measure", measure))?;
        Ok(())
    });
}

pub(crate) fn write_one<R>(cx: &mut acts::Context<'_, '_>, kind: &'static str, record: Value) -> acts::Result<()>
where
    R: acts::core::write::Versioned + serde::de::DeserializeOwned,
{
    let record: R = serde_json::from_value(record).unwrap();
    cx.put_estate(kind, record, json!({})).map(drop)
}

/// Data that does not fit into an event is beside it until the event has its place in the log.
fn write_at_length(world: &World) {
    world.system(|cx| {
        let long = json!({"id": "r-long", "version": 0, "group": "eyes", "by": "p-1", "at": "2026-11-20T08:00:00Z",
            "text": "Much to tell.", "changes": vec!["CHG-1001"; 8_000]});
        write_one::<outside_look::OutsideLook>(cx, "outside_look.recorded", long)
    });
}

/// A freeze that has begun and halts: no permit given before it is good any more.
fn halt(world: &World) {
    let lab = json!({"title": "Stop", "reason": "The docks burn.", "starts_at": "2026-11-20T07:00:00Z",
        "ends_at": "2026-11-20T23:00:00Z", "services": ["web"], "environments": ["lab"], "halt": true});
    world.system(move |cx| acts::schedule::set_freeze::set_freeze(cx, &body(lab.clone())).map(drop));
}

/// The lessons of incidents: a review with its content, a root cause, a problem, and a forecast that moved.
fn teach(world: &World) {
    use model::incident::incident_review::IncidentReview;
    use model::incident::problem::ProblemRecord;
    use model::incident::review_answer::ReviewAnswer;
    use model::risk::cause::Cause;
    use model::risk::cause_move::CauseMove;
    world.system(|cx| {
        let strike = json!({"key": "dock_strike", "name": "A strike", "features": ["disruption"]});
        noun::add::<Cause>(cx, &body(strike))?;
        let review = json!({"incident_key": "INC-101", "summary": "Nobody loaded.", "cause": "dock_strike"});
        noun::add::<IncidentReview>(cx, &body(review))?;
        noun::add::<ProblemRecord>(cx, &body(json!({"title": "Strikes", "cause": "dock_strike"})))?;
        let answer: ReviewAnswer = serde_json::from_value(json!({
            "id": "answer", "version": 0, "incident_key": "INC-101", "change_key": "CHG-1001", "rating": "right",
            "steps_adequate": true, "by": "system", "at": cx.now,
        }))?;
        cx.put_estate("review_answer.given", answer, json!({}))?;
        let moved: CauseMove = serde_json::from_value(json!({
            "id": "move", "version": 0, "change": "c", "change_key": "CHG-1002", "incident_key": "INC-101", "cause": "dock_strike",
            "features": ["disruption"], "model": "m", "what": "w", "from_ppm": 10, "to_ppm": 20, "at": cx.now,
        }))?;
        cx.put_estate("cause_move.noted", moved, json!({}))?;
        let adjusted: model::risk::risk_adjustment::RiskAdjustment = serde_json::from_value(json!({
            "id": "2019-Q4", "version": 0, "quarter": "2019-Q4", "state": "declined", "compared": 1, "findings": ["useless_rule: r"],
            "at": cx.now, "decided_by": "system", "decided_at": cx.now, "reason": "One exercise.",
        }))?;
        cx.put_estate("risk_adjustment.proposed", adjusted, json!({}))?;
        let sample: model::audit::audit_sample::AuditSample = serde_json::from_value(json!({
            "id": "sample", "version": 0, "title": "Strikes", "control": "SOX-CM-1", "from": cx.now, "to": cx.now, "seed": "s",
            "population": 1, "population_digest": "d", "strata": ["normal, low risk: 1 of 1"], "changes": ["CHG-1001"],
            "by": "system", "at": cx.now, "active": true,
        }))?;
        cx.put_estate("audit_sample.drawn", sample, json!({}))?;
        let conclusion: model::audit::audit_conclusion::AuditConclusion = serde_json::from_value(json!({
            "id": "conclusion", "version": 0, "sample": "sample", "change": "CHG-1001", "verdict": "effective",
            "text": "Approved before.", "by": "system", "at": cx.now,
        }))?;
        cx.put_estate("audit_conclusion.added", conclusion, json!({}))?;
        let mandate: model::directory::audit_mandate::AuditMandate = serde_json::from_value(json!({
            "id": "mandate", "version": 0, "person": "nobody", "reason": "Year-end audit", "services": ["web"], "starts_at": cx.now,
            "ends_at": cx.now, "by": "system", "at": cx.now, "active": true,
        }))?;
        cx.put_estate("audit_mandate.proposed", mandate, json!({}))?;
        let erasure: model::compliance::person_erasure::PersonErasure = serde_json::from_value(json!({
            "id": "erasure", "version": 0, "person": "nobody", "reason": "Ticket 812", "by": "system", "at": cx.now, "active": true,
        }))?;
        cx.put_estate("person_erasure.asked", erasure, json!({}))?;
        let look = model::audit::auditor_look::AuditorLook::of("nobody".into(), ("change", "CHG-1001"), cx.now);
        acts::audit::note_look::note_look(cx, &look)?;
        crate::agents::furnish(cx)?;
        crate::cause_rows::furnish(cx)?;
        wave_rows::furnish_waves(cx)?;
        wave_rows::furnish_trials(cx)
    });
}

/// A tenant with something in as many tables as a few acts fill.
pub(crate) fn world() -> World {
    // The chunks of a file are rows, which a file in the folder is not.
    let world = World::with_chunks();
    furnish(&world);
    world.closed("Give every shipment a customs reference");
    let key = world.scheduled("Widen the column");
    world.by("rita", move |cx| {
        acts::change::verbs::comment_change(cx, &key, &body(json!({"text": "Seen."})))?;
        let task = json!({"kind": "prepare", "title": "Tell the docks", "mandatory": false, "assignee": "rita"});
        acts::change::verbs::add_task(cx, &key, &body(task))?;
        link_change::link_change(cx, &key, &body(json!({"kind": "follows_up", "to": "CHG-1001"})))
    });
    under_way(&world);
    furnish_boards(&world, "CHG-1001");
    write_records(&world, "CHG-1001");
    teach(&world);
    write_drift(&world, "CHG-1001");
    beside_rows::write(&world);
    write_emergency(&world);
    halt(&world);
    world.system(|cx| {
        // People need a fresh factor, the system needs none: its rotation is as good for this.
        let witness = json!({"key": "witness.example/walk+494d0156+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
            "url": "https://witness.example/walk"});
        noun::add::<Witness>(cx, &body(witness))?;
        let watched = "log.example/acme+7895ec0a+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        noun::add::<WatchedLog>(cx, &body(json!({"key": watched})))?;
        noun::add::<Dialect>(cx, &body(json!({"name": "servicenow"})))?;
        let run =
            json!({"kind": "deployment", "external_ref": "walk | 1", "change_key": "CHG-1001", "state": "pending"});
        noun::add::<OutsideRun>(cx, &body(run))?;
        let authority = json!({"url": "https://tsa.example/tsr", "certificates": CERTIFICATE, "every_hours": 6});
        noun::add::<TimeAuthority>(cx, &body(authority))?;
        let schedule = json!({"framework": "sox", "span": "last_month", "format": "oscal", "contacts": ["olga"]});
        noun::add::<ReportSchedule>(cx, &body(schedule))?;
        turn_key::rotate_key(cx, signing_keys::PERMIT, &body(json!({"reason": "Once a year"}))).map(|_| ())
    });
    // The first bundle of the log is full.
    world.noise(260);
    world.sequence();
    world.draft("A third");
    write_at_length(&world);
    archive(&world);
    world
}

/// A change that ended is in the archive; its segment is a file.
fn archive(world: &World) {
    use store::compliance::archive;
    let gathered = world.system(|cx| {
        let ids = archive::due(cx.tx, cx.now + jiff::SignedDuration::from_hours(1), 1)?;
        let gathered = archive::gather(cx.tx, &ids, cx.now)?.expect("one ended");
        archive::announce(cx.tx, &gathered, cx.now)?;
        Ok(gathered)
    });
    gathered.write().unwrap();
    assert!(world.system(move |cx| Ok(archive::move_in(cx.tx, &gathered, cx.now)?)));
}

/// Whether a replay names something, or cannot even be done: without its key a log cannot be judged.
fn is_found(world: &World) -> bool {
    let progress: replay_log::Progress = std::sync::Arc::new(|_, _| true);
    let replayed = replay_log::replay_log(&world.executor, TENANT, &progress);
    replayed.map_or(true, |report| !report.findings.is_empty())
}

/// The result of a share of the columns.
#[derive(Default)]
struct Tried {
    tried: usize,
    refused: usize,
    missed: Vec<String>,
    empty: Vec<String>,
}

/// Changes every column of each table whose turn it is, `rounds` times each, or two columns of each once for no round, in a world of
/// its own.
fn try_columns(rounds: usize, seed: u64, is_its_turn: impl Fn(usize) -> bool) -> Tried {
    let world = world();
    assert_eq!(world.replay().findings, []);
    let base = Connection::open(world.folder.path().join("assent.db")).unwrap();
    base.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let (mut dice, mut done) = (Dice(seed), Tried::default());
    let columns = columns();
    for (_, (table, names)) in columns.iter().enumerate().filter(|(at, _)| is_its_turn(*at)) {
        let mut compared: Vec<&String> = names.iter().filter(|column| !FREE.contains(&(table, column))).collect();
        while rounds == 0 && compared.len() > 2 {
            compared.swap_remove(dice.below(compared.len()));
        }
        for column in compared {
            let place = Place {
                base: &base,
                table,
                column,
            };
            let rows = place.rows();
            if rows.is_empty() {
                done.empty.push(table.clone());
                break;
            }
            for _ in 0..rounds.max(1) {
                let row = rows[dice.below(rows.len())];
                let before = place.read(row);
                let after = other(&before, &mut dice);
                if !place.write(row, &after) {
                    done.refused += 1;
                    continue;
                }
                done.tried += 1;
                if !is_found(&world) {
                    done.missed.push(format!("{table}.{column}: {before:?} -> {after:?}"));
                }
                assert!(place.write(row, &before), "{table}.{column} goes back");
            }
        }
    }
    assert_eq!(world.replay().findings, [], "everything went back");
    done
}

#[test]
fn every_recorded_and_derived_column_is_compared() {
    let rounds = std::env::var("ASSENT_TEST_MUTATIONS").map_or(0, |it| it.parse::<usize>().unwrap());
    let seed = 0x5eed_0bad_cafe_u64;
    let (one, other) = std::thread::scope(|scope| {
        let even = scope.spawn(|| try_columns(rounds, seed, |at| at % 2 == 0));
        (try_columns(rounds, seed + 1, |at| at % 2 == 1), even.join().unwrap())
    });
    let (tried, refused) = (one.tried + other.tried, one.refused + other.refused);
    let missed = [one.missed, other.missed].concat();
    let empty = [one.empty, other.empty].concat();
    assert!(empty.is_empty(), "there is nothing to change in {empty:?}");
    println!("seed {seed:#x}: {tried} changes, {refused} that the table refused");
    assert!(
        missed.is_empty(),
        "{} were not found:\n{}",
        missed.len(),
        missed.join("\n")
    );
    let fewest = if rounds == 0 { columns().len() } else { 200 * rounds };
    assert!(tried >= fewest, "only {tried} places were tried");
}
