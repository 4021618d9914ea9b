//! The labels of the fields of a form that is given back. A browser sends their names alone, so they are found again by where
//! the form was going.

use crate::{Act, ActContext, ActForm, ChangeFields, Field, Input};

/// The labels of the fields of forms other than a change's.
const USUAL: [(&str, &str); 129] = [
    ("archive_days", "Days until the archive"),
    ("bounds.highest_risk", "Highest risk"),
    ("business_owner", "Business owner"),
    ("business_unit", "Contacts of the business unit"),
    ("cases", "Their cases"),
    ("change", "The change’s key"),
    ("changes_days", "Days after a change has ended"),
    ("choices", "Choices"),
    ("claims", "What a token must say"),
    ("class", "Or a class"),
    ("client_id", "Client id"),
    ("client_secret", "Client secret"),
    ("clock", "Clock"),
    ("compromised", "The account is compromised"),
    ("creates_people", "Makes people at their first sign-in"),
    ("criticality", "Criticality"),
    ("data_class", "Data class"),
    ("defaults", "Defaults of services"),
    ("delegate", "Who"),
    ("deliveries_days", "Days for raw deliveries"),
    ("density", "Rows of pages"),
    ("deputy", "Only while I am away"),
    ("description", "Help"),
    ("digest_at", "The daily letter comes at"),
    ("due_at", "Until when managers sign"),
    ("email", "Mail address"),
    ("ends_at", "To"),
    ("ends_rrule", "Each time ends"),
    ("environment", "Environment"),
    ("environments", "Environments"),
    ("exdates", "Left out on"),
    ("expires_at", "Ends"),
    ("external_ref", "Its key in your incident tool"),
    ("fiscal_of", "Months and years are fiscal ones of"),
    ("format", "Form"),
    ("free", "Free fields"),
    ("group", "Or a group"),
    ("groups", "Their groups that are ours"),
    ("groups_claim", "Claim with the groups"),
    ("halt", "Work that is going on must stop too"),
    ("has_invitations", "Invitations to the times of your changes"),
    ("held", "Holds"),
    ("holds", "Holds"),
    ("holidays", "Holidays"),
    ("hours", "Hours"),
    ("how", "Letters"),
    ("is_fact", "Policies may read it"),
    (
        "is_needed",
        "Changes written from now on cannot be submitted without it",
    ),
    ("in_words:starts_at:ends_at", "Or in words"),
    ("issuer", "Issuer"),
    ("key", "Key"),
    ("kind", "Kind"),
    ("kinds", "On which changes"),
    ("language", "Language of pages and letters"),
    ("last", "On the last"),
    ("locked.complexity", "Complexity"),
    ("locked.description", "Description of the work"),
    ("locked.justification", "Why it is safe without an approval"),
    ("login", "Login"),
    ("login_claim", "Claim with the login"),
    ("manager", "Login of their manager"),
    ("map", "What their repositories are here"),
    ("meant_for", "Meant for"),
    ("minutes", "Minutes inside"),
    ("name", "Name"),
    ("overrides", "Moved times"),
    ("own_issuer", "This issuer serves only our own jobs"),
    ("owner", "Owner"),
    ("packs", "Packs that come with Assent"),
    ("parameters", "Your values"),
    ("password", "New password"),
    ("person", "Login"),
    ("policies", "Policies of your own"),
    ("present", "Present password"),
    ("preview", "Only show the affected changes, and set nothing"),
    ("quiet_from", "Quiet from"),
    ("quiet_until", "Quiet until"),
    ("reach", "Services that need these"),
    ("reason", "Why"),
    ("recurrence", "Repeats"),
    ("regimes", "Regimes"),
    ("reply_to", "For mail: the address that letters are answered to"),
    ("resolved_at", "When it was resolved"),
    ("review_by", "Review by"),
    ("rights_last_days", "Days that what it gives lasts"),
    ("role", "Role"),
    ("roles", "Rights"),
    ("rrule", "Another rule"),
    ("scopes", "It may"),
    ("service", "Service"),
    ("services", "Services"),
    ("severity", "Severity"),
    ("started_at", "Since"),
    ("starts_at", "From"),
    ("steps", "Plan"),
    ("steps_back", "Rollback plan"),
    ("suspend_after", "Failures that suspend it"),
    ("table.critical.high", "Critical criticality, high risk"),
    ("table.critical.low", "Critical criticality, low risk"),
    ("table.critical.medium", "Critical criticality, medium risk"),
    ("table.emergency.acknowledge", "Emergency: acknowledge"),
    ("table.emergency.decide", "Emergency: decide"),
    ("table.expedited.acknowledge", "Expedited: acknowledge"),
    ("table.expedited.decide", "Expedited: decide"),
    ("table.high.acknowledge", "High risk: acknowledge"),
    ("table.high.decide", "High risk: decide"),
    ("table.high.high", "High criticality, high risk"),
    ("table.high.low", "High criticality, low risk"),
    ("table.high.medium", "High criticality, medium risk"),
    ("table.low.acknowledge", "Low risk: acknowledge"),
    ("table.low.decide", "Low risk: decide"),
    ("table.low.high", "Low criticality, high risk"),
    ("table.low.low", "Low criticality, low risk"),
    ("table.low.medium", "Low criticality, medium risk"),
    ("table.medium.acknowledge", "Medium risk: acknowledge"),
    ("table.medium.decide", "Medium risk: decide"),
    ("table.medium.high", "Medium criticality, high risk"),
    ("table.medium.low", "Medium criticality, low risk"),
    ("table.medium.medium", "Medium criticality, medium risk"),
    ("team", "Team"),
    ("thaw_risk", "What may still start"),
    ("time_zone", "Time zone of the rule"),
    ("title", "Name"),
    (
        "trusts_mail",
        "Its mail addresses are trusted without its own verification",
    ),
    ("url", "Address"),
    ("watch_minutes", "Minutes of watching before it closes automatically"),
    ("with_texts", "Send free texts too"),
    ("working_days_of", "Only working days of"),
    ("zone", "Time zone"),
];

/// Labels that differ in one form: the end of its address, in which a star matches a key; the name; the label.
const OTHERWISE: [(&str, &str, &str); 70] = [
    ("/account/factors", "name", "What you call it"),
    ("/account/passkeys", "name", "What you call it"),
    ("/away/delegations", "services", "Only for these services"),
    ("/changes/*/return", "question", "Your question"),
    ("/conflicts/*", "moves", "The change that moves"),
    ("/conflicts/*", "owner", "Login"),
    ("/conflicts/*", "reason", "Why"),
    ("/drift-baselines", "environment", "Environment"),
    ("/drift-baselines", "pattern", "Addresses"),
    ("/drift-baselines/*", "environment", "Environment"),
    ("/drift-baselines/*", "pattern", "Addresses"),
    ("/drift-rules", "environment", "Environment"),
    ("/drift-rules", "pattern", "Addresses"),
    ("/drift-rules/*", "environment", "Environment"),
    ("/drift-rules/*", "pattern", "Addresses"),
    ("/drift/*", "outcome", "What is done"),
    ("/drift/*/links", "kind", "It is"),
    ("/drift/*/links", "to", "The other record"),
    ("/emergency-cards", "approved", "Signed"),
    ("/emergency-cards", "environment", "Environment"),
    ("/emergency-cards/*", "approved", "Signed"),
    ("/emergency-cards/*", "environment", "Environment"),
    ("/freezes", "reason", "Reason and agreement"),
    ("/freezes/*", "reason", "Reason and agreement"),
    ("/freezes/*/agreement", "reason", "Why"),
    ("/freezes/*/announcement", "reason", "Why"),
    ("/freezes/*/exceptions", "reason", "Reason for the exception"),
    ("/identity-providers", "roles", "Their groups that give rights"),
    ("/inbox", "due_at", "Until"),
    ("/inbox", "text", "Helpful information"),
    ("/inbox", "title", "What to do"),
    ("/inbox/*/settlement", "state", "What came of it"),
    ("/incidents", "title", "What is broken"),
    ("/incidents/*/candidates", "confirmed", "Verdict"),
    ("/incidents/*/candidates", "reason", "Why"),
    ("/incidents/*/links", "kind", "It is"),
    ("/incidents/*/links", "to", "The other record"),
    ("/incidents/*/review", "cause", "Root cause"),
    ("/incidents/*/review", "contributing", "Contributing factors"),
    ("/incidents/*/review", "is_complete", "The review is complete"),
    ("/incidents/*/review", "summary", "What happened and why"),
    ("/incidents/*/review/actions", "due_at", "Due"),
    ("/incidents/*/review/actions", "owner", "Owner"),
    ("/incidents/*/review/actions", "title", "Action"),
    ("/incidents/*/review/answers", "rating", "Was the risk rated right?"),
    (
        "/incidents/*/review/answers",
        "steps_adequate",
        "Were the steps adequate?",
    ),
    ("/ownership", "environment", "Environment"),
    ("/ownership", "person", "Person"),
    ("/problems", "title", "What recurs"),
    ("/problems/*/links", "kind", "It is"),
    ("/problems/*/links", "to", "The other record"),
    ("/ownership", "ends_at", "Until"),
    ("/ownership", "role", "Role"),
    ("/risk-adjustments", "quarter", "Quarter"),
    (
        "/risk-adjustments/*/decisions",
        "configuration",
        "Or a configuration of your own",
    ),
    ("/service-leads", "approved", "Confirmed"),
    ("/service-leads/*", "approved", "Confirmed"),
    ("/services/*/ownerships", "environment", "Environment"),
    ("/services/*/ownerships", "person", "Person"),
    ("/services/*/ownerships", "role", "Role"),
    ("/services/*/watchers", "group", "For a group"),
    ("/templates", "title", "Title"),
    ("/tokens", "person", "Acts as"),
    ("/tokens", "roles", "Narrowed to"),
    ("/views", "name", "Name of the view"),
    ("/sinks", "kinds", "Kinds of event"),
    ("/sinks/*/position", "index", "Next entry"),
    ("/webhooks", "kinds", "Told of"),
    ("/workloads", "person", "Acts as"),
    ("/workloads", "roles", "Narrowed to"),
];

/// The lists of rows of a change's form, and the name of a row of each.
const ROWS: [(&str, &str); 3] = [
    ("targets", "Where"),
    ("plan", "Plan"),
    ("rollback_plan", "Rollback plan"),
];

/// The author of the change, where the name is unknown: “Your question to Ingrid” is “Your question” here.
const SOMEBODY: &str = "\u{0}";

/// The label of a field of the form that went to an address with these fields: the form's label, or else the name as plain
/// text.
pub(super) fn label_of(going: &str, name: &str, sent: &[(String, String)]) -> String {
    let path = going.strip_prefix("/t/").and_then(|rest| rest.split_once('/'));
    let path: Vec<&str> = path.map_or("", |(_, path)| path).split('/').collect();
    let found = match path.as_slice() {
        ["changes"] | ["changes", _, "edit"] => of_change(name, sent),
        ["changes", _, act @ ..] => of_act(act, name, sent).or_else(|| of_other(&path, name)),
        _ => of_other(&path, name),
    };
    found.unwrap_or_else(|| label_from_key(name))
}

/// A field without a label, such as an organisation's custom field, is called by its key.
fn label_from_key(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    crate::elements::text::capital(&last.replace('_', " "))
}

/// Whether an address matches a pattern, in which a star matches any part.
fn is_at(pattern: &str, path: &[&str]) -> bool {
    let parts: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
    parts.len() == path.len() && parts.iter().zip(path).all(|(part, own)| *part == "*" || part == own)
}

fn of_other(path: &[&str], name: &str) -> Option<String> {
    let other = OTHERWISE
        .iter()
        .find(|(at, known, _)| *known == name && is_at(at, path));
    let usual = || USUAL.iter().find(|(known, _)| *known == name).map(|(_, label)| *label);
    other.map(|(_, _, label)| *label).or_else(usual).map(str::to_owned)
}

/// The form of a change, with as many rows as were sent.
fn of_change(name: &str, sent: &[(String, String)]) -> Option<String> {
    let mut fields = ChangeFields {
        retrospective: true,
        ..ChangeFields::default()
    };
    for (sent, _) in sent {
        fields.set(sent, "");
    }
    let sections = fields.sections();
    let mut all = sections.iter().flat_map(|section| section.all_fields());
    let label = all.find(|field| field.name == name)?.label.clone();
    let row = name.split_once('.').and_then(|(list, rest)| {
        let (_, words) = ROWS.iter().find(|(known, _)| *known == list)?;
        let place: usize = rest.split('.').next()?.parse().ok()?;
        Some(format!("{words} {}: {label}", place + 1))
    });
    Some(row.unwrap_or(label))
}

/// Whether a form of an act on a change sends a field along by itself, with nothing for a person to fill in.
pub(super) fn is_sent_along(going: &str, name: &str, sent: &[(String, String)]) -> bool {
    let path = going.split("/changes/").nth(1).unwrap_or_default();
    let act: Vec<&str> = path.split('/').skip(1).collect();
    let hides = |form: ActForm| {
        let mut fields = form.fields.into_iter();
        fields.any(|field| field.name == name && field.input == Input::Hidden)
    };
    acts_at(&act, sent).into_iter().any(hides)
}

/// The form of an act on a change; of several at one address the one that sends the same hidden values.
fn of_act(path: &[&str], name: &str, sent: &[(String, String)]) -> Option<String> {
    let mut fits = acts_at(path, sent).into_iter();
    fits.find_map(|form| form.fields.into_iter().find(|field| field.name == name))
        .map(|field| field.label.replace(&format!(" to {SOMEBODY}"), ""))
}

fn acts_at(path: &[&str], sent: &[(String, String)]) -> Vec<ActForm> {
    let context = ActContext {
        item: "*".to_owned(),
        writer: SOMEBODY.to_owned(),
        ..ActContext::default()
    };
    let forms = Act::ALL.into_iter().map(|act| act.form(&context));
    forms
        .filter(|form| is_at(&form.action_url, path) && sends(form, sent))
        .collect()
}

fn sends(form: &ActForm, sent: &[(String, String)]) -> bool {
    let is_fixed = |field: &&Field| field.input == Input::Hidden && !field.value.is_empty();
    let is_same = |field: &Field| {
        sent.iter()
            .any(|(name, value)| *name == field.name && *value == field.value)
    };
    form.fields.iter().filter(is_fixed).all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn fields_of_acts_have_the_words_of_their_forms() {
        let url = "/t/halden/changes/CHG-1042";
        let label =
            |act: &str, name: &str, pairs: &[(&str, &str)]| label_of(&format!("{url}/{act}"), name, &sent(pairs));
        assert_eq!(label("hold", "until", &[]), "Remind people");
        assert_eq!(label("comments", "text", &[]), "Your comment");
        let reject = [("decision", "reject"), ("comment", "No")];
        assert_eq!(label("approvals", "comment", &reject), "Why not");
        let approve = [("decision", "approve"), ("comment", "Yes")];
        assert_ne!(label("approvals", "comment", &approve), "Why not");
        assert_eq!(label("checklist/c1/tick", "odd_word", &[]), "Odd word");
    }

    #[test]
    fn rows_of_a_change_are_told_apart() {
        let pairs = sent(&[
            ("rollback_plan.1.title", "Back"),
            ("plan.0.minutes", "9"),
            ("title", "T"),
        ]);
        let label = |name: &str| label_of("/t/halden/changes", name, &pairs);
        assert_eq!(label("rollback_plan.1.title"), "Rollback plan 2: What");
        assert_eq!(label("plan.0.minutes"), "Plan 1: Minutes");
        assert_eq!(label("title"), "Title");
        assert_eq!(label("custom_fields.cost_centre"), "Cost centre");
    }

    #[test]
    fn one_name_has_other_words_in_another_form() {
        assert_eq!(label_of("/t/halden/freezes", "reason", &[]), "Reason and agreement");
        assert_eq!(
            label_of("/t/halden/freezes/f1/exceptions", "reason", &[]),
            "Reason for the exception"
        );
        assert_eq!(label_of("/t/halden/away/absences", "reason", &[]), "Why");
    }
}
