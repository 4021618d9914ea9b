//! The printed form of an emergency card; the cards themselves, their uses and the reports are on cards of nouns.

use acts::Context;
use acts::emergency::set_emergency_card::print_card;
use model::emergency::emergency_card::EmergencyCard;
use pages::PrintedCard;
use serde_json::json;

use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[Route::writes("print_emergency_card", print)];

fn print(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (card, token) = print_card(cx, ask.place(0))?;
    let svg = drawn(cx, &card, &token)?;
    let reply = Reply::ok(json!({"id": card.id, "card": token, "svg": svg}));
    let reply = Reply {
        headers: vec![("cache-control", "no-store".to_owned())],
        ..reply
    };
    // A repeated request gets no card from the kept response.
    Ok(reply.shown_once(&["card", "svg"]))
}

/// The drawing of a card.
pub(crate) fn drawn(cx: &mut Context<'_, '_>, card: &EmergencyCard, token: &str) -> acts::Result<String> {
    let directory = cx.directory()?;
    let people = [Some(&card.by), card.approved_by.as_ref()];
    let printed = PrintedCard {
        tenant: cx.tenant(),
        id: card.id.0.clone(),
        services: card.services.iter().map(|it| it.0.clone()).collect(),
        environment: card.environment.0.clone(),
        uses: card.uses,
        until: card.ends_at.to_string(),
        signers: people.into_iter().flatten().map(|it| directory.login(it)).collect(),
        token: token.to_owned(),
    };
    printed
        .svg()
        .ok_or_else(|| acts::Error::Fault("a signed card does not fit into one code".to_owned()))
}
