//! Values that a tenant may set: `@count("$sox_owner_approvals")`.
//!
//! A pack declares its parameters in a file `parameters.toml` in its folder:
//!
//! ```toml
//! [sox_owner_approvals]
//! type = "count"        # count | minutes (whole numbers), duration ("30d", "4h", "15m"), name (a key such as "staging"), risk ("none", "low", "medium", "high" or "never"), probability ("2%", "0.5%"), factor ("second_factor" or "any"), groups ("group:security" or several of them)
//! default = 2
//! floor = 2             # optional, for numbers: a tenant may not go below
//! ceiling = 5           # optional, for numbers: nor above
//! about = "How many owners approve."
//! ```
//!
//! The tenant's own file holds values only: `sox_owner_approvals = 3`. Values are put in when a set is compiled, so that
//! the digest covers them and every obligation shows the number.

use std::collections::BTreeMap;

use model::policy::threshold::percent;

use crate::cases::duration;
use crate::scan::line_of;
use crate::{Finding, SourceFile, limits, nearest, values};

/// The name of the tenant's own values in findings.
pub(crate) const VALUES_FILE: &str = "parameters";

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Count,
    Minutes,
    Duration,
    Name,
    Factor,
    Groups,
    Risk,
    Probability,
}

impl Type {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "count" => Some(Self::Count),
            "minutes" => Some(Self::Minutes),
            "duration" => Some(Self::Duration),
            "name" => Some(Self::Name),
            "factor" => Some(Self::Factor),
            "groups" => Some(Self::Groups),
            "risk" => Some(Self::Risk),
            "probability" => Some(Self::Probability),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Minutes => "minutes",
            Self::Duration => "duration",
            Self::Name => "name",
            Self::Factor => "factor",
            Self::Groups => "groups",
            Self::Risk => "risk",
            Self::Probability => "probability",
        }
    }
}

/// A parameter's value; durations are minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(i64),
    Name(String),
}

/// The parameters of a set with the values that hold.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<String, Declaration>,
}

/// A parameter as its pack declares it, with the value that holds.
#[derive(Debug)]
struct Declaration {
    kind: Type,
    value: Value,
    default: Value,
    floor: Option<i64>,
    ceiling: Option<i64>,
    about: String,
}

/// A parameter of a set, with values as in a file of parameters; texts without their quotes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The type: `count`, `minutes`, `duration`, `name`, `factor`, `groups`, `risk` or `probability`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The value that holds.
    pub value: String,
    /// The value that holds where a tenant sets none.
    pub default: String,
    /// The least that a tenant may set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<String>,
    /// The most that a tenant may set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<String>,
    /// The purpose.
    pub about: String,
}

impl Parameter {
    /// Its line in a file of parameters, with this value.
    #[must_use]
    pub fn line(&self, value: &str) -> String {
        match self.kind {
            "count" | "minutes" => format!("{} = {value}\n", self.name),
            _ => format!("{} = \"{value}\"\n", self.name),
        }
    }
}

/// Whether a file declares parameters.
pub(crate) fn is_declaration(file: &SourceFile) -> bool {
    file.name.rsplit('/').next() == Some("parameters.toml")
}

impl Parameters {
    /// Reads the declarations of all packs and the tenant's values.
    pub(crate) fn read(files: &[SourceFile], values: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut declared: BTreeMap<String, Declaration> = BTreeMap::new();
        for file in files.iter().filter(|file| is_declaration(file)) {
            match declarations(file) {
                Ok(found) => {
                    for (name, declaration) in found {
                        if declared.insert(name.clone(), declaration).is_some() {
                            let text = format!("the parameter `{name}` is declared twice");
                            findings.push(finding(&file.name, &file.text, &name, text));
                        }
                    }
                }
                Err(trouble) => findings.extend(trouble),
            }
        }
        let set = match table(VALUES_FILE, values) {
            Ok(set) => set,
            Err(trouble) => {
                findings.push(trouble);
                toml::Table::new()
            }
        };
        for (name, value) in &set {
            if let Err((text, help)) = put(&mut declared, name, value) {
                let mut trouble = finding(VALUES_FILE, values, name, text);
                trouble.help = help;
                findings.push(trouble);
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        Ok(Self { values: declared })
    }

    /// Every parameter, by name.
    pub(crate) fn all(&self) -> Vec<Parameter> {
        let one = |(name, it): (&String, &Declaration)| Parameter {
            name: name.clone(),
            kind: it.kind.as_str(),
            value: written(it.kind, &it.value),
            default: written(it.kind, &it.default),
            floor: it.floor.map(|number| written(it.kind, &Value::Number(number))),
            ceiling: it.ceiling.map(|number| written(it.kind, &Value::Number(number))),
            about: it.about.clone(),
        };
        self.values.iter().map(one).collect()
    }

    /// The least number that a tenant may set a parameter to; 0 without a floor.
    pub(crate) fn floor(&self, name: &str) -> i64 {
        self.values.get(name).and_then(|it| it.floor).unwrap_or_default()
    }

    /// The value of a parameter of this type.
    pub(crate) fn get(&self, name: &str, kinds: &[Type]) -> Result<&Value, (String, Option<String>)> {
        let Some(Declaration { kind, value, .. }) = self.values.get(name) else {
            let help = nearest(name, self.values.keys().map(String::as_str)).map(|n| format!("did you mean `${n}`?"));
            return Err((format!("there is no parameter `${name}`"), help));
        };
        if kinds.contains(kind) {
            return Ok(value);
        }
        let wanted: Vec<&str> = kinds.iter().map(|k| k.as_str()).collect();
        Err((
            format!(
                "the parameter `${name}` is a {}, not a {}",
                kind.as_str(),
                wanted.join(" or ")
            ),
            None,
        ))
    }
}

/// Puts a tenant's value in the place of the default.
fn put(
    declared: &mut BTreeMap<String, Declaration>,
    name: &str,
    value: &toml::Value,
) -> Result<(), (String, Option<String>)> {
    if !declared.contains_key(name) {
        let help = nearest(name, declared.keys().map(String::as_str)).map(|n| format!("did you mean `{n}`?"));
        return Err((format!("no policy file declares the parameter `{name}`"), help));
    }
    let Some(declaration) = declared.get_mut(name) else {
        return Ok(());
    };
    let value = typed(declaration.kind, value).map_err(|text| (format!("`{name}`: {text}"), None))?;
    within(&value, declaration.floor, declaration.ceiling).map_err(|text| (format!("`{name}` {text}"), None))?;
    declaration.value = value;
    Ok(())
}

fn declarations(file: &SourceFile) -> Result<Vec<(String, Declaration)>, Vec<Finding>> {
    let table = table(&file.name, &file.text).map_err(|trouble| vec![trouble])?;
    let mut found = Vec::new();
    let mut findings = Vec::new();
    for (name, body) in &table {
        match declaration(name, body) {
            Ok(declaration) => found.push((name.clone(), declaration)),
            Err(text) => findings.push(finding(&file.name, &file.text, name, format!("`{name}`: {text}"))),
        }
    }
    if findings.is_empty() { Ok(found) } else { Err(findings) }
}

fn declaration(name: &str, body: &toml::Value) -> Result<Declaration, String> {
    const KEYS: [&str; 5] = ["type", "default", "floor", "ceiling", "about"];
    if !values::is_identifier(name) {
        return Err("a parameter's name can have only lower-case letters, digits and `_`".to_owned());
    }
    let body = body
        .as_table()
        .ok_or("a parameter must be a table with `type` and `default`")?;
    if let Some(key) = body.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let help = nearest(key, KEYS)
            .map(|n| format!("; did you mean `{n}`?"))
            .unwrap_or_default();
        return Err(format!("`{key}` is none of {}{help}", KEYS.join(", ")));
    }
    let word = body
        .get("type")
        .and_then(toml::Value::as_str)
        .ok_or("`type` is missing")?;
    let kind = Type::parse(word).ok_or_else(|| {
        format!("the type `{word}` is none of count, minutes, duration, name, factor, groups, risk, probability")
    })?;
    let default = typed(kind, body.get("default").ok_or("`default` is missing")?)?;
    let floor = bound(kind, body.get("floor"))?;
    let ceiling = bound(kind, body.get("ceiling"))?;
    within(&default, floor, ceiling).map_err(|text| format!("the default {text}"))?;
    let about = body.get("about").and_then(toml::Value::as_str).unwrap_or_default();
    Ok(Declaration {
        kind,
        value: default.clone(),
        default,
        floor,
        ceiling,
        about: about.to_owned(),
    })
}

fn bound(kind: Type, value: Option<&toml::Value>) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    match typed(kind, value)? {
        Value::Number(number) => Ok(Some(number)),
        Value::Name(_) => Err("this type can have neither a floor nor a ceiling".to_owned()),
    }
}

fn within(value: &Value, floor: Option<i64>, ceiling: Option<i64>) -> Result<(), String> {
    let Value::Number(number) = value else {
        return Ok(());
    };
    if floor.is_some_and(|floor| *number < floor) {
        return Err("is below its floor".to_owned());
    }
    if ceiling.is_some_and(|ceiling| *number > ceiling) {
        return Err("is above its ceiling".to_owned());
    }
    Ok(())
}

fn typed(kind: Type, value: &toml::Value) -> Result<Value, String> {
    match kind {
        Type::Count | Type::Minutes => {
            let most = if kind == Type::Count {
                i64::from(limits::COUNT)
            } else {
                limits::DURATION_MINUTES
            };
            let number = value.as_integer().ok_or("the value must be a whole number")?;
            if !(1..=most).contains(&number) {
                return Err(format!("the value must lie between 1 and {most}"));
            }
            Ok(Value::Number(number))
        }
        Type::Duration => {
            let text = value
                .as_str()
                .ok_or("the value must be a duration in quotes, such as \"30d\"")?;
            values::duration(text).map(Value::Number)
        }
        Type::Name => {
            let text = value.as_str().ok_or("the value must be a name in quotes")?;
            values::key(text).map(Value::Name)
        }
        Type::Factor => {
            let text = value
                .as_str()
                .ok_or("the value must be \"second_factor\" or \"any\", in quotes")?;
            values::factor(text).map(|_| Value::Name(text.to_owned()))
        }
        Type::Risk => {
            let text = value
                .as_str()
                .ok_or("the value must be a risk level in quotes, such as \"medium\", or \"never\"")?;
            values::risk(text).map(|_| Value::Name(text.to_owned()))
        }
        Type::Probability => {
            let text = value
                .as_str()
                .ok_or("the value must be a percentage in quotes, such as \"2%\" or \"0.5%\"")?;
            values::probability(text).map(Value::Number)
        }
        Type::Groups => {
            let text = value.as_str().ok_or(
                "the value must be one or several groups in quotes, such as \"group:security,group:platform\"",
            )?;
            values::groups(text).map(|_| Value::Name(text.to_owned()))
        }
    }
}

/// A value as in a file of parameters; a text without its quotes.
fn written(kind: Type, value: &Value) -> String {
    match (kind, value) {
        (Type::Duration, Value::Number(minutes)) => duration(*minutes),
        (Type::Probability, Value::Number(ppm)) => percent(*ppm),
        (_, Value::Number(number)) => number.to_string(),
        (_, Value::Name(word)) => word.clone(),
    }
}

fn table(file: &str, text: &str) -> Result<toml::Table, Finding> {
    text.parse::<toml::Table>().map_err(|error| Finding {
        file: file.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        code: "not_toml",
        text: error.message().to_owned(),
        help: None,
    })
}

fn finding(file: &str, text: &str, name: &str, sentence: String) -> Finding {
    let is_place = |line: &str| line.trim_start_matches(['[', ' ', '"']).starts_with(name);
    let line = text.lines().position(is_place).map_or(1, |place| place + 1);
    Finding {
        file: file.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        code: "parameter",
        text: sentence,
        help: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]
    use super::*;

    fn file(text: &str) -> [SourceFile; 1] {
        [SourceFile {
            name: "sox/parameters.toml".to_owned(),
            text: text.to_owned(),
        }]
    }

    const DECLARED: &str = "[owners]\ntype = \"count\"\ndefault = 2\nfloor = 2\nceiling = 4\n\n[life]\ntype = \"duration\"\ndefault = \"30d\"\n";

    #[test]
    fn a_tenant_value_stands_in_place_of_the_default() {
        let parameters = Parameters::read(&file(DECLARED), "owners = 3\n").unwrap();
        assert_eq!(parameters.get("owners", &[Type::Count]), Ok(&Value::Number(3)));
        assert_eq!(
            parameters.get("life", &[Type::Duration]),
            Ok(&Value::Number(30 * 24 * 60))
        );
        assert!(parameters.get("life", &[Type::Count]).is_err());
        let (_, help) = parameters.get("owner", &[Type::Count]).unwrap_err();
        assert_eq!(help.as_deref(), Some("did you mean `$owners`?"));
    }

    #[test]
    fn a_factor_is_one_of_two_words() {
        let declared = file("[keys]\ntype = \"factor\"\ndefault = \"second_factor\"\n");
        let word = |values: &str| {
            let read = Parameters::read(&declared, values).map_err(|findings| findings[0].text.clone())?;
            Ok::<_, String>(read.get("keys", &[Type::Factor]).cloned())
        };
        let name = |text: &str| Ok(Ok(Value::Name(text.to_owned())));
        assert_eq!(word(""), name("second_factor"));
        assert_eq!(word("keys = \"any\""), name("any"));
        assert!(
            word("keys = \"password\"")
                .unwrap_err()
                .contains("`password` is none of any, second_factor")
        );
        assert!(word("keys = 1").unwrap_err().contains("in quotes"));
    }

    #[test]
    fn groups_are_one_or_several_and_nothing_else() {
        let declared = file("[keepers]\ntype = \"groups\"\ndefault = \"group:security\"\n");
        let word = |values: &str| {
            let read = Parameters::read(&declared, values).map_err(|findings| findings[0].text.clone())?;
            Ok::<_, String>(read.get("keepers", &[Type::Groups]).cloned())
        };
        let name = |text: &str| Ok(Ok(Value::Name(text.to_owned())));
        assert_eq!(word(""), name("group:security"));
        assert_eq!(
            word("keepers = \"group:security,group:platform\""),
            name("group:security,group:platform")
        );
        assert!(
            word("keepers = \"owner\"")
                .unwrap_err()
                .contains("`owner` is no `group:`")
        );
        assert!(word("keepers = \"group:a,group:a\"").is_err());
        assert!(word("keepers = [\"group:a\"]").unwrap_err().contains("in quotes"));
    }

    #[test]
    fn floors_ceilings_types_and_names_are_kept() {
        for (values, text) in [
            ("\nowners = 1", "`owners` is below its floor"),
            ("\nowners = 5", "`owners` is above its ceiling"),
            ("\nowners = \"3\"", "`owners`: the value must be a whole number"),
            ("\nowner = 3", "no policy file declares the parameter `owner`"),
        ] {
            let findings = Parameters::read(&file(DECLARED), values).unwrap_err();
            assert_eq!((findings[0].text.as_str(), findings[0].line), (text, 2), "{values}");
        }
        let findings = Parameters::read(&file("[a]\ntype = \"count\"\ndefault = 1\nfloor = 2"), "").unwrap_err();
        assert_eq!(findings[0].text, "`a`: the default is below its floor");
        assert_eq!(Parameters::read(&[], "a = ").unwrap_err()[0].code, "not_toml");
    }
}
