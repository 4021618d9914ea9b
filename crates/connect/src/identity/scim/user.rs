//! People as SCIM users, and back.

use model::identity::provider::ProvisionedPerson;
use serde_json::{Map, Value, json};

use super::schema::{ENTERPRISE, OWN, USER, USER_ATTRS, plain};
use super::{Resource, ScimError, same};

/// Attributes with fields of their own in a person, not in the extra attributes.
const OWN_FIELDS: &[&str] = &[
    "id",
    "externalId",
    "userName",
    "displayName",
    "active",
    "groups",
    "meta",
    OWN,
];

/// A person as a user is shown.
#[derive(Debug, Clone, Default)]
pub struct Shown<'a> {
    /// The person's id.
    pub id: &'a str,
    /// The record's version.
    pub version: i64,
    /// When that version was written, if known.
    pub modified: Option<jiff::Timestamp>,
    /// The login.
    pub login: &'a str,
    /// The name for people.
    pub name: &'a str,
    /// Where mail goes.
    pub email: Option<&'a str>,
    /// Whether they may act.
    pub active: bool,
    /// The client's id.
    pub external_id: Option<&'a str>,
    /// The client's extra attributes.
    pub attributes: &'a [(String, String)],
    /// The groups: id and name.
    pub groups: Vec<(String, String)>,
    /// The base address of the tenant's SCIM.
    pub base: &'a str,
}

/// Reads a user's body: of POST, PUT, or as PATCH left it.
///
/// # Errors
/// `invalidValue`.
pub fn read(body: &Map<String, Value>) -> Result<ProvisionedPerson, ScimError> {
    let mut resource = plain(body, USER_ATTRS)?;
    keep_one_primary(&mut resource);
    let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(user_name) = text("userName") else {
        return Err(ScimError::bad("invalidValue", "`userName` is missing."));
    };
    if user_name.chars().any(char::is_whitespace) {
        return Err(ScimError::bad("invalidValue", "`userName` has no spaces."));
    }
    let compromised = resource.get(OWN).and_then(|own| own.get("compromised"));
    let zone = text("timezone").filter(|zone| jiff::tz::TimeZone::get(zone).is_ok());
    Ok(ProvisionedPerson {
        login: user_name.to_lowercase(),
        name: name_of(&resource).unwrap_or_else(|| user_name.clone()),
        email: mail_of(&resource),
        zone,
        active: resource.get("active").and_then(Value::as_bool),
        compromised: compromised.and_then(Value::as_bool).unwrap_or(false),
        external_id: text("externalId"),
        attributes: rest_of(&resource, &user_name),
    })
}

/// Of several values that a body calls primary the first one is (RFC 7643 section 2.4 allows one).
fn keep_one_primary(resource: &mut Resource) {
    for items in resource.values_mut().filter_map(Value::as_array_mut) {
        let primary = items.iter_mut().filter_map(Value::as_object_mut);
        let primary = primary.filter(|item| item.get("primary") == Some(&Value::Bool(true)));
        for other in primary.skip(1) {
            other.remove("primary");
        }
    }
}

fn name_of(resource: &Resource) -> Option<String> {
    let shown = resource.get("displayName").and_then(Value::as_str);
    if let Some(name) = shown {
        return Some(name.to_owned());
    }
    let part = |name: &str| resource.get("name")?.get(name)?.as_str();
    if let Some(whole) = part("formatted") {
        return Some(whole.to_owned());
    }
    let parts: Vec<&str> = [part("givenName"), part("familyName")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The primary address, else that for work, else the first.
fn mail_of(resource: &Resource) -> Option<String> {
    let items = resource.get("emails")?.as_array()?;
    let is_primary = |item: &&Value| item.get("primary") == Some(&Value::Bool(true));
    let is_work = |item: &&Value| {
        item.get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| same(kind, "work"))
    };
    let found = items
        .iter()
        .find(is_primary)
        .or_else(|| items.iter().find(is_work))
        .or_else(|| items.first());
    found?.get("value")?.as_str().map(str::to_owned)
}

/// Attributes without a field of their own, as compact JSON by attribute; and the name as written, if its letters differ.
fn rest_of(resource: &Resource, user_name: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = resource
        .iter()
        .filter(|(key, _)| !OWN_FIELDS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.to_string()))
        .collect();
    if user_name != user_name.to_lowercase() {
        found.push(("userName".to_owned(), json!(user_name).to_string()));
    }
    if let Some(name) = resource.get("displayName") {
        found.push(("displayName".to_owned(), name.to_string()));
    }
    found.sort();
    found
}

/// A person as a user.
#[must_use]
pub fn show(it: &Shown<'_>) -> Resource {
    let mut user = Resource::new();
    let mut schemas = vec![json!(USER)];
    user.insert("id".to_owned(), json!(it.id));
    for (key, text) in it.attributes {
        // Stored attributes were read by the same table before; a value that cannot be read any more is left out.
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            if key == ENTERPRISE {
                schemas.push(json!(ENTERPRISE));
            }
            user.insert(key.clone(), value);
        }
    }
    let written = user
        .get("userName")
        .and_then(Value::as_str)
        .filter(|name| same(name, it.login));
    let user_name = written.unwrap_or(it.login).to_owned();
    user.insert("userName".to_owned(), json!(user_name));
    // A name that only follows from the others was never sent as the display name, so it is not returned as such.
    let told = user.get("displayName").and_then(Value::as_str).map(str::to_owned);
    let follows = !it.attributes.is_empty() && name_of(&user).as_deref().unwrap_or(&user_name) == it.name;
    if told.as_deref() != Some(it.name) && !(told.is_none() && follows) {
        user.insert("displayName".to_owned(), json!(it.name));
    }
    if let Some(id) = it.external_id {
        user.insert("externalId".to_owned(), json!(id));
    }
    user.insert("active".to_owned(), json!(it.active));
    put_mail(&mut user, it.email);
    if !it.groups.is_empty() {
        let base = it.base;
        let groups = it.groups.iter().map(
            |(id, name)| json!({"value": id, "display": name, "type": "direct", "$ref": format!("{base}/Groups/{id}")}),
        );
        user.insert("groups".to_owned(), groups.collect());
    }
    user.insert("schemas".to_owned(), Value::Array(schemas));
    user.insert(
        "meta".to_owned(),
        meta("User", it.id, (it.version, it.modified), &format!("{}/Users", it.base)),
    );
    user
}

/// An address that was changed here is the one returned.
fn put_mail(user: &mut Resource, email: Option<&str>) {
    let told = mail_of(user);
    match email {
        Some(mail) if told.as_deref().is_none_or(|told| !same(told, mail)) => {
            user.insert(
                "emails".to_owned(),
                json!([{"value": mail, "type": "work", "primary": true}]),
            );
        }
        None => {
            user.remove("emails");
        }
        Some(_) => {}
    }
}

/// The metadata of every resource. Ids bear the time they were made (RFC 9562 section 5.7).
pub(super) fn meta(kind: &str, id: &str, (version, modified): (i64, Option<jiff::Timestamp>), folder: &str) -> Value {
    let mut meta = json!({
        "resourceType": kind,
        "location": format!("{folder}/{id}"),
        "version": etag(version),
    });
    if let Some(created) = created(id) {
        meta["created"] = json!(created.to_string());
    }
    if let Some(modified) = modified {
        meta["lastModified"] = json!(modified.to_string());
    }
    meta
}

fn created(id: &str) -> Option<jiff::Timestamp> {
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    let is_seventh = id.len() == 36 && id.as_bytes()[14] == b'7';
    let millis = i64::from_str_radix(&digits, 16).ok().filter(|_| is_seventh)?;
    jiff::Timestamp::from_millisecond(millis).ok()
}

/// The ETag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// Whether `If-Match` names a version; strong and weak tags mean the same here.
#[must_use]
pub fn is_match(if_match: &str, version: i64) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    if_match
        .split(',')
        .any(|tag| tag.trim() == "*" || bare(tag) == version.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn body(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_is_read_is_shown_again() {
        let sent = json!({
            "schemas": [USER, ENTERPRISE], "userName": "Ada@Acme.example", "externalId": "x1", "active": "True",
            "name": {"givenName": "Ada", "familyName": "Lovelace"}, "timezone": "Europe/Oslo", "password": "never kept",
            "emails": [{"value": "home@x.example"}, {"type": "work", "value": "ada@acme.example"}],
            "groups": [{"value": "g1"}], ENTERPRISE: {"Department": "Ops"}, OWN: {"compromised": false},
        });
        let read = read(&body(sent)).unwrap();
        assert_eq!(
            (read.login.as_str(), read.name.as_str()),
            ("ada@acme.example", "Ada Lovelace")
        );
        assert_eq!(read.email.as_deref(), Some("ada@acme.example"));
        assert_eq!(read.zone.as_deref(), Some("Europe/Oslo"));
        assert!(read.active == Some(true) && !read.compromised);
        let shown = Value::Object(show(&Shown {
            id: "0197f3a2-0000-7000-8000-000000000001",
            version: 3,
            modified: Some("2026-05-04T20:00:00Z".parse().unwrap()),
            login: &read.login,
            name: &read.name,
            email: read.email.as_deref(),
            active: true,
            external_id: Some("x1"),
            attributes: &read.attributes,
            groups: vec![("g1".to_owned(), "Ops".to_owned())],
            base: "https://a.example/t/acme/scim/v2",
        }));
        assert_eq!(shown["userName"], "Ada@Acme.example");
        assert_eq!(shown.get("displayName"), None, "a name to show was not sent");
        assert_eq!(shown["emails"][1]["value"], "ada@acme.example");
        assert_eq!(shown[ENTERPRISE]["department"], "Ops");
        assert_eq!(shown["meta"]["version"], "W/\"3\"");
        assert_eq!(shown["meta"]["created"], "2025-07-10T09:19:29.792Z");
        assert_eq!(shown["meta"]["lastModified"], "2026-05-04T20:00:00Z");
        assert_eq!(shown["groups"][0]["display"], "Ops");
        assert!(!shown.to_string().contains("never kept"));
    }

    #[test]
    fn an_address_changed_here_is_told_and_a_missing_name_refused() {
        let attributes = vec![("emails".to_owned(), r#"[{"value":"old@x.example"}]"#.to_owned())];
        let shown = show(&Shown {
            id: "p1",
            login: "ada",
            name: "Ada",
            email: Some("new@x.example"),
            attributes: &attributes,
            ..Shown::default()
        });
        assert_eq!(shown["emails"][0]["value"], "new@x.example");
        for wrong in [
            json!({}),
            json!({"userName": ""}),
            json!({"userName": "a b"}),
            json!({"userName": {}}),
        ] {
            assert_eq!(read(&body(wrong)).unwrap_err().kind, "invalidValue");
        }
    }

    #[test]
    fn whether_somebody_is_active_is_told_alone_where_it_is_said() {
        for (said, active) in [
            (json!({}), None),
            (json!({"active": null}), None),
            (json!({"active": "False"}), Some(false)),
        ] {
            let mut sent = json!({"userName": "ada"});
            sent.as_object_mut().unwrap().extend(body(said));
            assert_eq!(read(&body(sent)).unwrap().active, active);
        }
    }

    #[test]
    fn tags_match_weak_or_strong() {
        assert!(is_match("W/\"3\"", 3) && is_match("\"3\"", 3) && is_match("\"1\", W/\"3\"", 3) && is_match("*", 3));
        assert!(!is_match("W/\"4\"", 3));
    }
}
