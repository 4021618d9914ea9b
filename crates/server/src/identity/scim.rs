//! SCIM 2.0 (RFC 7644) under `/t/{tenant}/scim/v2`: each handler reads the input, runs one act and renders the result. Tokens
//! and errors are the protocol's own.

mod question;

use acts::Context;
use acts::directory::provision;
use axum::Router;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use connect::identity::scim::filter::Checked;
use connect::identity::scim::schema::{self, Attr, GROUP_ATTRS, USER_ATTRS};
use connect::identity::scim::{self, ScimError, group, patch, user};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Group, Person};
use model::identity::provider;
use serde_json::{Map, Value};
use store::audit::event::written_at;
use store::identity::identities;
use store::record::{self, Filter};
use store::{Lane, Mode};

use self::question::Question;
use crate::http::attempts;
use crate::http::authenticate::caller_of;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, Credential, Scope};
use crate::http::failure::Failure;
use crate::http::handler::{get, plain, post};
use crate::http::route::Places;
use crate::http::state::AppState;

/// How many records are read at once while a filter is judged.
const PAGE: i64 = 500;
/// How many members all groups of one response have together, from the second group on: a response may hold fewer resources
/// than requested (RFC 7644 section 3.4.2.4), and a client continues after those that it got.
const MOST_MEMBERS: usize = 20_000;

/// The routes.
pub(crate) fn router() -> Router<AppState> {
    let base = "/t/{tenant}/scim/v2";
    Router::new()
        .route(&format!("{base}/ServiceProviderConfig"), get(config))
        .route(&format!("{base}/Schemas"), get(schemas))
        .route(&format!("{base}/Schemas/{{id}}"), get(schemas))
        .route(&format!("{base}/ResourceTypes"), get(resource_types))
        .route(&format!("{base}/ResourceTypes/{{id}}"), get(resource_types))
        .route(&format!("{base}/.search"), post(search_all))
        .route(&format!("{base}/{{kind}}"), get(list).post(plain(create)))
        .route(&format!("{base}/{{kind}}/.search"), post(search))
        .route(
            &format!("{base}/{{kind}}/{{id}}"),
            get(show).put(plain(change)).patch(plain(change)).delete(plain(remove)),
        )
}

/// Users or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
}

impl Kind {
    fn of(text: &str) -> Result<Self, No> {
        match text {
            "Users" => Ok(Self::User),
            "Groups" => Ok(Self::Group),
            // Standard features that are not offered return that error (RFC 7644 sections 3.7 and 3.11); discovery shows it
            // beforehand.
            "Bulk" | "Me" => Err(not_offered(text)),
            _ => Err(absent()),
        }
    }

    fn attrs(self) -> &'static [Attr] {
        match self {
            Self::User => USER_ATTRS,
            Self::Group => GROUP_ATTRS,
        }
    }
}

/// A refusal in the protocol's format.
struct No(ScimError, Option<u64>);

impl From<ScimError> for No {
    fn from(error: ScimError) -> Self {
        Self(error, None)
    }
}

fn absent() -> No {
    let error = ScimError {
        status: 404,
        kind: "",
        detail: "There is nothing here.".to_owned(),
    };
    error.into()
}

fn not_offered(name: &str) -> No {
    let detail = match name {
        "Bulk" => "Several requests in one are not offered. Send each by itself.",
        _ => "A token provisions others: there is no `/Me`. Ask for `/Users`.",
    };
    let error = ScimError {
        status: 501,
        kind: "",
        detail: detail.to_owned(),
    };
    error.into()
}

/// An address of ours without the extra slashes of clients that join a base address with a name: `…/v2//Users` and
/// `…/v2/Users/` both become `…/v2/Users`. Other addresses are unchanged.
pub(crate) fn neat(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let (tenant, rest) = path.strip_prefix("/t/")?.split_once("/scim/v2/")?;
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let rest_neat = parts.join("/");
    if tenant.contains('/') || rest_neat == rest {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/t/{tenant}/scim/v2/{rest_neat}{query}").parse().ok()
}

impl From<Failure> for No {
    fn from(failure: Failure) -> Self {
        let problem = &failure.problem;
        let first = problem.errors.first();
        let is_taken = first.is_some_and(|it| it.code == "not_unique") || problem.code == "conflict";
        let (status, kind) = match failure.status() {
            422 if is_taken => (409, "uniqueness"),
            409 if is_taken => (409, "uniqueness"),
            422 => (400, "invalidValue"),
            400 => (400, "invalidSyntax"),
            other => (other, ""),
        };
        let detail = first.map_or_else(|| problem.detail.clone(), |it| it.text.clone());
        Self(ScimError { status, kind, detail }, failure.retry_after)
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let mut response = answer(self.0.status, &self.0.body());
        if let Some(seconds) = self.1 {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.status == 401 {
            let value = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, scim::MEDIA_TYPE)], body.to_string()).into_response()
}

fn resource(status: u16, body: &Value) -> Response {
    let mut response = answer(status, body);
    let mut put = |name, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::ETAG, body["meta"]["version"].as_str());
    if status == 201 {
        put(header::LOCATION, body["meta"]["location"].as_str());
    }
    response
}

/// The caller: a token of this tenant with the scope `scim`.
async fn caller(state: &AppState, method: &Method, headers: &HeaderMap, tenant: &str) -> Result<Caller, No> {
    let caller = caller_of(state, method, headers).await?;
    if caller.tenant != tenant {
        return Err(absent());
    }
    if !matches!(caller.credential, Credential::Token { .. }) {
        let text = "Provisioning needs a token with the scope `scim`; a session does not provision.";
        return Err(Failure::new(403, "scope_missing", text).into());
    }
    caller
        .check_scope(Scope::Scim)
        .map_err(|refusal| Failure::from(acts::Error::from(refusal)))?;
    attempts::note_scope_use(state, &caller, Scope::Scim);
    Ok(caller)
}

fn base(state: &AppState, tenant: &str) -> String {
    format!("{}/t/{tenant}/scim/v2", state.public_url())
}

/// Runs an act; a refusal by the protocol's rules inside the act rolls it back.
async fn act<T: Send + 'static>(
    state: &AppState,
    caller: &Caller,
    mode: Mode,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<Result<T, ScimError>> + Send + 'static,
) -> Result<T, No> {
    let lane = if mode == Mode::Read { Lane::Pages } else { Lane::Acts };
    let whole = move |cx: &mut Context<'_, '_>| {
        provision::admit(cx)?;
        act(cx)
    };
    let done = state.act_as(lane, &caller.tenant, caller.actor(), mode, whole).await;
    if let Err(failure) = &done
        && mode == Mode::Write
    {
        attempts::note(state, caller, "provisioning".to_owned(), None, failure).await;
    }
    Ok(done??)
}

async fn config(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    mut places: Places,
) -> Result<Response, No> {
    let tenant = places.take(0);
    caller(&state, &method, &headers, &tenant).await?;
    Ok(answer(200, &schema::service_provider_config(&base(&state, &tenant))))
}

async fn schemas(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    mut places: Places,
) -> Result<Response, No> {
    let tenant = places.take(0);
    caller(&state, &method, &headers, &tenant).await?;
    discovered(schema::schemas(&base(&state, &tenant)), places)
}

async fn resource_types(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    mut places: Places,
) -> Result<Response, No> {
    let tenant = places.take(0);
    caller(&state, &method, &headers, &tenant).await?;
    discovered(schema::resource_types(&base(&state, &tenant)), places)
}

/// All documents, or the one that the path names.
fn discovered(all: Vec<Value>, mut places: Places) -> Result<Response, No> {
    let id = places.take(1);
    if id.is_empty() {
        let total = i64::try_from(all.len()).unwrap_or_default();
        return Ok(answer(200, &scim::list(total, 1, &all)));
    }
    // A schema's name is a URN, in which case does not matter.
    let is_it = |it: &Value| it["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(&id));
    let found = all.into_iter().find(is_it);
    found.map(|it| answer(200, &it)).ok_or_else(absent)
}

async fn list(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    mut places: Places,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let kind = Kind::of(&places.take(1))?;
    found(&state, &caller, kind, Question::of_query(&uri)?).await
}

async fn search(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    mut places: Places,
    body: Result<JsonBody, Failure>,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let kind = Kind::of(&places.take(1))?;
    found(&state, &caller, kind, Question::of_body(&body?.fields)?).await
}

/// Searches users and groups at once (RFC 7644 section 3.4.3): users come first. A filter on attributes of only one of the two
/// finds only that kind.
async fn search_all(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    mut places: Places,
    body: Result<JsonBody, Failure>,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let (base, question) = (base(&state, &tenant), Question::of_body(&body?.fields)?);
    let mut filters = Vec::new();
    let mut refused = None;
    for kind in [Kind::User, Kind::Group] {
        match question
            .filter
            .as_deref()
            .map(|text| Checked::parse(text, kind.attrs()))
            .transpose()
        {
            Ok(filter) => filters.push((kind, filter)),
            Err(error) => refused = Some(error),
        }
    }
    if let Some(error) = refused.filter(|_| filters.is_empty()) {
        return Err(error.into());
    }
    let look = move |cx: &mut Context<'_, '_>| {
        let (mut total, mut items) = (0, Vec::new());
        for (kind, filter) in &filters {
            // The results of one kind reduce the room for the next.
            let taken = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let asked = Question {
                start: (question.start - total).max(1),
                count: question.count - taken,
                ..question.clone()
            };
            let (found, some) = match filter {
                None => page_of(cx, *kind, &asked, &base)?,
                Some(filter) => matching(cx, *kind, (filter, &asked), &base)?,
            };
            total += found;
            items.extend(some);
        }
        Ok(Ok(scim::list(total, question.start, &items)))
    };
    let list = act(&state, &caller, Mode::Read, look).await?;
    Ok(answer(200, &list))
}

async fn found(state: &AppState, caller: &Caller, kind: Kind, question: Question) -> Result<Response, No> {
    let base = base(state, &caller.tenant);
    let filter = question
        .filter
        .as_deref()
        .map(|text| Checked::parse(text, kind.attrs()))
        .transpose()?;
    let asked = question.clone();
    let look = move |cx: &mut Context<'_, '_>| {
        let (total, items) = match &filter {
            None => page_of(cx, kind, &asked, &base)?,
            Some(filter) => matching(cx, kind, (filter, &asked), &base)?,
        };
        Ok(Ok(scim::list(total, asked.start, &items)))
    };
    let list = act(state, caller, Mode::Read, look).await?;
    Ok(answer(200, &list))
}

/// The page of a response while it is collected: no longer than requested, and not with more members than the limit.
struct Page<'q> {
    asked: &'q Question,
    items: Vec<Value>,
    members: usize,
    is_full: bool,
}

impl<'q> Page<'q> {
    fn new(asked: &'q Question) -> Self {
        Self {
            asked,
            items: Vec::new(),
            members: 0,
            is_full: asked.count < 1,
        }
    }

    /// Whether there is room for a group with so many members. After the first group without room the page is full, so that a
    /// client that reads on misses none.
    fn has_place(&mut self, members: usize) -> bool {
        let is_long = i64::try_from(self.items.len()).unwrap_or(i64::MAX) >= self.asked.count;
        let is_heavy = !self.items.is_empty() && self.members + members > MOST_MEMBERS;
        self.is_full |= is_long || is_heavy;
        !self.is_full
    }

    fn push(&mut self, item: Value) {
        let item = self.asked.shaped(item);
        let members = item["members"].as_array().map_or(0, Vec::len);
        if self.has_place(members) {
            self.members += members;
            self.items.push(item);
        }
    }
}

/// A page of all there are.
fn page_of(cx: &mut Context<'_, '_>, kind: Kind, asked: &Question, base: &str) -> acts::Result<(i64, Vec<Value>)> {
    let offset = asked.start - 1;
    let mut page = Page::new(asked);
    let total = match kind {
        Kind::User => {
            for stored in identities::people(cx.tx, offset, asked.count)? {
                page.push(shown_person(cx, &stored.record, base, Some(asked))?);
            }
            identities::count_people(cx.tx)?
        }
        Kind::Group => {
            let leaves_out = asked.leaves_out("members");
            for (id, members) in identities::groups(cx.tx, offset, asked.count)? {
                let members = usize::try_from(members).unwrap_or_default();
                // A group that will not be shown is not read either.
                if !page.has_place(if leaves_out { 0 } else { members }) {
                    break;
                }
                let group = provision::group(cx, &id)?;
                page.push(shown_group(cx, &group, base, Some(asked))?);
            }
            identities::count_groups(cx.tx)?
        }
    };
    Ok((total, page.items))
}

/// The records that match a filter: found by an index if the filter names a value, else by reading all of them page by page.
fn matching(
    cx: &mut Context<'_, '_>,
    kind: Kind,
    (filter, asked): (&Checked, &Question),
    base: &str,
) -> acts::Result<(i64, Vec<Value>)> {
    let (mut total, mut page, mut offset) = (0, Page::new(asked), 0);
    let mut judge = |value: Value| {
        if value.as_object().is_some_and(|map| filter.matches(map)) {
            total += 1;
            if total >= asked.start {
                page.push(value);
            }
        }
    };
    if let Some(ids) = hinted(cx, kind, filter)? {
        for id in ids {
            by_id(cx, kind, &id, base)?.into_iter().for_each(&mut judge);
        }
        return Ok((total, page.items));
    }
    loop {
        let read = match kind {
            Kind::User => {
                let people = identities::people(cx.tx, offset, PAGE)?;
                for stored in &people {
                    judge(shown_person(cx, &stored.record, base, None)?);
                }
                people.len()
            }
            Kind::Group => {
                let groups = identities::groups(cx.tx, offset, PAGE)?;
                for (id, _) in &groups {
                    by_id(cx, kind, id, base)?.into_iter().for_each(&mut judge);
                }
                groups.len()
            }
        };
        if i64::try_from(read).unwrap_or_default() < PAGE {
            return Ok((total, page.items));
        }
        offset += PAGE;
    }
}

fn hinted(cx: &mut Context<'_, '_>, kind: Kind, filter: &Checked) -> acts::Result<Option<Vec<String>>> {
    let Some(hint) = filter.hint() else { return Ok(None) };
    let lower = hint.value.to_lowercase();
    let ids = match (kind, hint.attribute) {
        (_, "id") => vec![hint.value],
        (Kind::User, "userName") => {
            let rows = record::find::<Person>(cx.tx, &Filter::new().equals("login", lower.as_str()).order_by("id"))?;
            rows.into_iter().map(|row| row.record.id.0).collect()
        }
        (Kind::User, "externalId") => identities::find(cx.tx, identities::EXTERNAL, &hint.value)?,
        (Kind::User, "emails") => return Ok(identities::find_address(cx.tx, &hint.value)?),
        (Kind::Group, "displayName") => return Ok(identities::find_group(cx.tx, &hint.value)?),
        (Kind::Group, "members") => identities::groups_of(cx.tx, &lower)?,
        _ => return Ok(None),
    };
    Ok(Some(ids))
}

fn by_id(cx: &mut Context<'_, '_>, kind: Kind, id: &str, base: &str) -> acts::Result<Option<Value>> {
    let found = match kind {
        Kind::User => provision::person(cx, id).and_then(|it| shown_person(cx, &it, base, None)),
        Kind::Group => provision::group(cx, id).and_then(|it| shown_group(cx, &it, base, None)),
    };
    match found {
        Ok(value) => Ok(Some(value)),
        Err(acts::Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

fn shown_person(
    cx: &mut Context<'_, '_>,
    person: &Person,
    base: &str,
    asked: Option<&Question>,
) -> acts::Result<Value> {
    let groups = if asked.is_some_and(|asked| asked.leaves_out("groups")) {
        Vec::new()
    } else {
        provision::groups_of(cx, person.id.as_str())?
    };
    let modified = written_at(cx.tx, ("person", person.id.as_str()), person.version)?;
    Ok(Value::Object(user::show(&user::Shown {
        id: person.id.as_str(),
        version: person.version,
        modified,
        login: &person.login,
        name: &person.name,
        email: person.email.as_deref(),
        active: person.active,
        external_id: person.external_id.as_deref(),
        attributes: &person.attributes,
        groups,
        base,
    })))
}

fn shown_group(cx: &mut Context<'_, '_>, found: &Group, base: &str, asked: Option<&Question>) -> acts::Result<Value> {
    let modified = written_at(cx.tx, ("people_group", found.id.as_str()), found.version)?;
    let leaves_out = asked.is_some_and(|asked| asked.leaves_out("members"));
    let members = (!leaves_out).then(|| found.members.iter().map(|id| id.as_str()).collect());
    Ok(Value::Object(group::show(&group::Shown {
        id: found.id.as_str(),
        version: found.version,
        modified,
        name: &found.name,
        external_id: found.external_id.as_deref(),
        members,
        base,
    })))
}

async fn show(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    mut places: Places,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let kind = Kind::of(&places.take(1))?;
    let (id, base, asked) = (places.take(2), base(&state, &tenant), Question::of_query(&uri)?);
    let question = asked.clone();
    let look = move |cx: &mut Context<'_, '_>| {
        Ok(Ok(match kind {
            Kind::User => {
                let person = provision::person(cx, &id)?;
                shown_person(cx, &person, &base, Some(&question))?
            }
            Kind::Group => {
                let group = provision::group(cx, &id)?;
                shown_group(cx, &group, &base, Some(&question))?
            }
        }))
    };
    let found = act(&state, &caller, Mode::Read, look).await?;
    let version = found["meta"]["version"].as_str().unwrap_or_default().to_owned();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| is_known(known, &version)) {
        let mut same = StatusCode::NOT_MODIFIED.into_response();
        if let Ok(tag) = HeaderValue::from_str(&version) {
            same.headers_mut().insert(header::ETAG, tag);
        }
        return Ok(same);
    }
    Ok(resource(200, &asked.shaped(found)))
}

/// Whether a list of tags contains this one (RFC 9110 section 13.1.2); weak and strong tags count alike here.
fn is_known(tags: &str, version: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    tags.trim() == "*" || tags.split(',').any(|tag| bare(tag) == bare(version))
}

/// The body, read once its sender is known: one of a group may be long.
async fn body_of(kind: Kind, request: Request, state: &AppState) -> Result<JsonBody, Failure> {
    match kind {
        Kind::User => JsonBody::from_request(request, state).await,
        Kind::Group => JsonBody::of_group(state, request).await,
    }
}

async fn create(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    mut places: Places,
    request: Request,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let kind = Kind::of(&places.take(1))?;
    let (base, asked) = (base(&state, &tenant), Question::of_query(&uri)?);
    let body = body_of(kind, request, &state).await?;
    let fields = body.fields;
    let make = move |cx: &mut Context<'_, '_>| match kind {
        Kind::User => {
            let told = match user::read(&fields) {
                Ok(told) => told,
                Err(error) => return Ok(Err(error)),
            };
            let made = provision::create_person(cx, &told)?;
            Ok(Ok(shown_person(cx, &made, &base, None)?))
        }
        Kind::Group => {
            let told = match group::read(&fields) {
                Ok(told) => told,
                Err(error) => return Ok(Err(error)),
            };
            let made = provision::create_group(cx, &told)?;
            Ok(Ok(shown_group(cx, &made, &base, None)?))
        }
    };
    let made = act(&state, &caller, Mode::Write, make).await?;
    Ok(resource(201, &asked.shaped(made)))
}

fn stale() -> ScimError {
    ScimError {
        status: 412,
        kind: "",
        detail: "It has changed meanwhile. Read it again.".to_owned(),
    }
}

/// PUT and PATCH.
async fn change(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    mut places: Places,
    request: Request,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let kind = Kind::of(&places.take(1))?;
    let (id, base, asked) = (places.take(2), base(&state, &tenant), Question::of_query(&uri)?);
    let if_match = headers
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = body_of(kind, request, &state).await?;
    let fields = body.fields;
    let how = if method == Method::PATCH {
        How::Patch(patch::operations(&fields)?)
    } else {
        How::Put(fields)
    };
    let alter = move |cx: &mut Context<'_, '_>| match kind {
        Kind::User => change_person(cx, &id, (&how, if_match.as_deref()), &base),
        Kind::Group => change_group(cx, &id, (&how, if_match.as_deref()), &base),
    };
    let changed = act(&state, &caller, Mode::Write, alter).await?;
    Ok(resource(200, &asked.shaped(changed)))
}

/// The kind of an update.
enum How {
    Put(Map<String, Value>),
    Patch(Vec<patch::Operation>),
}

fn change_person(
    cx: &mut Context<'_, '_>,
    id: &str,
    (how, if_match): (&How, Option<&str>),
    base: &str,
) -> acts::Result<Result<Value, ScimError>> {
    let known = provision::person(cx, id)?;
    if if_match.is_some_and(|tags| !user::is_match(tags, known.version)) {
        return Ok(Err(stale()));
    }
    let told = match how {
        How::Put(body) => user::read(body),
        How::Patch(operations) => {
            let shown = shown_person(cx, &known, base, None)?;
            let mut shown = shown.as_object().cloned().unwrap_or_default();
            patch::apply(&mut shown, operations, USER_ATTRS).and_then(|()| user::read(&shown))
        }
    };
    let told = match told {
        Ok(told) => told,
        Err(error) => return Ok(Err(error)),
    };
    let saved = provision::replace_person(cx, id, &told)?;
    Ok(Ok(shown_person(cx, &saved, base, None)?))
}

fn change_group(
    cx: &mut Context<'_, '_>,
    id: &str,
    (how, if_match): (&How, Option<&str>),
    base: &str,
) -> acts::Result<Result<Value, ScimError>> {
    let known = provision::group(cx, id)?;
    if if_match.is_some_and(|tags| !user::is_match(tags, known.version)) {
        return Ok(Err(stale()));
    }
    let told = match how {
        How::Put(body) => group::read(body),
        How::Patch(operations) => {
            let mut told = provider::ProvisionedGroup {
                name: known.name.clone(),
                external_id: known.external_id.clone(),
                members: known.members.iter().map(|id| id.0.clone()).collect(),
            };
            group::apply(&mut told, operations).map(|()| told)
        }
    };
    let told = match told {
        Ok(told) => told,
        Err(error) => return Ok(Err(error)),
    };
    let saved = provision::replace_group(cx, id, &told)?;
    Ok(Ok(shown_group(cx, &saved, base, None)?))
}

async fn remove(
    State(state): State<AppState>,
    method: Method,
    headers: HeaderMap,
    mut places: Places,
) -> Result<Response, No> {
    let tenant = places.take(0);
    let caller = caller(&state, &method, &headers, &tenant).await?;
    let kind = Kind::of(&places.take(1))?;
    let id = places.take(2);
    let if_match = headers
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let end = move |cx: &mut Context<'_, '_>| {
        let version = match kind {
            Kind::User => provision::person(cx, &id)?.version,
            Kind::Group => provision::group(cx, &id)?.version,
        };
        if if_match.as_deref().is_some_and(|tags| !user::is_match(tags, version)) {
            return Ok(Err(stale()));
        }
        match kind {
            Kind::User => provision::remove_person(cx, &id)?,
            Kind::Group => provision::remove_group(cx, &id)?,
        }
        Ok(Ok(()))
    };
    act(&state, &caller, Mode::Write, end).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
