//! Rows of waves, of a coordinated maintenance and of trials of templates, which few acts write.

use serde_json::json;

/// Members of waves with an outcome, and changes that share a window.
pub(crate) fn furnish_waves(cx: &mut acts::Context<'_, '_>) -> acts::Result<()> {
    use model::change::waves::member_list::{Member, build};
    use model::change::waves::member_outcome::MemberOutcome;
    use model::schedule::joint_maintenance::JointMaintenance;
    let member = Member {
        name: "web-1".to_owned(),
        wave: 1,
        ..Member::default()
    };
    let (list, buckets) = build(&"web".into(), &[member]);
    for bucket in buckets {
        cx.put_estate("member_list.kept", bucket, json!({}))?;
    }
    cx.put_estate("member_list.kept", list, json!({}))?;
    let outcome: MemberOutcome = serde_json::from_value(json!({
        "id": "c.1.web-1", "version": 0, "change": "c", "change_key": "CHG-1001", "target": "1", "member": "web-1", "wave": 1,
        "state": "failed", "text": "It did not answer.", "tries": 1, "at": cx.now, "by": "system",
    }))?;
    cx.put_estate("member_outcome.told", outcome, json!({}))?;
    let joint: JointMaintenance = serde_json::from_value(json!({
        "id": "joint", "version": 0, "title": "Row 4", "changes": ["CHG-9001", "CHG-9002"], "starts_at": "2026-12-20T07:00:00Z",
        "ends_at": "2026-12-20T09:00:00Z", "decision": "no_go", "reason": "Rain.", "active": true, "by": "system",
    }))?;
    cx.put_estate("joint_maintenance.added", joint, json!({})).map(drop)
}

/// A trial of a template, and a missing fact of one.
pub(crate) fn furnish_trials(cx: &mut acts::Context<'_, '_>) -> acts::Result<()> {
    use model::change::template::feedback::TemplateFeedback;
    use model::change::template::trial::TemplateTrial;
    use model::report::wait_budget::WaitBudget;
    let budget: WaitBudget = serde_json::from_value(json!({
        "id": "budget", "version": 0, "wait_of": "stage", "waits_at": "authorization", "minutes": 60, "period": "week",
        "group": "cab", "set_by": "system", "active": true,
    }))?;
    cx.put_estate("wait_budget.added", budget, json!({}))?;
    let trial: TemplateTrial = serde_json::from_value(json!({
        "id": "trial", "version": 0, "template": "restart", "variant": "restart-short", "template_version": 1, "variant_version": 1,
        "started_at": cx.now, "by": "system", "active": true,
    }))?;
    cx.put_estate("template_trial.added", trial, json!({}))?;
    let feedback: TemplateFeedback = serde_json::from_value(json!({
        "id": "feedback", "version": 0, "change": "CHG-1001", "template": "restart", "template_version": 1, "part": "plan",
        "text": "Drain the queue.", "by": "system", "at": cx.now,
    }))?;
    cx.put_estate("template_feedback.added", feedback, json!({})).map(drop)
}
