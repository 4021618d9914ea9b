//! Fills a tenant with one thing of every kind, its mark in every text.

use serde_json::{Value, json};
use tests::Server;

/// One thing to make: method, path and body.
type Row = (&'static str, String, Value);

/// The people who fill a tenant: its administrator, and a person with many roles.
pub(crate) struct Filler<'s> {
    pub(crate) server: &'s Server,
    pub(crate) mark: &'static str,
    pub(crate) plain: &'static str,
    pub(crate) admin: String,
    pub(crate) many: String,
    pub(crate) service: String,
    pub(crate) artifact: String,
}

impl Filler<'_> {
    fn must(&self, token: &str, path: &str, body: &Value) -> Value {
        self.server.must("POST", &format!("/api/v1{path}"), token, Some(body))
    }

    pub(crate) fn token(&self, scopes: &[&str]) -> String {
        let mark = self.mark;
        let body =
            json!({"name": format!("{mark} token"), "person": format!("{}-person", self.plain), "scopes": scopes});
        let made = self.must(&self.admin, "/tokens", &body);
        made["token"].as_str().unwrap().to_owned()
    }

    fn later(&self, hours: i64) -> String {
        (self.server.server_time() + jiff::SignedDuration::from_hours(hours)).to_string()
    }

    /// Somebody with many roles, and a service.
    pub(crate) fn hire(&mut self) {
        let mark = self.mark;
        let person = json!({
            "login": format!("{}-person", self.plain), "name": format!("{mark} person"), "email": format!("{mark}@x.example"),
            "roles": ["requester", "owner", "security", "change_manager", "implementer", "auditor", "commander"],
        });
        self.must(&self.admin, "/people", &person);
        self.many = self.token(&["read", "write", "gate", "audit", "admin"]);
        let service = json!({"key": self.service, "name": format!("{mark} service"), "criticality": "low"});
        self.must(&self.admin, "/services", &service);
        // An outside reviewer must have no part in any open change, so the outside look precedes the reviewer's own change.
        let lookers = format!("{}-lookers", self.plain);
        let group = json!({"name": mark, "members": [format!("{}-person", self.plain)]});
        self.make(&("PUT", format!("/groups/{lookers}"), group));
        self.make(&(
            "POST",
            "/outside-looks".to_owned(),
            json!({"group": lookers, "text": mark}),
        ));
    }

    /// A change with something of everything around it.
    pub(crate) fn change(&self) {
        let mark = self.mark;
        let body = json!({
            "title": format!("{mark} title"), "description": format!("{mark} description"), "justification": mark,
            "category": "application", "complexity": "low", "labels": [mark],
            "impact": {"data": "none", "availability": "low", "compliance": "none"},
            "targets": [{"service": self.service, "environment": "production", "artifact": self.artifact}],
            "planned_start": self.later(0), "planned_end": self.later(2), "plan": [{"title": mark, "minutes": 1}],
            "rollback_plan": [{"title": mark, "minutes": 1}], "rollback_minutes": 1,
        });
        let made = self.must(&self.many, "/changes", &body);
        let change = format!("/changes/{}", made["key"].as_str().unwrap());
        let evidence = json!({
            "kind": "note", "aspect": "functional", "result": "passed", "name": mark, "environment": "staging", "text": mark,
        });
        for (path, body) in [
            ("comments", json!({"text": mark})),
            ("tasks", json!({"kind": "prepare", "title": mark, "mandatory": false})),
            ("evidence", evidence),
            ("submission", json!({})),
        ] {
            self.must(&self.many, &format!("{change}/{path}"), &body);
        }
        let question = json!({"service": self.service, "environment": "production", "artifact": self.artifact});
        self.must(&self.many, "/gate-checks", &question);
    }

    /// One thing of every other kind.
    pub(crate) fn rest(&self) {
        let (mark, service, login) = (self.mark, &self.service, format!("{}-person", self.plain));
        let rows = [
            (
                "POST",
                "/ownerships".to_owned(),
                json!({"role": "owner", "service": service, "person": format!("{}-other", self.plain)}),
            ),
            (
                "POST",
                "/config-items".to_owned(),
                json!({"key": format!("{}-item", self.plain), "name": mark, "service": service}),
            ),
            (
                "POST",
                "/connections".to_owned(),
                json!({"kind": "github", "name": mark, "map": []}),
            ),
            (
                "PUT",
                "/identity-providers/idp".to_owned(),
                // The name of its button is on the page where people sign in, which everybody may see.
                json!({"name": "Corporate", "issuer": "https://i.example", "client_id": "x"}),
            ),
            (
                "PUT",
                "/workloads/ci".to_owned(),
                json!({"name": mark, "issuer": "https://i.example", "meant_for": "x", "claims": {"sub": mark}, "person": login}),
            ),
            (
                "POST",
                "/webhooks".to_owned(),
                json!({"name": mark, "url": format!("https://{mark}.example/"), "kinds": ["change.created"]}),
            ),
            (
                "POST",
                "/freezes".to_owned(),
                json!({"title": mark, "reason": mark, "environments": ["staging"], "services": [service], "starts_at": self.later(500), "ends_at": self.later(501)}),
            ),
            (
                "POST",
                "/windows".to_owned(),
                json!({"title": mark, "services": [service], "starts_at": self.later(600), "ends_at": self.later(601)}),
            ),
            (
                "POST",
                "/incidents".to_owned(),
                json!({"title": mark, "severity": 2, "services": [service], "started_at": self.later(0)}),
            ),
            (
                "POST",
                "/absences".to_owned(),
                json!({"starts_at": self.later(700), "ends_at": self.later(701), "reason": mark}),
            ),
        ];
        let all = [self.of_people(), rows.to_vec(), self.of_rules()].concat();
        all.iter().for_each(|row| self.make(row));
    }

    /// The settings of people about themselves and each other.
    fn of_people(&self) -> Vec<Row> {
        let (mark, login) = (self.mark, format!("{}-person", self.plain));
        let group = format!("{}-group", self.plain);
        let (from, to) = (self.later(800), self.later(801));
        let to_many = |path: &str, body: Value| ("POST", path.to_owned(), body);
        let group_of = |key: &str| {
            let body = json!({"name": mark, "members": [login]});
            ("PUT", format!("/groups/{}-{key}", self.plain), body)
        };
        vec![
            group_of("group"),
            to_many(
                "/people",
                json!({"login": format!("{}-other", self.plain), "name": format!("{mark} other"), "roles": ["owner"]}),
            ),
            to_many(
                "/delegations",
                json!({"delegate": format!("{}-other", self.plain), "starts_at": from, "ends_at": to, "reason": mark}),
            ),
            to_many(
                "/trainings",
                json!({"person": login, "training": mark, "starts_at": self.later(0), "ends_at": to}),
            ),
            to_many(
                "/on-call",
                json!({"group": group, "person": login, "starts_at": from, "ends_at": to}),
            ),
            to_many("/meetings", json!({"group": group, "title": mark})),
            to_many("/views", json!({"name": mark, "query": format!("q={mark}")})),
        ]
    }

    /// Records that set rules, such as calendars and templates.
    fn of_rules(&self) -> Vec<Row> {
        let (mark, service) = (self.mark, &self.service);
        let hours = json!([{"day": "monday", "from": "08:00", "to": "16:00"}]);
        let locked = json!({"category": "application", "complexity": "low", "description": mark, "justification": mark,
            "plan": [{"title": mark}], "rollback_plan": [{"title": mark, "minutes": 2}]});
        let key = |what: &str| format!("{}-{what}", self.plain);
        let rows = [
            ("/environments", json!({"key": key("place"), "name": mark})),
            (
                "/calendars",
                json!({"key": key("days"), "name": mark, "zone": "Europe/Oslo", "hours": hours}),
            ),
            (
                "/templates",
                json!({"key": key("restart"), "title": mark, "services": [service], "environments": ["production"],
                    "free": ["planned_start", "planned_end"], "locked": locked}),
            ),
            ("/retention", json!({"changes_days": 400, "reason": mark})),
            (
                "/mapping",
                json!({"rules": [{"rule": "walk", "kind": "normal"}], "reason": mark}),
            ),
            (
                "/sla-table",
                json!({"table": {"low": {"acknowledge": "2bd"}}, "reason": mark}),
            ),
            (
                "/ownership-proposals",
                json!({"rows": [{"service": service, "role": "technical_lead", "group": key("group")}], "reason": mark}),
            ),
        ];
        rows.into_iter()
            .map(|(path, body)| ("POST", path.to_owned(), body))
            .collect()
    }

    /// Makes one thing, by the administrator or else by a person with many roles.
    fn make(&self, (method, path, body): &Row) {
        let mut said = String::new();
        for token in [&self.admin, &self.many] {
            let way = format!("/api/v1{path}");
            let (status, answer) = self
                .server
                .ask_with(method, &way, Some(token), Some(body), &[("If-Match", "*")]);
            if (200..300).contains(&status) {
                return;
            }
            said.push_str(&String::from_utf8_lossy(&answer));
        }
        panic!("{method} {path}: {said}");
    }
}
