//! Compiles a set: measured before parsing, every id and reason there, every annotation known, every name existing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{
    ActionConstraint, Effect, EntityTypeName, EntityUid, Policy, PolicyId, PrincipalConstraint,
    ResourceConstraint, Schema, SchemaFragment, ValidationMode, Validator,
};
use miette::Diagnostic;
use model::obligation::Obligation;

use crate::judge::BASE_OBLIGATION;
use crate::parameters::{self, Parameters};
use crate::question::{OpenWords, uid};
use crate::scan::{self, Statement, line_of};
use crate::vocabulary::{self, Annotations, Problem};
use crate::{
    Directory, Finding, Hasher, PolicySet, PolicySource, SourceFile, WELL_KNOWN_GROUPS, limits,
    values,
};

/// A set that is compiled but for the names that only the caller can look up.
pub(crate) struct Draft {
    pub set: PolicySet,
    named: Vec<Named>,
}

/// An entity that a policy names.
struct Named {
    uid: EntityUid,
    file: String,
    line: u32,
}

/// A policy that parsed and has an id.
struct Loaded<'a> {
    id: String,
    reason: String,
    policy: Policy,
    annotations: Annotations,
    statement: Statement<'a>,
    file: &'a SourceFile,
}

impl Loaded<'_> {
    fn line(&self) -> u32 {
        line_of(&self.file.text, self.statement.offset)
    }

    fn finding(&self, code: &'static str, text: String) -> Finding {
        self.finding_at(self.statement.offset, code, text)
    }

    fn finding_at(&self, offset: usize, code: &'static str, text: String) -> Finding {
        let line = line_of(&self.file.text, offset);
        Finding {
            file: self.file.name.clone(),
            line,
            code,
            text,
            help: None,
        }
    }

    fn problem(&self, problem: Problem) -> Finding {
        let is_key = |(key, _): &&(&str, usize)| problem.key.as_deref() == Some(*key);
        let place = self
            .statement
            .annotations
            .iter()
            .find(is_key)
            .map_or(self.statement.offset, |(_, at)| *at);
        let mut finding = self.finding_at(
            place,
            problem.code,
            format!("`{}`: {}", self.id, problem.text),
        );
        finding.help = problem.help;
        finding
    }
}

/// Everything of `compile` that needs the deep stack.
pub(crate) fn draft(
    files: &[SourceFile],
    values: &str,
    schema: &str,
    hasher: Hasher,
) -> Result<Draft, Vec<Finding>> {
    check_sizes(files, values, schema)?;
    let (fragment, cedar_schema) = read_schema(schema)?;
    let mut findings = Vec::new();
    let parameters = Parameters::read(files, values).unwrap_or_else(|trouble| {
        findings.extend(trouble);
        Parameters::default()
    });
    // With a broken parameters file every `$name` would be reported besides; its own findings suffice.
    if !findings.is_empty() {
        return Err(findings);
    }
    let loaded = load(files, &mut findings);
    let mut obligations = HashMap::new();
    for policy in &loaded {
        match check(policy, &cedar_schema, &parameters) {
            Ok(Some(obligation)) => {
                obligations.insert(policy.id.clone(), obligation);
            }
            Ok(None) => {}
            Err(trouble) => findings.extend(trouble),
        }
    }
    check_base(&loaded, &mut findings);
    validate(&loaded, &cedar_schema, &mut findings);
    if !findings.is_empty() {
        findings.sort_by(|a, b| {
            (&a.file, a.line, a.code, &a.text).cmp(&(&b.file, b.line, b.code, &b.text))
        });
        findings.dedup();
        return Err(findings);
    }
    Ok(assemble(
        loaded,
        obligations,
        &fragment,
        cedar_schema,
        digest(files, values, schema, hasher),
        hasher,
    ))
}

impl Draft {
    /// Looks up the names, in the caller's thread, since a directory may hold a transaction.
    pub(crate) fn check_names(self, names: &dyn Directory) -> Result<PolicySet, Vec<Finding>> {
        let findings: Vec<Finding> = self
            .named
            .iter()
            .filter_map(|named| named.missing(names))
            .collect();
        if findings.is_empty() {
            Ok(self.set)
        } else {
            Err(findings)
        }
    }
}

impl Named {
    fn missing(&self, names: &dyn Directory) -> Option<Finding> {
        let id = self.uid.id().unescaped();
        let (noun, exists) = match self.uid.type_name().to_string().as_str() {
            "Group" => (
                "group",
                WELL_KNOWN_GROUPS.contains(&id) || names.group_exists(id),
            ),
            "Person" => ("person", names.person_exists(id)),
            "Service" => ("service", names.service_exists(id)),
            "Environment" => ("environment", names.environment_exists(id)),
            "Actor" | "Change" => {
                let text = format!(
                    "a policy may not name {}; name a person or test attributes",
                    self.uid
                );
                return Some(self.finding("may_not_be_named", text));
            }
            _ => return None,
        };
        if exists {
            return None;
        }
        Some(self.finding("unknown_name", format!("there is no {noun} `{id}`")))
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

fn check_sizes(files: &[SourceFile], values: &str, schema: &str) -> Result<(), Vec<Finding>> {
    let too_large = |file: &str, text: String| {
        vec![Finding {
            file: file.to_owned(),
            line: 1,
            code: "too_large",
            text,
            help: None,
        }]
    };
    if files.len() > limits::FILES {
        return Err(too_large(
            "",
            format!("a set has at most {} files", limits::FILES),
        ));
    }
    let texts = files
        .iter()
        .map(|file| (file.name.as_str(), file.text.as_str()));
    for (name, text) in texts.chain([(parameters::VALUES_FILE, values), ("schema", schema)]) {
        if text.len() > limits::FILE_BYTES {
            return Err(too_large(
                name,
                format!("a file has at most {} bytes", limits::FILE_BYTES),
            ));
        }
    }
    let mut names = HashSet::new();
    for file in files {
        if !names.insert(file.name.as_str()) {
            return Err(too_large(&file.name, "the file is given twice".to_owned()));
        }
    }
    Ok(())
}

fn read_schema(schema: &str) -> Result<(serde_json::Value, Schema), Vec<Finding>> {
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
    let (fragment, _) =
        SchemaFragment::from_cedarschema_str(schema).map_err(|error| wrong(&error))?;
    let fragment = fragment.to_json_value().map_err(|error| wrong(&error))?;
    Ok((fragment, parsed))
}

/// Parses every policy of every file, gives it its id, and refuses an id that is used twice.
fn load<'a>(files: &'a [SourceFile], findings: &mut Vec<Finding>) -> Vec<Loaded<'a>> {
    let mut loaded: Vec<Loaded<'a>> = Vec::new();
    let mut places: HashMap<String, String> = HashMap::new();
    let mut count = 0;
    for file in files
        .iter()
        .filter(|file| !parameters::is_declaration(file))
    {
        for statement in scan::statements(&file.text) {
            count += 1;
            if count > limits::POLICIES {
                let line = line_of(&file.text, statement.offset);
                let text = format!("a set has at most {} policies", limits::POLICIES);
                findings.push(Finding {
                    file: file.name.clone(),
                    line,
                    code: "too_many",
                    text,
                    help: None,
                });
                return loaded;
            }
            match parse(file, statement) {
                Ok(policy) => {
                    let place = format!("{}:{}", file.name, policy.line());
                    if let Some(first) = places.insert(policy.id.clone(), place) {
                        let text = format!("the id `{}` is already used at {first}", policy.id);
                        findings.push(policy.finding("duplicate_id", text));
                    } else {
                        loaded.push(policy);
                    }
                }
                Err(trouble) => findings.extend(trouble),
            }
        }
    }
    loaded
}

fn parse<'a>(file: &'a SourceFile, statement: Statement<'a>) -> Result<Loaded<'a>, Vec<Finding>> {
    let at = |offset: usize, code: &'static str, text: String| Finding {
        file: file.name.clone(),
        line: line_of(&file.text, offset),
        code,
        text,
        help: None,
    };
    if let Some(trouble) = statement.trouble {
        return Err(vec![at(trouble.offset, trouble.code, trouble.text)]);
    }
    let policy = Policy::parse(None, statement.text).map_err(|errors| {
        let each = errors
            .iter()
            .map(|error| diagnostic(file, statement.offset, "parse", error));
        each.collect::<Vec<_>>()
    })?;
    let annotations: Annotations = policy
        .annotations()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let mut findings = Vec::new();
    let id = annotations.get("id").cloned().unwrap_or_default();
    if let Err(text) = check_id(&id, pack_of(&file.name)) {
        findings.push(at(statement.offset, "id", text));
    }
    let reason = annotations
        .get("reason")
        .map(String::as_str)
        .unwrap_or_default();
    let reason = match values::sentence(reason) {
        Ok(reason) => reason,
        Err(_) => {
            let text = format!(
                "every policy says why in `@reason(\"…\")`, at most {} letters",
                limits::TEXT_LENGTH
            );
            findings.push(at(statement.offset, "reason", text));
            String::new()
        }
    };
    if !findings.is_empty() {
        return Err(findings);
    }
    let policy = policy.new_id(PolicyId::new(&id));
    Ok(Loaded {
        id,
        reason,
        policy,
        annotations,
        statement,
        file,
    })
}

/// A message of Cedar as a finding of the file.
fn diagnostic(
    file: &SourceFile,
    offset: usize,
    code: &'static str,
    error: &dyn Diagnostic,
) -> Finding {
    let label = error.labels().and_then(|mut labels| labels.next());
    let place = label.as_ref().map_or(0, |label| label.offset());
    let more = label
        .as_ref()
        .and_then(|label| label.label())
        .map(|label| format!(" ({label})"))
        .unwrap_or_default();
    Finding {
        file: file.name.clone(),
        line: line_of(&file.text, offset + place),
        code,
        text: format!("{error}{more}"),
        help: error.help().map(|help| help.to_string()),
    }
}

/// The pack of a file: its folder, or its own name when it lies in none.
fn pack_of(name: &str) -> &str {
    let mut parts = name.rsplit('/');
    let file = parts.next().unwrap_or(name);
    parts
        .next()
        .unwrap_or_else(|| file.split('.').next().unwrap_or(file))
}

/// An id is its pack and at least one word: `sox.require.owners`.
fn check_id(id: &str, pack: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err(format!(
            "every policy has an id: `@id(\"{pack}.some_words\")`"
        ));
    }
    let Some(words) = id
        .strip_prefix(pack)
        .and_then(|rest| rest.strip_prefix('.'))
    else {
        return Err(format!("the id `{id}` begins with its pack: `{pack}.`"));
    };
    if id.len() > limits::ID_LENGTH || !words.split('.').all(values::is_word) {
        return Err(format!(
            "the id `{id}` is `{pack}.` and words of lower-case letters, digits and `_`, at most {} letters",
            limits::ID_LENGTH
        ));
    }
    Ok(())
}

/// Checks one policy by itself; gives its obligation if it is one of `require`.
fn check(
    policy: &Loaded<'_>,
    schema: &Schema,
    parameters: &Parameters,
) -> Result<Option<Obligation>, Vec<Finding>> {
    let actions = actions_of(policy).map_err(|finding| vec![finding])?;
    let require = uid("Action", "require");
    let mut findings: Vec<Finding> = actions
        .iter()
        .filter_map(|action| unknown_action(policy, action, schema))
        .collect();
    let mut obligation = None;
    if actions.contains(&require) {
        findings.extend(check_require(policy));
        match vocabulary::obligation(&policy.id, &policy.reason, &policy.annotations, parameters) {
            Ok(found) => obligation = Some(found),
            Err(problems) => {
                findings.extend(problems.into_iter().map(|problem| policy.problem(problem)))
            }
        }
    } else {
        let problems = vocabulary::plain(&policy.annotations);
        findings.extend(problems.into_iter().map(|problem| policy.problem(problem)));
    }
    if findings.is_empty() {
        Ok(obligation)
    } else {
        Err(findings)
    }
}

/// The actions that a policy names. Every policy names them one by one, since a group of actions may hold `require`.
fn actions_of(policy: &Loaded<'_>) -> Result<Vec<EntityUid>, Finding> {
    match policy.policy.action_constraint() {
        ActionConstraint::Eq(action) => Ok(vec![action]),
        ActionConstraint::In(actions) if !actions.is_empty() => Ok(actions),
        ActionConstraint::In(_) | ActionConstraint::Any => {
            let text = format!(
                "`{}` names its actions: `action == Action::\"…\"` or `action in [ … ]`",
                policy.id
            );
            Err(policy.finding("actions_not_named", text))
        }
    }
}

fn unknown_action(policy: &Loaded<'_>, action: &EntityUid, schema: &Schema) -> Option<Finding> {
    if schema.actions().any(|known| known == action) {
        return None;
    }
    let names: Vec<&str> = schema
        .actions()
        .map(|known| known.id().unescaped())
        .collect();
    let name = action.id().unescaped();
    let mut finding = policy.finding(
        "unknown_action",
        format!("`{}`: no action is called `{name}`", policy.id),
    );
    finding.help = crate::nearest(name, names).map(|n| format!("did you mean `{n}`?"));
    Some(finding)
}

/// A policy of `require` is a permit of this action alone, for everyone, and tests attributes only.
fn check_require(policy: &Loaded<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let id = &policy.id;
    if policy.policy.effect() == Effect::Forbid {
        let text =
            format!("`{id}`: a forbid may not name `require`; it would hide every obligation");
        findings.push(policy.finding("forbid_of_require", text));
    }
    let is_alone = matches!(policy.policy.action_constraint(), ActionConstraint::Eq(_));
    let has_scope = policy.policy.principal_constraint() != PrincipalConstraint::Any
        || policy.policy.resource_constraint() != ResourceConstraint::Any;
    if !is_alone || has_scope {
        let text = format!(
            "`{id}`: the scope of a policy of `require` is `(principal, action == Action::\"require\", resource)`"
        );
        findings.push(policy.finding("scope_of_require", text));
    }
    if let Some(offset) = policy.statement.membership {
        let text = format!(
            "`{id}`: a policy of `require` tests attributes, not `in`, which is silently false when a link is missing"
        );
        findings.push(policy.finding_at(offset, "membership_in_require", text));
    }
    findings
}

/// The base obligation is there and has no condition.
fn check_base(loaded: &[Loaded<'_>], findings: &mut Vec<Finding>) {
    match loaded.iter().find(|policy| policy.id == BASE_OBLIGATION) {
        Some(policy) if policy.policy.has_non_scope_constraint() => {
            let text = format!(
                "`{BASE_OBLIGATION}` has no condition: its presence proves that the policies were judged"
            );
            findings.push(policy.finding("base_obligation", text));
        }
        Some(policy)
            if actions_of(policy).is_ok_and(|actions| actions == [uid("Action", "require")]) => {}
        // A base policy that could not be read has its own finding.
        None if !findings.is_empty() => {}
        _ => findings.push(Finding {
            file: "base/requirements.cedar".to_owned(),
            line: 1,
            code: "base_obligation",
            text: format!("the set lacks the policy `{BASE_OBLIGATION}` of the action `require`"),
            help: Some("every set holds the files of the base pack".to_owned()),
        }),
    }
}

/// Strict validation, and at least one kind of request that each policy can match: on a policy that is too long for the
/// stack Cedar's validator gives up and reports no error, and only the missing requests show it.
fn validate(loaded: &[Loaded<'_>], schema: &Schema, findings: &mut Vec<Finding>) {
    let validator = Validator::new(schema.clone());
    let mut together = cedar_policy::PolicySet::new();
    for policy in loaded {
        if let Err(error) = together.add(policy.policy.clone()) {
            findings.push(policy.finding("duplicate_id", error.to_string()));
        }
    }
    let result = validator.validate(&together, ValidationMode::Strict);
    let by_id: HashMap<&str, &Loaded<'_>> = loaded
        .iter()
        .map(|policy| (policy.id.as_str(), policy))
        .collect();
    let mut broken = HashSet::new();
    for error in result.validation_errors() {
        let id = error.policy_id().to_string();
        if let Some(policy) = by_id.get(id.as_str()) {
            findings.push(diagnostic(
                policy.file,
                policy.statement.offset,
                "validation",
                error,
            ));
        }
        broken.insert(id);
    }
    for warning in result.validation_warnings() {
        let id = warning.policy_id().to_string();
        if let Some(policy) = by_id.get(id.as_str()) {
            findings.push(diagnostic(
                policy.file,
                policy.statement.offset,
                "validation",
                warning,
            ));
        }
        broken.insert(id);
    }
    for policy in loaded.iter().filter(|policy| !broken.contains(&policy.id)) {
        if policy
            .policy
            .get_valid_request_envs(schema)
            .next()
            .is_none()
        {
            let text = format!(
                "`{}` can never match, or is too large to be checked",
                policy.id
            );
            findings.push(policy.finding("never_matches", text));
        }
    }
    if !result.validation_passed() && broken.is_empty() {
        let text = "the set does not fit the schema".to_owned();
        findings.push(Finding {
            file: "schema".to_owned(),
            line: 1,
            code: "validation",
            text,
            help: None,
        });
    }
}

fn assemble(
    loaded: Vec<Loaded<'_>>,
    obligations: HashMap<String, Obligation>,
    fragment: &serde_json::Value,
    schema: Schema,
    digest: String,
    hasher: Hasher,
) -> Draft {
    let mut by_action: HashMap<String, cedar_policy::PolicySet> = HashMap::new();
    let mut permits: HashMap<String, Vec<String>> = HashMap::new();
    let mut sources = BTreeMap::new();
    let mut named = Vec::new();
    for policy in loaded {
        for action in actions_of(&policy).unwrap_or_default() {
            let action = action.id().unescaped().to_owned();
            let added = by_action
                .entry(action.clone())
                .or_default()
                .add(policy.policy.clone());
            assert!(added.is_ok(), "ids were checked to be unique");
            if policy.policy.effect() == Effect::Permit {
                permits.entry(action).or_default().push(policy.id.clone());
            }
        }
        for uid in policy.policy.entity_literals() {
            named.push(Named {
                uid,
                file: policy.file.name.clone(),
                line: policy.line(),
            });
        }
        if let Some(group) = obligations.get(&policy.id).and_then(group_of) {
            named.push(Named {
                uid: uid("Group", &group),
                file: policy.file.name.clone(),
                line: policy.line(),
            });
        }
        let source = PolicySource {
            id: policy.id.clone(),
            reason: policy.reason.clone(),
            file: policy.file.name.clone(),
            line: policy.line(),
            text: policy.statement.text.to_owned(),
        };
        sources.insert(policy.id, source);
    }
    permits.values_mut().for_each(|ids| ids.sort());
    let closed = closed_words(fragment);
    let words = OpenWords {
        regimes: closed.get("Regime").cloned().unwrap_or_default(),
        data_classes: closed.get("DataClass").cloned().unwrap_or_default(),
    };
    let closed_types = closed
        .keys()
        .filter_map(|name| name.parse::<EntityTypeName>().ok())
        .collect();
    let set = PolicySet {
        schema,
        by_action,
        permits,
        obligations,
        sources,
        words,
        closed_types,
        digest,
        hasher,
    };
    Draft { set, named }
}

/// The group that a duty names.
fn group_of(obligation: &Obligation) -> Option<String> {
    use model::obligation::{Asked, Duty};
    match &obligation.duty {
        Duty::Approval(rule) => match &rule.from {
            Asked::Group(key) => Some(key.0.clone()),
            _ => None,
        },
        Duty::Validation {
            from: Some(Asked::Group(key)),
            ..
        } => Some(key.0.clone()),
        Duty::PeerReview { from, .. } => from.as_ref().map(|key| key.0.clone()),
        _ => None,
    }
}

/// The enums of the schema: type name → words.
fn closed_words(fragment: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let types = fragment
        .get("")
        .and_then(|space| space.get("entityTypes"))
        .and_then(|types| types.as_object());
    let mut closed = BTreeMap::new();
    for (name, body) in types.into_iter().flatten() {
        let Some(words) = body.get("enum").and_then(|words| words.as_array()) else {
            continue;
        };
        let words: BTreeSet<String> = words
            .iter()
            .filter_map(|w| w.as_str().map(str::to_owned))
            .collect();
        closed.insert(name.clone(), words.into_iter().collect());
    }
    closed
}

/// The digest of all that decides: schema, files in the order of their names, values; each with its length before it,
/// so that no byte can move from one to the next.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_the_folder_or_the_file() {
        assert_eq!(
            pack_of("policies/packs/dual-control/dual-control.cedar"),
            "dual-control"
        );
        assert_eq!(pack_of("base/acts.cedar"), "base");
        assert_eq!(pack_of("house.cedar"), "house");
    }

    #[test]
    fn ids_have_a_grammar() {
        assert_eq!(check_id("dual-control.require.two", "dual-control"), Ok(()));
        for wrong in [
            "", "sox", "sox.", "sox.A", "sox.a..b", "soxx.a", "base.a", "sox.a b", "sox.1a",
        ] {
            assert!(check_id(wrong, "sox").is_err(), "{wrong}");
        }
    }
}
