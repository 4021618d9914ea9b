//! The made-up company: services of every sort, and people enough for every rule of a set, or one person with every right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::approval::obligation::{Asked, Duty};
use model::cab::meeting::{Attendance, Meeting};
use model::cab::training::Training;
use model::change::template::bounds::TemplateBounds;
use model::compliance::erasure;
use model::core::enums::{Criticality, OwnershipRole, Role, TemplateState};
use model::core::ids::{GroupKey, PersonId, ServiceKey};
use model::directory::records::USUAL_FAILURES;
use model::directory::snapshot::{
    Directory, Environment, Group, Incident, Ownership, Person, Service, StandardTemplate, Tenant,
};
use model::emergency::outside_look::OutsideLook;
use policy::PolicySet;

/// A service without attributes.
pub(super) const PLAIN: &str = "a plain service";
/// A service under every regime.
pub(super) const EVERYTHING: &str = "a critical service under every regime";
/// The owner who opens break-glass.
pub(super) const OPENER: &str = "owner-1";
/// The incident behind every emergency.
pub(super) const INCIDENT: &str = "INC-1";
/// The template of standard changes: it locks nothing, and was approved by an owner and a change manager.
pub(super) const TEMPLATE: &str = "usual";
/// How many minutes a clean change of the template is watched before it closes by itself.
pub(super) const WATCH_MINUTES: i64 = 60;
/// How many holders of each right have no job function and no training: a rule may also forbid those who have one.
const UNTAUGHT: usize = 1;

/// The instant at which every story begins.
pub(super) fn dawn() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("a time of our age")
}

/// When the window of every planned change opens: late enough for any lead time.
pub(super) fn window() -> Timestamp {
    dawn() + SignedDuration::from_hours(24 * 120)
}

/// A meeting of a group at which all of it are.
fn meeting(key: &GroupKey, members: &BTreeSet<PersonId>, at: Timestamp) -> Meeting {
    let attendees = members.iter().map(|person| Attendance {
        person: person.clone(),
        at,
        left_at: None,
    });
    Meeting {
        id: format!("meeting/{key}/{at}").as_str().into(),
        version: 1,
        group: key.clone(),
        title: format!("Meeting of {key}"),
        starts_at: at - SignedDuration::from_hours(1),
        ended_at: None,
        by: "rita".into(),
        at,
        attendees: attendees.collect(),
        conflicts: Vec::new(),
        listed: None,
    }
}

/// The names in a set: the company has all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct NamesInSet {
    groups: BTreeSet<String>,
    people: BTreeSet<String>,
    named_services: BTreeSet<String>,
    functions: BTreeSet<String>,
    trainings: BTreeSet<String>,
    regimes: Vec<String>,
    data_classes: Vec<String>,
    /// How many minutes before a start rules want it announced.
    announced: BTreeSet<i64>,
    tells_criticality: bool,
    text: String,
}

impl NamesInSet {
    /// Reads the names in a set's texts.
    pub(super) fn of(set: &PolicySet) -> Self {
        let mut words = Self {
            groups: ["security", "change-managers", "outside"].map(str::to_owned).into(),
            text: set
                .sources()
                .map(|source| source.text.as_str())
                .collect::<Vec<_>>()
                .join("\n"),
            ..Self::default()
        };
        words.tells_criticality = words.text.contains("criticality");
        words.regimes = words.named("Regime", set.regimes());
        words.data_classes = words.named("DataClass", set.data_classes());
        for source in set.sources() {
            let text = source.text.as_str();
            words.groups.extend(behind(text, "Group::\""));
            for annotation in ["\"group:", "@from(\"", "@escalate(\""] {
                words.groups.extend(groups_behind(text, annotation));
            }
            words.people.extend(behind(text, "Person::\""));
            words.named_services.extend(behind(text, "Service::\""));
            words.functions.extend(behind(text, "@function(\""));
            words.functions.extend(literals_after(text, ".functions"));
            words.trainings.extend(behind(text, "@training(\""));
            words.trainings.extend(literals_after(text, ".trainings"));
        }
        // A parameter may name the groups, and then no text does.
        for obligation in set.obligations() {
            match &obligation.duty {
                Duty::Approval(rule) => words.take_groups(&rule.from),
                Duty::Communication {
                    announced_minutes,
                    ready_from,
                    ..
                } => {
                    words.announced.extend(*announced_minutes);
                    if let Some(whom) = ready_from {
                        words.take_groups(whom);
                    }
                }
                _ => {}
            }
        }
        words
    }

    fn take_groups(&mut self, whom: &Asked) {
        match whom {
            Asked::Group(key) => self.groups.extend([key.0.clone()]),
            Asked::Groups(keys) => self.groups.extend(keys.iter().map(|key| key.0.clone())),
            _ => {}
        }
    }

    /// The given names that the set's texts contain.
    fn named(&self, kind: &str, words: &[String]) -> Vec<String> {
        named_in(&self.text, kind, words)
    }

    /// The regimes that a text names.
    pub(super) fn regimes_in(&self, text: &str) -> Vec<String> {
        named_in(text, "Regime", &self.regimes)
    }

    /// The classes of data that a text names.
    pub(super) fn data_classes_in(&self, text: &str) -> Vec<String> {
        named_in(text, "DataClass", &self.data_classes)
    }

    /// The values of an enum that the set's texts name, and one that they do not name.
    pub(super) fn told_apart<T: Copy>(&self, kind: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<T> {
        let is_named = |it: &T| self.text.contains(&format!("{kind}::\"{}\"", word(*it)));
        let (mut named, others): (Vec<T>, Vec<T>) = all.iter().copied().partition(is_named);
        named.extend(others.first());
        named
    }

    /// Whether the set's text contains a name.
    pub(super) fn say(&self, word: &str) -> bool {
        self.text.contains(word)
    }

    /// Every service that the set could distinguish, beside the plain one and the one with everything.
    pub(super) fn services(&self) -> Vec<String> {
        let regimes = self.regimes.iter().map(|it| format!("a service under {it}"));
        let classes = self.data_classes.iter().map(|it| format!("a service with {it} data"));
        let levels = super::criticalities().into_iter().filter(|_| self.tells_criticality);
        let levels = levels.map(|(_, word)| format!("a service of {word} criticality"));
        let named = self.named_services.iter().cloned();
        regimes.chain(classes).chain(levels).chain(named).collect()
    }
}

/// The given names that a text contains.
fn named_in(text: &str, kind: &str, words: &[String]) -> Vec<String> {
    let is_named = |word: &&String| text.contains(&format!("{kind}::\"{word}\""));
    words.iter().filter(is_named).cloned().collect()
}

/// The text between a mark and the next quotation mark.
pub(crate) fn behind(text: &str, mark: &str) -> Vec<String> {
    let parts = text.split(mark).skip(1);
    parts
        .filter_map(|part| part.split('"').next())
        .map(|word| word.strip_prefix("group:").unwrap_or(word).to_owned())
        .collect()
}

/// The same for groups, of which one annotation may name several.
fn groups_behind(text: &str, mark: &str) -> Vec<String> {
    let words = behind(text, mark);
    let keys = words.iter().flat_map(|word| word.split(','));
    keys.map(|key| key.trim().trim_start_matches("group:").to_owned())
        .collect()
}

/// The texts in the bracket that follows a field: `.functions.contains("dba")`.
fn literals_after(text: &str, field: &str) -> Vec<String> {
    let parts = text.split(field).skip(1);
    let brackets = parts.filter_map(|part| part.split(')').next());
    brackets
        .flat_map(|bracket| bracket.split('"').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// The people of a story.
pub(super) struct Cast {
    /// The company.
    pub(super) directory: Arc<Directory>,
}

impl Cast {
    /// Everybody: a requester, an implementer, a tester, a pipeline, and this many holders of every right that decides.
    pub(super) fn company(words: &NamesInSet, holders: usize) -> Self {
        let mut made = Made::new(words);
        made.hire("rita", &[Role::Requester], true);
        made.hire("ida", &[Role::Implementer], true);
        made.hire("tom", &[Role::Requester], true);
        made.hire("pip", &[Role::Pipeline], true);
        made.own("ida", OwnershipRole::Implementer);
        made.own("pip", OwnershipRole::Pipeline);
        let deciding = [
            OwnershipRole::Owner,
            OwnershipRole::TechnicalLead,
            OwnershipRole::Security,
            OwnershipRole::Data,
        ];
        for role in deciding {
            let word = role.as_str().replace('_', "-");
            for place in 1..=holders {
                let login = format!("{word}-{place}");
                let roles: &[Role] = match role {
                    OwnershipRole::Security => &[Role::Security],
                    _ => &[Role::Owner],
                };
                made.hire(&login, roles, place > UNTAUGHT);
                made.own(&login, role);
            }
        }
        for group in &words.groups {
            for place in 1..=holders {
                let roles: &[Role] = match group.as_str() {
                    "security" => &[Role::Security],
                    "change-managers" => &[Role::ChangeManager],
                    _ => &[Role::Executive],
                };
                let login = format!("{group}-{place}");
                made.hire(&login, roles, place > UNTAUGHT);
                made.join(group, &login);
            }
        }
        for person in &words.people {
            made.hire(person, &[Role::Owner, Role::Security, Role::ChangeManager], true);
            made.own(person, OwnershipRole::Owner);
            for group in &words.groups {
                made.join(group, person);
            }
        }
        made.done(words)
    }

    /// Alma alone, with a pipeline that she runs.
    pub(super) fn one_person(words: &NamesInSet) -> Self {
        let mut made = Made::new(words);
        let alma: Vec<Role> = Role::ALL
            .iter()
            .copied()
            .filter(|role| !matches!(role, Role::Pipeline | Role::Vendor))
            .collect();
        let robot = [Role::Pipeline, Role::Owner, Role::Security, Role::ChangeManager];
        for (name, roles) in [("alma", alma.as_slice()), ("robot", &robot)] {
            made.hire(name, roles, true);
            for role in OwnershipRole::ALL.iter().copied() {
                made.own(name, role);
            }
            for group in &words.groups {
                made.join(group, name);
            }
        }
        made.done(words)
    }

    /// Everybody, first the people with a right that supports others.
    pub(super) fn people(&self) -> Vec<String> {
        let mut found: Vec<&Person> = self.directory.people.values().collect();
        found.sort_by_key(|person| {
            let looks_after = [Role::ChangeManager, Role::Security, Role::Owner];
            (
                !looks_after.iter().any(|role| person.roles.contains(role)),
                person.login.clone(),
            )
        });
        found.into_iter().map(|person| person.login.clone()).collect()
    }
}

/// A company that is being made.
struct Made {
    found: Directory,
    members: BTreeMap<String, BTreeSet<PersonId>>,
    rows: Vec<Ownership>,
    words: NamesInSet,
}

/// The incident behind every emergency: it hurts all services.
fn usual_incident(services: BTreeSet<ServiceKey>) -> Incident {
    Incident {
        id: INCIDENT.into(),
        version: 1,
        key: INCIDENT.to_owned(),
        title: "It is down".to_owned(),
        severity: 1,
        services,
        started_at: dawn() - SignedDuration::from_hours(4),
        resolved_at: None,
        end_recorded_at: None,
        external_ref: None,
        connection: None,
        cause_verdicts: Vec::new(),
        course: Default::default(),
    }
}

/// The template of standard changes.
fn usual_template() -> StandardTemplate {
    StandardTemplate {
        id: TEMPLATE.into(),
        version: 1,
        key: TEMPLATE.to_owned(),
        template_version: 1,
        state: TemplateState::Approved,
        title: "As always".to_owned(),
        locked: serde_json::Map::new(),
        custom_fields: Vec::new(),
        free: BTreeSet::new(),
        bounds: TemplateBounds::widest(),
        services: BTreeSet::new(),
        environments: BTreeSet::new(),
        review_by: dawn() + SignedDuration::from_hours(24 * 365),
        watch_minutes: WATCH_MINUTES,
        suspend_after: USUAL_FAILURES,
        failures: Vec::new(),
        proposer: "rita".into(),
        handed_by: None,
        approvals: Vec::new(),
        digest: "sha256:template".to_owned(),
        ended_reason: None,
        next: None,
    }
}

/// A new tenant.
fn usual_tenant() -> Tenant {
    Tenant {
        id: "acme".into(),
        version: 1,
        name: "Acme".into(),
        demo: false,
        log_is_public: false,
        log_said: None,
        status_is_public: false,
        status_said: None,
        access_review_period: Default::default(),
        ownership_by_two: false,
        sla_table: Default::default(),
        sla_table_from: None,
        watch_table: Default::default(),
        watch_table_from: None,
        major_severity: model::incident::major::USUAL_BOUND,
        major_severity_from: None,
        retention: erasure::Retention::default(),
        retention_from: None,
        risk_table: Default::default(),
        risk_terms: Default::default(),
        risk_table_from: None,
        mapping: Vec::new(),
        mapping_from: None,
        policies: None,
    }
}

impl Made {
    fn new(words: &NamesInSet) -> Self {
        let mut found = Directory {
            tenant: Some(usual_tenant()),
            ..Directory::default()
        };
        for (key, is_production) in [("staging", false), ("production", true)] {
            let environment = Environment {
                id: key.into(),
                version: 1,
                key: key.into(),
                name: key.into(),
                is_production,
            };
            found.environments.insert(key.into(), environment);
        }
        found.templates.insert(TEMPLATE.to_owned(), usual_template());
        let mut made = Self {
            found,
            members: BTreeMap::new(),
            rows: Vec::new(),
            words: words.clone(),
        };
        made.serve(PLAIN, Criticality::Medium, &[], None);
        made.serve(EVERYTHING, Criticality::Critical, &words.regimes, Some("restricted"));
        for regime in &words.regimes {
            made.serve(
                &format!("a service under {regime}"),
                Criticality::Medium,
                std::slice::from_ref(regime),
                None,
            );
        }
        for class in &words.data_classes {
            made.serve(
                &format!("a service with {class} data"),
                Criticality::Medium,
                &[],
                Some(class),
            );
        }
        for (level, word) in super::criticalities() {
            made.serve(&format!("a service of {word} criticality"), level, &[], None);
        }
        for key in &words.named_services {
            made.serve(key, Criticality::Medium, &[], None);
        }
        made.with_incident()
    }

    fn with_incident(mut self) -> Self {
        let incident = usual_incident(self.found.services.keys().cloned().collect());
        self.found.incidents.insert(INCIDENT.to_owned(), incident);
        self
    }

    fn serve(&mut self, key: &str, criticality: Criticality, regimes: &[String], data_class: Option<&str>) {
        let service = Service {
            id: key.into(),
            version: 1,
            key: key.into(),
            name: key.into(),
            criticality,
            regimes: regimes.iter().cloned().collect(),
            data_class: data_class.map(str::to_owned),
            holds: BTreeSet::new(),
            team: None,
            watchers: BTreeSet::new(),
            watching_groups: BTreeSet::new(),
            led_by: None,
        };
        self.found.services.insert(key.into(), service);
    }

    fn hire(&mut self, login: &str, roles: &[Role], is_taught: bool) {
        let functions = if is_taught {
            self.words.functions.clone()
        } else {
            BTreeSet::new()
        };
        let person = Person {
            id: login.into(),
            version: 1,
            login: login.into(),
            name: login.into(),
            email: None,
            roles: roles.iter().copied().collect(),
            zone: "UTC".into(),
            active: true,
            accounts: Vec::new(),
            functions,
            calendar: None,
            deactivation: None,
            subjects: Vec::new(),
            external_id: None,
            attributes: Vec::new(),
            removed: false,
            telling: None,
            manager: None,
            refused_rights: Vec::new(),
            vouched: Vec::new(),
            readdressed: None,
            made_by: None,
            is_agent: false,
            services: Default::default(),
        };
        self.found.logins.insert(login.into(), login.into());
        self.found.people.insert(login.into(), person);
        let trainings = self.words.trainings.iter().filter(|_| is_taught);
        self.found.trainings.extend(trainings.map(|training| Training {
            id: format!("{login}/{training}").as_str().into(),
            version: 1,
            person: login.into(),
            training: training.clone(),
            starts_at: dawn() - SignedDuration::from_hours(24),
            ends_at: dawn() + SignedDuration::from_hours(24 * 400),
            recorded_at: None,
            evidence_note: None,
        }));
    }

    fn own(&mut self, login: &str, role: OwnershipRole) {
        self.rows.push(Ownership {
            id: format!("{login}/{role}").as_str().into(),
            version: 1,
            service: None,
            config_item: None,
            class: None,
            environment: None,
            role,
            person: Some(login.into()),
            group: None,
            function: None,
            since: dawn() - SignedDuration::from_hours(24),
            ends_at: None,
            is_from_catalogue: false,
            hand: None,
            corrected_at: None,
        });
    }

    fn join(&mut self, group: &str, login: &str) {
        self.members.entry(group.to_owned()).or_default().insert(login.into());
    }

    /// Puts the groups together; each of them sits at a meeting, and those outside have looked.
    fn done(mut self, words: &NamesInSet) -> Cast {
        for key in &words.groups {
            let members = self.members.remove(key).unwrap_or_default();
            let key = GroupKey::from(key.as_str());
            // No meeting lasts until the window of a planned change: the board meets again then, and before the announcement.
            let late = window() - SignedDuration::from_hours(1);
            let ahead = words.announced.iter().filter(|minutes| **minutes > 0);
            let early = ahead.map(|minutes| late - SignedDuration::from_mins(*minutes));
            for at in [dawn(), late].into_iter().chain(early) {
                self.found.meetings.push(meeting(&key, &members, at));
            }
            if let Some(by) = members.iter().next() {
                self.found.outside_looks.push(OutsideLook {
                    id: format!("look/{key}").as_str().into(),
                    version: 1,
                    group: key.clone(),
                    by: by.clone(),
                    at: window(),
                    text: "Nothing odd.".into(),
                    changes: Vec::new(),
                });
            }
            let group = Group {
                id: format!("group/{key}").as_str().into(),
                version: 1,
                key: key.clone(),
                name: key.0.clone(),
                members,
                kind: Default::default(),
                calendar: None,
                external_id: None,
                removed: false,
            };
            self.found.groups.insert(key, group);
        }
        self.found.ownerships = self.rows.into();
        Cast {
            directory: Arc::new(self.found),
        }
    }
}
