//! Compiles a set: measured before parsing, every id and reason there, every annotation known, every name existing.

mod check;
mod names;
mod read;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use cedar_policy::{Effect, Schema, schema_str_to_json_with_resolved_types};
use miette::Diagnostic;
use model::approval::obligation::Obligation;
use model::policy::threshold::{Measure, Threshold};

use crate::parameters::{self, Parameters};
use crate::question::OpenValues;
use crate::scan::{self, line_of};
use crate::set::{ResultCache, Thresholds};
use crate::shape::Shape;
use crate::{Directory, Finding, Hasher, PolicySet, PolicySource, SourceFile, limits, vocabulary};
use check::{actions_of, check, check_base, validate};
pub(crate) use names::fields_of;
use names::{Named, named};
use read::{Loaded, load};

/// A set that is compiled except for the names that only the caller can look up.
pub(crate) struct Draft {
    pub set: PolicySet,
    named: Vec<Named>,
}

/// Everything of `compile` that needs the deep stack.
pub(crate) fn draft(files: &[SourceFile], values: &str, schema: &str, hasher: Hasher) -> Result<Draft, Vec<Finding>> {
    check_files(files, values, schema)?;
    let (cedar_schema, shape) = read_schema(schema)?;
    let mut findings = Vec::new();
    let parameters = Parameters::read(files, values).unwrap_or_else(|trouble| {
        findings.extend(trouble);
        Parameters::default()
    });
    // With a broken parameters file, every `$name` would be reported too; its own findings are enough.
    if !findings.is_empty() {
        return Err(findings);
    }
    let loaded = load(files, &mut findings);
    let mut obligations = HashMap::new();
    let mut asks_from = HashMap::new();
    for policy in &loaded {
        match check(policy, &cedar_schema, &parameters) {
            Ok(Some(obligation)) => {
                obligations.insert(policy.id.clone(), obligation);
                match vocabulary::thresholds_of(&policy.annotations, &parameters) {
                    Ok(found) if found.is_empty() => {}
                    Ok(found) => {
                        asks_from.insert(policy.id.clone(), found);
                    }
                    Err(problem) => findings.push(policy.problem(problem)),
                }
            }
            Ok(None) => {}
            Err(trouble) => findings.extend(trouble),
        }
    }
    check_base(&loaded, &mut findings);
    validate(&loaded, &cedar_schema, &mut findings);
    if !findings.is_empty() {
        findings.sort_by(|a, b| (&a.file, a.line, a.code, &a.text).cmp(&(&b.file, b.line, b.code, &b.text)));
        findings.dedup();
        return Err(findings);
    }
    Ok(assemble(
        &loaded,
        (obligations, asks_from, &parameters),
        cedar_schema,
        shape,
        digest(files, values, schema, hasher),
        hasher,
    ))
}

impl Draft {
    /// Looks up the names, in the caller's thread, since a directory may hold a transaction.
    pub(crate) fn check_names(self, names: &dyn Directory) -> Result<PolicySet, Vec<Finding>> {
        let findings: Vec<Finding> = self.named.iter().filter_map(|named| named.missing(names)).collect();
        if findings.is_empty() {
            Ok(self.set)
        } else {
            Err(findings)
        }
    }
}

fn check_files(files: &[SourceFile], values: &str, schema: &str) -> Result<(), Vec<Finding>> {
    let too_large = |file: &str, text: String| refused(file, "too_large", text);
    if files.len() > limits::FILES {
        return Err(too_large("", format!("a set can have at most {} files", limits::FILES)));
    }
    let texts = files.iter().map(|file| (file.name.as_str(), file.text.as_str()));
    for (name, text) in texts.chain([(parameters::VALUES_FILE, values), ("schema", schema)]) {
        if text.len() > limits::FILE_BYTES {
            return Err(too_large(
                name,
                format!("a file can have at most {} bytes", limits::FILE_BYTES),
            ));
        }
    }
    let mut names = HashSet::new();
    for file in files {
        if !names.insert(file.name.as_str()) {
            return Err(refused(
                &file.name,
                "duplicate_file",
                "the file is given twice".to_owned(),
            ));
        }
        if file.name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            let text = "a file's name must be a path within the set's folder, such as `house/house.cedar`, without \
                empty parts, `.` or `..`";
            return Err(refused(&file.name, "bad_path", text.to_owned()));
        }
        if !parameters::is_declaration(file) && !file.name.ends_with(".cedar") {
            let text = "a set can contain only policies (`*.cedar`) and `parameters.toml`".to_owned();
            return Err(refused(&file.name, "unknown_file", text));
        }
    }
    Ok(())
}

fn refused(file: &str, code: &'static str, text: String) -> Vec<Finding> {
    vec![Finding {
        file: file.to_owned(),
        line: 1,
        code,
        text,
        help: None,
    }]
}

/// The schema that comes with Assent is read once by each process, however many sets it compiles.
fn read_schema(schema: &str) -> Result<(Schema, Shape), Vec<Finding>> {
    static SHIPPED: OnceLock<(Schema, Shape)> = OnceLock::new();
    if schema != crate::SCHEMA {
        return parse_schema(schema);
    }
    if let Some(known) = SHIPPED.get() {
        return Ok(known.clone());
    }
    let read = parse_schema(schema)?;
    Ok(SHIPPED.get_or_init(|| read).clone())
}

fn parse_schema(schema: &str) -> Result<(Schema, Shape), Vec<Finding>> {
    if let Some(finding) = scan::schema_trouble(schema) {
        return Err(vec![finding]);
    }
    let wrong = |error: &dyn Diagnostic| {
        let offset = error
            .labels()
            .and_then(|mut labels| labels.next())
            .map_or(0, |label| label.offset());
        vec![Finding {
            file: "schema".to_owned(),
            line: line_of(schema, offset),
            code: "schema",
            text: error.to_string(),
            help: error.help().map(|help| help.to_string()),
        }]
    };
    let (parsed, _) = Schema::from_cedarschema_str(schema).map_err(|error| wrong(&error))?;
    let (types, _) = schema_str_to_json_with_resolved_types(schema).map_err(|error| wrong(&error))?;
    let shape = Shape::read(&types).map_err(|text| refused("schema", "schema", text))?;
    Ok((parsed, shape))
}

fn assemble(
    loaded: &[Loaded<'_>],
    (obligations, asks_from, parameters): (HashMap<String, Obligation>, Thresholds, &Parameters),
    schema: Schema,
    shape: Shape,
    digest: String,
    hasher: Hasher,
) -> Draft {
    let mut by_action: HashMap<String, cedar_policy::PolicySet> = HashMap::new();
    let mut permits: HashMap<String, Vec<String>> = HashMap::new();
    for policy in loaded {
        for action in actions_of(policy).unwrap_or_default() {
            let action = action.id().unescaped().to_owned();
            let added = by_action.entry(action.clone()).or_default().add(policy.policy.clone());
            assert!(added.is_ok(), "ids and actions were checked to be unique");
            if policy.policy.effect() == Effect::Permit {
                permits.entry(action).or_default().push(policy.id.clone());
            }
        }
    }
    let named = loaded
        .iter()
        .flat_map(|policy| named(policy, obligations.get(&policy.id)))
        .collect();
    let sources = loaded
        .iter()
        .map(|policy| (policy.id.clone(), source(policy)))
        .collect();
    permits.values_mut().for_each(|ids| ids.sort());
    let is_set = |policy: &&Loaded<'_>| vocabulary::threshold_parameters(&policy.annotations).next().is_some();
    let set_levels = loaded.iter().filter(is_set).map(|policy| policy.id.clone()).collect();
    let words = OpenValues {
        regimes: shape.words("Regime"),
        data_classes: shape.words("DataClass"),
    };
    let set = PolicySet {
        schema,
        by_action,
        permits,
        obligations,
        thresholds: thresholds(loaded, &asks_from, parameters),
        asks_from,
        set_levels,
        parameters: parameters.all(),
        sources,
        words,
        shape,
        digest,
        hasher,
        known: ResultCache::default(),
    };
    Draft { set, named }
}

/// The parameters that set the value from which rules apply, by measure and name.
fn thresholds(loaded: &[Loaded<'_>], asks_from: &Thresholds, parameters: &Parameters) -> Vec<Threshold> {
    let mut found: BTreeMap<(Measure, &str), Threshold> = BTreeMap::new();
    for policy in loaded {
        for (measure, name) in vocabulary::threshold_parameters(&policy.annotations) {
            let mut numbers = asks_from.get(&policy.id).into_iter().flatten();
            let Some((_, from)) = numbers.find(|(by, _)| *by == measure) else {
                continue;
            };
            let threshold = found.entry((measure, name)).or_insert_with(|| Threshold {
                parameter: name.to_owned(),
                measure,
                from: *from,
                floor: parameters.floor(name),
                rules: Vec::new(),
            });
            threshold.rules.push(policy.id.clone());
        }
    }
    found.into_values().collect()
}

fn source(policy: &Loaded<'_>) -> PolicySource {
    PolicySource {
        id: policy.id.clone(),
        reason: policy.reason.clone(),
        file: policy.file.name.clone(),
        line: policy.line(),
        text: policy.statement.text.to_owned(),
    }
}

/// The digest of everything that decides: schema, files in the order of their names, values; each with its length before it, so
/// that no byte can move from one to the next.
fn digest(files: &[SourceFile], values: &str, schema: &str, hasher: Hasher) -> String {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut bytes = b"assent policy set v1\n".to_vec();
    let mut add = |text: &str| {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    };
    add(schema);
    add(values);
    for file in sorted {
        add(&file.name);
        add(&file.text);
    }
    hasher(&bytes)
}
