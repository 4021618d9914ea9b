//! Placeholders in the templates of letters.

/// The names of placeholders.
const NAMES: [&str; 7] = ["change", "title", "stage", "start", "end", "services", "disruption"];

/// The first placeholder of a template that is unknown.
#[must_use]
pub fn unknown_placeholder(template: &str) -> Option<String> {
    let mut found = None;
    fill(template, |name| {
        if !NAMES.contains(&name) && found.is_none() {
            found = Some(name.to_owned());
        }
        None
    });
    found
}

/// The placeholders for internal text, which no customer reads.
pub(crate) const INTERNAL: [&str; 2] = ["change", "title"];

/// The first placeholder of a template that no letter to a customer may have.
#[must_use]
pub fn internal_placeholder(template: &str) -> Option<String> {
    let mut found = None;
    fill(template, |name| {
        if INTERNAL.contains(&name) && found.is_none() {
            found = Some(name.to_owned());
        }
        None
    });
    found
}

/// A template with each `{name}` replaced; a name without a value, and a brace without a name, stay unchanged.
pub(crate) fn fill(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(begin) = rest.find('{') {
        let (before, after) = rest.split_at(begin);
        out.push_str(before);
        let name = after[1..].split_once('}').map(|(name, _)| name);
        let name = name.filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'));
        let Some(name) = name else {
            out.push('{');
            rest = &after[1..];
            continue;
        };
        match value(name) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&after[..name.len() + 2]),
        }
        rest = &after[name.len() + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once_and_other_braces_stay() {
        let value = |name: &str| (name == "title").then(|| "{start} of {title}".to_owned());
        assert_eq!(
            fill("a {title} b {x} {} { {a b} {", value),
            "a {start} of {title} b {x} {} { {a b} {"
        );
    }

    #[test]
    fn what_customers_may_not_read_is_named() {
        assert_eq!(internal_placeholder("{stage}: {title}").as_deref(), Some("title"));
        assert_eq!(
            internal_placeholder("{stage} {start} {end} {services} {disruption}"),
            None
        );
    }

    #[test]
    fn the_first_unknown_placeholder_is_named() {
        assert_eq!(unknown_placeholder("{change} {titel} {ende}").as_deref(), Some("titel"));
        assert_eq!(
            unknown_placeholder("{change} {title} {stage} {start} {end} {services} {disruption}"),
            None
        );
    }
}
