//! The routes of the nouns that have a card: one for each verb.

use acts::Context;
use acts::core::noun::{self, PlainNoun};
use model::core::card::{Does, Noun, Token, Verb};
use serde_json::Value;
use store::record::{Filter, Record};
use wire::views;

use crate::api::shared::records::{keyed, page, version_of};
use crate::http::caller::Scope;
use crate::http::route::{Ask, Before, Reply, Route};

macro_rules! all_routes {
    ($($noun:ty),+ $(,)?) => {
        /// The routes of all of them.
        pub(crate) fn routes() -> Vec<Route> {
            [$(<$noun>::CARD.verbs.iter().map(route::<$noun>).collect::<Vec<Route>>()),+].concat()
        }
    };
}

model::card_nouns!(all_routes);

fn route<N: PlainNoun>(verb: &'static Verb) -> Route {
    let name = verb.name;
    let route = match verb.does {
        Does::List => Route::reads(name, list::<N>),
        Does::Show => Route::reads(name, show::<N>),
        Does::Add | Does::Set => {
            let first: Before = noun::read_first::<N>;
            Route::writes(name, add::<N>).reading_first(N::READS_FIRST.then_some(first))
        }
        Does::Edit => Route::edits(name, version_of::<N>, edit::<N>),
        Does::End => Route::writes(name, end::<N>),
    };
    route.scope(match verb.token {
        Token::Read => Scope::Read,
        Token::Write => Scope::Write,
        Token::Audit => Scope::Audit,
        Token::Admin => Scope::Admin,
    })
}

fn list<N: PlainNoun>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    if N::IS_HISTORY {
        noun::allow::<N>(cx, Does::List)?;
        return page::<N>(cx, ask, Filter::new(), views::noun);
    }
    let records = noun::list::<N>(cx)?;
    let values = views_of(cx, &records)?;
    keyed(ask, records.iter().map(|it| it.key().to_owned()).zip(values))
}

fn show<N: PlainNoun>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let record = noun::show::<N>(cx, ask.place(0))?;
    reply(cx, record, 200)
}

fn add<N: PlainNoun>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let record = noun::add::<N>(cx, &ask.body)?;
    reply(cx, record, 201)
}

fn edit<N: PlainNoun>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let record = noun::edit::<N>(cx, ask.place(0), &ask.body)?;
    reply(cx, record, 200)
}

fn end<N: PlainNoun>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let record = noun::end::<N>(cx, ask.place(0))?;
    reply(cx, record, 200)
}

fn reply<N: PlainNoun>(cx: &mut Context<'_, '_>, record: N, status: u16) -> acts::Result<Reply> {
    let version = Record::version(&record);
    let body = views_of(cx, &[record])?.pop().unwrap_or_default();
    let reply = Reply {
        status,
        ..Reply::ok(body)
    };
    Ok(reply.tagged(version))
}

/// Records as responses show them, with the fields that are computed.
fn views_of<N: PlainNoun>(cx: &mut Context<'_, '_>, records: &[N]) -> acts::Result<Vec<Value>> {
    let directory = cx.visible()?;
    let mut values: Vec<Value> = records.iter().map(|record| views::noun(record, &directory)).collect();
    N::complete(cx, records, &mut values)?;
    Ok(values)
}
