//! The fresh factor that the policies require for keys and privileged accounts touched without a change: Assent's own
//! keys and log, and access reviews. The policies would require the same factor of an approver of such a change.

use model::approval::decide;
use model::approval::obligation::Duty;
use model::core::enums::{Category, Criticality, Kind, Level, State, Touch};
use model::core::ids::{PersonId, ServiceKey, TargetId};
use model::identity::factor::Wanted;
use model::policy::facts::{ChangeFacts, TargetFacts};

use crate::core::context::Context;
use crate::core::error::Result;

/// Refuses an actor without the fresh factor that the policies require here; some fresh factor is required in every
/// case.
///
/// # Errors
/// 403 `step_up_required`; the store's.
pub(crate) fn check_wanted(cx: &mut Context<'_, '_>, touches: &[Touch]) -> Result<()> {
    let wanted = wanted(cx, touches)?;
    Ok(decide::check_factor(&cx.actor, wanted, cx.now)?)
}

/// Refuses a delegation without the factor that the policies in force require for the delegated decision itself:
/// otherwise a stolen token could delegate it to another account.
///
/// # Errors
/// 403 `step_up_required`; the store's.
pub(crate) fn check_lent(cx: &mut Context<'_, '_>) -> Result<()> {
    let set = cx.policies()?;
    let factors = set.obligations().filter_map(|row| match &row.duty {
        Duty::Approval(rule) => Some(rule.wanted_factor()),
        _ => None,
    });
    let most = factors.max().unwrap_or(Wanted::Nothing);
    Ok(decide::check_factor(&cx.actor, most, cx.now)?)
}

/// The factor required to approve a change that touches this, on a high-stakes service under each regime of the tenant.
/// If the policies cannot be evaluated, any fresh factor is accepted, as for break-glass: a broken policy set must not
/// lock everybody out of the keys.
fn wanted(cx: &mut Context<'_, '_>, touches: &[Touch]) -> Result<Wanted> {
    let directory = cx.directory()?;
    let mut regimes: Vec<String> = directory
        .services
        .values()
        .flat_map(|service| service.regimes.iter().cloned())
        .collect();
    regimes.sort();
    regimes.dedup();
    let asked = cx
        .policies()?
        .require(&change(cx.tenant(), touches), &[target(regimes)]);
    let factors = asked.obligations.iter().filter_map(|row| match &row.obligation.duty {
        Duty::Approval(rule) => Some(rule.wanted_factor()),
        _ => None,
    });
    let most = factors.max();
    Ok(most.unwrap_or(Wanted::Any).max(Wanted::Any))
}

fn change(tenant: String, touches: &[Touch]) -> ChangeFacts {
    let nobody = PersonId("nobody".to_owned());
    ChangeFacts {
        tenant,
        change: String::new(),
        kind: Kind::Normal,
        expedited: false,
        retrospective: false,
        names_threat: false,
        state: State::Authorizing,
        category: Category::Security,
        touches: touches.to_vec(),
        risk: Level::High,
        impact_data: Level::High,
        impact_availability: Level::High,
        impact_compliance: Level::High,
        complexity: Level::High,
        forecast: None,
        requester: nobody.clone(),
        owner: nobody,
        authors: Vec::new(),
        implementers: Vec::new(),
        implemented_by: Vec::new(),
        tester: None,
        fields: std::collections::BTreeMap::new(),
    }
}

fn target(regimes: Vec<String>) -> TargetFacts {
    TargetFacts {
        target: TargetId("1".to_owned()),
        service: ServiceKey("assent".to_owned()),
        criticality: Criticality::Critical,
        regimes,
        data_class: None,
        environment: "production".to_owned(),
        is_production: true,
        has_artifact: false,
        owners: Vec::new(),
    }
}
