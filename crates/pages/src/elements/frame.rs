//! The frame around every page of somebody who is signed in: skip link,
//! navigation, top bar, and the log's health in the foot of the navigation.

use askama::Template;

use crate::elements::{filters, icons, parts};
use crate::{Notice, Part, assets, render};

/// From so many on that wait for the reader's decision, the frame counts no further.
pub const WAITING_SHOWN: u32 = 21;

/// A place of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// The reader's open work.
    #[default]
    Home,
    /// Action items of the reader and their groups.
    Inbox,
    /// All changes.
    Changes,
    /// Windows and the changes planned in them.
    Calendar,
    /// Freezes.
    Freezes,
    /// Services and their owners.
    Services,
    /// The owners of things, with the reasons.
    Ownership,
    /// The checks of the gates and their results.
    GateChecks,
    /// Incidents.
    Incidents,
    /// Templates of standard changes.
    Templates,
    /// Figures, and the rows behind them.
    Metrics,
    /// The log and how to verify it.
    AuditLog,
    /// Messages from outside systems.
    Deliveries,
    /// Gateways: watched targets, deployments and changes without a match, refusals, waiting times.
    Gateways,
    /// Permissions, requirements, and the risk table.
    Policies,
    /// Reports on rights: rights that should not stay.
    Rights,
    /// People and their rights.
    People,
    /// Systems that deliver here.
    Connections,
    /// Addresses that are notified of events.
    Webhooks,
    /// Receivers of the log.
    Sinks,
    /// Where people sign in.
    Providers,
    /// Credentials of machines and people.
    Tokens,
    /// Jobs of pipelines that show their platform's own token.
    Workloads,
    /// Working hours and holidays.
    Hours,
    /// Fields that the tenant added to its changes.
    Fields,
    /// Keys that sign, and how the log fares.
    Keys,
    /// The glossary.
    Help,
    /// Messages of the reader; reached from the top bar.
    Messages,
    /// The reader's own account; reached from the top bar.
    Account,
    /// The search; reached from the top bar.
    Search,
    /// Setting Assent up; reached from home while a step is open, and from the search.
    Setup,
}

impl Place {
    /// The places that everybody sees, in their order.
    pub const EVERYBODY: [Place; 12] = [
        Place::Home,
        Place::Inbox,
        Place::Changes,
        Place::Calendar,
        Place::Freezes,
        Place::Services,
        Place::Ownership,
        Place::GateChecks,
        Place::Incidents,
        Place::Templates,
        Place::Metrics,
        Place::Help,
    ];

    /// The places of readers scoped to services, in their order.
    pub const SCOPED: [Place; 5] = [Place::Home, Place::Inbox, Place::Changes, Place::Calendar, Place::Help];

    /// The places of a reader, in their order: those of everybody, and by right the log with the deliveries, the administration
    /// of people, and that of connected systems.
    #[must_use]
    pub fn shown(audits: bool, administers: bool, connects: bool) -> Vec<Place> {
        let mut places = Place::EVERYBODY.to_vec();
        if audits {
            places.extend([
                Place::AuditLog,
                Place::Deliveries,
                Place::Gateways,
                Place::Policies,
                Place::Rights,
            ]);
        }
        if administers {
            places.extend([Place::People, Place::Tokens, Place::Hours, Place::Fields]);
        }
        if connects {
            places.extend([
                Place::Connections,
                Place::Webhooks,
                Place::Sinks,
                Place::Providers,
                Place::Workloads,
                Place::Keys,
            ]);
        }
        places.sort_by_key(|place| *place as usize);
        places
    }

    /// The path behind the tenant's address: `/changes`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Place::Home => "/",
            Place::Inbox => "/inbox",
            Place::Changes => "/changes",
            Place::Calendar => "/calendar",
            Place::Freezes => "/freezes",
            Place::Services => "/services",
            Place::Ownership => "/ownership",
            Place::Connections => "/connections",
            Place::Webhooks => "/webhooks",
            Place::Sinks => "/sinks",
            Place::Providers => "/identity-providers",
            Place::Hours => "/hours",
            Place::Fields => "/fields",
            Place::Keys => "/keys",
            Place::GateChecks => "/gate-checks",
            Place::Incidents => "/incidents",
            Place::Templates => "/templates",
            Place::Metrics => "/metrics",
            Place::AuditLog => "/audit",
            Place::Deliveries => "/deliveries",
            Place::Gateways => "/gateways",
            Place::Policies => "/policies",
            Place::Rights => "/rights",
            Place::People => "/people",
            Place::Tokens => "/tokens",
            Place::Workloads => "/workloads",
            Place::Help => "/help",
            Place::Messages => "/messages",
            Place::Account => "/account",
            Place::Search => "/search",
            Place::Setup => "/setup",
        }
    }

    /// The label in the navigation.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Place::Home => "Home",
            Place::Inbox => "Inbox",
            Place::Changes => "Changes",
            Place::Calendar => "Calendar",
            Place::Freezes => "Freezes",
            Place::Services => "Services",
            Place::Ownership => "Ownership",
            Place::Connections => "Connections",
            Place::Webhooks => "Webhooks",
            Place::Sinks => "Sinks of the log",
            Place::Providers => "Identity providers",
            Place::Hours => "Working hours",
            Place::Fields => "Fields of changes",
            Place::Keys => "Keys and log health",
            Place::GateChecks => "Gate checks",
            Place::Incidents => "Incidents",
            Place::Templates => "Templates",
            Place::Metrics => "Metrics",
            Place::AuditLog => "Audit log",
            Place::Deliveries => "Deliveries",
            Place::Gateways => "Gateways",
            Place::Policies => "Policies",
            Place::Rights => "Questionable rights",
            Place::People => "People",
            Place::Tokens => "Tokens",
            Place::Workloads => "Workloads",
            Place::Help => "Help and glossary",
            Place::Messages => "Messages",
            Place::Account => "Your account",
            Place::Search => "Search",
            Place::Setup => "Set up Assent",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Place::Home => "home",
            Place::Inbox => "inbox",
            Place::Changes => "list",
            Place::Calendar => "calendar",
            Place::Freezes => "snow",
            Place::Services => "service",
            Place::Ownership => "person",
            Place::Providers => "door",
            Place::Rights => "flag",
            Place::Connections => "link",
            Place::Webhooks => "arrow",
            Place::Sinks => "log",
            Place::Hours => "clock",
            Place::Fields => "edit",
            Place::Keys => "leaf",
            Place::GateChecks => "gate",
            Place::Incidents => "incident",
            Place::Templates => "template",
            Place::Metrics => "chart",
            Place::AuditLog => "log",
            Place::Deliveries => "inbox",
            Place::Gateways => "eye",
            Place::Policies => "file",
            Place::People => "meeting",
            Place::Tokens => "token",
            Place::Workloads => "runbook",
            Place::Help => "help",
            Place::Messages => "bell",
            Place::Account => "gear",
            Place::Search => "search",
            Place::Setup => "gear",
        }
    }

    fn group(self) -> &'static str {
        match self {
            Place::Home | Place::Inbox | Place::Changes | Place::Calendar | Place::Freezes => "",
            Place::Services | Place::Ownership | Place::GateChecks | Place::Incidents | Place::Templates => "Estate",
            Place::Metrics
            | Place::AuditLog
            | Place::Deliveries
            | Place::Gateways
            | Place::Policies
            | Place::Rights => "Oversight",
            Place::People
            | Place::Connections
            | Place::Webhooks
            | Place::Sinks
            | Place::Providers
            | Place::Tokens
            | Place::Workloads
            | Place::Hours
            | Place::Fields
            | Place::Keys => "Administration",
            Place::Help | Place::Messages | Place::Account | Place::Search | Place::Setup => "More",
        }
    }
}

/// The log's health, shown on every page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seal {
    /// Whether the last checkpoint is as fresh as it should be.
    pub is_fresh: bool,
    /// The news: “Log sealed 12 s ago”.
    pub line: String,
    /// The size: “48,213 entries, 2 witnesses”.
    pub detail: String,
}

/// Everything around the page itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The tenant's name, under the brand.
    pub tenant: String,
    /// Where the tenant's pages begin: `/t/halden`, without a slash at its end.
    pub base: String,
    /// Where the assets are served: `/assets`, without a slash at its end.
    pub assets: String,
    /// The places that this reader sees; see [`Place::shown`].
    pub places: Vec<Place>,
    /// Where the reader is.
    pub place: Place,
    /// The reader's name.
    pub person: String,
    /// Changes that wait for the reader's decision; [`WAITING_SHOWN`] means that many or more.
    pub waiting: u32,
    /// Messages not seen yet.
    pub new_messages: u32,
    /// Whether this reader may write a change.
    pub may_create: bool,
    /// The log's health.
    pub seal: Seal,
    /// The search text, kept in the field.
    pub query: String,
    /// The result of the reader's last act, and warnings for everybody.
    pub notices: Vec<Notice>,
    /// When the page was made and in which zone its times are, for paper: `Sat 21 Nov 2026 22:00, times in Europe/Oslo`; empty
    /// shows nothing.
    pub as_of: String,
    /// Where live events come from, for the script; empty without them.
    pub stream: String,
    /// The language that the reader chose, by its tag; empty for the browser's preference.
    pub language: String,
    /// Whether the page is on a screen on a wall: large, without navigation.
    pub is_wall: bool,
    /// Whether readers without an account may read it: without navigation and menus.
    pub is_public: bool,
    /// Whether the reader prefers dense rows.
    pub is_compact: bool,
    /// Whether the reader's clock has 12 hours: the script writes times as the page does.
    pub is_by_twelve: bool,
}

/// A group of places with its heading.
struct Group {
    heading: &'static str,
    places: Vec<Place>,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Framed<'a> {
    frame: &'a Frame,
    wide: bool,
    content: Content<'a>,
    meanings: Content<'a>,
}

struct Content<'a>(&'a str);

impl Part for Content<'_> {
    fn html(&self) -> String {
        self.0.to_owned()
    }
}

#[derive(Template)]
#[template(path = "document.html")]
struct Document<'a> {
    title: &'a str,
    assets: &'a str,
    body_class: &'a str,
    chosen: Content<'a>,
    sprite: Content<'a>,
    body: Content<'a>,
}

impl Frame {
    /// Puts the frame around the content of `main`.
    pub(crate) fn around(&self, title: &str, wide: bool, content: &str) -> String {
        let meanings = crate::elements::glossary::meanings(content, &self.url(Place::Help.path()));
        let body = render(&Framed {
            frame: self,
            wide,
            content: Content(content),
            meanings: Content(&meanings),
        });
        let classes = [
            (self.is_wall, "wall"),
            (self.is_public, "public"),
            (self.is_compact, "compact"),
            (self.is_by_twelve, "twelve"),
        ];
        let classes: Vec<&str> = classes
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| name)
            .collect();
        document_in(&self.language, title, &self.assets, &classes.join(" "), &body)
    }

    /// An address of this tenant: `self.url("/changes")`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl Framed<'_> {
    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for place in &self.frame.places {
            let heading = place.group();
            match groups.iter_mut().find(|group| group.heading == heading) {
                Some(group) => group.places.push(*place),
                None => groups.push(Group {
                    heading,
                    places: vec![*place],
                }),
            }
        }
        groups
    }

    /// How many wait at a place; empty for none.
    fn count(&self, place: &Place) -> String {
        match (place, self.frame.waiting) {
            (Place::Home, 1..WAITING_SHOWN) => self.frame.waiting.to_string(),
            (Place::Home, WAITING_SHOWN..) => format!("{}+", WAITING_SHOWN - 1),
            _ => String::new(),
        }
    }

    fn is_here(&self, place: &Place) -> bool {
        self.frame.place == *place
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.frame.notices)
    }
}

/// The whole document: head, a sprite with the icons that `body` uses, body.
pub(crate) fn document(title: &str, assets: &str, body_class: &str, body: &str) -> String {
    document_in("", title, assets, body_class, body)
}

/// The same for a reader who chose a language: the page is marked with the language and translated on its way out.
fn document_in(language: &str, title: &str, assets: &str, body_class: &str, body: &str) -> String {
    let chosen = crate::language::choice(language);
    let sprite = icons::sprite(body);
    render(&Document {
        title,
        assets,
        body_class,
        chosen: Content(&chosen),
        sprite: Content(&sprite),
        body: Content(body),
    })
}

impl Document<'_> {
    fn asset(&self, name: &str) -> String {
        assets::url(self.assets, name)
    }
}
