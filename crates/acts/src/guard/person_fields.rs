//! Fields of a person that are checked alike in every act: login, address, accounts.

use model::change::change_file::Actor;
use model::core::confusables;
use model::core::parse::Reading;
use model::directory::snapshot::{Directory, Person};
use model::gate::committers;

/// Why a text cannot be a new login, if it cannot. A login is part of URLs, where `.` and `..` mean another place, and
/// two logins that look alike would seem to be one person.
pub(crate) fn no_login(login: &str) -> Option<&'static str> {
    if login.contains(char::is_whitespace) {
        return Some("A login must not contain spaces.");
    }
    if matches!(login, "." | "..") {
        return Some("A login is more than dots.");
    }
    // Assent's own acts have this login, in records and in the log.
    if login.eq_ignore_ascii_case(Actor::system().person.as_str()) {
        return Some("`system` is reserved for Assent itself: choose another login.");
    }
    if login.contains(':') {
        return Some("A login must not contain `:`, which ends the name of a kind, as in `group:security`.");
    }
    let deceives = login.contains('\u{131}') || confusables::is_mistakable(login);
    deceives.then_some("A login must not contain invisible or confusable characters.")
}

/// One mail address is one person: a second account of the same person would count as a second person.
pub(crate) fn check_mail(reading: &mut Reading<'_>, directory: &Directory, person: &Person) {
    let Some(mail) = person.email.as_deref().map(str::to_lowercase) else {
        return;
    };
    // The holder of a long-known address keeps it: an address that was never checked does not block other edits of the
    // person.
    let is_new = directory
        .people
        .get(&person.id)
        .is_none_or(|old| old.email != person.email);
    if is_new && !is_address(&mail) {
        reading.wrong("email", "not_an_address", no_address(&mail));
    }
    // A second address from a directory belongs to the person as well. If two people had the address before the check
    // existed, both keep it.
    let has = |other: &Person| match is_new {
        true => other.addresses().contains(&mail),
        false => other.email.as_deref().map(str::to_lowercase).as_deref() == Some(mail.as_str()),
    };
    let mut others = directory
        .people
        .values()
        .filter(|other| other.id != person.id && !other.removed);
    if let Some(other) = others.find(|other| has(other)) {
        let text = format!(
            "This address belongs to `{}`; an address can belong to only one person.",
            other.login
        );
        reading.wrong("email", "not_unique", text);
    }
}

/// Whether a mail could be sent to this address: one line, a name, an `@` and a domain. All else is left to the mail
/// servers, except two ways to write one address as another: invisible letters, and a dot at the end of the domain.
pub(crate) fn is_address(mail: &str) -> bool {
    let is_plain = !mail.contains(|c: char| c.is_whitespace() || c.is_control());
    let is_domain = |domain: &str| domain.split('.').all(|label| !label.is_empty());
    is_plain
        && confusables::found_in(mail).is_empty()
        && mail
            .rsplit_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && is_domain(domain))
}

/// The message for a malformed address.
pub(crate) fn no_address(mail: &str) -> String {
    format!(
        "`{}` is not a mail address such as ada@example.org.",
        mail.escape_debug()
    )
}

/// One external account is one person, and so is one address, whether it is the main one or an alias (`mail:ada@x`).
pub(crate) fn check_accounts(reading: &mut Reading<'_>, directory: &Directory, person: &Person) {
    if let Some((account, other)) = committers::taken_account(directory, person) {
        let text = format!(
            "`{account}` belongs to `{}`; an account can belong to only one person.",
            other.login
        );
        reading.wrong("accounts", "not_unique", text);
    }
}

/// The message for a person who would remove an account or an address of their own.
pub(crate) const OWN_ACCOUNT: &str = "You cannot remove your own account or address: the commits made with it would belong to \
                                      nobody. Keep an earlier address as `mail:…` among the accounts.";
