//! Rows of candidates and of decisions about drift, which few acts write.

use acts::core::noun;
use model::incident::cause_model::CauseModel;
use model::incident::cause_window::CauseWindow;
use model::incident::drift::decision::DriftDecision;
use serde_json::json;

use crate::world::body;

/// A fit without verdicts, hours of a service, and a decision about drift.
pub(crate) fn furnish(cx: &mut acts::Context<'_, '_>) -> acts::Result<()> {
    noun::add::<CauseModel>(cx, &body(json!({"reason": "A look at what is missing."})))?;
    let hours = json!({"service": "web", "hours": 12, "reason": "Its batches run at night."});
    noun::add::<CauseWindow>(cx, &body(hours))?;
    let decision: DriftDecision = serde_json::from_value(json!({
        "id": "decision", "version": 0, "finding": "r-finding", "address": "prod/web", "attribute": "spec.paused",
        "outcome": "revert", "reason": "Somebody tried it.", "by": "system", "at": cx.now,
    }))?;
    cx.put_estate("drift_decision.kept", decision, json!({})).map(drop)
}
