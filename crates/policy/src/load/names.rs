//! The names that policies mention, which must exist when a set is activated.

use cedar_policy::EntityUid;
use model::approval::obligation::{Asked, Duty, Obligation};

use super::read::Loaded;
use crate::question::uid;
use crate::{Directory, Finding, WELL_KNOWN_GROUPS};

/// An entity or a field of the tenant's own that a policy names.
pub(super) struct Named {
    what: What,
    file: String,
    line: u32,
}

enum What {
    Entity(EntityUid),
    /// The key of a field.
    Field(String),
}

impl Named {
    pub fn missing(&self, names: &dyn Directory) -> Option<Finding> {
        let uid = match &self.what {
            What::Entity(uid) => uid,
            What::Field(key) if names.is_fact(key) => return None,
            What::Field(key) => {
                let help = "declare it on the page “Fields of changes”, or with `is_fact` of `POST /custom-fields`";
                return Some(Finding {
                    help: Some(help.to_owned()),
                    ..self.finding(
                        "unknown_name",
                        format!("no field `{key}` of changes is declared as a fact"),
                    )
                });
            }
        };
        let id = uid.id().unescaped();
        let (noun, exists) = match uid.type_name().to_string().as_str() {
            "Group" => ("group", WELL_KNOWN_GROUPS.contains(&id) || names.group_exists(id)),
            "Person" => ("person", names.person_exists(id)),
            "Service" => ("service", names.service_exists(id)),
            "Environment" => ("environment", names.environment_exists(id)),
            "Actor" | "Change" => {
                let text = format!("a policy cannot refer to {uid}; refer to a person or test attributes");
                return Some(self.finding("may_not_be_named", text));
            }
            _ => return None,
        };
        if exists {
            return None;
        }
        let help = match noun {
            "group" => "create it first with `PUT /groups/{key}`, or use an existing group".to_owned(),
            "person" => "use a person's id from `GET /people`, or preferably a group".to_owned(),
            _ => format!("use a key from `GET /{noun}s`"),
        };
        Some(Finding {
            help: Some(help),
            ..self.finding("unknown_name", format!("there is no {noun} `{id}`"))
        })
    }

    fn finding(&self, code: &'static str, text: String) -> Finding {
        Finding {
            file: self.file.clone(),
            line: self.line,
            code,
            text,
            help: None,
        }
    }
}

/// The groups that a duty names.
fn groups_of(obligation: &Obligation) -> Vec<String> {
    let asked = |asked: &Asked| match asked {
        Asked::Group(key) => vec![key.0.clone()],
        Asked::Groups(keys) => keys.iter().map(|key| key.0.clone()).collect(),
        _ => Vec::new(),
    };
    match &obligation.duty {
        Duty::Approval(rule) => {
            let escalate = rule.escalate.as_ref().map(|key| key.0.clone());
            asked(&rule.from).into_iter().chain(escalate).collect()
        }
        Duty::Validation { from: Some(from), .. } => asked(from).into_iter().collect(),
        Duty::PeerReview { from, .. } => from.iter().map(|key| key.0.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The entities and fields that a policy's text and its duty name.
pub(super) fn named(policy: &Loaded<'_>, obligation: Option<&Obligation>) -> Vec<Named> {
    let groups = obligation.map(groups_of).unwrap_or_default();
    let groups = groups.into_iter().map(|key| uid("Group", &key));
    let all = policy.policy.entity_literals().into_iter().chain(groups);
    let entities = all.map(|uid| (place_of(policy, &uid), What::Entity(uid)));
    let fields =
        fields_of(policy.statement.text).map(|(at, key)| (policy.statement.offset + at, What::Field(key.to_owned())));
    let named = |(place, what)| Named {
        line: policy.line_at(place),
        what,
        file: policy.file.name.clone(),
    };
    entities.chain(fields).map(named).collect()
}

/// The fields of the tenant's own that a policy reads, each with its place in the text: `hasTag("tier")`, `getTag("tier")`.
pub(crate) fn fields_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("Tag(").filter_map(move |(at, call)| {
        let rest = text[at + call.len()..].trim_start().strip_prefix('"')?;
        rest.split_once('"').map(|(key, _)| (at, key))
    })
}

/// The place where a policy names an entity: as `Group::"dba"`, or in an annotation by its key; else the beginning of the
/// policy.
fn place_of(policy: &Loaded<'_>, uid: &EntityUid) -> usize {
    let statement = &policy.statement;
    let key = uid.id().unescaped();
    let written = [uid.to_string(), format!("group:{key}"), format!("\"{key}\"")];
    let found = written.iter().find_map(|it| statement.text.find(it.as_str()));
    statement.offset + found.unwrap_or_default()
}
