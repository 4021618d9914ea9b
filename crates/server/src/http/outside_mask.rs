//! The last step of every response to a reader who is scoped to services: removes names of records outside the scope from
//! lists, sentences and links. Text that a client or a form sends back unchanged stays as stored, so that saving it changes
//! nothing.

use std::collections::{BTreeSet, HashMap};

use acts::Context;
use model::change::read_content::new_change::NewChange;
use model::core::body::Body;
use model::core::card::Described;
use model::core::refusal::Refusal;
use model::core::unmet::Unmet;
use model::directory::outside_names::OutsideNames;
use model::gate::answer::Answer;
use serde_json::{Map, Value};

/// Members with text that a person wrote into a visible record, and that an edit sends back; beside the free texts of a request
/// for a change.
const WRITTEN: &[&str] = &[
    "custom",
    "disruption",
    "improvements",
    "plan",
    "risk_override",
    "rollback_plan",
    "security",
    "summary",
];
/// Members with an enumerated value, a time or an address of this server: never the name of a record.
const CLOSED: &[&str] = &[
    "act",
    "aspect",
    "category",
    "channel",
    "code",
    "complexity",
    "decision",
    "environment",
    "href",
    "kind",
    "level",
    "login",
    "outcome",
    "purpose",
    "result",
    "risk",
    "role",
    "roles",
    "scopes",
    "state",
    "status",
    "topic",
    "type",
    "verdict",
];
/// Members by which a row of a list is a record or is about one: if one names a record outside the scope, the row leaves its
/// list.
const NAMING: &[&str] = &[
    "change",
    "change_key",
    "config_item",
    "from",
    "incident",
    "item",
    "key",
    "of",
    "on",
    "service",
    "subject",
    "target",
    "template",
    "to",
];
/// Members that mark a row as a decision or a review, whose `person` is the author. In other rows `person` is the addressee.
const DECIDED: &[&str] = &["decision", "verdict"];
/// Members of a reader's own record that hold their own text. Masking them would reveal which of the guessed names exist.
const OWN: &[&str] = &[
    "artifact", "comment", "commit", "member", "name", "note", "place", "reason", "service", "text",
];
/// Members of a row that is a message to a person, so its texts are not written by that person.
const TOLD: &[&str] = &["subject", "topic"];
/// Marks an element of a page with text that the reader, or the author of the shown record, wrote.
const OWN_MARK: &str = " data-own=\"true\"";
/// Marks an element of a page that reports a form's error: it repeats the reader's input.
const SAID_MARK: &str = " data-said=\"true\"";
/// Members that identify a record by key, or name the change it is about. If that key is outside the scope, the record's texts
/// are masked as well.
const IDENTITY: &[&str] = &["change", "change_key", "key"];
/// The start tag of a page's record title.
const HEADING: &str = "<h1 translate=\"no\">";
/// Elements of a page whose text is what a form sends.
const KEPT_ELEMENTS: &[&str] = &["textarea", "script", "style"];
/// Attributes that hold an address.
const ADDRESSES: &[&str] = &["href", "action", "src", "formaction"];
/// Attributes that hold a sentence.
const SENTENCES: &[&str] = &["title", "aria-label", "alt", "placeholder"];

fn is_written(member: &str) -> bool {
    let mut request = NewChange::FIELDS.iter().filter(|field| field.is_free_text);
    WRITTEN.contains(&member) || request.any(|field| field.name == member)
}

/// The mask of one response.
struct Mask<'m, 'a, 'c> {
    cx: &'m mut Context<'a, 'c>,
    names: OutsideNames,
    /// The reader's login.
    reader: String,
    seen: HashMap<String, bool>,
    /// The words of the query of the page's own address.
    asked: BTreeSet<String>,
}

impl<'m, 'a, 'c> Mask<'m, 'a, 'c> {
    /// `None` for a reader who sees everything.
    fn of(cx: &'m mut Context<'a, 'c>) -> acts::Result<Option<Self>> {
        let Some(names) = cx.outside_names()? else {
            return Ok(None);
        };
        let person = cx.actor.person.clone();
        let reader = cx.directory()?.login(&person);
        Ok(Some(Self {
            cx,
            names,
            reader,
            seen: HashMap::new(),
            asked: BTreeSet::new(),
        }))
    }

    fn without(&mut self, text: &str) -> Option<String> {
        let Self { cx, names, seen, .. } = self;
        names.without(text, &mut |key| sees(cx, seen, key))
    }

    /// Removes the keys of changes from the reader's own text, whether such changes exist or not.
    fn own_words(&mut self, text: &mut String) {
        let Self { cx, seen, .. } = self;
        if let Some(masked) = OutsideNames::default().without(text, &mut |key| sees(cx, seen, key)) {
            *text = masked;
        }
    }

    fn is_own(&self, row: &Map<String, Value>) -> bool {
        let is_reader = |name: &str| row.get(name).and_then(Value::as_str) == Some(self.reader.as_str());
        let has = |names: &[&str]| names.iter().any(|name| row.contains_key(*name));
        // The outcome of a task is written by the person who did it.
        let is_others = row.contains_key("done_by") && !is_reader("done_by");
        !has(TOLD) && !is_others && (is_reader("by") || has(DECIDED) && is_reader("person"))
    }

    /// Removes names from a sentence about the caller's request. The caller's own input between backticks is repeated as
    /// written.
    fn without_but(&mut self, text: &str, said: &BTreeSet<String>) -> Option<String> {
        let parts: Vec<&str> = text.split('`').collect();
        let is_said = |(n, part): (usize, &&str)| n % 2 == 1 && said.contains(&part.trim().to_lowercase());
        if !parts.iter().enumerate().any(is_said) {
            return self.without(text);
        }
        let masked = parts.iter().enumerate().map(|(n, part)| {
            let kept = is_said((n, part));
            let masked = if kept { None } else { self.without(part) };
            masked.unwrap_or_else(|| (*part).to_owned())
        });
        Some(masked.collect::<Vec<_>>().join("`"))
    }

    fn is_hidden(&mut self, text: &str) -> bool {
        let Self { cx, names, seen, .. } = self;
        names.is_hidden(text, &mut |key| sees(cx, seen, key))
    }

    /// Removes names from a response; rows that name a record outside the scope leave their list.
    fn value(&mut self, member: &str, value: &mut Value) {
        if is_written(member) || CLOSED.contains(&member) && !value.is_object() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Some(masked) = self.without(text) {
                    *text = masked;
                }
            }
            Value::Array(rows) => {
                rows.retain(|row| !self.is_row_outside(row));
                rows.iter_mut().for_each(|row| self.value(member, row));
            }
            Value::Object(map) => {
                let is_own = self.is_own(map);
                if !is_own {
                    self.hide_words(map);
                }
                for (name, inner) in map.iter_mut() {
                    match inner {
                        Value::String(text) if is_own && OWN.contains(&name.as_str()) => self.own_words(text),
                        _ => self.value(name, inner),
                    }
                }
            }
            _ => {}
        }
    }

    /// Removes the title and other texts of a record outside the scope from an object that is in no list.
    fn hide_words(&mut self, map: &mut Map<String, Value>) {
        let keys = IDENTITY.iter().filter_map(|name| map.get(*name)?.as_str());
        let keys: Vec<String> = keys.map(str::to_owned).collect();
        let Some(key) = keys.into_iter().find(|key| self.is_hidden(key)) else {
            return;
        };
        let instead = self.without(&key).unwrap_or_default();
        for (_, inner) in map.iter_mut().filter(|(name, _)| is_written(name)) {
            match inner {
                Value::String(text) => text.clone_from(&instead),
                Value::Array(rows) => rows.clear(),
                _ => {}
            }
        }
    }

    /// Whether a row of a list is a record outside, or is about one.
    fn is_row_outside(&mut self, row: &Value) -> bool {
        match row {
            Value::String(text) => self.is_hidden(text),
            Value::Object(map) => {
                let is_own = self.is_own(map);
                let naming = NAMING.iter().filter(|name| !is_own || !OWN.contains(name));
                naming
                    .filter_map(|name| map.get(*name)?.as_str())
                    .any(|text| self.is_hidden(text))
            }
            _ => false,
        }
    }

    /// The masked text, or nothing if the text needs no mask.
    fn masked(&mut self, text: &str, is_own: bool) -> Option<String> {
        if !is_own {
            return self.without(text);
        }
        let mut words = text.to_owned();
        self.own_words(&mut words);
        (words != text).then_some(words)
    }

    /// Whether an address leads outside. In the reader's own words only keys of changes are looked at, as in their texts. What they
    /// asked the page for stays in queries: without it the address would say that there is such a record.
    fn leads_outside(&mut self, address: &str, is_own: bool) -> bool {
        let Self {
            cx, names, seen, asked, ..
        } = self;
        let none = OutsideNames::default();
        let names = if is_own { &none } else { &*names };
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let queried = tokens_of(query).filter(|part| !asked.contains(*part));
        let mut parts = tokens_of(path).chain(queried);
        parts.any(|part| names.is_hidden(part, &mut |key| sees(cx, seen, key)))
    }

    fn page(&mut self, page: &str) -> String {
        let mut out = String::with_capacity(page.len());
        let (mut rest, mut kept, mut own) = (page, None, OwnPart::of(page));
        let (words, mut said) = (entered(page), MarkedPart::new(SAID_MARK));
        while let Some((text, tag, after)) = next_tag(rest) {
            let repeats = said.is_in().then_some(&words);
            self.text(&mut out, text, (kept.is_some(), own.has(text)), repeats);
            let name = element(tag);
            kept = match kept {
                Some(open) if name.strip_prefix('/') == Some(open) => None,
                None => KEPT_ELEMENTS.iter().copied().find(|it| *it == name),
                open => open,
            };
            self.tag(&mut out, tag, own.has(""));
            own.see(name, tag);
            said.see(name, tag);
            rest = after;
        }
        self.text(&mut out, rest, (kept.is_some(), false), None);
        out
    }

    /// `repeats` is the reader's own input, which the text may repeat.
    fn text(
        &mut self,
        out: &mut String,
        text: &str,
        (is_kept, is_own): (bool, bool),
        repeats: Option<&BTreeSet<String>>,
    ) {
        let is_plain = is_kept || text.trim().is_empty();
        let masked = match (is_plain, repeats) {
            (true, _) => None,
            (false, Some(words)) => self.without_but(&decoded(text), words),
            (false, None) => self.masked(&decoded(text), is_own),
        };
        match masked {
            Some(masked) => out.push_str(&encoded(&masked)),
            None => out.push_str(text),
        }
    }

    fn tag(&mut self, out: &mut String, tag: &str, is_own: bool) {
        let mut rest = tag;
        while let Some((before, name, value, after)) = next_attribute(rest) {
            out.push_str(before);
            let plain = decoded(value);
            let masked = if ADDRESSES.contains(&name) {
                self.leads_outside(&plain, is_own).then(|| "#".to_owned())
            } else if SENTENCES.contains(&name) {
                self.masked(&plain, is_own)
            } else {
                None
            };
            match masked {
                Some(masked) => out.push_str(&encoded(&masked)),
                None => out.push_str(value),
            }
            rest = after;
        }
        out.push_str(rest);
    }
}

/// Where the part of a page is that is left as written.
struct OwnPart<'p> {
    /// The title of the record that the page shows, which the page's own title repeats.
    title: &'p str,
    part: MarkedPart<'p>,
}

impl<'p> OwnPart<'p> {
    fn of(page: &'p str) -> Self {
        let heading = page.split_once(HEADING).and_then(|(_, rest)| rest.split_once('<'));
        Self {
            title: heading.map_or("", |(title, _)| title),
            part: MarkedPart::new(OWN_MARK),
        }
    }

    /// Whether the text between two tags is of it.
    fn has(&self, text: &str) -> bool {
        let title = text.strip_suffix(" · Assent").filter(|_| !self.title.is_empty());
        self.part.is_in() || title.is_some_and(|title| title.ends_with(self.title))
    }

    /// Goes on behind a tag.
    fn see(&mut self, name: &'p str, tag: &str) {
        if tag == HEADING && !self.part.is_in() {
            (self.part.element, self.part.depth) = (name, 1);
        } else {
            self.part.see(name, tag);
        }
    }
}

/// Where an element of a page is that a mark begins.
struct MarkedPart<'p> {
    mark: &'static str,
    element: &'p str,
    depth: usize,
}

impl<'p> MarkedPart<'p> {
    fn new(mark: &'static str) -> Self {
        Self {
            mark,
            element: "",
            depth: 0,
        }
    }

    /// Whether the text between two tags is of it.
    fn is_in(&self) -> bool {
        self.depth > 0
    }

    /// Goes on behind a tag.
    fn see(&mut self, name: &'p str, tag: &str) {
        if self.depth == 0 {
            if tag.contains(self.mark) {
                (self.element, self.depth) = (name, 1);
            }
        } else if name == self.element {
            self.depth += 1;
        } else if name.strip_prefix('/') == Some(self.element) {
            self.depth -= 1;
        }
    }
}

/// The field values of the forms of a page that reports a refusal, whole and in parts, in lower case. Empty for any other page.
fn entered(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if !page.contains(SAID_MARK) {
        return found;
    }
    let mut add = |text: &str| {
        let text = decoded(text).to_lowercase();
        let parts = text.split(|letter: char| letter.is_whitespace() || ",;=".contains(letter));
        found.extend(
            parts
                .chain([text.trim()])
                .filter(|it| !it.is_empty())
                .map(str::to_owned),
        );
    };
    let (mut rest, mut is_area) = (page, false);
    while let Some((text, tag, after)) = next_tag(rest) {
        if is_area {
            add(text);
        }
        is_area = element(tag) == "textarea";
        if element(tag) == "input" {
            let mut inner = tag;
            while let Some((_, name, value, behind)) = next_attribute(inner) {
                if name == "value" {
                    add(value);
                }
                inner = behind;
            }
        }
        rest = after;
    }
    found
}

/// The words of an address, or of a part of one.
fn tokens_of(address: &str) -> impl Iterator<Item = &str> {
    address.split(['/', '?', '&', '=', '#', '+'])
}

fn sees(cx: &mut Context<'_, '_>, seen: &mut HashMap<String, bool>, key: &str) -> bool {
    if let Some(known) = seen.get(key) {
        return *known;
    }
    // A record that cannot be read is not shown.
    let is_seen = cx.sees_key(key).unwrap_or_default();
    seen.insert(key.to_owned(), is_seen);
    is_seen
}

/// The text before the next tag, the tag with its brackets, and the rest.
fn next_tag(page: &str) -> Option<(&str, &str, &str)> {
    let (text, from) = page.split_at(page.find('<')?);
    let (tag, after) = from.split_at(from.find('>')? + 1);
    Some((text, tag, after))
}

/// The name of a tag's element; of an end tag with its `/`.
fn element(tag: &str) -> &str {
    let inner = tag.trim_start_matches('<').trim_end_matches('>');
    inner.split([' ', '\n', '\t']).next().unwrap_or_default()
}

/// The text before an attribute's value and its quote, the name, the value, and the rest from the closing quote on.
fn next_attribute(tag: &str) -> Option<(&str, &str, &str, &str)> {
    let start = tag.find("=\"")? + 2;
    let (before, from) = tag.split_at(start);
    let (value, after) = from.split_at(from.find('"')?);
    let name = before[..start - 2]
        .rsplit([' ', '\n', '\t', '"'])
        .next()
        .unwrap_or_default();
    Some((before, name, value, after))
}

fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let signs = [
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    signs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn encoded(text: &str) -> String {
    let text = text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;");
    text.replace('"', "&#34;").replace('\'', "&#39;")
}

/// Removes the names of records outside the scope from a JSON response.
///
/// # Errors
/// The store's.
pub(crate) fn mask_value(cx: &mut Context<'_, '_>, value: &mut Value) -> acts::Result<()> {
    if let Some(mut mask) = Mask::of(cx)? {
        mask.value("", value);
    }
    Ok(())
}

/// Takes them out of a page; `query` is that of its own address.
///
/// # Errors
/// The store's.
pub(crate) fn mask_page(cx: &mut Context<'_, '_>, page: String, query: &str) -> acts::Result<String> {
    let Some(mut mask) = Mask::of(cx)? else {
        return Ok(page);
    };
    mask.asked = tokens_of(query).map(str::to_owned).collect();
    Ok(mask.page(&page))
}

/// Takes them out of a plain text, such as a letter.
///
/// # Errors
/// The store's.
pub(crate) fn mask_text(cx: &mut Context<'_, '_>, text: &mut String) -> acts::Result<()> {
    if let Some(mut mask) = Mask::of(cx)?
        && let Some(masked) = mask.without(text)
    {
        *text = masked;
    }
    Ok(())
}

/// Removes the names of records outside the scope from a response of the gate. The decision stays.
///
/// # Errors
/// The store's.
pub(crate) fn mask_answer(cx: &mut Context<'_, '_>, answer: &mut Answer) -> acts::Result<()> {
    let Some(mut mask) = Mask::of(cx)? else { return Ok(()) };
    let reasons = answer.reasons.iter_mut();
    let texts = reasons.flat_map(|reason| [&mut reason.text, &mut reason.satisfy]);
    for text in texts.chain(answer.information.iter_mut().map(|it| &mut it.text)) {
        if let Some(masked) = mask.without(text) {
            *text = masked;
        }
    }
    if answer.change.as_deref().is_some_and(|key| mask.is_hidden(key)) {
        answer.change = None;
    }
    Ok(())
}

/// Adds every text of a value, as [`Mask::without_but`] compares them.
fn add_texts(value: &Value, said: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            said.insert(text.trim().to_lowercase());
        }
        Value::Array(rows) => rows.iter().for_each(|row| add_texts(row, said)),
        Value::Object(map) => map.values().for_each(|inner| add_texts(inner, said)),
        _ => {}
    }
}

/// Removes the names of records outside the scope from a refusal. Names that the caller sent are repeated, as they reveal
/// nothing new. `asked` holds the body and the query of the request.
pub(crate) fn mask_error(
    cx: &mut Context<'_, '_>,
    error: acts::Error,
    asked: (&Body, &[(String, String)]),
) -> acts::Error {
    let acts::Error::Refused(mut refusal) = error else {
        return error;
    };
    let Ok(Some(mut mask)) = Mask::of(cx) else {
        return refusal.into();
    };
    let mut texts: Vec<&mut String> = Vec::new();
    let mut said = BTreeSet::new();
    if let Refusal::Invalid(_) = &refusal {
        asked.0.values().for_each(|value| add_texts(value, &mut said));
        said.extend(asked.1.iter().map(|(_, text)| text.trim().to_lowercase()));
    }
    match &mut refusal {
        Refusal::NotAllowed { text, .. } | Refusal::NotCurrent { text, .. } | Refusal::Stale { text } => {
            texts.push(text)
        }
        Refusal::Invalid(errors) => texts.extend(errors.iter_mut().map(|it| &mut it.text)),
        Refusal::NotNow { text, unmet, .. } => {
            texts.push(text);
            texts.extend(
                unmet
                    .iter_mut()
                    .flat_map(|it: &mut Unmet| [&mut it.text, &mut it.satisfy]),
            );
        }
        Refusal::NotFound { .. } => {}
    }
    for text in texts {
        if let Some(masked) = mask.without_but(text, &said) {
            *text = masked;
        }
    }
    refusal.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_page_is_cut_at_its_tags_and_attributes() {
        let page = "<a class=\"x\" href=\"/t/h/changes/CHG-7\">CHG-7 &amp; more</a> rest";
        let (text, tag, after) = next_tag(page).unwrap();
        assert_eq!((text, element(tag)), ("", "a"));
        let (_, name, value, rest) = next_attribute(tag).unwrap();
        assert_eq!((name, value), ("class", "x"));
        let (_, name, value, rest) = next_attribute(rest).unwrap();
        assert_eq!((name, value), ("href", "/t/h/changes/CHG-7"));
        assert!(next_attribute(rest).is_none());
        let (text, tag, after) = next_tag(after).unwrap();
        assert_eq!(
            (decoded(text).as_str(), element(tag), after),
            ("CHG-7 & more", "/a", " rest")
        );
    }

    #[test]
    fn what_the_reader_wrote_ends_with_its_element() {
        let page = "<title>CHG-7 Swap · Assent</title><h1 translate=\"no\">Swap</h1><p>one</p>\
                    <div class=\"quote\" data-own=\"true\"><div>two<br/></div>three</div><p>four</p>";
        let (mut rest, mut own, mut found) = (page, OwnPart::of(page), Vec::new());
        while let Some((text, tag, after)) = next_tag(rest) {
            if !text.is_empty() {
                found.push((text, own.has(text)));
            }
            own.see(element(tag), tag);
            rest = after;
        }
        let own = ["CHG-7 Swap · Assent", "Swap", "two", "three"];
        let wanted =
            ["CHG-7 Swap · Assent", "Swap", "one", "two", "three", "four"].map(|text| (text, own.contains(&text)));
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_the_reader_entered_is_known_where_a_form_was_refused() {
        let form = "<form><input type=\"text\" name=\"services\" value=\"Shop, pay\"/><textarea>till &#38; web</textarea>\
                    <select><option value=\"other\">Other</option></select>";
        let refused =
            format!("{form}<p class=\"error\" data-said=\"true\"><span>There is no `shop`.</span></p><p>shop</p>");
        let found = entered(&refused);
        for word in ["shop", "pay", "shop, pay", "till", "web"] {
            assert!(found.contains(word), "{word}: {found:?}");
        }
        assert!(!found.contains("other"));
        assert!(entered(form).is_empty(), "nothing was refused");
        let (mut rest, mut part, mut inside) = (refused.as_str(), MarkedPart::new(SAID_MARK), Vec::new());
        while let Some((text, tag, after)) = next_tag(rest) {
            if part.is_in() && !text.is_empty() {
                inside.push(text);
            }
            part.see(element(tag), tag);
            rest = after;
        }
        assert_eq!(inside, ["There is no `shop`."]);
    }

    #[test]
    fn what_is_decoded_is_encoded_again() {
        let text = "<b> \"quoted\" & 'such'";
        assert_eq!(decoded(&encoded(text)), text);
    }
}
