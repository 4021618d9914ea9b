//! Tokens of the API, by administrators.

use acts::identity::set_token;
use acts::report::find_records;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::enums::Role;
use model::core::{body, refusal};
use model::directory::snapshot::Token;
use pages::{ActForm, ActTone, Choice, Field, Input, Place, TokenRow, Tokens};
use store::identity::session;

use crate::http::state::AppState;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::flash::Flash;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::Back;
use crate::web::shared::idempotent_form;
use crate::web::shared::list_filter::ListQuery;
use crate::web::shared::response::see;
use crate::web::shared::view::{self, View, Visitor, problem, redirect_with_flash, show, show_as, write};

/// The list of tokens.
pub(crate) async fn tokens(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(words): Query<ListQuery>,
) -> Response {
    show(&state, &visitor, Place::Tokens, move |view| {
        tokens_page(view, &words, None, None)
    })
    .await
}

fn tokens_page(
    view: &mut View<'_, '_, '_>,
    words: &ListQuery,
    back: Option<&Back>,
    made: Option<&(String, String)>,
) -> acts::Result<String> {
    let found = find_records::find_tokens(view.cx)?;
    let uses = session::token_uses(view.cx.tx)?;
    let directory = view.directory.clone();
    let (shown, told) = words.narrow(found.iter(), |token| {
        let person = directory.people.get(&token.person);
        let login = person.map_or("", |person| person.login.as_str());
        vec![token.name.as_str(), login]
    });
    let rows = shown
        .into_iter()
        .map(|token| token_row(view, token, uses.get(token.id.as_str())));
    let mut page = Tokens {
        frame: view.frame.clone(),
        rows: rows.collect(),
        ..Tokens::default()
    };
    words.put(&mut page, view.url("/tokens"), &told, (Vec::new(), &[]));
    if view.may(actions::SET_TOKEN) {
        page.acts.push(token_form(view));
    }
    if let Some((name, secret)) = made {
        page.frame.notices.push(Tokens::created(name, secret));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn token_row(view: &View<'_, '_, '_>, token: &Token, used: Option<&jiff::Timestamp>) -> TokenRow {
    let is_over = token.revoked || token.expires_at.is_some_and(|end| end <= view.now());
    let ends = match (token.revoked, token.expires_at) {
        (true, _) => "revoked".to_owned(),
        (false, Some(end)) => view.reader.day(end),
        (false, None) => "no end".to_owned(),
    };
    let revoke = ActForm::new(
        "revoke",
        "Revoke",
        view.url(&format!("/tokens/{}/revocation", token.id)),
    )
    .tone(ActTone::Link);
    TokenRow {
        id: token.id.0.clone(),
        name: format!("{} ({}…)", token.name, token.prefix),
        person: view.name(&token.person),
        scopes: carried(token),
        last_used: used.map_or_else(|| "not yet".to_owned(), |at| view.reader.distance(*at)),
        ends,
        acts: if is_over { Vec::new() } else { vec![revoke] },
    }
}

/// The scopes of a token, and the roles that it is narrowed to.
fn carried(token: &Token) -> String {
    let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
    let Some(roles) = &token.roles else {
        return scopes.join(", ");
    };
    let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    format!("{} as {}", scopes.join(", "), roles.join(", "))
}

/// The rights of a scope, in half a sentence.
fn scope_text(scope: &str) -> &'static str {
    match scope {
        "read" => "look at changes and the estate",
        "write" => "write changes, decide on them and do the work",
        "gate" => "ask the gate and collect permits",
        "audit" => "read the whole log and export bundles",
        "admin" => "set people, tokens, connections and policies",
        "scim" => "bring people and groups in by SCIM, and nothing else",
        _ => "do what its name says",
    }
}

/// The scopes to tick, each with its meaning. No scope is ticked beforehand: the issuer of a secret chooses its rights.
pub(crate) fn scopes_field(scopes: &[&str], chosen: Vec<String>) -> Field {
    let choices = scopes.iter().map(|scope| Choice {
        hint: Some(scope_text(scope).to_owned()),
        ..Choice::new(*scope, *scope)
    });
    let mut field = Field::new("scopes", "It may", Input::Many(choices.collect())).required();
    field.chosen = chosen;
    field
}

fn token_form(view: &View<'_, '_, '_>) -> ActForm {
    let many = scopes_field(set_token::SCOPES, Vec::new());
    let roles: Vec<(&str, &str)> = Role::ALL.iter().map(|role| (role.as_str(), role.as_str())).collect();
    let narrowed = Field::many("roles", "Narrowed to", &roles).hint("None ticked: all roles of the person.");
    ActForm::new("token", "Create a token", view.url("/tokens"))
        .field(idempotent_form::field(view))
        .field(
            Field::text("name", "Name")
                .hint("What uses it: “booking-api pipeline”.")
                .required(),
        )
        .field(
            pick_field(view, "people", "person", "Acts as")
                .hint("A login.")
                .value(view.directory.login(&view.me))
                .half(),
        )
        .field(time_field(view, "expires_at", "Ends"))
        .field(many)
        .field(narrowed)
        .note("Without an end it is valid for a year. Its people are notified before it expires.")
        .submit("Create this token")
}

/// A form without a ticked scope would get the default scopes, which nobody chose.
pub(crate) fn no_scope(body: &body::Body) -> Option<refusal::FieldError> {
    let text = "Choose at least one scope.";
    (!body.contains_key("scopes")).then(|| refusal::FieldError::new("scopes", "missing", text))
}

/// Makes a token and shows its secret once: the response is the page itself, so that no address contains the secret.
pub(crate) async fn create_token(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let sent = form.clone();
    let once = idempotent_form::once(&visitor, "/tokens", &form);
    let made = write(&state, &visitor, move |cx| {
        let directory = cx.directory()?;
        let mut decoded = sent.decode(&view::reader_of(cx, &directory), &[]);
        decoded.errors.extend(no_scope(&decoded.body));
        idempotent_form::run_once_shown(&once, cx, |cx| {
            let (token, secret) = decoded.tell_all(set_token::create_token(cx, &decoded.body))?;
            Ok((token.name, secret))
        })
    })
    .await;
    match made {
        Ok(None) => {
            let told = Flash::default().unless_again(true);
            redirect_with_flash(&state, &visitor, &format!("{}/tokens", visitor.base()), &told)
        }
        Ok(Some(made)) => {
            show(&state, &visitor, Place::Tokens, move |view| {
                tokens_page(view, &ListQuery::default(), None, Some(&made))
            })
            .await
        }
        Err(failure) if failure.status() == 422 => {
            let back = Back::new(&state, &visitor, "/tokens", form, failure);
            show_as(&state, &visitor, Place::Tokens, 422, move |view| {
                tokens_page(view, &ListQuery::default(), Some(&back), None)
            })
            .await
        }
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/tokens", visitor.base())).await,
    }
}

/// Revokes a token.
pub(crate) async fn revoke_token(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let url = format!("{}/tokens", visitor.base());
    match write(&state, &visitor, move |cx| set_token::revoke_token(cx, &id).map(drop)).await {
        Ok(()) => see(&url),
        Err(failure) => problem(&state, &visitor, &failure, &url).await,
    }
}
