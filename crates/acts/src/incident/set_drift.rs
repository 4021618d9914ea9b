//! Rules, baselines, sources and findings of drift: the acts of people on them.

use model::core::card::NoInput;
use model::core::enums::{DriftOutcome, DriftState, OwnershipRole, RelationEnd, Role};
use model::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use model::incident::drift::baseline::{self, DriftBaseline, DriftBaselineInput};
use model::incident::drift::decision::DriftDecision;
use model::incident::drift::finding::{DriftFinding, DriftFindingInput};
use model::incident::drift::matching;
use model::incident::drift::rule::{self, DriftRule, DriftRuleInput};
use model::incident::drift::source::{DriftSource, DriftSourceInput};
use model::incident::record_link::End;
use proof::jws;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun::{self, PlainNoun};
use crate::core::signing_keys::{PERMIT, signing_key};
use crate::core::write::{Versioned, Written, draft};
use crate::guard::impersonation::{check_voice, check_whole};
use crate::guard::self_grant;
use crate::incident::alert_drift;
use crate::incident::link_records::relate;

/// The most findings that are listed.
const LISTED: i64 = 2_000;
/// The most sources that are listed.
const SOURCES: i64 = 2_000;
/// The most decisions shown for one finding.
const DECISIONS: i64 = 50;
/// The type of a baseline's signature (RFC 7515, `typ`).
const SIGNED_AS: &str = "assent-drift-baseline";

fn save<R: Versioned>(cx: &mut Context<'_, '_>, kind: &'static str, record: R, data: Value) -> Result<R> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, record)?;
    cx.emit(
        vec![draft(kind, (R::TABLE, saved.id().to_owned()), cx.now, data)],
        written,
    )?;
    Ok(saved)
}

/// Notes a connection that is not there, and an environment that is not.
fn check_place(
    cx: &mut Context<'_, '_>,
    reading: &mut Reading<'_>,
    connection: &RecordId,
    environment: &EnvironmentKey,
) -> Result<()> {
    if !connection.0.is_empty() && connections::find(cx, connection.as_str())?.is_none() {
        let text = format!("No connection has the id `{connection}`. `assent connection list` names them.");
        reading.wrong("connection", "unknown", text);
    }
    let directory = cx.directory()?;
    if !environment.0.is_empty() && !directory.environments.contains_key(environment) {
        reading.wrong(
            "environment",
            "unknown",
            unknown_name::environment(&directory, environment.as_str()),
        );
    }
    Ok(())
}

fn check_rule(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, input: &DriftRuleInput) -> Result<()> {
    check_place(cx, reading, &input.connection, &input.environment)?;
    let Some(key) = &input.config_item else { return Ok(()) };
    let directory = cx.directory()?;
    let found = directory.config_items.get(key);
    if found.is_none_or(|item| item.service != input.service) {
        let text = format!("`{key}` is not a config item of `{}`.", input.service);
        reading.wrong("config_item", "unknown", text);
    }
    Ok(())
}

fn too_many(most: usize, what: &str) -> Error {
    let text = format!("{most} {what} are in use, which is the limit.");
    Refusal::not_now("too_many", text, "End one that is not needed.", Vec::new()).into()
}

impl PlainNoun for DriftRule {
    type Input = DriftRuleInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: DriftRuleInput, mut reading: Reading<'_>) -> Result<Self> {
        check_rule(cx, &mut reading, &input)?;
        reading.finish()?;
        let of_it = Filter::new()
            .equals("connection", input.connection.as_str())
            .equals("active", true);
        if usize::try_from(record::count::<Self>(cx.tx, &of_it)?).unwrap_or(usize::MAX) >= rule::MOST {
            return Err(too_many(rule::MOST, "rules of this connection"));
        }
        let added = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            pattern: input.pattern,
            connection: input.connection,
            service: input.service,
            environment: input.environment,
            config_item: input.config_item,
            place: input.place,
            active: true,
        };
        save(cx, "drift_rule.added", added, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: DriftRuleInput, mut reading: Reading<'_>) -> Result<Self> {
        check_rule(cx, &mut reading, &input)?;
        reading.finish()?;
        let edited = Self {
            pattern: input.pattern,
            connection: input.connection,
            service: input.service,
            environment: input.environment,
            config_item: input.config_item,
            place: input.place,
            ..self
        };
        save(cx, "drift_rule.edited", edited, json!({}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        save(cx, "drift_rule.ended", Self { active: false, ..self }, json!({}))
    }
}

/// The rule that maps an address of a connection, and the baselines in force for it.
///
/// # Errors
/// 403, 404, or the store's.
pub fn try_rules(
    cx: &mut Context<'_, '_>,
    connection: &str,
    address: &str,
) -> Result<(Option<DriftRule>, Vec<DriftBaseline>)> {
    cx.allow(model::core::act::actions::SET_CONNECTION)?;
    let connection = connections::connection(cx, connection)?;
    let of_it = || {
        Filter::new()
            .equals("connection", connection.id.as_str())
            .equals("active", true)
            .order_by("id")
    };
    let rules = record::bodies::<DriftRule>(cx.tx, &of_it())?;
    let Some(found) = rule::first(&rules, address).cloned() else {
        return Ok((None, Vec::new()));
    };
    let place = matching::Place {
        service: found.service.clone(),
        environment: found.environment.clone(),
        config_item: found.config_item.clone(),
        rule: found.id.clone(),
    };
    let mut baselines = record::bodies::<DriftBaseline>(cx.tx, &of_it())?;
    baselines.retain(|it| it.silences(Some(&place), (address, &it.attribute), cx.now));
    Ok((Some(found), baselines))
}

impl PlainNoun for DriftSource {
    type Input = DriftSourceInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(record::bodies::<Self>(
            cx.tx,
            &Filter::new().order_by("id").limit(SOURCES),
        )?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    /// Sources are made by their reports.
    fn add(_cx: &mut Context<'_, '_>, _input: DriftSourceInput, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }
}

/// Whether a person is responsible for a place: its owner, its security contact, or the security role.
fn is_responsible(cx: &mut Context<'_, '_>, service: &ServiceKey, environment: &EnvironmentKey) -> Result<bool> {
    let (directory, now) = (cx.directory()?, cx.now);
    let person = &cx.actor.person;
    let parts = [OwnershipRole::Owner, OwnershipRole::Security];
    let holds = |part: OwnershipRole| directory.holds(person, service, environment, part, now);
    Ok(parts.into_iter().any(holds) || directory.has_role(person, Role::Security))
}

/// Requires responsibility for a place, or for the process.
fn check_part(cx: &mut Context<'_, '_>, service: &ServiceKey, environment: &EnvironmentKey) -> Result<()> {
    let directory = cx.directory()?;
    if cx.actor.is_system
        || directory.has_role(&cx.actor.person, Role::ChangeManager)
        || is_responsible(cx, service, environment)?
    {
        return Ok(());
    }
    let text = format!("Only an owner of {service}, its security or a change manager can do this.");
    Err(Refusal::not_allowed("not_owner", text).into())
}

impl PlainNoun for DriftBaseline {
    type Input = DriftBaselineInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: DriftBaselineInput, mut reading: Reading<'_>) -> Result<Self> {
        if !input.service.0.is_empty() {
            check_part(cx, &input.service, &input.environment)?;
        }
        check_place(cx, &mut reading, &input.connection, &input.environment)?;
        baseline::check(&mut reading, &input, cx.now);
        reading.finish()?;
        if noun::in_use::<Self>(cx)?.len() >= baseline::MOST {
            return Err(too_many(baseline::MOST, "baselines"));
        }
        let proposed = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            pattern: input.pattern,
            attribute: input.attribute,
            connection: input.connection,
            service: input.service,
            environment: input.environment,
            reason: input.reason,
            ends_at: input.ends_at,
            by: cx.actor.person.clone(),
            handed_by: cx.actor.hand().cloned(),
            approved: false,
            approved_by: None,
            approved_at: None,
            signature: None,
            active: true,
        };
        save(cx, "drift_baseline.proposed", proposed, json!({}))
    }

    /// Approves the baseline as proposed.
    fn edit(self, cx: &mut Context<'_, '_>, input: DriftBaselineInput, mut reading: Reading<'_>) -> Result<Self> {
        if reading.errors.is_empty() && !self.is_as_proposed(&input) {
            let text = "A proposed baseline cannot be changed. End it and propose another.";
            reading.wrong("approved", "not_as_proposed", text);
        } else if reading.errors.is_empty() && !input.approved {
            reading.wrong("approved", "missing", "Approve it with `approved: true`, or end it.");
        }
        reading.finish()?;
        if self.approved || self.ends_at <= cx.now {
            let text = if self.approved {
                "This baseline is approved already."
            } else {
                "This baseline has ended."
            };
            return Err(Refusal::not_now("not_open", text, "Propose another if it is needed.", Vec::new()).into());
        }
        check_second(cx, &self)?;
        let mut approved = Self {
            approved: true,
            approved_by: Some(cx.actor.person.clone()),
            approved_at: Some(cx.now),
            ..self
        };
        let key = signing_key(cx, PERMIT)?;
        approved.signature = Some(jws::sign(SIGNED_AS, &approved.terms(), &key)?);
        let terms = approved.terms();
        save(cx, "drift_baseline.approved", approved, json!({"terms": terms}))
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_part(cx, &self.service, &self.environment)?;
        save(cx, "drift_baseline.ended", Self { active: false, ..self }, json!({}))
    }
}

/// Refuses the proposer, every account that counts as the proposer, and people who are not responsible for the service.
fn check_second(cx: &mut Context<'_, '_>, proposal: &DriftBaseline) -> Result<()> {
    if !is_responsible(cx, &proposal.service, &proposal.environment)? {
        let text = format!(
            "Only an owner of {} or its security can approve what is expected there.",
            proposal.service
        );
        return Err(Refusal::not_allowed("not_owner", text).into());
    }
    let directory = cx.directory()?;
    if self_grant::is_behind(cx, &directory, (&proposal.by, proposal.handed_by.as_ref())) {
        let text =
            "A baseline needs two people, and the proposal counts as yours: another owner or security must approve it.";
        return Err(Refusal::not_allowed("own_proposal", text).into());
    }
    check_voice(cx)?;
    check_whole(cx)
}

impl PlainNoun for DriftFinding {
    type Input = DriftFindingInput;

    /// Those that need an action.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let states = [DriftState::Open, DriftState::Decided].map(DriftState::as_str);
        let filter = Filter::new().one_of("state", states).order_by("id").limit(LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.is_open()
    }

    /// Names the vendors that operate the service.
    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let directory = cx.directory()?;
        for (record, value) in records.iter().zip(values) {
            if let Some(vendor) = record.service.as_ref().and_then(|it| directory.operators(it)) {
                value["vendor"] = json!(vendor);
            }
        }
        Ok(())
    }

    fn add(_cx: &mut Context<'_, '_>, _input: DriftFindingInput, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }

    /// Decides about a finding.
    fn edit(self, cx: &mut Context<'_, '_>, input: DriftFindingInput, mut reading: Reading<'_>) -> Result<Self> {
        let change = check_decision(cx, &self, &input, &mut reading)?;
        reading.finish()?;
        check_voice(cx)?;
        check_whole(cx)?;
        let decided = Self {
            state: DriftState::Decided,
            outcome: input.outcome,
            change,
            reason: input.reason,
            by: Some(cx.actor.person.clone()),
            decided_at: Some(cx.now),
            ..self
        };
        let data = json!({
            "outcome": decided.outcome, "change_key": decided.change, "address": decided.address,
            "attribute": decided.attribute, "found": decided.found,
        });
        let saved = save(cx, "drift_finding.decided", decided, data)?;
        keep_decision(cx, &saved)?;
        alert_drift::follow(cx, &saved.source, saved.service.as_ref())?;
        Ok(saved)
    }
}

/// Stores a decision for good, whatever happens to the finding, and links the finding to the change that the decision names.
fn keep_decision(cx: &mut Context<'_, '_>, finding: &DriftFinding) -> Result<()> {
    let Some(outcome) = finding.outcome else { return Ok(()) };
    let decision = DriftDecision {
        id: RecordId(cx.new_id()?),
        version: 0,
        finding: finding.id.clone(),
        address: finding.address.clone(),
        attribute: finding.attribute.clone(),
        found: finding.found.clone(),
        outcome,
        change: finding.change.clone(),
        reason: finding.reason.clone().unwrap_or_default(),
        by: cx.actor.person.clone(),
        at: cx.now,
    };
    let data = json!({"outcome": decision.outcome, "change_key": decision.change, "finding": decision.finding});
    let kept = save(cx, "drift_decision.kept", decision, data)?;
    let Some(key) = kept.change else { return Ok(()) };
    let from = End {
        kind: RelationEnd::Drift,
        key: finding.id.0.clone(),
    };
    let to = End {
        kind: RelationEnd::Change,
        key,
    };
    relate(cx, from, to, finding.reason.clone())
}

impl PlainNoun for DriftDecision {
    type Input = NoInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(_cx: &mut Context<'_, '_>, _input: NoInput, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }
}

/// The decisions about a finding, the newest first.
///
/// # Errors
/// 403, or the store's.
pub fn decisions_about(cx: &mut Context<'_, '_>, finding: &DriftFinding) -> Result<Vec<DriftDecision>> {
    cx.allow(model::core::act::actions::READ)?;
    let own = Filter::new()
        .equals("finding", finding.id.as_str())
        .descending_by("id")
        .limit(DECISIONS);
    Ok(record::bodies::<DriftDecision>(cx.tx, &own)?)
}

/// Checks a decision about a finding and its decider; returns the key of the change that carries it.
fn check_decision(
    cx: &mut Context<'_, '_>,
    finding: &DriftFinding,
    input: &DriftFindingInput,
    reading: &mut Reading<'_>,
) -> Result<Option<String>> {
    let (service, environment) = (
        finding.service.clone().unwrap_or_default(),
        finding.environment.clone().unwrap_or_default(),
    );
    check_part(cx, &service, &environment)?;
    if input.reason.is_none() && reading.errors.is_empty() {
        reading.wrong("reason", "missing", "`reason` is missing.");
    }
    let Some(outcome) = input.outcome else {
        if reading.errors.iter().all(|error| error.field != "outcome") {
            reading.wrong("outcome", "missing", "`outcome` is missing.");
        }
        return Ok(None);
    };
    if outcome == DriftOutcome::Revert {
        if reading.says("change") && input.change.is_some() {
            reading.wrong(
                "change",
                "not_allowed",
                "A revert names no change: it is done when the difference is gone.",
            );
        }
        return Ok(None);
    }
    if finding.service.is_none() {
        let text = "No rule maps this address to a service, so no change can carry it: add a drift rule, or revert it.";
        reading.wrong("outcome", "no_service", text);
        return Ok(None);
    }
    let Some(key) = &input.change else {
        reading.wrong(
            "change",
            "missing",
            "`change` is missing: name the emergency or retrospective change.",
        );
        return Ok(None);
    };
    let found = match cx.change(key) {
        Ok(found) => found,
        Err(Error::Refused(_)) => {
            reading.wrong("change", "unknown", format!("`{key}` is not a change."));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if !matching::carries(&found, outcome, (&service, &environment), finding.since) {
        let wanted = match outcome {
            DriftOutcome::AcceptAsEmergency => "an emergency change",
            _ => "a retrospective change",
        };
        let text = format!(
            "`{key}` is not {wanted} of {service} in {environment} that is neither rejected nor taken back, and did not end before \
             the difference."
        );
        reading.wrong("change", "not_its_kind", text);
        return Ok(None);
    }
    Ok(Some(found.key))
}
