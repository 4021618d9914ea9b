//! What the policies ask of a fresh factor where keys and privileged accounts are touched without a change: of Assent's own keys
//! and log, and of reviews of access. It is what they would ask of whoever approves a change that touches the same.

use model::approval::decide;
use model::approval::obligation::Duty;
use model::core::enums::{Category, Criticality, Kind, Level, State, Touch};
use model::core::ids::{PersonId, ServiceKey, TargetId};
use model::identity::factor::Wanted;
use model::policy::facts::{ChangeFacts, TargetFacts};

use crate::core::context::Context;
use crate::core::error::Result;

/// Refuses whoever did not just show what the policies ask for where this is touched; any fresh factor is asked in every case.
///
/// # Errors
/// 403 `step_up_required`; the store's.
pub(crate) fn check_wanted(cx: &mut Context<'_, '_>, touches: &[Touch]) -> Result<()> {
    let wanted = wanted(cx, touches)?;
    Ok(decide::check_factor(&cx.actor, wanted, cx.now)?)
}

/// Refuses whoever gives a voice away without the factor by which the policies in force would ask for that voice itself: with less a
/// lost token could hand it to somebody who signs in anew.
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

/// What is asked of an approval of a change that touches this, on a service of high stakes under each regime of the house. Where
/// the policies cannot be judged it is any fresh factor, as for a broken glass: a broken set must lock nobody out of the keys.
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
