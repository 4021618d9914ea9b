//! Evaluates the gate for a service that another system leads: by that system's changes as last read, and by the
//! freezes here.

use jiff::Timestamp;
use model::core::enums::{GateDecision, Purpose};
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::unmet::unmet;
use model::directory::led_elsewhere::LedElsewhere;
use model::directory::snapshot::Directory;
use model::gate::answer::Answer;
use model::gate::led::{LedQuestion, decide};
use model::integration::foreign_change::ForeignChange;
use model::integration::foreign_system::{BELIEVED, ForeignSystem};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::gate_question::Question;

/// How many changes of a service are read, the latest additions first.
const LOOKED_AT: i64 = 200;

/// The system that leads a service, if that is not Assent.
///
/// # Errors
/// The store's.
pub(crate) fn led_by(cx: &mut Context<'_, '_>, service: &str) -> Result<Option<LedElsewhere>> {
    let directory = cx.directory()?;
    let service = directory.services.get(&ServiceKey::from(service));
    Ok(service.and_then(|service| service.led_by.clone()))
}

/// The changes of a system that the gate of a service uses.
pub(crate) fn looked_at(system: &str, service: &str) -> Filter {
    Filter::new()
        .equals("system", system)
        .equals("service", service)
        .descending_by("id")
        .limit(LOOKED_AT)
}

/// The decision for a service that another system leads. Work that began here before may continue, and rollbacks stay
/// open: `own` is the decision from Assent's changes.
///
/// # Errors
/// The store's.
pub(crate) fn decide_led(
    cx: &mut Context<'_, '_>,
    question: &Question,
    led: &LedElsewhere,
    own: Option<Answer>,
) -> Result<Answer> {
    let is_own = |answer: &Answer| answer.decision == GateDecision::Go || question.purpose == Some(Purpose::Rollback);
    if let Some(answer) = own.filter(is_own) {
        return Ok(answer);
    }
    let (service, environment) = (
        ServiceKey::from(question.service.as_str()),
        EnvironmentKey::from(question.environment.as_str()),
    );
    let system = record::load::<ForeignSystem>(cx.tx, led.system.as_str())?.map(|stored| stored.record);
    let terms = system.as_ref().map(ForeignSystem::terms_digest).unwrap_or_default();
    let unread = match system.as_ref().filter(|system| system.active) {
        Some(system) if system.unread().is_none() && system.is_stale(cx.now) => {
            Some("it was not read to its end within the last hour.".to_owned())
        }
        Some(system) => system.unread().map(str::to_owned),
        None => Some("it is no longer read.".to_owned()),
    };
    let filter = looked_at(led.system.as_str(), service.as_str());
    let changes = record::bodies::<ForeignChange>(cx.tx, &filter)?;
    let asked = LedQuestion {
        environment: &environment,
        change: question.change.as_deref(),
        unread: unread.as_deref(),
        terms: &terms,
    };
    let mut answer = decide(led, &changes, asked, cx.now);
    let (directory, now) = (cx.directory()?, cx.now);
    if answer.decision == GateDecision::Go {
        let whole = system.as_ref().and_then(|system| system.whole_at);
        let believed = whole.and_then(|at| at.checked_add(BELIEVED).ok());
        let begins = next_freeze(&directory, (&service, &environment), now);
        let next = answer.next_transition_at.into_iter().chain(believed).chain(begins);
        answer.next_transition_at = next.min();
    }
    let mut freezes = directory.freezes.iter();
    let frozen = freezes.find(|it| it.is_on(now) && directory.is_frozen_by(it, &service, &environment));
    // A freeze of this tenant applies, whichever system leads.
    if let Some(freeze) = frozen {
        let until = freeze.next_time(now).ends_at;
        let text = format!("The freeze “{}” is on until {until}.", freeze.title);
        answer.decision = GateDecision::Stop;
        answer
            .reasons
            .push(unmet("freeze", text, "Wait for its end.", Vec::new()));
        answer.next_transition_at = Some(until);
    }
    Ok(answer)
}

/// When the next freeze over a place begins.
fn next_freeze(
    directory: &Directory,
    (service, environment): (&ServiceKey, &EnvironmentKey),
    now: Timestamp,
) -> Option<Timestamp> {
    let over_it = directory.freezes.iter();
    let over_it = over_it.filter(|it| !it.is_over(now) && directory.is_frozen_by(it, service, environment));
    let begins = over_it.flat_map(|it| it.spans().map(|span| span.starts_at));
    begins.filter(|at| *at > now).min()
}
