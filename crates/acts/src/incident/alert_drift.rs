//! Notifies the owners of findings of drift.

use std::collections::BTreeMap;

use model::core::enums::Role;
use model::incident::drift::finding::DriftFinding;
use model::incident::drift::source::DriftSource;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::Written;
use crate::gate::coverage::owners;

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
        people.extend(managers.iter().filter(|it| !people.contains(it)).cloned().collect::<Vec<_>>());
        let place = match service.as_str() {
            "" => "what no rule maps to a service".to_owned(),
            service => format!("{service} in {environment}"),
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
