//! The attributes that are known, and the three discovery documents made from them (RFC 7643 sections 5 to 8).

use serde_json::{Map, Value, json};

use super::{MOST_RESULTS, Resource, ScimError, same};

/// The core schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The extension of enterprises.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Our extension: an account that is deactivated as compromised.
pub const OWN: &str = "urn:assent:params:scim:schemas:extension:2.0:User";
/// The core schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text in which the case of letters does not matter.
    Text,
    /// A text letter for letter.
    Exact,
    /// Yes or no.
    Bool,
    /// The address of another resource, of this type; `external` for one outside this server.
    Reference(&'static str),
    /// A time.
    Time,
    /// Attributes of its own.
    Complex(&'static [Attr]),
}

/// An attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr {
    /// Its name in the letters of the schema.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether there may be several.
    pub is_many: bool,
    /// Whether only the server sets it.
    pub is_fixed: bool,
    /// Its purpose.
    pub about: &'static str,
}

const fn attr(name: &'static str, kind: Kind, about: &'static str) -> Attr {
    Attr {
        name,
        kind,
        is_many: false,
        is_fixed: false,
        about,
    }
}

const fn many(name: &'static str, subs: &'static [Attr], about: &'static str) -> Attr {
    Attr {
        is_many: true,
        ..attr(name, Kind::Complex(subs), about)
    }
}

const fn fixed(attr: Attr) -> Attr {
    Attr { is_fixed: true, ..attr }
}

const NAME: &[Attr] = &[
    attr("formatted", Kind::Text, "The whole name."),
    attr("familyName", Kind::Text, "The family name."),
    attr("givenName", Kind::Text, "The given name."),
    attr("middleName", Kind::Text, "Names between them."),
    attr("honorificPrefix", Kind::Text, "Such as Dr."),
    attr("honorificSuffix", Kind::Text, "Such as III."),
];

const VALUES: &[Attr] = &[
    attr("value", Kind::Text, "The value."),
    attr("display", Kind::Text, "The value for people."),
    attr("type", Kind::Text, "Such as `work`."),
    attr("primary", Kind::Bool, "Whether it is the usual one."),
];

const ADDRESS: &[Attr] = &[
    attr("formatted", Kind::Text, "The whole address."),
    attr("streetAddress", Kind::Text, "The street."),
    attr("locality", Kind::Text, "The town."),
    attr("region", Kind::Text, "The region."),
    attr("postalCode", Kind::Text, "The postal code."),
    attr("country", Kind::Text, "The country."),
    attr("type", Kind::Text, "Such as `work`."),
    attr("primary", Kind::Bool, "Whether it is the usual one."),
];

const PHOTO: &[Attr] = &[
    attr("value", Kind::Reference("external"), "The picture's address."),
    attr("display", Kind::Text, "The value for people."),
    attr("type", Kind::Text, "`photo` or `thumbnail`."),
    attr("primary", Kind::Bool, "Whether it is the usual one."),
];

const CERTIFICATE: &[Attr] = &[
    attr("value", Kind::Exact, "The certificate, DER in base64."),
    attr("display", Kind::Text, "The value for people."),
    attr("type", Kind::Text, "What it is for."),
    attr("primary", Kind::Bool, "Whether it is the usual one."),
];

/// Attributes that are kept for the client alone. Nothing here reads them, so that a value that cannot be kept is left out
/// instead of turning a person away.
const FOR_CLIENT: [&str; 5] = ["ims", "photos", "entitlements", "roles", "x509Certificates"];

const MEMBERSHIP: &[Attr] = &[
    attr("value", Kind::Exact, "The group's id."),
    attr("$ref", Kind::Reference("Group"), "The group's address."),
    attr("display", Kind::Text, "The group's name."),
    attr("type", Kind::Text, "`direct`."),
];

const META: &[Attr] = &[
    attr("resourceType", Kind::Exact, "`User` or `Group`."),
    attr("created", Kind::Time, "When it was made."),
    attr("lastModified", Kind::Time, "When it was changed last."),
    attr("location", Kind::Exact, "Its address."),
    attr("version", Kind::Exact, "Its ETag."),
];

/// The names of the schemas of a resource (RFC 7643 section 3).
const SCHEMAS: Attr = Attr {
    is_many: true,
    ..fixed(attr("schemas", Kind::Text, "The schemas it speaks by."))
};

/// The core attributes of users.
pub const USER_ATTRS: &[Attr] = &[
    SCHEMAS,
    fixed(attr("id", Kind::Exact, "The person's id here.")),
    attr("externalId", Kind::Exact, "The person's id in the client's directory."),
    attr(
        "userName",
        Kind::Text,
        "What they sign in with; unique, its letters' case does not matter.",
    ),
    attr("name", Kind::Complex(NAME), "The parts of the name."),
    attr("displayName", Kind::Text, "The name that others read."),
    attr("nickName", Kind::Text, "A casual name."),
    attr(
        "profileUrl",
        Kind::Reference("external"),
        "An address about the person.",
    ),
    attr("title", Kind::Text, "Such as Site Reliability Engineer."),
    attr("userType", Kind::Text, "Such as Contractor."),
    attr("preferredLanguage", Kind::Text, "As in Accept-Language."),
    attr("locale", Kind::Text, "Such as nb-NO."),
    attr(
        "timezone",
        Kind::Text,
        "An IANA zone; it becomes the zone of pages and mail.",
    ),
    attr(
        "active",
        Kind::Bool,
        "Whether they may act. False ends sessions, tokens and open requests at once.",
    ),
    many("emails", VALUES, "Mail addresses; the primary one is where mail goes."),
    many("phoneNumbers", VALUES, "Phone numbers."),
    many("addresses", ADDRESS, "Postal addresses."),
    many("ims", VALUES, "Addresses of instant messages."),
    many("photos", PHOTO, "Addresses of pictures."),
    many(
        "entitlements",
        VALUES,
        "What they may use elsewhere; it gives nothing here.",
    ),
    many("roles", VALUES, "What they are elsewhere; it gives no role here."),
    many(
        "x509Certificates",
        CERTIFICATE,
        "Certificates; nobody signs in by them here.",
    ),
    fixed(many(
        "groups",
        MEMBERSHIP,
        "The groups they belong to; changed at the groups.",
    )),
    fixed(attr("meta", Kind::Complex(META), "About the record.")),
];

const MANAGER: &[Attr] = &[
    attr("value", Kind::Exact, "The manager's id."),
    attr("$ref", Kind::Reference("User"), "The manager's address."),
    attr("displayName", Kind::Text, "The manager's name."),
];

/// The attributes of the enterprise extension.
pub const ENTERPRISE_ATTRS: &[Attr] = &[
    attr("employeeNumber", Kind::Text, "The number at the employer."),
    attr("costCenter", Kind::Text, "The cost centre."),
    attr("organization", Kind::Text, "The organisation."),
    attr("division", Kind::Text, "The division."),
    attr("department", Kind::Text, "The department."),
    attr("manager", Kind::Complex(MANAGER), "The manager."),
];

/// The attributes of our extension.
pub const OWN_ATTRS: &[Attr] = &[attr(
    "compromised",
    Kind::Bool,
    "With `active` false: the person's decisions are void and permits that rest on them die.",
)];

const MEMBERS: &[Attr] = &[
    attr("value", Kind::Exact, "The person's id."),
    attr("$ref", Kind::Reference("User"), "The person's address."),
    fixed(attr("display", Kind::Text, "The person's name.")),
    fixed(attr("type", Kind::Text, "`User`.")),
];

/// The core attributes of groups.
pub const GROUP_ATTRS: &[Attr] = &[
    SCHEMAS,
    fixed(attr("id", Kind::Exact, "The group's id here.")),
    attr("externalId", Kind::Exact, "The group's id in the client's directory."),
    attr("displayName", Kind::Text, "The group's name; unique."),
    many("members", MEMBERS, "The people in it; groups in groups are not known."),
    fixed(attr("meta", Kind::Complex(META), "About the record.")),
];

/// The attributes under a schema's name, in any case of its letters.
#[must_use]
pub fn extension(urn: &str) -> Option<(&'static str, &'static [Attr])> {
    let known: [(&str, &[Attr]); 2] = [(ENTERPRISE, ENTERPRISE_ATTRS), (OWN, OWN_ATTRS)];
    known.into_iter().find(|(name, _)| same(name, urn))
}

/// The attributes that a path means by the schema before its name: without a schema or with a core one, the given ones, else
/// those of a known extension, with its name. `None` for any other schema: its `active` is another attribute.
#[must_use]
pub fn of_schema(uri: Option<&str>, attrs: &'static [Attr]) -> Option<(Option<&'static str>, &'static [Attr])> {
    match uri {
        None => Some((None, attrs)),
        Some(uri) if same(uri, USER) || same(uri, GROUP) => Some((None, attrs)),
        Some(uri) => extension(uri).map(|(urn, inner)| (Some(urn), inner)),
    }
}

/// An attribute by its name, in any case of its letters.
#[must_use]
pub fn find(attrs: &'static [Attr], name: &str) -> Option<&'static Attr> {
    attrs.iter().find(|attr| same(attr.name, name))
}

/// A resource in the letters of the schema: read-only, null and unknown attributes are left out; true and false may come as
/// text, as Entra sends them.
///
/// # Errors
/// `invalidValue` for a value of another kind, or one that is too long.
pub fn plain(map: &Map<String, Value>, attrs: &'static [Attr]) -> Result<Resource, ScimError> {
    let mut found = Resource::new();
    for (key, value) in map {
        if let Some((urn, inner)) = extension(key) {
            let Value::Object(inner_map) = value else { continue };
            found.insert(urn.to_owned(), Value::Object(plain(inner_map, inner)?));
            continue;
        }
        let Some(attr) = find(attrs, key).filter(|attr| !attr.is_fixed) else {
            continue;
        };
        if let Some(value) = checked(attr, value)? {
            found.insert(attr.name.to_owned(), value);
        }
    }
    Ok(found)
}

/// A value in its attribute's type; `None` for nothing.
///
/// # Errors
/// `invalidValue`.
pub fn checked(attr: &'static Attr, value: &Value) -> Result<Option<Value>, ScimError> {
    if !attr.is_many {
        // Entra wraps a reference, such as the manager, into a list of one.
        return match value {
            Value::Array(items) if items.len() == 1 => one(attr, &items[0]),
            _ => one(attr, value),
        };
    }
    let items = match value {
        Value::Null => return Ok(None),
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    };
    let is_for_client = FOR_CLIENT.contains(&attr.name);
    if items.len() > super::MOST_VALUES && attr.name != "members" && !is_for_client {
        let text = format!("`{}` has at most {} values.", attr.name, super::MOST_VALUES);
        return Err(ScimError::bad("invalidValue", text));
    }
    let mut found = Vec::new();
    for item in &items {
        match one(attr, item) {
            Err(_) if is_for_client => {}
            read => found.extend(read?),
        }
    }
    if is_for_client {
        found.truncate(super::MOST_VALUES);
    }
    Ok((!found.is_empty()).then_some(Value::Array(found)))
}

fn one(attr: &'static Attr, value: &Value) -> Result<Option<Value>, ScimError> {
    let wrong = |what: &str| ScimError::bad("invalidValue", format!("`{}` must be {what}.", attr.name));
    Ok(match (attr.kind, value) {
        (_, Value::Null) => None,
        (Kind::Complex(subs), Value::Object(map)) => {
            let inner = plain(map, subs)?;
            (!inner.is_empty()).then_some(Value::Object(inner))
        }
        // Entra sends a manager, and some clients a mail address, as the bare value.
        (Kind::Complex(subs), Value::String(text)) if find(subs, "value").is_some() => {
            (!text.is_empty()).then(|| json!({"value": text}))
        }
        (Kind::Complex(_), _) => return Err(wrong("an object")),
        // Entra wrote single values like those of a list, `active` of a leaver among them: `[{"value": "False"}]`.
        (_, Value::Object(map)) => match super::member(map, "value") {
            Some(inner) if !inner.is_object() => return one(attr, inner),
            _ => return Err(wrong("a single value")),
        },
        (Kind::Bool, Value::Bool(_)) => Some(value.clone()),
        (Kind::Bool, Value::String(text)) if same(text, "true") => Some(json!(true)),
        (Kind::Bool, Value::String(text)) if same(text, "false") => Some(json!(false)),
        (Kind::Bool, _) => return Err(wrong("true or false")),
        (_, Value::String(text)) if text.len() > super::LONGEST_TEXT => {
            return Err(wrong(&format!("at most {} bytes long", super::LONGEST_TEXT)));
        }
        (_, Value::String(text)) if text.is_empty() => None,
        (_, Value::String(_)) => Some(value.clone()),
        (_, Value::Number(number)) => Some(json!(number.to_string())),
        _ => return Err(wrong("a text")),
    })
}

fn shown(attr: &Attr) -> Value {
    let kind = match attr.kind {
        Kind::Text | Kind::Exact => "string",
        Kind::Reference(_) => "reference",
        Kind::Bool => "boolean",
        Kind::Time => "dateTime",
        Kind::Complex(_) => "complex",
    };
    let is_unique = matches!(attr.name, "userName" | "id");
    // It is a command rather than a property, and is not returned.
    let is_order = attr.name == "compromised";
    let mutability = match (attr.is_fixed, is_order) {
        (true, _) => "readOnly",
        (_, true) => "writeOnly",
        _ => "readWrite",
    };
    let returned = match attr.name {
        "id" => "always",
        _ if is_order => "never",
        _ => "default",
    };
    let mut value = json!({
        "name": attr.name,
        "type": kind,
        "multiValued": attr.is_many,
        "description": attr.about,
        // Nobody is neither active nor inactive: an absent value is true, and it cannot be removed.
        "required": matches!(attr.name, "userName" | "active"),
        "caseExact": matches!(attr.kind, Kind::Exact | Kind::Reference(_)),
        "mutability": mutability,
        "returned": returned,
        "uniqueness": if is_unique { "server" } else { "none" },
    });
    if let Kind::Reference(to) = attr.kind {
        value["referenceTypes"] = json!([to]);
    }
    if let Kind::Complex(subs) = attr.kind {
        value["subAttributes"] = subs.iter().map(shown).collect();
    }
    value
}

/// The common attributes are no part of a schema (RFC 7643 section 3.1).
fn attributes(attrs: &[Attr]) -> Value {
    let own = attrs
        .iter()
        .filter(|attr| !matches!(attr.name, "schemas" | "id" | "externalId" | "meta"));
    own.map(shown).collect()
}

fn document(id: &str, name: &str, about: &str, attrs: &[Attr], base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": id,
        "name": name,
        "description": about,
        "attributes": attributes(attrs),
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{id}")},
    })
}

/// All schemas (`GET /Schemas`).
#[must_use]
pub fn schemas(base: &str) -> Vec<Value> {
    let mut group = document(GROUP, "Group", "A group of people.", GROUP_ATTRS, base);
    // A group requires a name.
    if let Some(Value::Array(attrs)) = group.get_mut("attributes") {
        attrs
            .iter_mut()
            .filter(|it| it["name"] == "displayName")
            .for_each(|it| {
                it["required"] = json!(true);
                it["uniqueness"] = json!("server");
            });
    }
    vec![
        document(USER, "User", "A person.", USER_ATTRS, base),
        document(
            ENTERPRISE,
            "EnterpriseUser",
            "A person at work.",
            ENTERPRISE_ATTRS,
            base,
        ),
        document(
            OWN,
            "AssentUser",
            "What only Assent knows of a person.",
            OWN_ATTRS,
            base,
        ),
        group,
    ]
}

/// The kinds of resources (`GET /ResourceTypes`).
#[must_use]
pub fn resource_types(base: &str) -> Vec<Value> {
    let kind = |name: &str, endpoint: &str, schema: &str, extensions: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "description": format!("{name}s of this tenant."),
            "endpoint": endpoint,
            "schema": schema,
            "schemaExtensions": extensions,
            "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}")},
        })
    };
    let extensions = json!([{"schema": ENTERPRISE, "required": false}, {"schema": OWN, "required": false}]);
    vec![
        kind("User", "/Users", USER, extensions),
        kind("Group", "/Groups", GROUP, json!([])),
    ]
}

/// The server's capabilities (`GET /ServiceProviderConfig`).
#[must_use]
pub fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MOST_RESULTS},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "API token",
            "description": "A token with the scope `scim`, sent as `Authorization: Bearer`.",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    })
}
