//! The demo's people, services and templates.

use std::collections::BTreeMap;

use acts::audit::open_log;
use acts::change::{create_change, set_template};
use acts::core::write;
use acts::directory::{create_tenant, set_person, set_service};
use acts::executor::Executor;
use acts::identity::set_token;
use jiff::{SignedDuration, Timestamp};
use model::core::ids::PersonId;
use serde_json::{Value, json};

use super::plans::described;
use super::{OTHER, Past, Result, TENANT, body, matrix};
use crate::identity::password;

/// The people of a tenant, by their key in the credentials file.
pub struct Staff {
    /// Ids by role key, extra people by login.
    pub people: BTreeMap<String, PersonId>,
    /// Rows of the credentials file.
    pub credentials: Vec<Value>,
}

/// Role key, login, name, roles.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

const FIRST: &[Row] = &[
    ("requester", "ingrid", "Ingrid Solheim", &["requester"]),
    ("owner", "hanne", "Hanne Brandt", &["owner"]),
    ("security", "priya", "Priya Raman", &["security"]),
    ("change_manager", "marta", "Marta Lindqvist", &["change_manager"]),
    ("implementer", "tomasz", "Tomasz Wrona", &["implementer"]),
    ("auditor", "edmund", "Edmund Okafor", &["auditor"]),
    ("commander", "yusuf", "Yusuf Demir", &["commander"]),
    ("executive", "solveig", "Solveig Aas", &["executive"]),
    ("admin", "nils", "Nils Berg", &["admin"]),
    ("pipeline", "pipeline", "Delivery pipeline", &["pipeline"]),
    ("vendor", "cartwell-hosting", "Cartwell Hosting", &["vendor"]),
];

/// Colleagues who make the organisation realistic; they have no rights to decide.
const COLLEAGUES: &[Row] = &[
    ("luc", "luc", "Luc Moreau", &["requester"]),
    ("aiko", "aiko", "Aiko Tanaka", &["requester"]),
];

const SECOND: &[Row] = &[
    ("other_requester", "bea", "Bea Castellan", &["requester"]),
    ("other_admin", "omar", "Omar Haddad", &["admin"]),
];

/// Key, name, criticality, data class, regimes, team.
type ServiceRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const SERVICES: &[ServiceRow] = &[
    (
        "shipments",
        "Shipments",
        "critical",
        "confidential",
        &["sox"],
        "Logistics",
    ),
    ("booking-api", "Booking API", "high", "internal", &[], "Logistics"),
    ("rates-engine", "Rates engine", "medium", "internal", &[], "Pricing"),
    ("invoicing", "Invoicing", "high", "confidential", &["sox"], "Finance"),
    (
        "ledger-db",
        "Ledger database",
        "critical",
        "restricted",
        &["sox"],
        "Finance",
    ),
    ("driver-app", "Driver app", "medium", "internal", &[], "Mobile"),
    ("label-print", "Label printing", "low", "public", &[], "Warehouse"),
    ("wms", "Warehouse management", "medium", "internal", &[], "Warehouse"),
    (
        "customs-gateway",
        "Customs gateway",
        "high",
        "confidential",
        &[],
        "Logistics",
    ),
    ("edge-dns", "Edge DNS", "low", "public", &[], "Platform"),
    ("status-page", "Status page", "low", "public", &[], "Platform"),
    ("backup", "Backup", "low", "internal", &[], "Platform"),
];

/// The data classes of services: a change of such a service touches them.
const HOLDS: &[(&str, &[&str])] = &[
    ("ledger-db", &["schema", "crypto_keys"]),
    ("shipments", &["personal_data"]),
];
/// The services that the vendor hosts, and may see.
const VENDORS: &[&str] = &["backup", "label-print", "ledger-db"];

const DEPENDENCIES: &[(&str, &str)] = &[
    ("booking-api", "shipments"),
    ("booking-api", "rates-engine"),
    ("shipments", "ledger-db"),
    ("invoicing", "ledger-db"),
    ("driver-app", "booking-api"),
    ("wms", "shipments"),
    ("wms", "label-print"),
    ("customs-gateway", "shipments"),
    ("status-page", "edge-dns"),
    ("ledger-db", "backup"),
];

/// How long from now on the templates of the demo are good, however long its past is.
const DAYS_TO_REVIEW: i64 = 180;

/// Fills the first tenant, from `at` on; its templates are reviewed after `now`.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill_first(executor: &Executor, at: Timestamp, now: Timestamp) -> Result<Staff> {
    let past = Past::new(executor, TENANT, at);
    open_tenant(&past, "Halden Freight")?;
    let mut staff = hire(&past, FIRST, true)?;
    staff.people.extend(hire(&past, COLLEAGUES, false)?.people);
    past.system(|cx| {
        for (key, name, criticality, data_class, regimes, team) in SERVICES {
            let service = json!({"key": key, "name": name, "criticality": criticality, "data_class": data_class, "regimes": regimes, "team": team});
            set_service::set_service(cx, &body(service))?;
        }
        for (key, holds) in HOLDS {
            set_service::set_service(cx, &body(json!({"key": key, "holds": holds})))?;
        }
        let scoped = body(json!({"services": VENDORS}));
        set_person::edit_person(cx, "cartwell-hosting", &scoped)?;
        for (from, to) in DEPENDENCIES {
            set_service::set_dependency(cx, &body(json!({"from": from, "to": to})))?;
        }
        for (role, login) in [("owner", "hanne"), ("implementer", "tomasz"), ("pipeline", "pipeline")] {
            set_service::set_ownership(cx, &body(json!({"role": role, "person": login})))?;
        }
        set_person::set_group(
            cx,
            "security",
            &body(json!({"name": "Security", "members": ["priya", "yusuf", "luc"]})),
        )?;
        Ok(())
    })?;
    matrix::fill(&past)?;
    catalogue(&past, &staff, now + SignedDuration::from_hours(24 * DAYS_TO_REVIEW))?;
    Ok(staff)
}

/// Fills the second tenant: another business unit that must see nothing of the first.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill_second(executor: &Executor, at: Timestamp) -> Result<Staff> {
    let past = Past::new(executor, OTHER, at);
    open_tenant(&past, "Cartwell Ferries")?;
    let staff = hire(&past, SECOND, true)?;
    past.system(|cx| {
        for (key, name) in [("timetable", "Timetable"), ("ticketing", "Ticketing")] {
            set_service::set_service(cx, &body(json!({"key": key, "name": name, "criticality": "medium"})))?;
        }
        set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "omar"})))?;
        Ok(())
    })?;
    let requester = staff.people.get("other_requester").cloned().unwrap_or_default();
    past.by(&requester, |cx| {
        let request = json!({
            "title": "Winter timetable", "complexity": "low",
            "targets": [{"service": "timetable", "environment": "production"}],
        });
        let request = described("Load the winter timetable.", "It begins in December.", request);
        create_change::create_change(cx, &body(request), &[])
    })?;
    Ok(staff)
}

/// Opens the log; the first event of all marks the tenant as a demo.
fn open_tenant(past: &Past, name: &'static str) -> Result<()> {
    past.system(move |cx| {
        open_log::open_log(cx)?;
        let event = write::draft("demo.filled", ("tenant_info", cx.tenant()), cx.now, json!({}));
        cx.emit(vec![event], write::Written::default())?;
        create_tenant::create_tenant(cx, name, true)
    })
}

fn hire(past: &Past, rows: &'static [Row], with_credentials: bool) -> Result<Staff> {
    let mut staff = Staff {
        people: BTreeMap::new(),
        credentials: Vec::new(),
    };
    for (word, login, name, roles) in rows {
        let person = past.system(move |cx| {
            let request = json!({
                "login": login, "name": name, "email": format!("{login}@{}.example", cx.tenant()),
                "roles": roles, "zone": "Europe/Oslo", "accounts": [format!("github:{login}")],
            });
            Ok(set_person::create_person(cx, &body(request))?.id)
        })?;
        staff.people.insert((*word).to_owned(), person);
        if with_credentials {
            staff.credentials.push(credential(past, word, login)?);
        }
    }
    Ok(staff)
}

fn credential(past: &Past, word: &'static str, login: &'static str) -> Result<Value> {
    let password = past.system(|cx| set_token::new_secret(cx).map(|secret| secret[4..24].to_owned()))?;
    let phc = password::hash(&password)?;
    let tenant = past.tenant;
    let token = past.system(move |cx| {
        set_person::set_password(cx, login, &phc)?;
        let request = json!({"name": "demo", "person": login, "scopes": set_token::SCOPES});
        Ok(set_token::create_token(cx, &body(request))?.1)
    })?;
    Ok(json!({"role": word, "tenant": tenant, "login": login, "password": password, "token": token}))
}

/// Two standard changes: proposed by an engineer, approved by owner and change manager.
fn catalogue(past: &Past, staff: &Staff, review_by: Timestamp) -> Result<()> {
    let restart = "Restart the print spooler on both nodes, one after the other.";
    let templates = [
        json!({
            "key": "restart-label-print", "title": "Restart label printing",
            "services": ["label-print"], "environments": ["production"], "free": ["planned_start", "planned_end"],
            "locked": described(restart, "The spooler holds memory after two weeks.", json!({
                "category": "application", "complexity": "low",
                "plan": [{"title": "Restart node one", "minutes": 3, "check": "A test label prints"}, {"title": "Restart node two", "minutes": 3, "check": "A test label prints"}],
                "rollback_plan": [{"title": "Fail over to the spare printer server", "minutes": 5}],
            })),
        }),
        json!({
            "key": "rotate-edge-certificate", "title": "Rotate the edge certificate",
            "services": ["edge-dns", "status-page"], "environments": ["production"], "free": [],
            "locked": described("Install the renewed certificate.", "Certificates end after 90 days.", json!({
                "category": "security", "complexity": "low",
                "plan": [{"title": "Install the certificate", "minutes": 5, "check": "The new serial is served"}],
                "rollback_plan": [{"title": "Put the old certificate back", "minutes": 2}],
            })),
        }),
    ];
    let person = |word: &str| staff.people.get(word).cloned().unwrap_or_default();
    for mut template in templates {
        template["review_by"] = json!(review_by.to_string());
        let key = template["key"].as_str().unwrap_or_default().to_owned();
        past.by(&person("requester"), move |cx| {
            set_template::propose_template(cx, &body(template.clone()))
        })?;
        for word in ["owner", "change_manager"] {
            let key = key.clone();
            past.by(&person(word), move |cx| {
                set_template::approve_template(cx, &key, &model::core::body::Body::new())
            })?;
        }
    }
    past.pass(60);
    Ok(())
}
