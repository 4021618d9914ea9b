//! The form that facts must have to fit the schema: a table made once, when a set is compiled.
//!
//! Cedar can check this with each question, but copies the description of a type for every entity that a value names, which
//! took half of the evaluation time. The table covers the same as Cedar's check: every type, every attribute and no
//! other, the sort of each, the values of a closed type, and the permitted parents.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{Entities, EntityTypeName, EntityUid, EvalResult};
use serde_json::Value;

/// The sort of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sort {
    Bool,
    Long,
    Text,
    Entity(EntityTypeName),
    Set(Box<Sort>),
}

/// The form of entities of one type.
#[derive(Debug, Clone, Default)]
struct Type {
    /// All of them are needed.
    attributes: HashMap<String, Sort>,
    /// The types that may be parents of this type. In the schema these have no parents in turn.
    parents: HashSet<EntityTypeName>,
    /// The sort of its tags; `None` if it has no tags.
    tags: Option<Sort>,
    /// The values of a closed type, which are all its entities.
    words: Option<BTreeSet<String>>,
}

/// The types of a schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape(HashMap<EntityTypeName, Type>);

/// The reason why entities are rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// An entity is not as the schema wants it.
    Unfit(String),
    /// An entity is named but missing.
    Dangling(EntityUid),
}

impl Shape {
    /// Reads the types of a schema without namespaces, in its JSON form with types resolved.
    ///
    /// # Errors
    /// Which type holds what facts are never made of: records, optional attributes, tags of other types than those
    /// of own fields, values of an extension. Which
    /// action is in a group of actions: the groups would have to be among the facts.
    pub(crate) fn read(schema: &Value) -> Result<Self, String> {
        let members = |part: &str| schema.pointer(part).and_then(Value::as_object).into_iter().flatten();
        let is_grouped = |body: &Value| {
            body.get("memberOf")
                .and_then(Value::as_array)
                .is_some_and(|of| !of.is_empty())
        };
        if let Some((name, _)) = members("//actions").find(|(_, body)| is_grouped(body)) {
            return Err(format!(
                "the action `{name}` is in a group of actions, which facts do not know"
            ));
        }
        let mut names = Names::default();
        let types = members("//entityTypes");
        let types = types.map(|(name, body)| Ok((names.of(name)?, Type::read(name, body, &mut names)?)));
        types.collect::<Result<_, String>>().map(Self)
    }

    /// The values of a closed type, sorted; none if there is no such type.
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let shape = name.parse().ok().and_then(|name: EntityTypeName| self.0.get(&name));
        let words = shape.and_then(|shape| shape.words.as_ref());
        words.into_iter().flatten().cloned().collect()
    }

    /// Whether entities fit, and whether all entities named by them and by the question are present.
    ///
    /// # Errors
    /// The first that does not fit, or else the first that is missing. Values of closed types are never missing.
    pub(crate) fn check(&self, entities: &Entities, mut named: Vec<EntityUid>) -> Result<(), Misfit> {
        for entity in entities.iter() {
            let uid = entity.uid();
            let shape = self.of(&uid)?;
            let mut attributes = 0;
            for (name, value) in entity.attrs() {
                let unfit = || Misfit::Unfit(format!("`{name}` of {uid} is not what the schema says"));
                let sort = shape.attributes.get(name).ok_or_else(unfit)?;
                let value = value.map_err(|_| unfit())?;
                if !self.fits(&value, sort, &mut named)? {
                    return Err(unfit());
                }
                attributes += 1;
            }
            for (name, value) in entity.tags() {
                let unfit = || Misfit::Unfit(format!("the tag `{name}` of {uid} is not what the schema says"));
                let sort = shape.tags.as_ref().ok_or_else(unfit)?;
                if !self.fits(&value.map_err(|_| unfit())?, sort, &mut named)? {
                    return Err(unfit());
                }
            }
            if attributes < shape.attributes.len() {
                return Err(Misfit::Unfit(format!("{uid} lacks an attribute")));
            }
            for parent in entities.ancestors(&uid).into_iter().flatten() {
                if !shape.parents.contains(parent.type_name()) {
                    return Err(Misfit::Unfit(format!("{uid} may not be in {parent}")));
                }
                named.push(parent.clone());
            }
        }
        named.into_iter().try_for_each(|uid| self.is_there(uid, entities))
    }

    /// The type of an entity; for a closed type, the entity must be one of its values.
    fn of(&self, uid: &EntityUid) -> Result<&Type, Misfit> {
        let unknown = || Misfit::Unfit(format!("the schema does not know {uid}"));
        let shape = self.0.get(uid.type_name()).ok_or_else(unknown)?;
        match &shape.words {
            Some(words) if !words.contains(uid.id().unescaped()) => Err(unknown()),
            _ => Ok(shape),
        }
    }

    /// Whether a value is of a sort; the entities that it names are collected.
    fn fits(&self, value: &EvalResult, sort: &Sort, named: &mut Vec<EntityUid>) -> Result<bool, Misfit> {
        Ok(match (value, sort) {
            (EvalResult::Bool(_), Sort::Bool)
            | (EvalResult::Long(_), Sort::Long)
            | (EvalResult::String(_), Sort::Text) => true,
            (EvalResult::EntityUid(uid), Sort::Entity(name)) if uid.type_name() == name => {
                named.push(uid.clone());
                true
            }
            (EvalResult::Set(set), Sort::Set(sort)) => {
                for value in set.iter() {
                    if !self.fits(value, sort, named)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        })
    }

    fn is_there(&self, uid: EntityUid, entities: &Entities) -> Result<(), Misfit> {
        if self.of(&uid)?.words.is_some() || entities.get(&uid).is_some() {
            return Ok(());
        }
        Err(Misfit::Dangling(uid))
    }
}

/// The types whose tags are among the facts: the values of custom fields.
const TAGGED: [&str; 2] = ["Words", "Numbers"];

impl Type {
    fn read(name: &str, body: &Value, names: &mut Names) -> Result<Self, String> {
        let strange = |what: &str| format!("`{what}` of the type `{name}` is not something that facts are made of");
        let tags = match body.get("tags") {
            Some(body) if TAGGED.contains(&name) => Some(Sort::read(body, names).ok_or_else(|| strange("tags"))?),
            Some(_) => return Err(strange("tags")),
            None => None,
        };
        let attributes = body.pointer("/shape/attributes").and_then(Value::as_object);
        let attributes = attributes.into_iter().flatten().map(|(attribute, body)| {
            let is_required = body.get("required").is_none_or(|required| required == true);
            let sort = Sort::read(body, names).filter(|_| is_required);
            Ok((attribute.clone(), sort.ok_or_else(|| strange(attribute))?))
        });
        let attributes = attributes.collect::<Result<_, String>>()?;
        let parents = strings(body.get("memberOfTypes")).map(|name| names.of(name));
        Ok(Self {
            attributes,
            tags,
            parents: parents.collect::<Result<_, String>>()?,
            words: body
                .get("enum")
                .map(|words| strings(Some(words)).map(str::to_owned).collect()),
        })
    }
}

impl Sort {
    fn read(body: &Value, names: &mut Names) -> Option<Self> {
        match body.get("type")?.as_str()? {
            "Bool" => Some(Self::Bool),
            "Long" => Some(Self::Long),
            "String" => Some(Self::Text),
            "Entity" => Some(Self::Entity(names.of(body.get("name")?.as_str()?).ok()?)),
            "Set" => Some(Self::Set(Box::new(Self::read(body.get("element")?, names)?))),
            _ => None,
        }
    }
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The names of types that were read already: Cedar builds a whole parser for each, and attributes name the same few.
#[derive(Default)]
struct Names(HashMap<String, EntityTypeName>);

impl Names {
    fn of(&mut self, name: &str) -> Result<EntityTypeName, String> {
        if let Some(known) = self.0.get(name) {
            return Ok(known.clone());
        }
        let read: EntityTypeName = name
            .parse()
            .map_err(|_| format!("`{name}` is not the name of a type"))?;
        self.0.insert(name.to_owned(), read.clone());
        Ok(read)
    }
}
