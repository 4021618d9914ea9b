//! A rule of the demo's own beside the base set. It never changes a result, so that the quarterly comparison has something to
//! find.

use acts::policy::activate_configuration::activate_configuration;
use acts::policy::propose_configuration::propose_policies;
use model::core::body::Body;
use serde_json::json;

use super::estate::Staff;
use super::{Past, Result, body};

/// Every approving owner belongs to the platform team as well, so the rule never adds another approver.
const RULE: &str = r#"@id("halden.require.platform")
@reason("The platform team agrees to work on hosts and databases.")
@require("approval")
@from("group:platform")
@count("1")
@covers("what")
permit (principal, action == Action::"require", resource)
when {
  (resource.category == Category::"infrastructure" || resource.category == Category::"database") &&
  resource.kind == Kind::"normal" && !resource.retrospective
};
"#;

const CASE: &str = "given a change of a host
  people       sami roles security
  service      wms, criticality medium, regimes none
  environment  production, production yes
  change       kind normal, risk low, touches none, category infrastructure

case hosts are looked at by the platform team
  requires
    halden.require.platform
    base.require.validation
    base.require.review
    base.require.owner
    base.require.security
    base.require.change_manager
    base.require.evidence
";

/// Proposes the rule as one person and puts it in force as another.
///
/// # Errors
/// [`super::DemoError`].
pub fn put_in_force(past: &Past, staff: &Staff) -> Result<()> {
    let person = |word: &str| staff.people.get(word).cloned().unwrap_or_default();
    let proposed = past.by(&person("admin"), |cx| {
        let set = json!({
            "reason": "Two hosts were patched without the platform team.",
            "files": [{"path": "halden/halden.cedar", "content": RULE}],
            "cases": [{"path": "halden/cases/halden.cases", "content": CASE}],
        });
        propose_policies(cx, &body(set))
    })?;
    past.by(&person("change_manager"), move |cx| {
        activate_configuration(cx, proposed.id.as_str(), &Body::new()).map(drop)
    })
}
