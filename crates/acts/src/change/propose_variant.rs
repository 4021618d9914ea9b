//! A variant of a template from a proposed diff: a template of its own. Two people approve it before a trial uses it
//! for half of the changes.

use std::collections::BTreeSet;

use model::change::custom_field;
use model::change::custom_values;
use model::change::template::proposal::{Edit, FieldEdit};
use model::core::act::actions::PROPOSE_TEMPLATE;
use model::core::body::Body;
use model::core::enums::Level;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::records::StandardTemplate;
use model::directory::snapshot::Directory;
use serde_json::{Value, json};

use crate::change::set_template::propose_template;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_rework::find_template_report;

/// Proposes a variant of a template (`POST /templates/{key}/variants {key, title?, fields?}`) with the lines of the
/// proposed diff, or only those of the named fields. Returns the variant, which waits for its approvals.
///
/// # Errors
/// 403; 404; 409 if nothing is proposed; 422.
pub fn propose_variant(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<StandardTemplate> {
    cx.allow(PROPOSE_TEMPLATE)?;
    let report = find_template_report(cx, key)?;
    let directory = cx.directory()?;
    let Some(template) = directory.templates.get(key) else {
        return Err(Refusal::not_found(format!("template {key}")).into());
    };
    let mut reading = Reading::new(body, "");
    let name = reading.needed("key", 100);
    let title = reading.text("title", LINE);
    let wanted = reading.texts("fields", LINE);
    if directory.templates.contains_key(&name) {
        let text = format!("There is a template `{name}` already; a variant has a key of its own.");
        reading.wrong("key", "not_unique", text);
    }
    let known = |field: &str| report.proposal.iter().any(|it| it.field == field);
    for field in wanted.iter().flatten().filter(|field| !known(field)) {
        reading.wrong("fields", "unknown", format!("Nothing is proposed for `{field}`."));
    }
    reading.finish()?;
    let is_wanted = |it: &&FieldEdit| wanted.as_ref().is_none_or(|fields| fields.contains(&it.field));
    let edits: Vec<&FieldEdit> = report.proposal.iter().filter(is_wanted).collect();
    if edits.is_empty() {
        let text = format!("The uses of {key} do not suggest a different template.");
        let satisfy = "Check its rework again after more changes have used it, or propose a template manually.";
        return Err(Refusal::not_now("nothing_proposed", text, satisfy, Vec::new()).into());
    }
    let title = title.unwrap_or_else(|| template.title.clone());
    let request = request(template, &directory, (name, title), &edits)?;
    propose_template(cx, &request)
}

/// The request of a template with the lines of a diff. All other fields stay as in the template, including its bounds.
pub(crate) fn request(
    template: &StandardTemplate,
    directory: &Directory,
    (key, title): (String, String),
    edits: &[&FieldEdit],
) -> Result<Body> {
    let mut locked = template.locked.clone();
    let mut free: BTreeSet<String> = template.free.clone();
    for it in edits {
        match &it.edit {
            Edit::Lock(value) => {
                free.remove(&it.field);
                locked.insert(it.field.clone(), value.clone());
            }
            Edit::Free => {
                locked.remove(&it.field);
                free.insert(it.field.clone());
            }
            Edit::Drop => {
                free.remove(&it.field);
            }
        }
    }
    if !template.custom_fields.is_empty() {
        let own = custom_values::shown(&template.custom_fields, directory);
        free.remove(custom_field::FIELD);
        locked.insert(custom_field::FIELD.to_owned(), Value::Object(own));
    }
    let mut bounds = serde_json::to_value(&template.bounds)?;
    if template.bounds.highest_risk == Level::None
        && let Some(bounds) = bounds.as_object_mut()
    {
        // A proposal states low or more; lower risks follow from the table.
        bounds.remove("highest_risk");
    }
    let request = json!({
        "key": key, "title": title, "locked": locked, "free": free, "services": template.services,
        "environments": template.environments, "bounds": bounds,
        "review_by": template.review_by.to_string(), "watch_minutes": template.watch_minutes,
        "suspend_after": template.suspend_after,
    });
    Ok(request.as_object().cloned().unwrap_or_default())
}
