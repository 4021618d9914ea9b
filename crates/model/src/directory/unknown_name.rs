//! The message about an unknown name: the most similar name, else some existing ones.

use crate::core::parse;
use crate::directory::snapshot::Directory;

/// The most names that one is compared with: a file may hold thousands of wrong ones.
const LOOKED_AT: usize = 200;
/// The most names that are listed as examples.
const EXAMPLES: usize = 3;

/// Of a service.
pub fn service(directory: &Directory, key: &str) -> String {
    describe("service", key, directory.services.keys().map(|it| it.as_str()))
}

/// Of an environment.
pub fn environment(directory: &Directory, key: &str) -> String {
    describe("environment", key, directory.environments.keys().map(|it| it.as_str()))
}

/// Of a group.
pub fn group(directory: &Directory, key: &str) -> String {
    describe("group", key, directory.groups.keys().map(|it| it.as_str()))
}

/// Of a config item.
pub fn config_item(directory: &Directory, key: &str) -> String {
    describe("config item", key, directory.config_items.keys().map(String::as_str))
}

/// Of a template.
pub fn template(directory: &Directory, key: &str) -> String {
    describe("template", key, directory.templates.keys().map(String::as_str))
}

/// The message about an unknown person. It lists no other logins as examples: only a nearly correct spelling gets a suggestion.
pub fn person(directory: &Directory, login: &str) -> String {
    let active = directory.people.values().filter(|person| person.active);
    let near = near(login, active.map(|person| person.login.as_str()));
    let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
    format!("There is no person with the login `{login}`.{near}")
}

fn describe<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = near(name, known.clone()) {
        return format!("There is no {what} `{name}`. Did you mean `{near}`?");
    }
    let some: Vec<&str> = known.take(EXAMPLES).collect();
    if some.is_empty() {
        return format!("There is no {what} `{name}`. None exists yet: create one first.");
    }
    format!("There is no {what} `{name}`. Existing examples: `{}`.", some.join(", "))
}

/// The known name that was nearly written. A slip leaves the first letter or the length nearly as it was, so that most names need
/// no closer look.
fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let small = name.to_lowercase();
    let first = small.chars().next()?;
    let is_like = |it: &&str| it.starts_with(first) || it.len().abs_diff(small.len()) <= 1;
    let likely: Vec<&str> = known.filter(is_like).take(LOOKED_AT).collect();
    parse::nearest(&small, &likely)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::manager;

    fn of(known: &[&'static str], name: &str) -> String {
        describe("service", name, known.iter().copied())
    }

    #[test]
    fn a_name_that_is_not_there_is_told_with_what_was_meant_or_what_is_there() {
        let known = ["billing", "label-print", "pay-api", "shop"];
        for (name, words) in [
            ("pay-apj", "There is no service `pay-apj`. Did you mean `pay-api`?"),
            ("Pay-API", "There is no service `Pay-API`. Did you mean `pay-api`?"),
            ("ay-api", "There is no service `ay-api`. Did you mean `pay-api`?"),
            (
                "warehouse",
                "There is no service `warehouse`. Existing examples: `billing, label-print, pay-api`.",
            ),
        ] {
            assert_eq!(of(&known, name), words);
        }
        assert_eq!(
            of(&[], "shop"),
            "There is no service `shop`. None exists yet: create one first."
        );
        assert!(of(&known, "").starts_with("There is no service ``."));
    }

    #[test]
    fn of_people_only_a_login_that_was_nearly_written_is_told() {
        let mut directory = Directory::default();
        assert_eq!(person(&directory, "mira"), "There is no person with the login `mira`.");
        let mira = manager::tests::somebody("p1", "mira");
        directory.people.insert(mira.id.clone(), mira);
        assert!(person(&directory, "miar").ends_with("Did you mean `mira`?"));
        assert!(!person(&directory, "somebody-else").contains("mira"));
    }
}
