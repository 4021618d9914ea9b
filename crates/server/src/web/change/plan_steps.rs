//! The steps of a plan, as pages show them.

use model::change::record::Step;
use pages::{PlanStep, Rich, minutes};

use crate::web::shared::view::View;

/// The steps of a plan; an owner given by login is shown by name.
pub(crate) fn steps(view: &View<'_, '_, '_>, steps: &[Step]) -> Vec<PlanStep> {
    let rows = steps.iter().map(|step| {
        let said = [step.doer.as_deref().map(|doer| view.waits_on(doer)), step.team.clone()];
        let mut detail = Rich::new();
        for part in said.into_iter().flatten() {
            detail = parted(detail).said(part);
        }
        if let Some(check) = &step.check {
            detail = parted(detail).text("check: ").said(check.as_str());
        }
        if step.watch {
            detail = parted(detail).text("a watch");
        }
        PlanStep {
            title: step.title.clone(),
            detail,
            length: step
                .minutes
                .map(|count| minutes(count.unsigned_abs()))
                .unwrap_or_default(),
        }
    });
    rows.collect()
}

/// A dot as separator, if there is text before it.
fn parted(rich: Rich) -> Rich {
    match rich.is_empty() {
        true => rich,
        false => rich.text(" · "),
    }
}

/// The sum of the steps' minutes, as text; empty when no step has minutes.
pub(crate) fn length(steps: &[Step]) -> String {
    let sum: i64 = steps.iter().filter_map(|step| step.minutes).sum();
    if sum > 0 {
        minutes(sum.unsigned_abs())
    } else {
        String::new()
    }
}
