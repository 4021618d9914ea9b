//! The model's nouns as records: under which columns each is found. Every column here is computed from the body alone,
//! so that replay can compute it again.

use model::change::record::Change;
use model::change::related_records::{Approval, Condition, Deployment, Evidence, GateCheck, Message, Permit};
use model::change::work::outcome_of_targets;
use model::directory::snapshot::{Group, Incident, Person, Service, StandardTemplate, Tenant};
use model::gate::provenance::Provenance;
use model::gate::running::Running;
use model::policy::act_facts::ActFacts;
use model::policy::decision_facts::DecisionFacts;

use crate::change::changes::save_targets;
use crate::error::{Error, Result};
use crate::identity::identities;
use crate::record::{Record, read};
use crate::search;
use crate::tx::Tx;
use crate::value::Value;

mod cards;

const LISTS: [&[&str]; 3] = [WITHOUT_CARD, cards::RECORDS, cards::NOUNS];

const COUNT: usize = LISTS[0].len() + LISTS[1].len() + LISTS[2].len();

/// The tables of the model's nouns.
pub const TABLES: &[&str] = &all_tables();

const fn all_tables() -> [&'static str; COUNT] {
    let mut all = [""; COUNT];
    let (mut place, mut list) = (0, 0);
    while list < LISTS.len() {
        let mut at = 0;
        while at < LISTS[list].len() {
            all[place] = LISTS[list][at];
            place += 1;
            at += 1;
        }
        list += 1;
    }
    all
}

/// How much of a long text is made findable, in bytes.
const SEARCHED: usize = 4_000;

/// A column with its value; any of the model's ids and enums may be given as a text.
fn column<V: IntoColumn>(name: &'static str, value: V) -> (&'static str, Value) {
    (name, value.into_column())
}

trait IntoColumn {
    fn into_column(self) -> Value;
}

macro_rules! plain_columns {
    ($($kind:ty),+ $(,)?) => {$(
        impl IntoColumn for $kind {
            fn into_column(self) -> Value { self.into() }
        }
    )+};
}

macro_rules! id_columns {
    ($($kind:ident),+ $(,)?) => {$(
        impl IntoColumn for &model::core::ids::$kind {
            fn into_column(self) -> Value { self.as_str().into() }
        }
    )+};
}

macro_rules! word_columns {
    ($($kind:ident),+ $(,)?) => {$(
        impl IntoColumn for model::core::enums::$kind {
            fn into_column(self) -> Value { self.as_str().into() }
        }
    )+};
}

plain_columns!(&str, &String, i64, bool, jiff::Timestamp);
id_columns!(ChangeId, PersonId, GroupKey, ServiceKey, EnvironmentKey, RecordId);
word_columns!(
    State,
    Outcome,
    Kind,
    Level,
    ApprovalState,
    EvidenceKind,
    Aspect,
    TaskState,
    LinkKind,
    PermitState,
    GateDecision,
    CheckState,
    OwnershipRole,
    TemplateState,
    ConfigurationKind,
    ConfigurationState,
);

impl<T: IntoColumn> IntoColumn for Option<T> {
    fn into_column(self) -> Value {
        self.map_or(Value::Null, IntoColumn::into_column)
    }
}

/// One noun: its type, its table, and its columns as `name = expression over it`.
macro_rules! nouns {
    ($($noun:ident in $table:literal |$it:ident| { $($name:ident = $value:expr),* $(,)? } $(=> $derive:ident;)?)+) => {
        $(impl Record for $noun {
            const TABLE: &'static str = $table;

            fn id(&self) -> &str {
                self.id.id_text()
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn columns(&self) -> Vec<(&'static str, Value)> {
                let $it = self;
                vec![$(column(stringify!($name), $value)),*]
            }

            $(fn save_derived(&self, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
                $derive(self, tx, is_new)
            })?
        })+

        const WITHOUT_CARD: &[&str] = &[$($table),+];

        /// The derived columns of a body, computed again: replay compares them with the row. `Other` for a table outside the
        /// model.
        pub fn derived_columns(table: &str, body: &str) -> Result<Vec<(&'static str, Value)>> {
            match table {
                $($table => Ok(read::<$noun>(body)?.columns()),)+
                _ => cards::derived_columns(table, body),
            }
        }

        /// A record's body from any table, for callers with records of all kinds. `None` where it is not, or the table is
        /// outside the model.
        pub fn load_body(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Option<serde_json::Value>> {
            let value = match table {
                $($table => crate::record::load::<$noun>(tx, id)?.map(|it| serde_json::to_value(it.record)),)+
                _ => return cards::load_body(tx, table, id),
            };
            value.transpose().map_err(|error| Error::Other(error.to_string()))
        }

        /// Writes the rows that are derived from a body (targets, search terms) again.
        pub fn save_derived(tx: &mut Tx<'_>, table: &str, body: &str) -> Result<()> {
            match table {
                $($table => read::<$noun>(body)?.save_derived(tx, false),)+
                // Nothing else is derived from a noun with a card.
                _ => cards::derived_columns(table, body).map(drop),
            }
        }
    };
}

/// Ids are of several types, and all are text.
trait IdText {
    fn id_text(&self) -> &str;
}

macro_rules! id_texts {
    ($($kind:ty),+ $(,)?) => {$(
        impl IdText for $kind {
            fn id_text(&self) -> &str {
                self.as_str()
            }
        }
    )+};
}

id_texts!(
    model::core::ids::RecordId,
    model::core::ids::ChangeId,
    model::core::ids::PersonId,
    String
);

nouns! {
    Change in "change" |it| {
        key = &it.key,
        number = it.number,
        title = &it.content.title,
        state = it.state,
        kind = it.content.kind,
        risk = it.risk.level,
        on_hold = it.is_on_hold(),
        requester = &it.requester,
        owner = &it.content.owner,
        team = it.content.team.as_ref(),
        created_at = it.created_at,
        planned_start = it.planned_start,
        planned_end = it.planned_end,
        expedited = it.content.expedited,
        updated_at = it.updated_at,
        is_kept = it.is_kept(),
        outcome = outcome_of_targets(it),
        planned_undo = it.content.planned_undo.as_ref().map(|_| "declared"),
        review_cause = it.causal_review().and_then(|review| review.cause.as_ref()),
    } => save_change;
    Approval in "approval" |it| {
        change_id = &it.change, person = &it.person, state = it.state, at = it.at,
    }
    DecisionFacts in "decision_facts" |it| { change_id = &it.change, digest = &it.digest }
    ActFacts in "act_facts" |it| { change_id = &it.change }
    Evidence in "evidence" |it| {
        change_id = &it.change,
        kind = it.kind,
        aspect = it.aspect,
        artifact = it.artifact.as_ref(),
        file_digest = it.kept_file(),
    }
    Condition in "condition" |it| { change_id = &it.change, state = condition_state(it) }
    Permit in "permit" |it| {
        change_id = &it.change,
        service = &it.service,
        environment = &it.environment,
        artifact = it.artifact.as_ref(),
        expires_at = it.expires_at,
        state = it.state,
    }
    GateCheck in "gate_check" |it| {
        service = it.asked_place.as_ref().map_or(&it.service, |asked| &asked.asked_service),
        environment = it.asked_place.as_ref().map_or(&it.environment, |asked| &asked.asked_environment),
        artifact = it.artifact.as_ref().or(it.asked_artifact.as_ref()),
        commit_sha = it.commit.as_ref(),
        change_key = it.change.as_ref(),
        decision = it.decision,
        state = it.state,
        asked_at = it.asked_at,
        wait_until = it.wait_until,
    }
    Person in "person" |it| { login = &it.login, active = it.active } => save_person;
    Group in "people_group" |it| { key = &it.key, name = &it.name } => save_group;
    Service in "service" |it| { key = &it.key, team = it.team.as_ref() } => save_service;
    StandardTemplate in "template" |it| {
        key = &it.key, state = it.state, template_version = it.template_version,
    }
    Incident in "incident" |it| {
        key = &it.key, started_at = it.started_at, resolved_at = it.resolved_at,
    } => save_incident;
    Deployment in "deployment" |it| {
        connection = &it.connection,
        natural_key = &it.natural_key,
        service = &it.service,
        environment = &it.environment,
        commit_sha = &it.commit,
        change_id = it.change.as_ref(),
    }
    Running in "running" |it| {
        service = &it.service,
        environment = &it.environment,
        artifact = &it.artifact,
        change_id = &it.change,
        ended_by = it.ended_by.as_ref(),
        active = it.is_on(),
    }
    Message in "message" |it| {
        change_id = it.change.as_ref(),
        person = &it.person,
        state = &it.delivery,
        dedup = &it.dedup,
    }
    Tenant in "tenant_info" |it| { name = &it.name }
    Provenance in "provenance" |it| {
        repository = &it.repository,
        commit_sha = &it.commit,
        tree = it.tree.as_ref(),
        artifact = it.artifact.as_ref(),
    }
}

fn condition_state(condition: &Condition) -> &'static str {
    if condition.lapsed {
        return "lapsed";
    }
    if condition.met.is_some() { "met" } else { "open" }
}

/// The texts by which a record is found.
fn texts_of_change(change: &Change) -> Vec<&str> {
    let content = &change.content;
    let mut texts = vec![change.key.as_str(), content.title.as_str()];
    texts.extend(change.labels.iter().map(String::as_str));
    texts.extend(content.targets.iter().map(|it| it.service.as_str()));
    texts.extend(content.incident.as_deref());
    texts.extend(content.description.as_deref().map(beginning));
    texts.extend(content.justification.as_deref().map(beginning));
    texts
}

fn texts_of_person(person: &Person) -> Vec<&str> {
    vec![&person.login, &person.name]
}

fn texts_of_service(service: &Service) -> Vec<&str> {
    let mut texts = vec![service.key.as_str(), service.name.as_str()];
    texts.extend(service.team.as_deref());
    texts
}

fn texts_of_incident(incident: &Incident) -> Vec<&str> {
    let mut texts = vec![incident.key.as_str(), incident.title.as_str()];
    texts.extend(incident.external_ref.as_deref());
    texts.extend(incident.services.iter().map(|it| it.as_str()));
    texts
}

fn save_change(change: &Change, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    save_targets(tx, change, is_new)?;
    save_terms(tx, "change", change.id.as_str(), &texts_of_change(change), is_new)
}

fn save_group(group: &Group, tx: &mut Tx<'_>, _is_new: bool) -> Result<()> {
    identities::save_group(tx, group)
}

fn save_person(person: &Person, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    identities::save_person(tx, person)?;
    save_terms(tx, "person", person.id.as_str(), &texts_of_person(person), is_new)
}

fn save_service(service: &Service, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    save_terms(tx, "service", service.id.as_str(), &texts_of_service(service), is_new)
}

fn save_incident(incident: &Incident, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    save_terms(
        tx,
        "incident",
        incident.id.as_str(),
        &texts_of_incident(incident),
        is_new,
    )
}

/// The table whose derived rows differ from this body; `None` when all are right. A change's targets are compared apart, row by
/// row.
pub fn wrong_derived(tx: &mut Tx<'_>, table: &str, body: &str) -> Result<Option<&'static str>> {
    let (name, id, texts) = match table {
        "people_group" => {
            let group = read::<Group>(body)?;
            return Ok((!identities::is_group_right(tx, &group)?).then_some("group_member"));
        }
        "person" => {
            let person = read::<Person>(body)?;
            if !identities::is_person_right(tx, &person)? {
                return Ok(Some("person_identity"));
            }
            ("person", person.id.0.clone(), owned(&texts_of_person(&person)))
        }
        "change" => {
            let change = read::<Change>(body)?;
            ("change", change.id.0.clone(), owned(&texts_of_change(&change)))
        }
        "service" => {
            let service = read::<Service>(body)?;
            ("service", service.id.0.clone(), owned(&texts_of_service(&service)))
        }
        "incident" => {
            let incident = read::<Incident>(body)?;
            ("incident", incident.id.0.clone(), owned(&texts_of_incident(&incident)))
        }
        _ => return Ok(None),
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Ok((!search::is_right(tx, name, &id, &texts)?).then_some("search_term"))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn save_terms(tx: &mut Tx<'_>, table: &str, id: &str, texts: &[&str], is_new: bool) -> Result<()> {
    if is_new {
        search::insert(tx, table, id, texts)
    } else {
        search::save(tx, table, id, texts)
    }
}

/// The beginning of a long text, cut at a character's edge.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(SEARCHED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
