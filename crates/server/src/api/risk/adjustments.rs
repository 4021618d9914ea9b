//! The decision about a quarterly adjustment; the adjustments themselves are on a card.

use acts::Context;
use acts::core::noun::PlainNoun;
use acts::risk::adjust_rules::decide_adjustment;
use model::risk::risk_adjustment::RiskAdjustment;
use store::record::Record;
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[Route::writes("decide_risk_adjustment", decide).scope(Scope::Admin)];

fn decide(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let decided = decide_adjustment(cx, ask.place(0), &ask.body)?;
    let version = Record::version(&decided);
    let mut values = vec![views::shown(&decided, &*cx.directory()?)];
    RiskAdjustment::complete(cx, &[decided], &mut values)?;
    let reply = Reply::ok(values.pop().unwrap_or_default()).tagged(version);
    Ok(Reply { status: 201, ..reply })
}
