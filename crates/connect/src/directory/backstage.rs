//! Backstage's `catalog-info.yaml` (descriptor format `backstage.io/v1alpha1`): components, systems, APIs and resources
//! with their owners and arrows, groups and users. Its entities become rows as an import takes them.
//!
//! | Backstage | here |
//! |---|---|
//! | Component, API, System | service; `assent/criticality` and `assent/regimes` are read from annotations |
//! | Resource | config item of its system, of kind `spec.type` |
//! | `spec.owner` | an owner of the matrix: a group, or `user:NAME` a person |
//! | `spec.system`, `spec.subcomponentOf` | part of |
//! | `spec.dependsOn`, `spec.consumesApis` | depends on |
//! | Group, User | group (a team where `spec.type` says so), person |

use std::collections::BTreeMap;

use model::core::enums::Noun;
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

use crate::directory::table::{MOST_BYTES, Problem};

/// How deep a document may nest.
const MOST_DEPTH: usize = 32;
/// The most documents of a file.
const MOST_DOCUMENTS: usize = 5_000;

/// A row with its kind and the line of its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The line, from 1.
    pub line: usize,
    /// The noun of the row.
    pub noun: Noun,
    /// Its fields, by the names of an import.
    pub fields: Map<String, Value>,
}

/// In a row of groups: the people who join the existing members.
pub const JOINS: &str = "joins";

/// Reads a file; returns the rows in an order in which each may name those before it, and how many entities of other kinds were
/// left out.
///
/// # Errors
/// [`Problem`] for a text that is no YAML, aliases (which could grow without end), too much depth, or an entity without a name.
pub fn read(text: &str) -> Result<(Vec<Entry>, usize), Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the file is longer than {MOST_BYTES} bytes")));
    }
    let mut catalogue = Catalogue::default();
    for (line, document) in documents(text)? {
        catalogue.take(line, &document)?;
    }
    Ok(catalogue.finish())
}

/// The documents of a file with the lines where they begin.
fn documents(text: &str) -> Result<Vec<(usize, Value)>, Problem> {
    let mut found = Vec::new();
    let mut stack: Vec<Open> = Vec::new();
    for step in Parser::new_from_str(text) {
        let (event, span) = step.map_err(|error| Problem::new(error.marker().line(), error.info().to_owned()))?;
        let line = span.start.line();
        let value = match event {
            Event::Alias(_) => return Err(Problem::new(line, "aliases are not read; write the value out")),
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if stack.len() >= MOST_DEPTH {
                    return Err(Problem::new(line, format!("it nests deeper than {MOST_DEPTH} levels")));
                }
                let is_map = matches!(event, Event::MappingStart(..));
                stack.push(Open::new(line, is_map));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match stack.pop() {
                Some(open) => (open.line, open.value),
                None => continue,
            },
            Event::Scalar(text, style, ..) => (line, scalar(&text, style)),
            _ => continue,
        };
        match stack.last_mut() {
            Some(open) => open.add(value.1, line)?,
            None if found.len() >= MOST_DOCUMENTS => {
                return Err(Problem::new(
                    line,
                    format!("a file has at most {MOST_DOCUMENTS} documents"),
                ));
            }
            None => found.push(value),
        }
    }
    Ok(found)
}

/// A mapping or sequence that is being read.
struct Open {
    line: usize,
    value: Value,
    key: Option<String>,
}

impl Open {
    fn new(line: usize, is_map: bool) -> Self {
        let value = if is_map { json!({}) } else { json!([]) };
        Self { line, value, key: None }
    }

    fn add(&mut self, value: Value, line: usize) -> Result<(), Problem> {
        match (&mut self.value, self.key.take()) {
            (Value::Array(items), _) => items.push(value),
            (Value::Object(map), Some(key)) if map.contains_key(&key) => {
                return Err(Problem::new(line, format!("`{key}` stands twice")));
            }
            (Value::Object(map), Some(key)) => {
                map.insert(key, value);
            }
            (Value::Object(_), None) => match value {
                Value::String(key) => self.key = Some(key),
                Value::Null | Value::Bool(_) | Value::Number(_) => self.key = Some(value.to_string()),
                _ => return Err(Problem::new(line, "a key is a plain word")),
            },
            _ => {}
        }
        Ok(())
    }
}

/// Plain scalars for null, true and false mean these; everything else stays text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return json!(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => json!(true),
        "false" | "False" | "FALSE" => json!(false),
        other => json!(other),
    }
}

#[derive(Default)]
struct Catalogue {
    people: Vec<Entry>,
    groups: BTreeMap<String, Entry>,
    memberships: Vec<(usize, String, String)>,
    services: Vec<Entry>,
    items: Vec<Entry>,
    arrows: Vec<Entry>,
    owners: Vec<Entry>,
    namespaces: BTreeMap<String, String>,
    left_out: usize,
}

impl Catalogue {
    fn take(&mut self, line: usize, document: &Value) -> Result<(), Problem> {
        if document.is_null() {
            return Ok(());
        }
        let version = document["apiVersion"].as_str().unwrap_or_default();
        // Entities of plugins, such as templates of the scaffolder, count too.
        if version
            .split('/')
            .next()
            .is_some_and(|group| group.ends_with(".backstage.io"))
        {
            self.left_out += 1;
            return Ok(());
        }
        if !version.starts_with("backstage.io/") {
            let text = "it is no Backstage entity; `apiVersion` says backstage.io/v1alpha1";
            return Err(Problem::new(line, text));
        }
        let name = document["metadata"]["name"].as_str().map(str::to_lowercase);
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(Problem::new(line, "`metadata.name` is missing, such as `name: shop`"));
        };
        let kind = document["kind"].as_str().unwrap_or_default();
        self.check_namespace(line, (kind, &name), document)?;
        match kind {
            "Component" | "API" | "System" => self.service(line, &name, document),
            "Resource" => return self.item(line, &name, document),
            "Group" => self.group(line, &name, document),
            "User" => self.person(line, &name, document),
            _ => self.left_out += 1,
        }
        Ok(())
    }

    /// A name counts within its namespace there, and once here: of two of one name neither may take the other's owners.
    fn check_namespace(&mut self, line: usize, (kind, name): (&str, &str), document: &Value) -> Result<(), Problem> {
        let namespace = document["metadata"]["namespace"].as_str().unwrap_or("default");
        let sort = match kind {
            "Component" | "API" | "System" => "service",
            other => other,
        };
        let known = self.namespaces.entry(format!("{sort} {name}"));
        let known = known.or_insert_with(|| namespace.to_lowercase());
        if *known == namespace.to_lowercase() {
            return Ok(());
        }
        let text = format!(
            "`{name}` stands in the namespaces `{known}` and `{namespace}`, and one name is one {} here: give one of them another name",
            sort.to_lowercase()
        );
        Err(Problem::new(line, text))
    }

    fn service(&mut self, line: usize, name: &str, document: &Value) {
        let (metadata, spec) = (&document["metadata"], &document["spec"]);
        let mut fields = fields(&[("key", Some(name)), ("name", metadata["title"].as_str())]);
        let annotation = |word: &str| metadata["annotations"][format!("assent/{word}").as_str()].as_str();
        for (word, field) in [("criticality", "criticality"), ("data-class", "data_class")] {
            if let Some(value) = annotation(word) {
                fields.insert(field.to_owned(), json!(value));
            }
        }
        if let Some(regimes) = annotation("regimes") {
            let regimes = regimes.split(',').map(str::trim).filter(|word| !word.is_empty());
            let regimes: Vec<&str> = regimes.collect();
            fields.insert("regimes".to_owned(), json!(regimes));
        }
        if let Some(owner) = spec["owner"].as_str().filter(|owner| !is_of_kind(owner, "user")) {
            fields.insert("team".to_owned(), json!(bare(owner)));
        }
        self.keep_service(entry(line, Noun::Services, fields));
        self.owner(line, ("service", name), spec);
        for whole in [&spec["system"], &spec["subcomponentOf"]] {
            if let Some(whole) = whole.as_str() {
                self.arrow(line, (name, "service"), whole, "part_of");
            }
        }
        self.needs(line, (name, "service"), spec);
    }

    /// A Component, its API and their System may all be called `petstore`: that is one service here, and fields that the first
    /// of them lacks are taken from the next.
    fn keep_service(&mut self, row: Entry) {
        let known = self
            .services
            .iter_mut()
            .find(|it| it.fields["key"] == row.fields["key"]);
        match known {
            Some(known) => {
                for (field, value) in row.fields {
                    known.fields.entry(field).or_insert(value);
                }
            }
            None => self.services.push(row),
        }
    }

    fn needs(&mut self, line: usize, from: (&str, &str), spec: &Value) {
        let lists = [&spec["dependsOn"], &spec["consumesApis"]];
        let names: Vec<String> = lists
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        for name in names {
            self.arrow(line, from, &name, "depends_on");
        }
    }

    fn item(&mut self, line: usize, name: &str, document: &Value) -> Result<(), Problem> {
        let spec = &document["spec"];
        let Some(system) = spec["system"].as_str() else {
            let text = format!("the Resource `{name}` belongs to no system; say which, such as `system: shop`");
            return Err(Problem::new(line, text));
        };
        let system = bare(system);
        let fields = fields(&[
            ("key", Some(name)),
            ("name", document["metadata"]["title"].as_str()),
            ("service", Some(&system)),
            ("kind", spec["type"].as_str()),
        ]);
        self.items.push(entry(line, Noun::ConfigItems, fields));
        self.owner(line, ("config_item", name), spec);
        self.needs(line, (name, "config_item"), spec);
        Ok(())
    }

    fn owner(&mut self, line: usize, (field, key): (&str, &str), spec: &Value) {
        let Some(owner) = spec["owner"].as_str() else { return };
        let kind = if is_of_kind(owner, "user") { "person" } else { "group" };
        let name = bare(owner);
        let row = fields(&[(field, Some(key)), ("role", Some("owner")), (kind, Some(&name))]);
        if self.owners.iter().all(|known| known.fields != row) {
            self.owners.push(entry(line, Noun::Ownerships, row));
        }
    }

    fn arrow(&mut self, line: usize, (from, from_kind): (&str, &str), to: &str, kind: &str) {
        let to_kind = if is_of_kind(to, "resource") {
            "config_item"
        } else {
            "service"
        };
        let to = bare(to);
        let row = fields(&[
            ("from", Some(from)),
            ("to", Some(&to)),
            ("kind", Some(kind)),
            ("from_kind", Some(from_kind)),
            ("to_kind", Some(to_kind)),
        ]);
        // Between two ends there is one arrow; of several kinds the one that passes owners down counts.
        let is_same = |known: &Entry| {
            let ends = ["from", "to", "from_kind", "to_kind"];
            ends.iter().all(|end| known.fields.get(*end) == row.get(*end))
        };
        match self.arrows.iter_mut().find(|known| is_same(known)) {
            _ if from == to && from_kind == to_kind => {}
            Some(known) if kind == "part_of" => known.fields = row,
            Some(_) => {}
            None => self.arrows.push(entry(line, Noun::Dependencies, row)),
        }
    }

    fn group(&mut self, line: usize, name: &str, document: &Value) {
        let spec = &document["spec"];
        let kind = if spec["type"] == "team" { "team" } else { "group" };
        let mut row = fields(&[
            ("key", Some(name)),
            ("name", spec["profile"]["displayName"].as_str()),
            ("kind", Some(kind)),
        ]);
        // A group without a list of members keeps its members: an empty group could decide nothing any more.
        if let Some(members) = spec["members"].as_array() {
            let members = members.iter().filter_map(Value::as_str);
            row.insert("members".to_owned(), json!(members.map(bare).collect::<Vec<_>>()));
        }
        self.groups.insert(name.to_owned(), entry(line, Noun::Groups, row));
    }

    fn person(&mut self, line: usize, name: &str, document: &Value) {
        let spec = &document["spec"];
        let profile = &spec["profile"];
        let row = fields(&[
            ("login", Some(name)),
            ("name", profile["displayName"].as_str()),
            ("email", profile["email"].as_str()),
        ]);
        self.people.push(entry(line, Noun::People, row));
        for group in spec["memberOf"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            self.memberships.push((line, bare(group), name.to_owned()));
        }
    }

    fn finish(mut self) -> (Vec<Entry>, usize) {
        for (line, group, person) in self.memberships {
            // For a group outside the file, only new members are known; its other members stay.
            let row = self.groups.entry(group).or_insert_with_key(|key| {
                let named = fields(&[("key", Some(key))]);
                entry(line, Noun::Groups, named)
            });
            let field = if row.fields.contains_key("kind") {
                "members"
            } else {
                JOINS
            };
            let members = row.fields.entry(field).or_insert_with(|| json!([]));
            if let Value::Array(members) = members
                && !members.contains(&json!(person))
            {
                members.push(json!(person));
            }
        }
        let mut rows = self.people;
        rows.extend(self.groups.into_values());
        rows.extend(self.services);
        rows.extend(self.items);
        rows.extend(self.arrows);
        rows.extend(self.owners);
        (rows, self.left_out)
    }
}

fn entry(line: usize, noun: Noun, fields: Map<String, Value>) -> Entry {
    Entry { line, noun, fields }
}

fn fields(pairs: &[(&str, Option<&str>)]) -> Map<String, Value> {
    pairs
        .iter()
        .filter_map(|(field, value)| value.map(|value| ((*field).to_owned(), json!(value))))
        .collect()
}

/// Whether a reference `kind:namespace/name` has a kind. Letter case does not matter in any part of a reference.
fn is_of_kind(reference: &str, kind: &str) -> bool {
    let said = reference.split_once(':').map(|(said, _)| said.trim());
    said.is_some_and(|said| said.eq_ignore_ascii_case(kind))
}

/// The name of a reference `kind:namespace/name`.
fn bare(reference: &str) -> String {
    let name = reference.rsplit_once(':').map_or(reference, |(_, name)| name);
    name.rsplit_once('/').map_or(name, |(_, name)| name).to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use super::*;

    #[test]
    fn a_kind_is_read_whatever_its_case() {
        let text = FILE
            .replace("owner: group:default/payments", "owner: User:default/Aiko")
            .replace("resource:orders-db", "RESOURCE:Default/Orders-DB");
        let (rows, _) = read(&text).unwrap();
        let rows = rows.into_iter().map(|row| Value::Object(row.fields).to_string());
        let found = rows.collect::<Vec<_>>().join("\n");
        assert!(found.contains("\"person\":\"aiko\""), "{found}");
        assert!(!found.contains("\"group\":\"aiko\""), "{found}");
        assert!(!found.contains("\"team\":\"aiko\""), "{found}");
        assert!(found.contains("\"to\":\"orders-db\""), "{found}");
        assert!(found.contains("\"to_kind\":\"config_item\""), "{found}");
    }

    const FILE: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Shop
  title: The shop
  annotations:
    assent/criticality: high
    assent/regimes: sox, pci_dss
spec:
  type: service
  lifecycle: production
  owner: group:default/payments
  system: commerce
  dependsOn: [resource:orders-db, component:default/ledger]
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: orders-db}
spec: {type: database, owner: user:olga, system: shop}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: olga}
spec: {profile: {displayName: Olga Berg, email: olga@x.example}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: elsewhere}
";

    #[test]
    fn one_name_in_two_namespaces_is_refused_and_what_plugins_bring_is_left_out() {
        let of = |namespace: &str| {
            format!(
                "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: shop, namespace: {namespace}}}\nspec: {{}}\n"
            )
        };
        let refused = read(&format!("{}---\n{}", of("east"), of("west"))).unwrap_err();
        assert_eq!(refused.line, 6, "{refused}");
        assert!(refused.text.contains("`east` and `west`"), "{refused}");
        assert!(read(&format!("{}---\n{}", of("east"), of("east"))).is_ok());
        let template = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: new-shop}\n";
        let (rows, left_out) = read(&format!("{}---\n{template}", of("default"))).unwrap();
        assert_eq!((rows.len(), left_out), (1, 1));
    }

    #[test]
    fn a_catalogue_becomes_rows() {
        let (rows, left_out) = read(FILE).unwrap();
        assert_eq!(left_out, 1);
        let of = |noun: Noun| -> Vec<&Map<String, Value>> {
            rows.iter()
                .filter(|row| row.noun == noun)
                .map(|row| &row.fields)
                .collect()
        };
        assert_eq!(of(Noun::People)[0]["login"], "olga");
        assert_eq!(of(Noun::Groups)[0]["members"], json!(["olga"]));
        assert_eq!(of(Noun::Groups)[0]["kind"], "team");
        assert_eq!(of(Noun::Services)[0]["regimes"], json!(["sox", "pci_dss"]));
        assert_eq!(of(Noun::ConfigItems)[0]["service"], "shop");
        let arrows = of(Noun::Dependencies);
        let arrow =
            |row: &Map<String, Value>| format!("{} {} {}", row["from"], row["kind"], row["to"]).replace('"', "");
        assert_eq!(
            arrows.iter().map(|row| arrow(row)).collect::<Vec<_>>(),
            [
                "shop part_of commerce",
                "shop depends_on orders-db",
                "shop depends_on ledger"
            ]
        );
        assert_eq!(arrows[1]["to_kind"], "config_item");
        assert_eq!(of(Noun::Ownerships)[0]["group"], "payments");
        assert_eq!(of(Noun::Ownerships)[1]["person"], "olga");
        assert_eq!(rows.iter().find(|row| row.noun == Noun::ConfigItems).unwrap().line, 16);
    }

    #[test]
    fn whoever_is_member_of_a_group_of_another_file_joins_it() {
        let text = "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: olga}\n\
                    spec: {memberOf: [group:default/elsewhere, payments]}\n---\n\
                    apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: payments}\nspec: {type: team}\n";
        let (rows, _) = read(text).unwrap();
        let group = |key: &str| {
            rows.iter()
                .find(|row| row.fields.get("key") == Some(&json!(key)))
                .unwrap()
        };
        let stranger = group("elsewhere");
        assert_eq!((stranger.noun, stranger.line), (Noun::Groups, 1));
        assert_eq!(
            stranger.fields,
            fields(&[("key", Some("elsewhere"))])
                .into_iter()
                .chain([(JOINS.to_owned(), json!(["olga"]),)])
                .collect::<Map<_, _>>()
        );
        assert_eq!(group("payments").fields["members"], json!(["olga"]));
        assert!(!group("payments").fields.contains_key(JOINS));
    }

    #[test]
    fn strangers_cannot_make_it_grow_or_break() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\n";
        assert!(read(bomb).unwrap_err().text.contains("aliases"));
        assert!(read(&"[".repeat(10_000)).is_err());
        let deep: String = (0..40).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(read(&deep).unwrap_err().text.contains("deeper"));
        assert_eq!(
            read("apiVersion: backstage.io/v1alpha1\nkind: Component\n")
                .unwrap_err()
                .line,
            1
        );
        assert!(read("kind: Pod\n").unwrap_err().text.contains("apiVersion"));
        assert!(read("a: [\n").is_err());
        assert_eq!(read("").unwrap(), (Vec::new(), 0));
    }
}
