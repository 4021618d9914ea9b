//! Notifies the owners of findings of drift, and keeps the action item of each service with undecided findings.

use std::collections::BTreeMap;

use model::core::enums::{AboutKind, ActionKind, DriftState, Role};
use model::core::ids::{RecordId, ServiceKey};
use model::incident::drift::finding::DriftFinding;
use model::incident::drift::source::DriftSource;
use model::notify::action_item::{About, Due, NewItem, Owner};
use model::schedule::calendar::Span;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::Written;
use crate::gate::coverage::owners;
use crate::notify::action_items::{open, settle_by_rule};

/// How long the owner has to decide.
const TIME: Span = Span::Minutes(24 * 60);
/// How many addresses one message lists.
const LISTED: usize = 20;

/// Notifies the owners and the change managers of findings that are open now, with one message for each service of a report.
///
/// # Errors
/// The store's.
pub(crate) fn alert(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    source: &DriftSource,
    opened: &[DriftFinding],
) -> Result<()> {
    let mut places: BTreeMap<(String, String), Vec<&DriftFinding>> = BTreeMap::new();
    for finding in opened {
        let service = finding.service.as_ref().map(|it| it.0.clone()).unwrap_or_default();
        let environment = finding.environment.as_ref().map(|it| it.0.clone()).unwrap_or_default();
        places.entry((service, environment)).or_default().push(finding);
    }
    let directory = cx.directory()?;
    let managers = directory.with_role(Role::ChangeManager);
    for ((service, environment), findings) in places {
        let mut people = match service.as_str() {
            "" => Vec::new(),
            service => owners(&directory, service, &environment, cx.now),
        };
        people.extend(
            managers
                .iter()
                .filter(|it| !people.contains(it))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let place = match service.as_str() {
            "" => "what no rule maps to a service".to_owned(),
            service => match directory.operators(&ServiceKey::from(service)) {
                Some(vendor) => format!("{service} in {environment}, operated by {vendor}"),
                None => format!("{service} in {environment}"),
            },
        };
        let subject = format!("Drift of {place}: {} without a change", findings.len());
        let text = text(cx, &place, &findings);
        for person in people {
            let dedup = format!("drift/{}/{}/{service}/{environment}/{person}", source.id, cx.act);
            save_message(cx, written, &person, None, ("drift", &subject, &text, &dedup))?;
        }
    }
    Ok(())
}

fn text(cx: &Context<'_, '_>, place: &str, findings: &[&DriftFinding]) -> String {
    use std::fmt::Write;
    let mut text = format!("Of {place} this differs from what is recorded, and no change explains it:\n");
    for finding in findings.iter().take(LISTED) {
        // Writing into a text does not fail.
        let _ = writeln!(text, "- {}: {}", finding.address, finding.attribute);
    }
    if findings.len() > LISTED {
        let _ = writeln!(text, "and {} more.", findings.len() - LISTED);
    }
    let _ = writeln!(
        text,
        "Accept it under an emergency change, report it afterwards, or revert it: {}/t/{}/drift",
        cx.services.tools().public_url,
        cx.tenant()
    );
    text
}

/// Opens the action item of a service with undecided findings of a source, or settles it once all of them are decided or closed.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, source: &RecordId, service: Option<&ServiceKey>) -> Result<()> {
    let undecided = Filter::new()
        .equals("source", source.as_str())
        .equals("state", DriftState::Open.as_str());
    let undecided = match service {
        Some(service) => undecided.equals("service", service.as_str()),
        None => undecided.is_null("service"),
    };
    let count = record::count::<DriftFinding>(cx.tx, &undecided)?;
    let about = match service {
        Some(service) => About::new(AboutKind::Service, service.as_str()),
        None => About::new(AboutKind::Drift, source.as_str()),
    };
    if count == 0 {
        let reason = "Every finding is decided or closed.";
        return settle_by_rule(cx, ActionKind::DecideDrift, &about, source.as_str(), reason).map(drop);
    }
    let title = match service {
        Some(service) => format!("Decide about drift of {service}"),
        None => "Decide about drift that no rule maps to a service".to_owned(),
    };
    let url = format!("{}/t/{}/drift", cx.services.tools().public_url, cx.tenant());
    let item = NewItem {
        part: source.0.clone(),
        text: Some("Accept it under an emergency change, report it afterwards, or revert it.".to_owned()),
        services: service.cloned().into_iter().collect(),
        owner: if service.is_some() {
            Owner::ServiceOwner
        } else {
            Owner::ChangeManagers
        },
        due: Due::Within(TIME),
        links: vec![url],
        // The alert is the letter.
        tells: false,
        ..NewItem::new(ActionKind::DecideDrift, about, title)
    };
    open(cx, item).map(drop)
}
