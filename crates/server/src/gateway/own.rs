//! The server's own decisions for gateways: the caller by the credential in the request, the decision by the gate's act.

use acts::Context;
use acts::core::gate_question::Question;
use acts::gate::shown_permit::check_shown;
use acts::gate::{answer, running};
use axum::http::{HeaderMap, Method, Uri};
use model::core::act;
use model::core::enums::GateDecision;
use model::core::unmet::Unmet;
use model::gate::answer::Answer;
use serde_json::Value;
use store::{Lane, Mode};

use super::binding::Bindings;
use super::question::{Basis, Decide, Decided, GatewayQuestion, Place, door_of, header};
use super::unclear::Unclear;
use crate::http::authenticate::GateCaller;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::gate_counters::Counted;
use crate::http::outside_mask::mask_answer;
use crate::http::state::AppState;
use crate::http::{attempts, route};

/// Reasons that blame the request and not the change: they are counted with the names in the request.
const REFUSED: &[&str] = &["change_missing", "unknown_service", "unknown_environment"];

impl Decide for AppState {
    async fn decide(&self, asked: GatewayQuestion) -> Result<Decided, Failure> {
        let asking = GateCaller::of(self, Lane::Gate, &Method::GET, &asked.headers).await?;
        let caller = asking.caller().clone();
        let place = match asked.about {
            Ok(place) => place,
            Err(unclear) => return refuse(self, &caller, &asked.door, &unclear).await,
        };
        let (question, who, admits) = (question_of(&place), caller.clone(), place.admits_running);
        let jti = asked.permit.as_deref().map(proof::permit::id_as_written);
        if !admits
            && jti.is_none()
            && let Some((answer, _)) = asking.ask_at_once(self, &question)?
        {
            let decided = decided(answer, false);
            note(self, &caller.tenant, &asked.door, &place, &decided);
            return Ok(decided);
        }
        let act = move |cx: &mut Context<'_, '_>| {
            who.check_scope(Scope::Gate)?;
            answer::may_ask(cx)?;
            let (answer, is_running) = if admits {
                running::admit(cx, &question)?
            } else {
                (answer::ask(cx, &question)?, false)
            };
            if is_running {
                return Ok((answer, true));
            }
            let answer = check_shown(cx, &question, jti.as_deref(), answer)?;
            let mut answer = answer::check_unspent(cx, &question, answer)?;
            mask_answer(cx, &mut answer)?;
            Ok((answer, false))
        };
        let (answer, is_running) = asking.act(self, Lane::Gate, Mode::Read, act).await?;
        attempts::note_scope_use(self, &caller, Scope::Gate);
        let decided = decided(answer, is_running);
        note(self, &caller.tenant, &asked.door, &place, &decided);
        Ok(decided)
    }

    fn bindings(&self) -> Option<&Bindings> {
        self.cluster()
    }
}

fn decided(answer: Answer, is_running: bool) -> Decided {
    Decided {
        decision: answer.decision,
        change: answer.change,
        reasons: answer.reasons,
        next_transition_at: answer.next_transition_at.map(|at| at.to_string()),
        basis: if is_running { Basis::Running } else { Basis::Gate },
    }
}

fn question_of(place: &Place) -> Question {
    Question {
        service: place.service.clone(),
        environment: place.environment.clone(),
        artifact: place.artifact.clone(),
        commit: place.commit.clone(),
        change: place.change.clone(),
        purpose: place.purpose,
        member: None,
    }
}

/// Refuses an invalid request, and counts it; a credential without the permission gets that refusal instead.
async fn refuse(state: &AppState, caller: &Caller, door: &str, unclear: &Unclear) -> Result<Decided, Failure> {
    let who = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        who.check_scope(Scope::Gate)?;
        cx.allow(act::actions::ASK_GATE)
    };
    state.act(Lane::Gate, caller, Mode::Read, act).await?;
    note_unclear(
        state,
        &caller.tenant,
        door,
        unclear.code,
        &unclear.subject,
        &unclear.text,
    );
    Ok(Decided::stop(
        unclear.code,
        unclear.text.clone(),
        unclear.satisfy,
        Basis::Gate,
    ))
}

/// Counts a question that could not be read.
pub(crate) fn note_unclear(state: &AppState, tenant: &str, door: &str, code: &str, subject: &str, text: &str) {
    let question = Counted {
        door,
        code,
        subject,
        ..Counted::default()
    };
    state
        .tally()
        .note(tenant, question, text, state.executor().tools().clock.now());
}

/// Counts a request to `GET /gate` by its decision.
pub(crate) fn count_decision(
    state: &AppState,
    tenant: &str,
    headers: &HeaderMap,
    question: &Question,
    answer: &Answer,
) {
    let door = door_of(header(headers, "assent-gateway"), "plain");
    let named = Named {
        service: &question.service,
        environment: &question.environment,
        subject: question.artifact.as_deref().or(question.commit.as_deref()),
    };
    count(state, tenant, &door, &named, (answer.decision, &answer.reasons));
}

/// Counts a request of a gateway by its decision.
pub(crate) fn note(state: &AppState, tenant: &str, door: &str, place: &Place, decided: &Decided) {
    let named = Named {
        service: &place.service,
        environment: &place.environment,
        subject: place.artifact.as_deref().or(place.commit.as_deref()),
    };
    count(state, tenant, door, &named, (decided.decision, &decided.reasons));
}

/// The names in a request, as far as they are counted.
struct Named<'a> {
    service: &'a str,
    environment: &'a str,
    subject: Option<&'a str>,
}

/// Counts a decided request; one whose digest or place is unknown is counted with the names in it.
fn count(state: &AppState, tenant: &str, door: &str, named: &Named<'_>, answer: (GateDecision, &[Unmet])) {
    let now = state.executor().tools().clock.now();
    let counted = |code, subject| Counted {
        door,
        service: named.service,
        environment: named.environment,
        code,
        subject,
    };
    let (decision, reasons) = answer;
    let fault = reasons
        .iter()
        .find(|reason| decision == GateDecision::Stop && REFUSED.contains(&reason.code.as_str()));
    if fault.is_none_or(|reason| reason.code == "change_missing") {
        state.tally().note(tenant, counted("", ""), "", now);
    }
    if let Some(reason) = fault {
        let question = counted(&reason.code, named.subject.unwrap_or_default());
        state.tally().note(tenant, question, &reason.text, now);
    }
}

/// Counts a request to `GET /admission` by its decision.
pub(crate) fn note_plain(state: &AppState, tenant: &str, uri: &Uri, headers: &HeaderMap, answer: &Value) {
    let query = route::query_of(uri).unwrap_or_default();
    let value = |name: &str| {
        let found = query.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.clone())
    };
    let place = Place {
        service: value("service").unwrap_or_default(),
        environment: value("environment").unwrap_or_default(),
        artifact: value("artifact"),
        commit: value("commit"),
        ..Place::default()
    };
    let decided = Decided {
        decision: serde_json::from_value(answer["decision"].clone()).unwrap_or(GateDecision::Stop),
        change: None,
        reasons: serde_json::from_value(answer["reasons"].clone()).unwrap_or_default(),
        next_transition_at: None,
        basis: Basis::Gate,
    };
    let door = door_of(header(headers, "assent-gateway"), "plain");
    note(state, tenant, &door, &place, &decided);
}
