//! Imports the record of a host that worked without the server into the log, as reported later. Each line becomes one
//! use. The use is compared with the card that was shown, and the owners of its service get a review item.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::enums::{AboutKind, ActionKind, Closing, Severity};
use model::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::emergency::emergency_card::EmergencyCard;
use model::emergency::emergency_report::{EmergencyReport, EmergencyReportInput};
use model::emergency::emergency_use::EmergencyUse;
use model::gate::running::Running;
use model::notify::action_item::{About, Due, NewItem, Owner};
use model::schedule::calendar::Span;
use proof::emergency::{self, Line};
use proof::jwks::Jwks;
use proof::permit::SKEW_SECONDS;
use serde_json::json;
use store::gate::gate_view;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::signing_keys;
use crate::emergency::reachable_gate;
use crate::emergency::set_emergency_card::save;
use crate::notify::action_items;

/// The most uses and reports of a list.
const LISTED: i64 = 2_000;
/// How many running builds are read for a commit.
const LOOKED_AT: i64 = 200;
/// Working days for the review of a use.
const LOOK_DAYS: i64 = 2;
/// The longest name in a line, in characters.
const NAME: usize = 200;

impl PlainNoun for EmergencyUse {
    type Input = model::core::card::NoInput;
    const IS_HISTORY: bool = true;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(record::bodies::<Self>(
            cx.tx,
            &Filter::new().descending_by("id").limit(LISTED),
        )?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("such a verb").into())
    }
}

impl PlainNoun for EmergencyReport {
    type Input = EmergencyReportInput;
    const IS_HISTORY: bool = true;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(record::bodies::<Self>(
            cx.tx,
            &Filter::new().descending_by("id").limit(LISTED),
        )?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: EmergencyReportInput, mut reading: Reading<'_>) -> Result<Self> {
        let record = match emergency::read(&input.record) {
            Ok(record) => record,
            Err(error) => {
                reading.wrong("record", "unreadable", format!("The record cannot be read: {error}."));
                emergency::Record::default()
            }
        };
        for (place, line) in record.lines.iter().enumerate() {
            if let Some(name) = odd_name(line) {
                let text = format!(
                    "Line {}: `{name}` is no technical name, as the log would show it.",
                    place + 1
                );
                reading.wrong("record", "not_technical", text);
            }
        }
        if reading.errors.is_empty() && record.lines.is_empty() {
            reading.wrong("record", "missing", "The record has no lines.");
        }
        reading.finish()?;
        report(cx, &record)
    }
}

/// The first name of a line that the log cannot show in clear: only the reason is free text.
fn odd_name(line: &Line) -> Option<&'static str> {
    let is_plain = |text: &str| {
        let is_odd = |c: char| !c.is_ascii_alphanumeric() && !"-._:/@+".contains(c);
        text.chars().count() <= NAME && !text.contains(is_odd)
    };
    let empty = String::new();
    let names = [
        ("record", &line.record),
        ("host", &line.host),
        ("service", &line.service),
        ("environment", &line.environment),
        ("artifact", line.artifact.as_ref().unwrap_or(&empty)),
        ("commit", line.commit.as_ref().unwrap_or(&empty)),
        ("by", &line.by),
        ("code", &line.code),
        ("digest", &line.digest),
    ];
    let odd = names.into_iter().find(|(_, text)| !is_plain(text));
    odd.map(|(name, _)| name)
}

fn report(cx: &mut Context<'_, '_>, record: &emergency::Record) -> Result<EmergencyReport> {
    let keys = every_key(cx)?;
    let named = record.lines.first().map(|line| line.record.clone()).unwrap_or_default();
    let lines = i64::try_from(record.lines.len()).unwrap_or(i64::MAX);
    let mut differences = BTreeSet::new();
    if was_longer(cx, &named, lines)? {
        differences.insert("record_cut");
    }
    let mut added = 0;
    for (place, line) in record.lines.iter().enumerate() {
        // The digest is computed and not taken from the line, so that an edited line is not a known one.
        let digest = line.own_digest()?;
        if record::find_one::<EmergencyUse>(cx.tx, &Filter::new().equals("digest", digest.as_str()))?.is_some() {
            continue;
        }
        let is_broken = record.broken_at.is_some_and(|at| at <= place + 1);
        let found = take(cx, line, (digest, is_broken), &keys)?;
        differences.extend(found);
        added += 1;
    }
    if added == 0 && differences.is_empty() {
        let known = Filter::new().equals("named", named.as_str()).equals("lines", lines);
        if let Some(known) = record::find_one::<EmergencyReport>(cx.tx, &known)? {
            return Ok(EmergencyReport {
                added: 0,
                differences: Vec::new(),
                ..known.record
            });
        }
    }
    let report = EmergencyReport {
        id: RecordId(cx.new_id()?),
        version: 0,
        named,
        lines,
        added,
        differences: differences.into_iter().map(str::to_owned).collect(),
        by: cx.actor.person.clone(),
        at: cx.now,
    };
    let report = save(
        cx,
        "emergency_report.added",
        report,
        json!({"lines": lines, "added": added}),
    )?;
    if report.differences.iter().any(|it| it == "record_cut") {
        open_cut_item(cx, &report)?;
    }
    Ok(report)
}

/// Whether more lines of this record were reported before: its end was truncated.
fn was_longer(cx: &mut Context<'_, '_>, named: &str, lines: i64) -> Result<bool> {
    let longer = Filter::new().equals("named", named).more("lines", lines).limit(1);
    Ok(record::count::<EmergencyReport>(cx.tx, &longer)? > 0)
}

/// Every permit key that was not revoked: a card may be valid longer than the published key set.
fn every_key(cx: &mut Context<'_, '_>) -> Result<Jwks> {
    let tenant = cx.tenant();
    let keys = signing_keys::unrevoked_permit_keys(cx)?;
    Ok(Jwks { tenant, keys })
}

/// Records a line as a use; returns the differences.
fn take(
    cx: &mut Context<'_, '_>,
    line: &Line,
    (digest, is_broken): (String, bool),
    keys: &Jwks,
) -> Result<Vec<&'static str>> {
    let mut found = Vec::new();
    if is_broken {
        found.push("record_edited");
    }
    let place = format!("{}/{}", line.record, line.number);
    if record::count::<EmergencyUse>(cx.tx, &Filter::new().equals("place", place.as_str()))? > 0 {
        found.push("record_forked");
    }
    let card = against_card(cx, line, keys, &mut found)?;
    against_facts(cx, line, &mut found)?;
    let done_at = Timestamp::from_second(line.at).unwrap_or(Timestamp::UNIX_EPOCH);
    let build = line
        .artifact
        .clone()
        .or_else(|| line.commit.clone())
        .unwrap_or_default();
    let used = EmergencyUse {
        id: RecordId(cx.new_id()?),
        version: 0,
        digest,
        place,
        card: card.as_ref().map(|card| card.id.0.clone()).unwrap_or_default(),
        service: line.service.clone(),
        environment: line.environment.clone(),
        build,
        host: line.host.clone(),
        said_by: line.by.clone(),
        reason: line.reason.clone(),
        done_at,
        allowed: line.is_good(),
        differences: found.iter().map(|it| (*it).to_owned()).collect(),
        by: cx.actor.person.clone(),
        at: cx.now,
    };
    let told = json!({"done_at": done_at.to_string(), "differences": found, "card": used.card});
    let used = save(cx, "emergency_use.reported", used, told)?;
    request_review(cx, &used, card.as_ref())?;
    Ok(found)
}

/// Compares a line with the card that was shown, whatever result its host recorded.
fn against_card(
    cx: &mut Context<'_, '_>,
    line: &Line,
    keys: &Jwks,
    found: &mut Vec<&'static str>,
) -> Result<Option<EmergencyCard>> {
    let Some(token) = &line.card else {
        found.push("no_card");
        return Ok(None);
    };
    let Ok(claims) = emergency::open(token, keys) else {
        found.push("card_forged");
        return Ok(None);
    };
    let card = record::load::<EmergencyCard>(cx.tx, &claims.jti)?.map(|stored| stored.record);
    let Some(card) = card.filter(|card| card.approved) else {
        found.push("card_unknown");
        return Ok(None);
    };
    let is_inside =
        card.services.iter().any(|it| it.as_str() == line.service) && card.environment.as_str() == line.environment;
    if !is_inside {
        found.push("outside_scope");
    }
    let begins = card.approved_at.map_or(i64::MAX, Timestamp::as_second);
    if line.at < begins - SKEW_SECONDS {
        found.push("before_valid");
    }
    if line.at >= card.ends_at.as_second() + SKEW_SECONDS {
        found.push("after_expiry");
    }
    if card.revoked_at.is_some_and(|at| line.at >= at.as_second()) {
        found.push("revoked");
    }
    let uses = Filter::new()
        .equals("card", card.id.as_str())
        .order_by("id")
        .limit(LISTED);
    let uses = record::bodies::<EmergencyUse>(cx.tx, &uses)?;
    let allowed = uses.iter().filter(|used| used.allowed).count();
    if line.is_good() && i64::try_from(allowed).unwrap_or(i64::MAX) >= card.uses {
        found.push("beyond_uses");
    }
    Ok(Some(card))
}

/// Compares a line with the facts known here.
fn against_facts(cx: &mut Context<'_, '_>, line: &Line, found: &mut Vec<&'static str>) -> Result<()> {
    if !line.is_good() {
        found.push("refused_there");
    }
    if line.at > cx.now.as_second() + SKEW_SECONDS {
        found.push("clock_ahead");
    }
    let directory = cx.directory()?;
    if !directory
        .services
        .contains_key(&ServiceKey::from(line.service.as_str()))
    {
        found.push("unknown_service");
        return Ok(());
    }
    let is_known = match (&line.artifact, &line.commit) {
        (Some(artifact), _) => {
            let ran = Filter::new()
                .equals("service", line.service.as_str())
                .equals("artifact", artifact.as_str())
                .limit(1);
            // The build may have run anywhere, or be approved for this place.
            record::count::<Running>(cx.tx, &ran)? > 0
                || !gate_view::find(cx.tx, &line.service, &line.environment, Some(artifact), None)?.is_empty()
        }
        (None, Some(commit)) => {
            !gate_view::find(cx.tx, &line.service, &line.environment, None, Some(commit))?.is_empty()
                || ran_commit(cx, &line.service, commit)?
        }
        (None, None) => true,
    };
    if !is_known {
        found.push("unknown_artifact");
    }
    if directory.by_login(&line.by).is_none() {
        found.push("unknown_person");
    }
    let at = Timestamp::from_second(line.at).unwrap_or(Timestamp::UNIX_EPOCH);
    let (service, environment) = (
        ServiceKey::from(line.service.as_str()),
        EnvironmentKey::from(line.environment.as_str()),
    );
    let mut freezes = directory.freezes.iter();
    // The card is valid all the same; its owners are notified of the freeze or the stop.
    if line.is_good()
        && freezes.any(|freeze| freeze.is_on(at) && directory.is_frozen_by(freeze, &service, &environment))
    {
        found.push("freeze");
    }
    // While the server was reachable its decision counts, and no card overrides a stop.
    if line.is_good() && reachable_gate::decided_stop(cx, line, found.contains(&"freeze"))? {
        found.push("gate_said_no");
    }
    Ok(())
}

/// Whether one of the last changes that deployed to a service deployed this commit.
fn ran_commit(cx: &mut Context<'_, '_>, service: &str, commit: &str) -> Result<bool> {
    let ran = Filter::new()
        .equals("service", service)
        .descending_by("id")
        .limit(LOOKED_AT);
    let ran = record::bodies::<Running>(cx.tx, &ran)?;
    let changes: BTreeSet<_> = ran.into_iter().map(|run| run.change).collect();
    for id in changes {
        let targets = record::load::<Change>(cx.tx, id.as_str())?.map(|it| it.record.content.targets);
        let mut targets = targets.unwrap_or_default().into_iter();
        if targets.any(|target| target.service.as_str() == service && target.commit.as_deref() == Some(commit)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Requests a review of a use from the owners of the service, with the differences if there are any.
fn request_review(cx: &mut Context<'_, '_>, used: &EmergencyUse, card: Option<&EmergencyCard>) -> Result<()> {
    let directory = cx.directory()?;
    let service = ServiceKey::from(used.service.as_str());
    let is_known = directory.services.contains_key(&service);
    let (about, owner) = match is_known {
        true => (
            About::new(AboutKind::Service, used.service.as_str()),
            Owner::ServiceOwner,
        ),
        false => (About::new(AboutKind::Other, used.id.as_str()), Owner::ChangeManagers),
    };
    // A person who performed or reported the use, or signed its card, does not review it.
    let did_it = directory.by_login(&used.said_by).map(|person| person.id.clone());
    let signed = card
        .into_iter()
        .flat_map(|card| [Some(card.by.clone()), card.approved_by.clone()]);
    let involved = signed.chain([did_it, Some(used.by.clone())]).flatten().collect();
    let title = match used.differences.is_empty() {
        true => format!("Review the work on {} done without the server", used.service),
        false => format!(
            "Explain the work on {} done without the server: {}",
            used.service,
            used.differences.join(", ")
        ),
    };
    let text = item_text(&directory.login(&used.by), used);
    let item = NewItem {
        part: used.digest.clone(),
        text: Some(text),
        services: is_known.then_some(service).into_iter().collect(),
        severity: Some(match used.differences.is_empty() {
            true => Severity::Medium,
            false => Severity::High,
        }),
        owner,
        due: Due::Within(Span::WorkDays(LOOK_DAYS)),
        closing: Closing::Uninvolved,
        involved,
        tells: true,
        ..NewItem::new(ActionKind::Other, about, title)
    };
    action_items::open(cx, item).map(drop)
}

/// The text of an item about a use: a use that was stopped deployed nothing by its card.
fn item_text(reporter: &str, used: &EmergencyUse) -> String {
    let (who, service, environment) = (&used.said_by, &used.service, &used.environment);
    let (at, host) = (used.done_at, &used.host);
    if used.allowed {
        return format!(
            "{who} deployed to {service} {environment} at {at} on the host {host}, as reported by {reporter} later. Record the \
             work as a change, and settle this item with its key."
        );
    }
    format!(
        "{who} was stopped at {service} {environment} at {at} on the host {host}, as reported by {reporter} later. Find out \
         whether the work was done anyway, and settle this item with your finding."
    )
}

fn open_cut_item(cx: &mut Context<'_, '_>, report: &EmergencyReport) -> Result<()> {
    let text = format!(
        "The record {} has {} lines now and had more when it was reported before. Find out who truncated it, and why.",
        report.named, report.lines
    );
    let item = NewItem {
        part: "record_cut".to_owned(),
        text: Some(text),
        severity: Some(Severity::High),
        owner: Owner::ChangeManagers,
        due: Due::Within(Span::WorkDays(LOOK_DAYS)),
        closing: Closing::Person,
        tells: true,
        ..NewItem::new(
            ActionKind::Other,
            About::new(AboutKind::Other, report.named.as_str()),
            "Explain a truncated record of work done without the server",
        )
    };
    action_items::open(cx, item).map(drop)
}
