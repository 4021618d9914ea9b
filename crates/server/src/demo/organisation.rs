//! What surrounds the demo's changes in an organisation: a board with a past and a coming meeting, the people who are told of
//! changes, a vendor with its maintenance, drift, and a rule of retention.

use acts::cab::{agenda, agenda_items, meetings, sign_minutes};
use acts::core::noun::{self, PlainNoun};
use acts::effects::run_timer;
use acts::executor::Executor;
use acts::incident::take_drift;
use acts::integration::set_connection;
use jiff::{SignedDuration, Timestamp};
use model::cab::agenda::Agenda;
use model::compliance::retention_rule::RetentionRule;
use model::core::body::Body;
use model::core::ids::{PersonId, RecordId};
use model::directory::vendor::Vendor;
use model::incident::drift::rule::DriftRule;
use model::incident::drift::{Difference, DriftReport};
use model::notify::business_unit::BusinessUnit;
use model::notify::communication_plan::CommunicationPlan;
use model::schedule::vendor_notice::VendorNotice;
use serde_json::{Value, json};

use super::estate::Staff;
use super::history::{Walk, create};
use super::house::BOARD;
use super::plans::{Plan, request};
use super::{Past, Result, TENANT, body};

/// The seconds of an hour, on which meetings begin.
const HOUR: i64 = 3_600;
/// A day in hours.
const DAY: i64 = 24;
/// The numbers of the two changes before the board: no other change of the demo has them.
const NUMBERS: [usize; 2] = [7_001, 7_002];
/// The changes before the board: one that it decided about, and one for its next meeting.
const PLANS: &[Plan] = &[
    Plan {
        title: "Move the production zones to the new resolvers",
        services: &["edge-dns"],
        team: "Platform",
        category: "network",
        complexity: "high",
        description: "The zones of production answer from the new resolvers; the old ones stay up for a week.",
        justification: "The old resolvers get no security fixes any more.",
    },
    Plan {
        title: "Put the warehouse network behind the new firewall",
        services: &["wms"],
        team: "Warehouse",
        category: "network",
        complexity: "medium",
        description: "Scanners and hosts of the warehouse reach the data centre through the new firewall only.",
        justification: "A label printer could reach the ledger.",
    },
];
/// The addresses in Terraform, and their services.
const DRIFT_RULES: [(&str, &str); 2] = [("module.edge.*", "edge-dns"), ("module.warehouse.*", "wms")];

/// Makes all but the coming meeting, until 41 hours before `now`, by the acts of the people whose work it is. The board
/// and the rule that asks it exist by then ([`super::house`]), and no change is open.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill(executor: &Executor, staff: &Staff, now: Timestamp) -> Result<()> {
    let hour = whole_hour(now);
    let past = Past::new(executor, TENANT, hours(hour, -10 * DAY));
    audiences(&past, staff)?;
    keep_for_auditors(&past, staff)?;
    vendor(&past, staff, (hour, now))?;
    drift(&past, staff, hour)?;
    past_meeting(&past, staff, hour)
}

fn whole_hour(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() / HOUR * HOUR).unwrap_or(at)
}

fn hours(from: Timestamp, count: i64) -> Timestamp {
    from + SignedDuration::from_hours(count)
}

fn person(staff: &Staff, word: &str) -> PersonId {
    staff.people.get(word).cloned().unwrap_or_default()
}

/// Adds a record with a card as a person.
fn add<N: PlainNoun + Send + 'static>(past: &Past, person: &PersonId, record: Value) -> Result<N> {
    past.by(person, move |cx| noun::add::<N>(cx, &body(record.clone())))
}

/// Two business units, and the plan that tells them and the owners of changes of high risk that users notice.
fn audiences(past: &Past, staff: &Staff) -> Result<()> {
    let manager = person(staff, "change_manager");
    for unit in [
        json!({
            "key": "dispatch-oslo", "name": "Dispatch Oslo", "services": ["booking-api", "driver-app", "shipments"],
            "contacts": ["aiko"], "mail_addresses": ["dispatch@halden.example"],
        }),
        json!({
            "key": "customer-desk", "name": "Customer desk", "services": ["status-page"],
            "contacts": ["luc"], "mail_addresses": ["desk@halden.example"],
        }),
    ] {
        add::<BusinessUnit>(past, &manager, unit)?;
    }
    let plan = json!({
        "key": "noticed-by-users", "name": "High risk that users notice", "risks": ["high"], "only_disruptive": true,
        "audiences": ["owners", "business_units"], "stages": ["announced", "reminder", "started", "finished", "rolled_back"],
        "reminder_minutes": 24 * 60, "acknowledge": true,
        "subject_en": "{stage}: {title}", "text_en": "{services} from {start} to {end}: {disruption}.",
        "subject_de": "{stage}: {title}", "text_de": "{services} von {start} bis {end}: {disruption}.",
    });
    add::<CommunicationPlan>(past, &manager, plan).map(drop)
}

/// Bookings are paid by card, so raw deliveries are kept for a year. Changes have no such rule: visitors can erase texts.
fn keep_for_auditors(past: &Past, staff: &Staff) -> Result<()> {
    let rule = json!({"regime": "pci_dss", "record_kind": "delivery", "active": true});
    add::<RetentionRule>(past, &person(staff, "admin"), rule).map(drop)
}

/// The vendor of the storage, with maintenance that ended late and maintenance that lies ahead. It has no people, so that
/// visitors can add the demo's vendor to a vendor of their own.
fn vendor(past: &Past, staff: &Staff, (hour, now): (Timestamp, Timestamp)) -> Result<()> {
    let vendor = json!({
        "key": "cartwell", "name": "Cartwell Hosting", "contract": "CH-2024-117",
        "contract_ends_at": hours(hour, 400 * DAY).to_string(), "services": ["backup", "ledger-db"],
        "contacts": ["noc@cartwell.example"],
    });
    add::<Vendor>(past, &person(staff, "admin"), vendor)?;
    let manager = person(staff, "change_manager");
    let begins = hours(hour, -8 * DAY);
    let mut firmware = json!({
        "vendor": "cartwell", "reference": "CW-2274", "title": "New firmware for the tape library",
        "text": "No backup is written meanwhile; those of the night begin an hour later.", "services": ["backup"],
        "starts_at": begins.to_string(), "ends_at": hours(begins, 3).to_string(), "impact": "outage",
    });
    add::<VendorNotice>(past, &manager, firmware.clone())?;
    let ended = hours(begins, 3) + SignedDuration::from_mins(40);
    firmware["state"] = json!("completed");
    firmware["actual_start"] = json!(begins.to_string());
    firmware["actual_end"] = json!(ended.to_string());
    past.go_to(ended + SignedDuration::from_mins(10));
    add::<VendorNotice>(past, &manager, firmware)?;
    past.go_to(hours(hour, -41));
    let storage = json!({
        "vendor": "cartwell", "reference": "CW-2291", "title": "Storage maintenance",
        "text": "Disks of row 4 are replaced; reads are slower until the copies are whole.", "services": ["backup", "ledger-db"],
        "starts_at": hours(now, 52).to_string(), "ends_at": hours(now, 56).to_string(), "impact": "degraded",
    });
    add::<VendorNotice>(past, &manager, storage).map(drop)
}

/// Terraform compares the hosts with what is written: one difference came with the patches of a change, and one with nothing.
fn drift(past: &Past, staff: &Staff, hour: Timestamp) -> Result<()> {
    past.go_to(hours(hour, -6 * DAY));
    let admin = person(staff, "admin");
    let connection = past.by(&admin, |cx| {
        let wanted = json!({"kind": "terraform", "name": "Terraform of the platform", "map": []});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    })?;
    for (pattern, service) in DRIFT_RULES {
        let rule = json!({
            "pattern": pattern, "connection": connection, "service": service, "environment": "production", "place": 100,
        });
        add::<DriftRule>(past, &admin, rule)?;
    }
    report(past, &connection, hours(hour, -5 * DAY), Vec::new())?;
    let found = vec![
        difference("module.warehouse.host.dock_07", "image"),
        difference("module.edge.dns_record.status", "ttl"),
    ];
    report(past, &connection, hours(hour, -42), found)
}

fn difference(address: &str, attribute: &str) -> Difference {
    Difference {
        address: address.to_owned(),
        attribute: attribute.to_owned(),
        found: Some(proof::crypto::digest_text(format!("{address} {attribute}").as_bytes())),
        digest: None,
        at: None,
        doer: None,
    }
}

/// A report about everything, as a delivery of the connection brings it.
fn report(past: &Past, connection: &str, taken_at: Timestamp, differences: Vec<Difference>) -> Result<()> {
    past.go_to(taken_at + SignedDuration::from_mins(1));
    let connection = connection.to_owned();
    let report = DriftReport {
        scope: String::new(),
        taken_at,
        is_complete: true,
        is_log: false,
        clean: Vec::new(),
        count: differences.len() as u64,
        differences,
    };
    past.system(move |cx| take_drift::take_drift(cx, &connection, &report).map(drop))
}

/// A change before the board, from `planned` on for three hours, assessed and looked at by a peer where a rule wants that.
fn before_the_board<'a>(past: &'a Past, staff: &'a Staff, place: usize, planned: Timestamp) -> Result<Walk<'a>> {
    let mut wanted = request(&PLANS[place], NUMBERS[place], planned, hours(planned, 3));
    if place == 0 {
        wanted["impact"] = json!({"availability": "high"});
        wanted["disruption"] =
            json!({"kind": "degraded", "minutes": 10, "audience": "Everybody who resolves a name of production"});
    }
    let walk = create(past, staff, "requester", wanted)?;
    past.pass(1);
    walk.submit()?;
    past.pass(1);
    walk.assess()?;
    walk.read_by_peer()?;
    Ok(walk)
}

/// Opens a meeting of the board with an agenda that the change manager chairs; returns the id of both.
fn plan_meeting(past: &Past, staff: &Staff, (begins, frozen): (Timestamp, Timestamp)) -> Result<String> {
    past.by(&person(staff, "change_manager"), move |cx| {
        let meeting = json!({"group": BOARD, "title": "Weekly change advisory board", "starts_at": begins.to_string()});
        let meeting = meetings::open_meeting(cx, &body(meeting))?;
        let agenda = json!({"meeting": meeting.id, "freeze_at": frozen.to_string(), "chair": "marta"});
        noun::add::<Agenda>(cx, &body(agenda)).map(|made| made.id.0)
    })
}

/// Runs the timer that freezes an agenda.
fn freeze_agenda(past: &Past, id: &str, frozen: Timestamp) -> Result<()> {
    past.go_to(frozen + SignedDuration::from_mins(1));
    let id = id.to_owned();
    past.system(move |cx| run_timer::run_timer(cx, agenda::TABLE, &id))
}

/// The meeting of last week: the board lets the resolvers move, the minutes are signed, and users are told of the change.
fn past_meeting(past: &Past, staff: &Staff, hour: Timestamp) -> Result<()> {
    let begins = hours(hour, -7 * DAY);
    let frozen = hours(begins, -4);
    past.go_to(hours(hour, -9 * DAY));
    let walk = before_the_board(past, staff, 0, hours(hour, 5 * DAY))?;
    past.go_to(hours(hour, -8 * DAY));
    let id = plan_meeting(past, staff, (begins, frozen))?;
    freeze_agenda(past, &id, frozen)?;
    past.go_to(begins + SignedDuration::from_mins(2));
    let members = ["change_manager", "owner", "security"];
    for word in members {
        let id = id.clone();
        past.by(&person(staff, word), move |cx| {
            meetings::attend_meeting(cx, &id, &Body::new()).map(drop)
        })?;
    }
    let own = RecordId::from(id.as_str());
    past.by(&person(staff, "change_manager"), move |cx| {
        for item in agenda::items_of(cx, &own)? {
            agenda_items::take_turn(cx, item.id.as_str(), &Body::new())?;
        }
        Ok(())
    })?;
    for word in members.into_iter().rev() {
        past.pass(2);
        vote(&walk, word, &id)?;
    }
    past.pass(5);
    let minutes = id.clone();
    past.by(&person(staff, "change_manager"), move |cx| {
        sign_minutes::sign_minutes(cx, &minutes).map(drop)
    })?;
    past.pass(30);
    walk.evidence(NUMBERS[0])?;
    tell_users(&walk)
}

/// Approves at the meeting: one decision counts for the board and for every other rule that asks this person.
fn vote(walk: &Walk<'_>, word: &str, meeting: &str) -> Result<()> {
    let meeting = meeting.to_owned();
    walk.act(word, move |cx, key| {
        let digest = cx.change(key)?.digests.content;
        let request = json!({
            "decision": "approve", "content_digest": digest, "meeting": meeting,
            "comment": "The old resolvers stay up, so the way back is short.",
        });
        acts::approval::verbs::approve_change(cx, key, &body(request)).map(drop)
    })
}

/// Runs the timer that sends what the communication plans say about a change.
fn tell_users(walk: &Walk<'_>) -> Result<()> {
    let key = walk.key.clone();
    walk.past.system(move |cx| {
        let id = cx.change(&key)?.id;
        run_timer::run_timer(cx, "communication", id.as_str())
    })
}

/// The next meeting: its agenda was frozen a moment ago with the firewall on it. The last acts of the demo, because a frozen
/// agenda settles what waits for the board.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill_agenda(executor: &Executor, staff: &Staff, now: Timestamp) -> Result<()> {
    let hour = whole_hour(now);
    let minutes = |count: i64| now - SignedDuration::from_mins(count);
    // The open changes end 20 minutes ago.
    let past = Past::new(executor, TENANT, minutes(19));
    before_the_board(&past, staff, 1, hours(hour, 6 * DAY))?;
    past.go_to(minutes(4));
    let id = plan_meeting(&past, staff, (hours(hour, 20), minutes(3)))?;
    freeze_agenda(&past, &id, minutes(3))
}
