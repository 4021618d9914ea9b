//! The content of a request about a change: reads it, checks it against the estate, and turns it into content.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::change::record::{Change, Content, DisruptionPlan, Impact, Step, Target, TemplateRef};
use crate::change::{custom_field, custom_values};
use crate::core::card;
use crate::core::enums::{Category, Disruption, Kind, Level, Origin};
use crate::core::ids::{EnvironmentKey, PersonId, ServiceKey, TargetId};
use crate::core::parse::{LINE, Reading, TEXT};
use crate::core::refusal::{FieldError, Refusal};
use crate::directory::snapshot::Directory;
use crate::directory::unknown_name;
use crate::gate::build::{GIT, digits_of};
use crate::risk::derived;

mod afterwards;
mod assessment;
mod image_reference;
pub mod new_change;
pub mod references;
mod undo;

pub use afterwards::RetrospectiveInput;
use afterwards::{check_retrospective, read_retrospective};
pub use assessment::{Assessment, read_assessment};
use image_reference::without_place;
use new_change::NewChange;

/// The most digits of a commit.
const COMMIT: usize = 64;

/// The most targets that a change may name.
pub const TARGETS: usize = 1_000;

/// A change as in a request: content, times and labels, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The content.
    pub content: Content,
    /// The planned start.
    pub planned_start: Option<Timestamp>,
    /// The planned end.
    pub planned_end: Option<Timestamp>,
    /// Labels.
    pub labels: Vec<String>,
    /// Where values came from, for those that no person wrote.
    pub origins: BTreeMap<String, Origin>,
    /// For work that was recorded afterwards.
    pub retrospective: Option<RetrospectiveInput>,
}

struct TargetInput {
    service: String,
    environment: String,
    config_items: Vec<String>,
    artifact: Option<String>,
    commit: Option<String>,
    rollback_to: Option<String>,
}

/// Reads a whole change. `requester` becomes the owner where none is named; `keep` is the assessment that an edit keeps.
///
/// # Errors
/// [`Refusal::Invalid`] with every wrong field.
pub fn read(
    body: &Map<String, Value>,
    directory: &Directory,
    requester: &PersonId,
    keep: Option<&Content>,
) -> Result<Input, Refusal> {
    let mut reading = Reading::new(body, "");
    let mut input = read_fields(&mut reading, directory, requester, keep);
    if let Some(old) = keep {
        input.content.security.clone_from(&old.security);
        input.content.security_answers.clone_from(&old.security_answers);
        input.content.dependencies_reviewed = old.dependencies_reviewed;
        input.content.excluded.clone_from(&old.excluded);
        input.content.risk_override.clone_from(&old.risk_override);
    }
    check_times(&mut reading, &input);
    undo::check(&mut reading, &input, keep);
    check_there(&mut reading, &input, directory, keep);
    references::check(&mut reading, &mut input.content, directory, keep);
    if reading.value("retrospective").is_some() && !reading.errors.is_empty() {
        check_retrospective(&mut reading, &input.content);
    }
    reading.finish()?;
    Ok(input)
}

/// A person who has left cannot be newly assigned to open work. People whom the change names already may stay in it while other
/// things are edited, and work that is recorded afterwards names its implementers.
fn check_there(reading: &mut Reading<'_>, input: &Input, directory: &Directory, keep: Option<&Content>) {
    if input.retrospective.is_some() {
        return;
    }
    let content = &input.content;
    let stays = |person: &PersonId| {
        keep.is_some_and(|old| {
            &old.owner == person || old.implementers.contains(person) || old.tester.as_ref() == Some(person)
        })
    };
    let is_said = !input.origins.contains_key("owner");
    let mut named: Vec<(&str, &PersonId)> = is_said.then_some(("owner", &content.owner)).into_iter().collect();
    named.extend(content.implementers.iter().map(|person| ("implementers", person)));
    named.extend(content.tester.iter().map(|person| ("tester", person)));
    for (field, person) in named.into_iter().filter(|(_, person)| !stays(person)) {
        refuse_departed(reading, field, person, directory);
        if field != "implementers" && directory.agent(person).is_some() {
            let login = directory.login(person);
            let text = format!("`{login}` is an agent and cannot own or validate changes: name a person.");
            reading.wrong(field, "agent_decides_nothing", text);
        }
    }
}

/// Notes an error for a person who may no longer act.
pub fn refuse_departed(reading: &mut Reading<'_>, field: &str, person: &PersonId, directory: &Directory) {
    if !person.as_str().is_empty() && !directory.is_active(person) {
        let login = directory.login(person);
        let text = format!("`{login}` is no longer active here; name an active person.");
        reading.wrong(field, "inactive", text);
    }
}

/// Fields that get a usual value where the request has none.
pub(crate) const USUAL: &[&str] = &["kind", "category"];

fn read_fields(
    reading: &mut Reading<'_>,
    directory: &Directory,
    requester: &PersonId,
    keep: Option<&Content>,
) -> Input {
    let given: NewChange = card::read(reading);
    let kind = given.kind.unwrap_or(Kind::Normal);
    let targets = read_targets(reading, &given, directory, keep);
    let (impact, mut origins) = read_impact(reading, directory, &targets, kind);
    let owner = person_of(reading, NewChange::OWNER.name, given.owner, directory);
    if owner.is_none() {
        origins.insert("owner".to_owned(), Origin::Derived);
    }
    for field in USUAL {
        if reading.value(field).is_none() {
            origins.insert((*field).to_owned(), Origin::Derived);
        }
    }
    let content = Content {
        kind,
        template: read_template(reading, given.template, directory, kind),
        expedited: given.expedited,
        expedited_reason: given.expedited_reason,
        title: given.title,
        description: given.description,
        justification: given.justification,
        objectives: given.objectives,
        verification: given.verification,
        category: given.category.unwrap_or(Category::Other),
        touches: given.touches,
        targets,
        impact,
        complexity: given.complexity,
        disruption: reading.object("disruption", read_disruption),
        security: None,
        security_answers: Vec::new(),
        dependencies_reviewed: false,
        excluded: Vec::new(),
        risk_override: None,
        plan: reading.objects("plan", read_step).unwrap_or_default(),
        rollback_plan: reading.objects("rollback_plan", read_step).unwrap_or_default(),
        no_rollback_reason: given.no_rollback_reason,
        rollback_minutes: given.rollback_minutes,
        planned_undo: undo::read(reading),
        owner: owner.unwrap_or_else(|| requester.clone()),
        team: given.team,
        implementers: people(reading, given.implementers, directory),
        tester: person_of(reading, NewChange::TESTER.name, given.tester, directory),
        business_contact: given.business_contact,
        incident: given.incident,
        threat: given.threat,
        custom_fields: custom_values::read(reading, directory, kind, keep),
        wave_plan: None,
    };
    if content.expedited && content.expedited_reason.is_none() {
        let text = "An expedited change needs `expedited_reason`: why it is late.";
        reading.wrong(NewChange::EXPEDITED_REASON.name, "missing", text);
    }
    Input {
        content,
        planned_start: given.planned_start,
        planned_end: given.planned_end,
        labels: given.labels,
        origins,
        retrospective: read_retrospective(reading, directory),
    }
}

fn read_template(
    reading: &mut Reading<'_>,
    key: Option<String>,
    directory: &Directory,
    kind: Kind,
) -> Option<TemplateRef> {
    if kind != Kind::Standard {
        if key.is_some() {
            reading.wrong("template", "not_allowed", "Only a standard change can have a template.");
        }
        return None;
    }
    let Some(key) = key else {
        reading.wrong("template", "missing", "A standard change needs a template.");
        return None;
    };
    let Some(template) = directory.templates.get(&key) else {
        reading.wrong("template", "unknown", format!("There is no template `{key}`."));
        return None;
    };
    Some(TemplateRef {
        key,
        template_version: template.template_version,
        digest: template.digest.clone(),
    })
}

/// A level by its name, of those that are allowed here.
pub(crate) fn read_level(reading: &mut Reading<'_>, field: &'static str, allowed: &[Level]) -> Option<Level> {
    let text = reading.text(field, LINE)?;
    level_of(reading, field, &text, allowed)
}

fn level_of(reading: &mut Reading<'_>, field: &str, text: &str, allowed: &[Level]) -> Option<Level> {
    let level = allowed.iter().find(|level| level.as_str() == text);
    if level.is_none() {
        let (at, words): (_, Vec<&str>) = (reading.at(field), allowed.iter().map(|level| level.as_str()).collect());
        let help = format!("`{at}`: `{text}` is none of: {}.", words.join(", "));
        reading.wrong(field, "unknown_word", help);
    }
    level.copied()
}

fn read_step(reading: &mut Reading<'_>) -> Step {
    let step = Step {
        title: reading.needed("title", LINE),
        doer: reading.text("owner", LINE),
        team: reading.text("team", LINE),
        minutes: reading.integer("minutes", 0..=100_000),
        check: reading.text("check", TEXT),
        watch: false,
    };
    let watch = reading.boolean("watch").unwrap_or(false);
    if watch && step.minutes.is_none_or(|minutes| minutes == 0) {
        let text = "A watch step needs `minutes`: its duration.";
        reading.wrong("minutes", "missing", text);
    }
    Step { watch, ..step }
}

fn read_disruption(reading: &mut Reading<'_>) -> DisruptionPlan {
    DisruptionPlan {
        kind: reading.needed_word("kind", Disruption::None),
        minutes: reading.integer("minutes", 0..=100_000),
        audience: reading.text("audience", TEXT),
    }
}

/// Reads the three axes; an axis that nobody gave is derived from the targets' services.
fn read_impact(
    reading: &mut Reading<'_>,
    directory: &Directory,
    targets: &[Target],
    kind: Kind,
) -> (Impact, BTreeMap<String, Origin>) {
    let given = reading
        .object("impact", |inner| {
            let all = Level::ALL;
            [
                read_level(inner, "data", all),
                read_level(inner, "availability", all),
                read_level(inner, "compliance", all),
            ]
        })
        .unwrap_or([None; 3]);
    with_derived_impact(given, directory, targets, kind)
}

/// Fills in the axes that the request left out, and marks them as derived.
pub fn with_derived_impact(
    given: [Option<Level>; 3],
    directory: &Directory,
    targets: &[Target],
    kind: Kind,
) -> (Impact, BTreeMap<String, Origin>) {
    let derived = derived::unstated_impact(directory, targets, kind);
    let mut origins = BTreeMap::new();
    let mut axis = |value: Option<Level>, otherwise: Level, name: &str| {
        value.unwrap_or_else(|| {
            origins.insert(format!("impact.{name}"), Origin::Derived);
            otherwise
        })
    };
    let impact = Impact {
        data: axis(given[0], derived.data, "data"),
        availability: axis(given[1], derived.availability, "availability"),
        compliance: axis(given[2], derived.compliance, "compliance"),
    };
    (impact, origins)
}

/// Reads `targets`, or the short form for equal targets.
fn read_targets(
    reading: &mut Reading<'_>,
    given: &NewChange,
    directory: &Directory,
    keep: Option<&Content>,
) -> Vec<Target> {
    let long = reading.objects("targets", read_target);
    let artifact = given.artifact.clone();
    let artifact = artifact.and_then(|text| digest_of(reading, NewChange::ARTIFACT.name, text));
    let commit = given.commit.as_deref();
    let commit = commit.and_then(|text| commit_of(reading, NewChange::COMMIT.name, text));
    for item in &given.config_items {
        reading.check_technical(NewChange::CONFIG_ITEMS.name, item);
    }
    let short = given.services.is_some()
        || given.environment.is_some()
        || artifact.is_some()
        || commit.is_some()
        || !given.config_items.is_empty();
    if long.is_some() && short {
        reading.wrong(
            "services",
            "not_allowed",
            "Use either `targets` or the short form with `services`, not both.",
        );
        return Vec::new();
    }
    let named = match (long, &given.services) {
        (Some(targets), _) => targets,
        (None, Some(services)) => {
            let Some(environment) = &given.environment else {
                reading.wrong(
                    "environment",
                    "missing",
                    "The short form with `services` needs `environment`.",
                );
                return Vec::new();
            };
            services
                .iter()
                .map(|service| TargetInput {
                    service: service.clone(),
                    environment: environment.clone(),
                    config_items: given.config_items.clone(),
                    artifact: artifact.clone(),
                    commit: commit.clone(),
                    rollback_to: None,
                })
                .collect()
        }
        (None, None) if short => {
            reading.wrong(
                "services",
                "missing",
                "The short form needs at least one service in `services`.",
            );
            Vec::new()
        }
        (None, None) => Vec::new(),
    };
    let targets = checked_targets(reading, directory, named);
    check_items(reading, &targets, directory, keep);
    targets
}

fn read_target(reading: &mut Reading<'_>) -> TargetInput {
    for told_by_answers in ["id", "state", "outcome", "unknown_config_items", "members"] {
        reading.ignore(told_by_answers);
    }
    TargetInput {
        service: reading.needed("service", LINE),
        environment: reading.needed("environment", LINE),
        config_items: reading.technicals("config_items", LINE).unwrap_or_default(),
        artifact: digest_text(reading, "artifact"),
        commit: commit_text(reading, "commit"),
        rollback_to: digest_text(reading, "rollback_to"),
    }
}

/// A digest as registries write it: the hexadecimal digits of the usual algorithms are small letters (OCI image specification,
/// section "Digests"), so that one artifact has one name. Anything else stays as it was written.
#[must_use]
pub fn tidy_digest(text: String) -> String {
    let is_usual = text.split_once(':').is_some_and(|(name, digits)| {
        digits_of(name).is_some() && !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit())
    });
    if is_usual { text.to_ascii_lowercase() } else { text }
}

/// The subject of evidence: an artifact's digest or a commit's hash, as targets hold them. Anything else is refused.
pub fn artifact_or_commit(reading: &mut Reading<'_>, field: &'static str) -> Option<String> {
    let text = without_place(reading.text(field, 255)?);
    if is_digest(&text) {
        return Some(tidy_digest(text));
    }
    if is_commit(&text) {
        return Some(text.to_lowercase());
    }
    let at = reading.at(field);
    let wrong = why_not_whole(&at, &text)
        .unwrap_or_else(|| format!("`{at}` must be a digest such as sha256:6b1d… without spaces, or a commit's hash."));
    reading.wrong(field, "not_a_digest", wrong);
    None
}

/// Whether a text can name an artifact: a known algorithm and hexadecimal digits. A digest is whole: one that a tool cut short
/// for people to read names nothing that a registry would find; only `git:` takes a short commit as well, of seven digits or
/// more. The log keeps a digest in clear, so no free text may pass as one.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, digits)| {
        let is_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
        let is_whole = digits_of(name).is_some_and(|lengths| lengths.contains(&digits.len()));
        is_hex && is_whole || name == GIT && is_commit(digits)
    })
}

/// Why a text that begins like a digest is none; nothing for a text in another form, and for `git`.
fn why_not_whole(at: &str, text: &str) -> Option<String> {
    let (name, _) = text.split_once(':')?;
    let [length] = digits_of(name)? else { return None };
    Some(format!(
        "`{at}` must be a full digest: `{name}:` followed by {length} hexadecimal digits."
    ))
}

/// Whether a text is a commit's hash, or its first digits: Git shortens to no fewer than seven.
fn is_commit(text: &str) -> bool {
    (7..=COMMIT).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// An artifact's digest, such as `sha256:6b1d…`.
fn digest_text(reading: &mut Reading<'_>, field: &'static str) -> Option<String> {
    let text = reading.text(field, 255)?;
    digest_of(reading, field, text)
}

fn digest_of(reading: &mut Reading<'_>, field: &str, text: String) -> Option<String> {
    let text = without_place(text);
    if is_digest(&text) {
        return Some(tidy_digest(text));
    }
    let at = reading.at(field);
    let wrong = why_not_whole(&at, &text)
        .unwrap_or_else(|| format!("`{at}` must be a digest such as sha256:6b1d… without spaces."));
    reading.wrong(field, "not_a_digest", wrong);
    None
}

fn commit_text(reading: &mut Reading<'_>, field: &'static str) -> Option<String> {
    let text = reading.text(field, COMMIT)?;
    commit_of(reading, field, &text)
}

fn commit_of(reading: &mut Reading<'_>, field: &str, text: &str) -> Option<String> {
    if is_commit(text) {
        return Some(text.to_lowercase());
    }
    let at = reading.at(field);
    reading.wrong(
        field,
        "not_a_commit",
        format!("`{at}` must be a commit's hash, 7 to 64 hexadecimal digits."),
    );
    None
}

fn checked_targets(reading: &mut Reading<'_>, directory: &Directory, named: Vec<TargetInput>) -> Vec<Target> {
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for (place, input) in named.into_iter().enumerate() {
        let path = format!("targets[{place}]");
        let service = ServiceKey::from(input.service);
        let environment = EnvironmentKey::from(input.environment);
        if !directory.services.contains_key(&service) && !service.0.is_empty() {
            let text = unknown_name::service(directory, service.as_str());
            reading
                .errors
                .push(FieldError::new(format!("{path}.service"), "unknown", text));
        }
        if !directory.environments.contains_key(&environment) && !environment.0.is_empty() {
            let text = unknown_name::environment(directory, environment.as_str());
            reading
                .errors
                .push(FieldError::new(format!("{path}.environment"), "unknown", text));
        }
        if !seen.insert((service.clone(), environment.clone(), input.artifact.clone())) {
            let text = "Service, environment and artifact are the same as in an earlier target.";
            reading.errors.push(FieldError::new(path.as_str(), "not_unique", text));
        }
        // A rollback passes freeze, window and outcome: if the new artifact were its own rollback target, the new artifact
        // would pass them all.
        if input.rollback_to.is_some() && input.rollback_to == input.artifact {
            let text = "A rollback restores the previous artifact, so it cannot use the artifact that this change \
                deploys.";
            let field = format!("{path}.rollback_to");
            reading.errors.push(FieldError::new(field, "not_allowed", text));
        }
        targets.push(Target {
            id: TargetId((place + 1).to_string()),
            service,
            environment,
            config_items: input.config_items,
            artifact: input.artifact,
            commit: input.commit,
            rollback_to: input.rollback_to,
            members: None,
        });
    }
    targets
}

/// Refuses a config item of another service, whose approvers would replace the target's own. An item that the change holds
/// already may stay while other things are edited: it decides no approvers.
fn check_items(reading: &mut Reading<'_>, targets: &[Target], directory: &Directory, keep: Option<&Content>) {
    let held = |target: &Target, item: &String| {
        let mut old = keep.into_iter().flat_map(|content| &content.targets);
        old.any(|old| {
            old.service == target.service && old.environment == target.environment && old.config_items.contains(item)
        })
    };
    for (place, target) in targets.iter().enumerate() {
        for (at, item) in target.config_items.iter().enumerate() {
            let known = directory.config_items.get(item);
            let is_foreign = directory.is_foreign(item, &target.service) && !held(target, item);
            let Some(known) = known.filter(|_| is_foreign) else {
                continue;
            };
            let owner = &known.service;
            let text = format!(
                "The config item `{item}` belongs to the service `{owner}`, not to `{}`; name `{owner}` as a target of its own.",
                target.service
            );
            let field = format!("targets[{place}].config_items[{at}]");
            reading.errors.push(FieldError::new(field, "not_of_service", text));
        }
    }
}

/// A person by login.
pub fn person(reading: &mut Reading<'_>, field: &'static str, directory: &Directory) -> Option<PersonId> {
    let login = reading.text(field, LINE);
    person_of(reading, field, login, directory)
}

fn person_of(reading: &mut Reading<'_>, field: &str, login: Option<String>, directory: &Directory) -> Option<PersonId> {
    let login = login?;
    let found = directory.by_login(&login).map(|person| person.id.clone());
    if found.is_none() {
        reading.wrong(field, "unknown", unknown_name::person(directory, &login));
    }
    found
}

fn people(reading: &mut Reading<'_>, logins: Vec<String>, directory: &Directory) -> Vec<PersonId> {
    let field = NewChange::IMPLEMENTERS.name;
    let mut found = Vec::new();
    for (place, login) in logins.into_iter().enumerate() {
        match directory.by_login(&login) {
            Some(person) if !found.contains(&person.id) => found.push(person.id.clone()),
            Some(_) => {}
            None => {
                let text = unknown_name::person(directory, &login);
                reading.wrong(&format!("{field}[{place}]"), "unknown", text);
            }
        }
    }
    found
}

fn check_times(reading: &mut Reading<'_>, input: &Input) {
    if let (Some(start), Some(end)) = (input.planned_start, input.planned_end)
        && end <= start
    {
        reading.wrong(
            "planned_end",
            "out_of_order",
            "`planned_end` must lie after `planned_start`.",
        );
    }
}

/// A change's content, times and labels in the form of a request: responses show it and patches merge into it.
pub fn present(change: &Change, directory: &Directory) -> Map<String, Value> {
    let content = &change.content;
    let mut map = match serde_json::to_value(content) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let login = |person: &PersonId| Value::String(directory.login(person));
    map.insert("owner".into(), login(&content.owner));
    for plan in ["plan", "rollback_plan"] {
        for step in map
            .get_mut(plan)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            if let Some(doer) = step.remove("doer") {
                step.insert("owner".into(), doer);
            }
        }
    }
    if !content.implementers.is_empty() {
        map.insert("implementers".into(), content.implementers.iter().map(login).collect());
    }
    if let Some(tester) = &content.tester {
        map.insert("tester".into(), login(tester));
    }
    if let Some(template) = &content.template {
        map.insert("template".into(), Value::String(template.key.clone()));
    }
    if !content.custom_fields.is_empty() {
        let values = custom_values::shown(&content.custom_fields, directory);
        map.insert(custom_field::FIELD.into(), Value::Object(values));
    }
    for (name, time) in [
        ("planned_start", change.planned_start),
        ("planned_end", change.planned_end),
    ] {
        if let Some(time) = time {
            map.insert(name.into(), Value::String(time.to_string()));
        }
    }
    if !change.labels.is_empty() {
        map.insert("labels".into(), json!(change.labels));
    }
    map
}

/// The base that a merge patch is applied to: the presented change, without the assessment's fields and derived values.
pub fn patch_base(change: &Change, directory: &Directory) -> Map<String, Value> {
    let mut map = present(change, directory);
    for owned_by_assessment in [
        "security",
        "security_answers",
        "dependencies_reviewed",
        "excluded",
        "risk_override",
    ] {
        map.remove(owned_by_assessment);
    }
    // The wave plan has an act of its own.
    map.remove("wave_plan");
    if change.origins.get("owner") == Some(&Origin::Derived) {
        map.remove("owner");
    }
    if let Some(Value::Object(impact)) = map.get_mut("impact") {
        for axis in ["data", "availability", "compliance"] {
            if change.origins.get(&format!("impact.{axis}")) == Some(&Origin::Derived) {
                impact.remove(axis);
            }
        }
    }
    map
}

/// Applies a JSON Merge Patch (RFC 7396) to an object.
pub fn merge(base: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                base.remove(key);
            }
            Value::Object(inner) => {
                let slot = base.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                if let Value::Object(object) = slot {
                    merge(object, inner);
                }
            }
            other => {
                base.insert(key.clone(), other.clone());
            }
        }
    }
}

/// Restores, as null, the members that a patch clears and a merge removed, so that a reader refuses unknown names: without this
/// an unknown name with null would be ignored silently.
pub fn name_cleared(merged: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        match (value, merged.get_mut(key)) {
            (Value::Null, None) => {
                merged.insert(key.clone(), Value::Null);
            }
            (Value::Object(inner), Some(Value::Object(object))) => name_cleared(object, inner),
            _ => {}
        }
    }
}

/// Puts a template's locked values into a request that does not set them itself.
///
/// Returns the fields without a lock that were filled in.
pub fn fill_from_template(body: &mut Map<String, Value>, directory: &Directory) -> Vec<&'static str> {
    let key = body.get("template").and_then(Value::as_str);
    let Some(template) = key.and_then(|key| directory.templates.get(key)) else {
        return Vec::new();
    };
    let free = ["kind", "title"].into_iter();
    let filled = free
        .filter(|field| !body.contains_key(*field) && !template.locked.contains_key(*field))
        .collect();
    body.entry("kind").or_insert_with(|| Value::String("standard".into()));
    body.entry("title")
        .or_insert_with(|| Value::String(template.title.clone()));
    for (field, value) in &template.locked {
        body.entry(field.clone()).or_insert_with(|| value.clone());
    }
    // A request may set other custom fields besides those that the template locks.
    for value in custom_values::locked(template, directory) {
        let own = body
            .entry(custom_field::FIELD)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(own) = own {
            own.entry(value.key.clone()).or_insert_with(|| value.shown(directory));
        }
    }
    filled
}
