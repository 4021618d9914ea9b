//! The compiled set and its two questions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cedar_policy::{Effect, Schema};
use model::approval::obligation::{Obligation, Requirements, TargetObligation, Verdict};
use model::core::act::{Act, actions};
use model::core::ids::TargetId;
use model::core::refusal::PolicyReason;
use model::policy::facts::{ActorFacts, ChangeFacts, TargetFacts};
use model::policy::threshold::{Measure, Threshold};

use crate::judge::{CedarResult, Trouble};
use crate::parameters::Parameter;
use crate::question::{OpenValues, Question, neutral_target};
use crate::shape::Shape;
use crate::{Directory, Finding, Hasher, SourceFile, load, thread};

/// The number of cached results of each kind; more are evaluated again.
const KNOWN: usize = 500;
/// Facts that are longer, of changes with very many targets, are judged each time.
const KNOWN_BYTES: usize = 16 * 1024;

/// A compiled, validated set of policies. Share it by `Arc`; it never changes.
#[derive(Debug, Clone)]
pub struct PolicySet {
    pub(crate) schema: Schema,
    /// The policies that name each action; evaluating only those costs less than evaluating all.
    pub(crate) by_action: HashMap<String, cedar_policy::PolicySet>,
    /// The ids of the permits that name each action, sorted.
    pub(crate) permits: HashMap<String, Vec<String>>,
    pub(crate) obligations: HashMap<String, Obligation>,
    /// The numbers from which a policy applies, if it has any.
    pub(crate) asks_from: Thresholds,
    /// The policies whose number is a tenant's parameter.
    pub(crate) set_levels: HashSet<String>,
    /// The parameters behind these numbers.
    pub(crate) thresholds: Vec<Threshold>,
    /// Every parameter with the value that holds, by name.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) sources: BTreeMap<String, PolicySource>,
    pub(crate) words: OpenValues,
    pub(crate) shape: Shape,
    pub(crate) digest: String,
    pub(crate) hasher: Hasher,
    pub(crate) known: ResultCache,
}

/// The numbers from which policies apply, by their ids; a change must reach all numbers of a policy.
pub(crate) type Thresholds = HashMap<String, Vec<(Measure, i64)>>;

/// Cached results by their facts. The set never changes, so a result stays true. One act evaluates several times, and many
/// changes are equal in everything that a policy sees.
#[derive(Debug, Default)]
pub(crate) struct ResultCache {
    required: ResultMap<Requirements>,
    obligations: ResultMap<Vec<TargetObligation>>,
    verdicts: ResultMap<Verdict>,
}

impl Clone for ResultCache {
    /// A copy of a set begins with an empty cache.
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Results by their facts.
#[derive(Debug)]
struct ResultMap<T>(Mutex<HashMap<Vec<u8>, T>>);

impl<T> Default for ResultMap<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> ResultMap<T> {
    fn map(&self) -> MutexGuard<'_, HashMap<Vec<u8>, T>> {
        // The map is consistent after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, facts: &[u8]) -> Option<T> {
        self.map().get(facts).cloned()
    }

    fn keep(&self, facts: Vec<u8>, answer: &T) {
        if facts.len() > KNOWN_BYTES {
            return;
        }
        let mut map = self.map();
        if map.len() >= KNOWN {
            map.clear();
        }
        map.insert(facts, answer.clone());
    }
}

/// The facts that a result can depend on. A policy that names a change is refused at compilation (`may_not_be_named`), and no
/// policy sees the tenant.
fn nameless(change: &ChangeFacts) -> ChangeFacts {
    ChangeFacts {
        tenant: String::new(),
        change: String::new(),
        ..change.clone()
    }
}

fn bytes_of(facts: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(facts).expect("facts hold text, numbers and lists only")
}

/// A policy's place and text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PolicySource {
    /// `pack.words`.
    pub id: String,
    /// Its `@reason`.
    pub reason: String,
    /// The file's name.
    pub file: String,
    /// The line of its first annotation, from 1.
    pub line: u32,
    /// The policy, verbatim.
    pub text: String,
}

impl PolicySet {
    /// Compiles a set.
    ///
    /// `files` are policies (`*.cedar`) and declarations of parameters (`*/parameters.toml`) and include the base pack's;
    /// `parameters` is the tenant's own TOML file of values; `names` looks up groups, people, services and environments;
    /// `hasher` makes the digests. At most 100 files of 256 KiB and 1,000 policies. Compilation runs on its own thread, but
    /// calls `names` in the caller's.
    ///
    /// # Errors
    /// All mistakes, with file and line, sorted. A name that does not exist is reported only when everything else is right.
    pub fn compile(
        files: &[SourceFile],
        parameters: &str,
        schema: &str,
        names: &dyn Directory,
        hasher: Hasher,
    ) -> Result<Self, Vec<Finding>> {
        let draft = thread::on_policy_thread(|| load::draft(files, parameters, schema, hasher))?;
        draft.check_names(names)
    }

    /// The digest of schema, policies and parameters.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A policy's place and text.
    pub fn source(&self, id: &str) -> Option<&PolicySource> {
        self.sources.get(id)
    }

    /// Every policy, sorted by id.
    pub fn sources(&self) -> impl Iterator<Item = &PolicySource> {
        self.sources.values()
    }

    /// The keys of the tenant's own fields that a policy of the set reads, with the policy's id.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources
            .values()
            .flat_map(|source| load::fields_of(&source.text).map(move |(_, key)| (key, source.id.as_str())))
    }

    /// Every parameter with the value that holds, by name.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameters that set the value from which rules apply.
    pub fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    /// The same set with another number from which rules apply, for a back-test. Its digest stays that of the original set.
    #[must_use]
    pub fn asking_from(&self, rules: &[String], measure: Measure, from: i64) -> Self {
        let mut other = self.clone();
        for rule in rules {
            let numbers = other.asks_from.get_mut(rule).into_iter().flatten();
            for (_, number) in numbers.filter(|(by, _)| *by == measure) {
                *number = from;
            }
        }
        other
    }

    /// Every obligation that a policy of the set can require, in no order.
    pub fn obligations(&self) -> impl Iterator<Item = &Obligation> {
        self.obligations.values()
    }

    /// The ids of the policies that forbid an action, sorted.
    pub fn forbids(&self, action: &str) -> Vec<&str> {
        let policies = self.by_action.get(action).into_iter().flat_map(|set| set.policies());
        let forbids = policies.filter(|policy| policy.effect() == Effect::Forbid);
        let mut ids: Vec<&str> = forbids.map(|policy| policy.id().as_ref()).collect();
        ids.sort_unstable();
        ids
    }

    /// The regimes that policies can test, sorted; any other is read as `other`.
    pub fn regimes(&self) -> &[String] {
        &self.words.regimes
    }

    /// The data classes that policies can test, sorted; any other is read as `other`.
    pub fn data_classes(&self) -> &[String] {
        &self.words.data_classes
    }

    /// The requirements of a change, evaluated once for each target.
    ///
    /// On any trouble, `stop` names it and there are no obligations: nothing may go on. A change without targets is judged once
    /// against a neutral one. The caller's thread needs a stack of [`crate::STACK_BYTES`].
    pub fn require(&self, change: &ChangeFacts, targets: &[TargetFacts]) -> Requirements {
        let facts = bytes_of(&(change, targets));
        if let Some(known) = self.known.required.find(&facts) {
            return known;
        }
        let mut requirements = Requirements {
            policy_digest: self.digest.clone(),
            facts_digest: self.facts_digest(change, targets),
            ..Requirements::default()
        };
        match self.united(change, targets) {
            Ok(obligations) => requirements.obligations = obligations,
            Err(trouble) => requirements.stop = Some(trouble.sentence()),
        }
        self.known.required.keep(facts, &requirements);
        requirements
    }

    /// Whether an actor may do an act: `Act::as_str` with the change and its targets, or one of `actions::ALL`, for which the
    /// change is ignored. `create_change` works without a change.
    ///
    /// Allowed only if allowed for every target. Refused on any error, with the policy's id and "a rule could not be
    /// judged". The caller's thread needs a stack of [`crate::STACK_BYTES`].
    pub fn may(&self, actor: &ActorFacts, action: &str, change: Option<(&ChangeFacts, &[TargetFacts])>) -> Verdict {
        let facts = bytes_of(&(
            actor,
            action,
            change.map(|(change, targets)| (nameless(change), targets)),
        ));
        if let Some(known) = self.known.verdicts.find(&facts) {
            return known;
        }
        let verdict = self.judge_act(actor, action, change);
        self.known.verdicts.keep(facts, &verdict);
        verdict
    }

    fn judge_act(&self, actor: &ActorFacts, action: &str, change: Option<(&ChangeFacts, &[TargetFacts])>) -> Verdict {
        let is_of_change = Act::ALL.iter().any(|act| act.as_str() == action);
        let is_of_tenant = actions::ALL.contains(&action);
        if !is_of_change && !is_of_tenant {
            return refused("assent.unknown_action", format!("there is no act `{action}`"));
        }
        match change {
            Some((change, targets)) if is_of_change => self.may_on_change(actor, action, change, targets),
            None if is_of_change && action != Act::Create.as_str() => {
                refused("assent.facts", format!("`{action}` needs a change, and none was given"))
            }
            _ => self.verdict_of(action, self.ask_act(Question::in_tenant(actor, action))),
        }
    }

    fn may_on_change(
        &self,
        actor: &ActorFacts,
        action: &str,
        change: &ChangeFacts,
        targets: &[TargetFacts],
    ) -> Verdict {
        if targets.is_empty() {
            return self.verdict_of(
                action,
                self.ask_act(Question::act(actor, action, change, None, &self.words)),
            );
        }
        let mut allowing: Vec<PolicyReason> = Vec::new();
        for target in targets {
            let question = Question::act(actor, action, change, Some(target), &self.words);
            let verdict = self.verdict_of(action, self.ask_act(question));
            if !verdict.allowed {
                return verdict;
            }
            allowing.extend(verdict.reasons);
        }
        allowing.sort();
        allowing.dedup();
        Verdict {
            allowed: true,
            reasons: allowing,
        }
    }

    fn ask_act(&self, question: Result<Question, String>) -> Result<CedarResult, Trouble> {
        self.ask(question.map_err(Trouble::Unfit)?)
    }

    /// Turns a result into a verdict that names policies and their reasons.
    fn verdict_of(&self, action: &str, answer: Result<CedarResult, Trouble>) -> Verdict {
        let answer = match answer {
            Ok(answer) => answer,
            Err(trouble @ Trouble::Erred(_)) => return refused(trouble.id(), trouble.sentence()),
            // Cedar's messages about facts name entities and attributes, which are not for everyone.
            Err(trouble) => {
                return refused(trouble.id(), "the facts could not be judged".to_owned());
            }
        };
        // If no forbid refused, the permits that would have allowed it name the eligible people.
        let nobody = Vec::new();
        let is_default = !answer.allowed && answer.reasons.is_empty();
        let ids = if is_default {
            self.permits.get(action).unwrap_or(&nobody)
        } else {
            &answer.reasons
        };
        Verdict {
            allowed: answer.allowed,
            reasons: ids.iter().map(|id| self.reason(id)).collect(),
        }
    }

    fn reason(&self, id: &str) -> PolicyReason {
        let reason = self
            .sources
            .get(id)
            .map(|source| source.reason.clone())
            .unwrap_or_default();
        PolicyReason {
            id: id.to_owned(),
            reason,
        }
    }

    /// Whether the tenant sets the value from which a policy applies. A case then neither requires nor forbids its row.
    pub(crate) fn has_set_level(&self, id: &str) -> bool {
        self.set_levels.contains(id)
    }

    /// Whether a policy applies to a change with these values.
    fn asks_of(&self, id: &str, change: &ChangeFacts) -> bool {
        let mut numbers = self.asks_from.get(id).into_iter().flatten();
        numbers.all(|(measure, from)| measure.of(change).is_some_and(|it| *from <= it))
    }

    /// The obligations over all targets: one row per policy, with its targets.
    fn united(&self, change: &ChangeFacts, targets: &[TargetFacts]) -> Result<Vec<TargetObligation>, Trouble> {
        let facts = bytes_of(&(nameless(change), targets));
        if let Some(known) = self.known.obligations.find(&facts) {
            return Ok(known);
        }
        let mut rows: BTreeMap<&str, (&Obligation, Vec<TargetId>)> = BTreeMap::new();
        let neutral = [neutral_target()];
        let judged = if targets.is_empty() { &neutral } else { targets };
        for target in judged {
            let question = Question::require(change, target, &self.words).map_err(Trouble::Unfit)?;
            for obligation in self.verdict(self.ask(question))? {
                if !self.asks_of(&obligation.id, change) {
                    continue;
                }
                let (_, brought) = rows.entry(&obligation.id).or_insert((obligation, Vec::new()));
                if !targets.is_empty() {
                    brought.push(target.target.clone());
                }
            }
        }
        let row = |(obligation, targets): (&Obligation, Vec<TargetId>)| TargetObligation {
            obligation: obligation.clone(),
            targets,
        };
        let obligations = rows.into_values().map(row).collect();
        self.known.obligations.keep(facts, &obligations);
        Ok(obligations)
    }

    /// The digest of the facts; the order in lists that are sets does not count.
    fn facts_digest(&self, change: &ChangeFacts, targets: &[TargetFacts]) -> String {
        let mut change = change.clone();
        change.touches.sort();
        change.authors.sort();
        change.implementers.sort();
        change.implemented_by.sort();
        let mut targets = targets.to_vec();
        for target in &mut targets {
            target.regimes.sort();
            target.owners.sort();
        }
        targets.sort_by(|a, b| a.target.cmp(&b.target));
        (self.hasher)(&bytes_of(&(change, targets)))
    }
}

fn refused(id: &str, reason: String) -> Verdict {
    Verdict {
        allowed: false,
        reasons: vec![PolicyReason {
            id: id.to_owned(),
            reason,
        }],
    }
}
