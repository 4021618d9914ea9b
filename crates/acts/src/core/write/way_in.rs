//! Records the way in which an act came: its session or token, and the address, in each of its events. An address is
//! personal data and the log is permanent, so the log holds a code under the master key. A search for an address finds
//! its events, but nobody can read addresses from the log.

use model::change::change_file::{EventDraft, VIA, WayIn};
use serde_json::{Map, Value, json};

use crate::core::context::Context;

/// The member of an event's data with the way in.
pub(crate) const MEMBER: &str = VIA;
/// The purpose of the code of an address.
const ADDRESS: &str = "address";
/// The bytes of the code in the log: enough that no two addresses of a tenant share a code.
const BYTES: usize = 16;

/// The code of an address in this tenant's log.
pub(crate) fn address_code(cx: &Context<'_, '_>, address: &str) -> String {
    let tenant = cx.tenant();
    let code = cx
        .services
        .tools()
        .master
        .mac(ADDRESS, &[tenant.as_bytes(), address.as_bytes()]);
    proof::crypto::base64url(&code[..BYTES])
}

/// The way in as events record it; `None` if nothing is known.
pub(crate) fn to_data(cx: &Context<'_, '_>, via: &WayIn) -> Option<Value> {
    let mut map = Map::new();
    for (name, value) in [("session", &via.session), ("token", &via.token)] {
        if let Some(value) = value {
            map.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(address) = via.address.as_deref().filter(|address| !address.is_empty()) {
        map.insert(ADDRESS.to_owned(), json!(address_code(cx, address)));
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// Notes the way in of the acting person in an event that names none.
pub(super) fn mark(cx: &Context<'_, '_>, draft: &mut EventDraft) {
    let Some(via) = cx.actor.via.as_ref().filter(|_| !draft.data.contains_key(MEMBER)) else {
        return;
    };
    if let Some(told) = to_data(cx, via) {
        draft.data.insert(MEMBER.to_owned(), told);
    }
}
