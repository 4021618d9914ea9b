//! The small grammars of annotation values: durations, counts, keys, lists.

use model::approval::obligation::{Asked, Due, Party, level_number};
use model::change::content::WHAT;
use model::core::enums::Level;
use model::core::ids::GroupKey;
use model::identity::factor::Wanted;
use model::schedule::calendar::Span;

use crate::{limits, nearest};

/// Minutes of a duration: a whole number and `d`, `h` or `m` (`30d`, `4h`, `15m`).
pub(crate) fn duration(text: &str) -> Result<i64, String> {
    if text.ends_with("bd") {
        return Err(format!(
            "`{text}`: business days need a calendar, which is not available to policies; use days (`7d`) instead"
        ));
    }
    let wrong = || format!("`{text}` is not a duration; use a whole number and d, h or m, such as 30d, 4h, 15m");
    let unit = match text.chars().last() {
        Some('d') => 24 * 60,
        Some('h') => 60,
        Some('m') => 1,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let minutes = digits.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    match minutes {
        Some(minutes) if (1..=limits::DURATION_MINUTES).contains(&minutes) => Ok(minutes),
        _ => Err(format!("`{text}` is not between one minute and ten years")),
    }
}

/// A clock's span: a duration, or working hours (`4bh`) or working days (`2bd`) by the calendar of the person concerned.
pub(crate) fn span(text: &str) -> Result<Span, String> {
    let worked = |digits: &str, most: i64| {
        number(digits, most).map_err(|_| format!("`{text}` is not a duration in working time; use 4bh or 2bd"))
    };
    if let Some(digits) = text.strip_suffix("bd") {
        return worked(digits, limits::WORK_DAYS).map(Span::WorkDays);
    }
    if let Some(digits) = text.strip_suffix("bh") {
        return worked(digits, limits::WORK_DAYS * 24).map(|hours| Span::WorkMinutes(hours * 60));
    }
    duration(text).map(Span::Minutes)
}

/// A whole number from 1 to `most`.
pub(crate) fn number(text: &str, most: i64) -> Result<i64, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if is_plain { text.parse::<i64>().ok() } else { None };
    match number {
        Some(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a whole number from 1 to {most}")),
    }
}

/// A key such as `staging` or `change-managers`.
pub(crate) fn key(text: &str) -> Result<String, String> {
    let is_key = !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if is_key {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not a key (letters, digits, `-`, `_`, `.`)"))
    }
}

/// Whether a text consists of lower-case letters, digits and `_` and begins with a letter.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A sentence, a title or an item: not empty, on one line, not too long.
pub(crate) fn sentence(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("the text is empty".to_owned());
    }
    if trimmed.chars().count() > limits::TEXT_LENGTH {
        return Err(format!("the text is longer than {} characters", limits::TEXT_LENGTH));
    }
    if trimmed.chars().any(char::is_control) {
        return Err("the text contains a line break or another control character".to_owned());
    }
    Ok(trimmed.to_owned())
}

/// Items, separated by `;`.
pub(crate) fn items(text: &str) -> Result<Vec<String>, String> {
    let items: Vec<String> = text.split(';').map(sentence).collect::<Result<_, _>>()?;
    if items.len() > limits::ITEMS {
        return Err(format!("a checklist can have at most {} items", limits::ITEMS));
    }
    if let Some((place, item)) = items
        .iter()
        .enumerate()
        .find(|(place, item)| items[..*place].contains(item))
    {
        return Err(format!(
            "the item `{item}` is listed twice (again as number {})",
            place + 1
        ));
    }
    Ok(items)
}

/// The values of `@from`.
const ASKED: [&str; 6] = [
    "owner",
    "technical_lead",
    "security",
    "data",
    "change_manager",
    "tester",
];

/// The approvers of a rule: a name from the list, or `group:` and a key.
pub(crate) fn approver_source(text: &str) -> Result<Asked, String> {
    if let Some(group) = text.strip_prefix("group:") {
        return key(group).map(|key| Asked::Group(GroupKey(key)));
    }
    match text {
        "owner" => Ok(Asked::Owner),
        "technical_lead" => Ok(Asked::TechnicalLead),
        "security" => Ok(Asked::Security),
        "data" => Ok(Asked::Data),
        "change_manager" => Ok(Asked::ChangeManager),
        "tester" => Ok(Asked::Tester),
        _ => Err(unknown(text, &ASKED, " or `group:` and a group's key")),
    }
}

/// The approvers of an approval rule: as [`approver_source`], or several groups, separated by commas.
pub(crate) fn approver_sources(text: &str) -> Result<Asked, String> {
    if !text.contains(',') {
        return approver_source(text);
    }
    let mut keys: Vec<GroupKey> = Vec::new();
    for word in text.split(',').map(str::trim) {
        let Some(group) = word.strip_prefix("group:") else {
            return Err(format!(
                "`{word}` is not a group; a list can contain only groups: `group:security,group:platform`"
            ));
        };
        let group = GroupKey(key(group)?);
        if keys.contains(&group) {
            return Err(format!("the group `{group}` is listed twice"));
        }
        keys.push(group);
    }
    if keys.len() > limits::COUNT as usize {
        return Err(format!("a rule can have at most {} groups", limits::COUNT));
    }
    Ok(Asked::Groups(keys))
}

/// One group or several, as a parameter names them.
pub(crate) fn groups(text: &str) -> Result<Asked, String> {
    match approver_sources(text)? {
        source @ (Asked::Group(_) | Asked::Groups(_)) => Ok(source),
        _ => Err(format!(
            "`{text}` is no `group:` and a group's key, nor several of them"
        )),
    }
}

/// The approvers of a rule in the spelling of cases: as in `@from`, several groups with `+` between them.
pub(crate) fn source_name(asked: &Asked) -> String {
    match asked {
        Asked::Owner => "owner".to_owned(),
        Asked::TechnicalLead => "technical_lead".to_owned(),
        Asked::Security => "security".to_owned(),
        Asked::Data => "data".to_owned(),
        Asked::ChangeManager => "change_manager".to_owned(),
        Asked::Tester => "tester".to_owned(),
        Asked::Group(key) => format!("group:{key}"),
        Asked::Groups(keys) => keys
            .iter()
            .map(|key| format!("group:{key}"))
            .collect::<Vec<_>>()
            .join("+"),
    }
}

const PARTIES: [&str; 4] = ["author", "requester", "implementer", "approver"];

/// The parts in `@distinct_from`, separated by commas; sorted, each once.
/// Names of fields that the digest *what* covers, separated by commas, sorted.
pub(crate) fn covered_fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = text
        .split(',')
        .map(|word| match word.trim() {
            field if WHAT.contains(&field) => Ok(field.to_owned()),
            other => Err(unknown(other, WHAT, "")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    fields.sort();
    fields.dedup();
    Ok(fields)
}

pub(crate) fn parties(text: &str) -> Result<Vec<Party>, String> {
    let mut parties = text
        .split(',')
        .map(|word| match word.trim() {
            "author" => Ok(Party::Author),
            "requester" => Ok(Party::Requester),
            "implementer" => Ok(Party::Implementer),
            "approver" => Ok(Party::Approver),
            other => Err(unknown(other, &PARTIES, "")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    parties.sort();
    parties.dedup();
    Ok(parties)
}

/// The parts in `@distinct_from` of an item's evidence, which knows authors alone.
pub(crate) fn only_author(text: &str) -> Result<Vec<Party>, String> {
    match parties(text)?.as_slice() {
        [Party::Author] => Ok(vec![Party::Author]),
        _ => Err("evidence of an item can be distinct only from the `author`".to_owned()),
    }
}

/// The name of a part in the spelling of `@distinct_from`.
pub(crate) fn party_name(party: Party) -> &'static str {
    match party {
        Party::Author => "author",
        Party::Requester => "requester",
        Party::Implementer => "implementer",
        Party::Approver => "approver",
    }
}

/// The step in `@due`.
pub(crate) fn due(text: &str) -> Result<Due, String> {
    match text {
        "approval" => Ok(Due::Approval),
        "start" => Ok(Due::Start),
        "close" => Ok(Due::Close),
        _ => Err(unknown(text, &["approval", "start", "close"], "")),
    }
}

/// The factor in `@step_up("…")` and in a parameter of that type.
pub(crate) fn factor(text: &str) -> Result<Wanted, String> {
    match text {
        "any" => Ok(Wanted::Any),
        "second_factor" => Ok(Wanted::Second),
        _ => Err(unknown(
            text,
            &["any", "second_factor"],
            "; write `@step_up` for any fresh factor, or `@step_up(\"second_factor\")` for more than a password",
        )),
    }
}

/// The number from which a rule applies: that of a level of risk, or one past the highest.
pub(crate) fn risk(text: &str) -> Result<i64, String> {
    let highest = level_number(Level::High);
    match text {
        "never" => Ok(highest + 1),
        _ => text.parse::<Level>().map(level_number).map_err(|_| {
            let words = &["none", "low", "medium", "high", "never"];
            unknown(text, words, "")
        }),
    }
}

/// A percentage in parts per million: `2%`, `0.5%`, at most four digits behind the point.
pub(crate) fn probability(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a percentage from 0.0001% to 100%, such as `2%` or `0.5%`");
    let number = text.strip_suffix('%').ok_or_else(wrong)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let is_plain = |digits: &str, most: usize| {
        (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    if !is_plain(whole, 3) || !is_plain(part, 4) {
        return Err(wrong());
    }
    let ppm: i64 = format!("{whole}{part:0<4}").parse().map_err(|_| wrong())?;
    if (1..=1_000_000).contains(&ppm) {
        Ok(ppm)
    } else {
        Err(wrong())
    }
}

/// The name of a step in the spelling of `@due`.
pub(crate) fn due_name(due: Due) -> &'static str {
    match due {
        Due::Approval => "approval",
        Due::Start => "start",
        Due::Close => "close",
    }
}

/// The message for an unknown name, with a suggestion.
pub(crate) fn unknown(word: &str, known: &[&str], more: &str) -> String {
    let meant = nearest(word, known.iter().copied())
        .map(|n| format!("; did you mean `{n}`?"))
        .unwrap_or_default();
    format!("`{word}` is none of {}{more}{meant}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_minutes() {
        assert_eq!(duration("30d"), Ok(43_200));
        assert_eq!(duration("4h"), Ok(240));
        assert_eq!(duration("15m"), Ok(15));
        for wrong in [
            "",
            "d",
            "0m",
            "-1d",
            "+1d",
            "1.5h",
            "1w",
            "99999999999999999999d",
            "9223372036854775807d",
            "5 d",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(duration("5bd").is_err_and(|text| text.contains("business days need a calendar")));
    }

    #[test]
    fn words_are_closed() {
        assert_eq!(approver_source("group:dba"), Ok(Asked::Group(GroupKey::from("dba"))));
        assert_eq!(
            approver_source("ownr"),
            Err("`ownr` is none of owner, technical_lead, security, data, change_manager, tester or `group:` and a group's key; did you mean `owner`?".to_owned())
        );
        let groups = ["dba", "platform"].map(GroupKey::from).to_vec();
        assert_eq!(approver_sources("group:dba, group:platform"), Ok(Asked::Groups(groups)));
        assert_eq!(approver_sources("group:dba"), approver_source("group:dba"));
        for wrong in ["group:dba,owner", "group:dba,group:dba", "group:dba,", "owner,data"] {
            assert!(approver_sources(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            parties("implementer, author,author"),
            Ok(vec![Party::Author, Party::Implementer])
        );
        assert!(parties("").is_err() && parties("author,").is_err());
        assert_eq!(due("close"), Ok(Due::Close));
        assert!(number("0", 20).is_err() && number("+2", 20).is_err() && number("21", 20).is_err());
        assert!(items("a;;b").is_err() && items("a;a").is_err());
        assert!(key("").is_err() && key("a b").is_err());
    }
}
