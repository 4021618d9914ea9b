//! Two rules of the demo's own beside the base set. One never changes a result, so that the quarterly comparison has something
//! to find; the other brings the network of production before the advisory board.

use acts::directory::set_person;
use acts::policy::activate_configuration::activate_configuration;
use acts::policy::propose_configuration::propose_policies;
use model::core::body::Body;
use serde_json::json;

use super::estate::Staff;
use super::{Past, Result, body};

/// The board's group.
pub const BOARD: &str = "advisory-board";
/// Its members: change manager, owner, security and commander.
const MEMBERS: [&str; 4] = ["marta", "hanne", "priya", "yusuf"];

/// Every approving owner belongs to the platform team as well, so the first rule never adds another approver. Changes of the
/// year touch the network of staging alone, so the second asks about none of them.
const RULES: &str = r#"@id("halden.require.platform")
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

@id("halden.require.board")
@reason("The change advisory board decides about the network of production.")
@require("approval")
@from("group:advisory-board")
@count("2")
@quorum("3")
@covers("what")
@distinct_from("author,requester,implementer")
permit (principal, action == Action::"require", resource)
when {
  resource.category == Category::"network" && context.target.environment.is_production &&
  resource.kind == Kind::"normal" && !resource.retrospective
};
"#;

const CASES: &str = "given a change of a host
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

case the board decides about the network of production
  change       category network
  requires
    halden.require.board
    base.require.validation
    base.require.review
    base.require.owner
    base.require.security
    base.require.change_manager
    base.require.evidence
";

/// Makes the board, proposes the rules as one person and puts them in force as another.
///
/// # Errors
/// [`super::DemoError`].
pub fn put_in_force(past: &Past, staff: &Staff) -> Result<()> {
    let person = |word: &str| staff.people.get(word).cloned().unwrap_or_default();
    past.system(|cx| {
        let board = json!({"name": "Change advisory board", "members": MEMBERS});
        set_person::set_group(cx, BOARD, &body(board)).map(drop)
    })?;
    let proposed = past.by(&person("admin"), |cx| {
        let set = json!({
            "reason": "Two hosts were patched without the platform team, and a zone moved without the board.",
            "files": [{"path": "halden/halden.cedar", "content": RULES}],
            "cases": [{"path": "halden/cases/halden.cases", "content": CASES}],
        });
        propose_policies(cx, &body(set))
    })?;
    past.by(&person("change_manager"), move |cx| {
        activate_configuration(cx, proposed.id.as_str(), &Body::new()).map(drop)
    })
}
