//! A list of open action items, page by page: those of the reader, of a person or a group, or without an owner, of one kind or of all.

use acts::notify::list_items::{ItemQuery, Whose, list};
use model::core::enums::ActionKind;
use model::core::ids::GroupKey;
use model::core::refusal::Refusal;
use pages::{ActForm, ActTone, Field, RecordPage, Section};

use crate::http::percent::escaped;
use crate::web::notify::inbox::{MOST, table};
use crate::web::notify::inbox_item::kind_label;
use crate::web::shared::view::View;

/// The most items before a page; a reader with more has to filter the list.
const DEEPEST: i64 = 10_000;

/// The list of the overdue items of everybody.
const OVERDUE: &str = "overdue";

/// The query of the address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct InboxQuery {
    /// `mine`, `team`, `unowned` or `overdue`.
    whose: Option<String>,
    /// The login of their owner.
    owner: Option<String>,
    /// The key of their group.
    group: Option<String>,
    /// The kind of the items.
    kind: Option<String>,
    /// The position behind the previous pages.
    after: Option<String>,
}

/// The owner of a list's items: the field and value that name it in the list's address, and the list's title.
struct Listed {
    name: &'static str,
    value: String,
    whose: Whose,
    title: String,
    is_said: bool,
}

impl InboxQuery {
    /// Whether the address names a list; else it is the whole inbox.
    pub(super) fn is_list(&self) -> bool {
        [&self.whose, &self.owner, &self.group]
            .into_iter()
            .any(|it| !text(it).is_empty())
    }

    fn listed(&self, view: &View<'_, '_, '_>) -> Result<Listed, Refusal> {
        let said = |name, value: &str, whose, title: &str| Listed {
            name,
            value: value.to_owned(),
            whose,
            title: title.to_owned(),
            is_said: true,
        };
        let (owner, group) = (text(&self.owner), text(&self.group));
        if !owner.is_empty() {
            let person = view.directory.by_login(owner);
            let person = person.ok_or_else(|| Refusal::not_found(format!("person {owner}")))?;
            return Ok(said("owner", owner, Whose::Person(person.id.clone()), &person.name));
        }
        if !group.is_empty() {
            let found = view
                .directory
                .groups
                .get(&GroupKey::from(group))
                .filter(|it| !it.removed);
            let found = found.ok_or_else(|| Refusal::not_found(format!("group {group}")))?;
            return Ok(said("group", group, Whose::Group(found.key.clone()), &found.name));
        }
        let (whose, title) = match text(&self.whose) {
            "mine" => (Whose::Mine, "Your action items"),
            "team" => (Whose::Team, "Action items of your groups"),
            "unowned" => (Whose::Unowned, "Action items without an owner"),
            OVERDUE => (Whose::All, "Overdue action items"),
            other => return Err(Refusal::not_found(format!("list {other}"))),
        };
        let listed = said("whose", text(&self.whose), whose, title);
        Ok(Listed {
            is_said: false,
            ..listed
        })
    }

    fn kind(&self) -> Result<Option<ActionKind>, Refusal> {
        let word = text(&self.kind);
        if word.is_empty() {
            return Ok(None);
        }
        let wrong = |help: String| Refusal::field("kind", "unknown_word", format!("`kind`: {help}."));
        word.parse().map(Some).map_err(wrong)
    }
}

fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default().trim()
}

/// The page of such a list.
pub(super) fn list_page(view: &mut View<'_, '_, '_>, asked: &InboxQuery) -> acts::Result<String> {
    let listed = asked.listed(view)?;
    let kind = asked.kind()?;
    let query = ItemQuery {
        whose: listed.whose.clone(),
        open: true,
        overdue: text(&asked.whose) == OVERDUE,
        kind,
        ..ItemQuery::default()
    };
    let from = text(&asked.after).parse::<i64>().unwrap_or_default().clamp(0, DEEPEST);
    let mut items = list(view.cx, &query, from + MOST + 1)?;
    let end = usize::try_from(from + MOST).unwrap_or(usize::MAX);
    let is_more = items.len() > end;
    items.truncate(end);
    let before = usize::try_from(from).unwrap_or_default().min(items.len());
    let items = items.split_off(before);
    let address = |after: i64| {
        let mut pairs = vec![format!("{}={}", listed.name, escaped(&listed.value))];
        pairs.extend(kind.map(|it| format!("kind={}", it.as_str())));
        pairs.extend((after > 0).then(|| format!("after={after}")));
        view.url(&format!("/inbox?{}", pairs.join("&")))
    };
    let first = (from > 0).then(|| ActForm::link("First page", address(0)));
    let next = is_more.then(|| ActForm::link("Next page", address(from + MOST)));
    let pages = first.into_iter().chain(next).map(|act| act.tone(ActTone::Quiet));
    let rows = table(view, "Action items", &items);
    let section = Section::new("items", "Open action items", rows).unsaid("Nothing is open.");
    let page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Inbox".to_owned(), view.url("/inbox"))],
        title: listed.title.clone(),
        is_said: listed.is_said,
        sections: vec![section.acts(pages.collect())],
        acts: vec![narrow(view, &listed, kind)],
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// Narrows the list to a kind.
fn narrow(view: &View<'_, '_, '_>, listed: &Listed, kind: Option<ActionKind>) -> ActForm {
    let kinds = ActionKind::ALL.iter().map(|it| (it.as_str(), kind_label(*it)));
    let choices: Vec<(&str, &str)> = std::iter::once(("", "Any")).chain(kinds).collect();
    let field = Field::select("kind", "Kind", &choices).value(kind.map_or("", ActionKind::as_str));
    ActForm::new("narrow", "Filter", view.url("/inbox"))
        .question()
        .field(Field::hidden(listed.name, listed.value.as_str()))
        .field(field)
        .submit("Show")
}
