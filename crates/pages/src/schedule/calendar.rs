//! The calendar: a week or a day with hours, a month, and a timeline by service. Windows and freezes are bands, changes are
//! blocks; conflicts are listed as text above. Positions are classes, or numbers in SVG attributes.

use askama::Template;

use crate::elements::form::{Acts, Fields};
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::elements::{filters, parts};
use crate::{ActForm, Chip, Field, Frame, Notice, Place, Rich, Table, render};

/// The status of a change in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CalendarStatus {
    /// Decided: it will happen.
    #[default]
    Decided,
    /// Not decided yet; or decided, and on hold or its window missed.
    Tentative,
    /// Over, or under review.
    Done,
}

/// How a change that may still move is moved: where another time is proposed, and its times in the reader's zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Movable {
    /// Where another time is proposed: `/t/halden/calendar/propose?change=CHG-1042`.
    pub href: String,
    /// Its start: `2026-11-21T22:00`.
    pub from: String,
    /// Its end.
    pub to: String,
}

/// A change on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Its page.
    pub href: String,
    /// Its title.
    pub title: String,
    /// When it begins on this day: `22:00`.
    pub time: String,
    /// Its state, as one term.
    pub state: String,
    /// The hour in which it begins, 0 to 23.
    pub hour: u8,
    /// How many hours it takes on this day, 1 to 24.
    pub hours: u8,
    /// How it stands.
    pub standing: CalendarStatus,
    /// Whether it collides with another.
    pub clashes: bool,
    /// Which column it takes of how many, when several share their hours: the first is 1; of 1 where it is alone.
    pub column: (u8, u8),
    /// How it is moved; nothing where it moves no more.
    pub movable: Option<Movable>,
}

/// The most columns of a day; of blocks that overlap more others, only the number is shown.
const MOST_COLUMNS: u8 = 6;

impl Block {
    /// The hour behind its last.
    fn end(&self) -> u8 {
        self.hour.saturating_add(self.hours)
    }

    /// Puts those that share hours beside each other, each as wide as those beside it leave room for. They come in the order in
    /// which they begin. Takes out blocks without room; returns their number.
    pub fn spread(blocks: &mut Vec<Block>) -> usize {
        let mut from = 0;
        while from < blocks.len() {
            let mut to = from;
            let mut end = 0;
            while blocks.get(to).is_some_and(|block| to == from || block.hour < end) {
                end = end.max(blocks.get(to).map_or(0, Block::end));
                to += 1;
            }
            if let Some(group) = blocks.get_mut(from..to) {
                Self::side_by_side(group);
            }
            from = to;
        }
        let all = blocks.len();
        blocks.retain(|block| block.column.0 <= MOST_COLUMNS);
        all - blocks.len()
    }

    fn side_by_side(group: &mut [Block]) {
        let mut ends: Vec<u8> = Vec::new();
        for block in group.iter_mut() {
            let free = ends.iter().position(|end| *end <= block.hour);
            let place = free.unwrap_or_else(|| {
                ends.push(0);
                ends.len() - 1
            });
            if let Some(end) = ends.get_mut(place) {
                *end = block.end();
            }
            block.column.0 = u8::try_from(place + 1).unwrap_or(u8::MAX);
        }
        let all = u8::try_from(ends.len()).unwrap_or(u8::MAX).min(MOST_COLUMNS);
        group.iter_mut().for_each(|block| block.column.1 = all);
    }
}

/// A window or a freeze on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Band {
    /// The name from its author: “Saturday maintenance”.
    pub title: String,
    /// Its hours on this day: “from 20:00 to 23:00”; empty for a whole day.
    pub hours_told: String,
    /// Its page; empty for none.
    pub href: String,
    /// Whether it is a freeze.
    pub is_freeze: bool,
    /// The hour in which it begins.
    pub hour: u8,
    /// How many hours it takes.
    pub hours: u8,
}

/// A day with its bands and blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// `Wed`.
    pub name: String,
    /// `18`, or `20 · today`.
    pub number: String,
    /// The day as a page of its own.
    pub href: String,
    /// Whether it is today.
    pub is_today: bool,
    /// Whether it belongs to the month that is shown.
    pub is_outside: bool,
    /// The hour and the label of now, on today.
    pub now: Option<(u8, String)>,
    /// Windows and freezes.
    pub bands: Vec<Band>,
    /// Changes, in the order of time.
    pub blocks: Vec<Block>,
    /// The number of further ones that only the table has.
    pub more: usize,
}

/// A bar in a lane, in thousandths of the width.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bar {
    /// Where it begins.
    pub from: u32,
    /// How long it is.
    pub length: u32,
    /// The label beside it.
    pub title: String,
    /// Its key.
    pub key: String,
    /// Its page.
    pub href: String,
    /// How it stands.
    pub standing: CalendarStatus,
    /// Why it does not happen then; empty where it does.
    pub word: &'static str,
    /// Whether it collides.
    pub clashes: bool,
    /// The row that it takes in its lane, so that no labels overlap: the first is 0.
    pub row: u32,
    /// How it is moved; nothing where it moves no more.
    pub movable: Option<Movable>,
}

/// The side of a bar's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    Inside,
    After,
}

/// How high a row of a lane is, in pixels.
const ROW: u32 = 44;
/// How wide a letter beside a bar is at most, in thousandths of the drawing on a tablet, the narrowest that shows titles.
const LETTER: u32 = 11;
/// The least room for a label that is better than none, in thousandths.
const LEAST_ROOM: u32 = 150;

/// A service with the changes planned on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    /// The service.
    pub service: String,
    /// Its page.
    pub href: String,
    /// Its team; empty for none.
    pub team: String,
    /// Bands: from, length, whether a freeze.
    pub bands: Vec<(u32, u32, bool)>,
    /// Changes.
    pub bars: Vec<Bar>,
}

impl Lane {
    /// Gives each bar a row in which neither it nor its label overlaps another.
    pub fn settle(&mut self) {
        let mut rows: Vec<Vec<(u32, u32)>> = Vec::new();
        for bar in &mut self.bars {
            let (from, to) = bar.extent();
            let is_free = |row: &Vec<(u32, u32)>| row.iter().all(|(begin, end)| to <= *begin || *end <= from);
            let place = rows.iter().position(is_free).unwrap_or(rows.len());
            if place == rows.len() {
                rows.push(Vec::new());
            }
            if let Some(row) = rows.get_mut(place) {
                row.push((from, to));
            }
            bar.row = u32::try_from(place).unwrap_or_default();
        }
    }

    fn height(&self) -> u32 {
        let rows = self.bars.iter().map(|bar| bar.row + 1).max().unwrap_or(1);
        rows * ROW + 12
    }
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drawing {
    /// Days with hours: seven of a week, or one.
    Days(Vec<Day>),
    /// A month in weeks.
    Month(Vec<Day>),
    /// A timeline: its days with their place in thousandths, and a lane per service.
    Lanes(Vec<(u32, String)>, Vec<Lane>),
}

/// The calendar.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "calendar.html")]
pub struct Calendar {
    /// Everything around it.
    pub frame: Frame,
    /// “18 to 24 November 2026”.
    pub title: String,
    /// The zone and the legend.
    pub lede: String,
    /// Acts: the same as a list.
    pub acts: Vec<ActForm>,
    /// The views: name, address, whether it is shown.
    pub views: Vec<(String, String, bool)>,
    /// The pages before and after, and today.
    pub earlier: String,
    /// The present.
    pub today: String,
    /// The page after.
    pub later: String,
    /// Filters that are on.
    pub chips: Vec<Chip>,
    /// The form of filters.
    pub filters: Vec<Field>,
    /// Where filters are sent.
    pub filter_url: String,
    /// Collisions, each with its path.
    pub notices: Vec<Notice>,
    /// What is drawn.
    pub drawing: Drawing,
    /// The same as a table.
    pub table: Table,
}

impl Calendar {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around(&self.title, true, &render(self))
    }

    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: "calendar",
            forms: &self.acts,
        }
    }

    fn filter_fields(&self) -> Fields<'_> {
        Fields {
            form_id: "filter",
            fields: &self.filters,
        }
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }

    fn is_week(&self) -> bool {
        matches!(&self.drawing, Drawing::Days(days) if days.len() > 1)
    }

    /// Believable instances: a week, a day, a month, a timeline, one of odd texts.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let week: Vec<Day> = (0..7).map(sample_day).collect();
        let mut odd = vec![sample_day(0)];
        for (place, text) in [MARKUP, BIDI, LONG_WORD].into_iter().enumerate() {
            let block = Block {
                title: text.to_owned(),
                href: "/t/halden/changes/CHG-1".to_owned(),
                hour: u8::try_from(place * 4).unwrap_or_default(),
                hours: 3,
                ..Block::default()
            };
            odd.iter_mut().for_each(|day| day.blocks.push(block.clone()));
        }
        let lane = Lane {
            service: "ledger-db".to_owned(),
            href: "/t/halden/services/ledger-db".to_owned(),
            team: "Platform".to_owned(),
            bands: vec![(100, 50, false), (700, 300, true)],
            bars: vec![sample_bar(120, true), sample_bar(600, false)],
        };
        let drawings = [
            Drawing::Days(week.clone()),
            Drawing::Days(odd),
            Drawing::Month(week.iter().cycle().take(42).cloned().collect()),
            Drawing::Lanes(vec![(0, "Fri 20".to_owned()), (500, "Sat 21".to_owned())], vec![lane]),
        ];
        drawings.into_iter().map(sample).collect()
    }
}

fn sample(drawing: Drawing) -> Calendar {
    let url = "/t/halden/calendar".to_owned();
    let view = |name: &str, current: bool| (name.to_owned(), "/t/halden/calendar?view=day".to_owned(), current);
    Calendar {
        frame: crate::elements::sample::frame(Place::Calendar),
        title: "18 to 24 November 2026".to_owned(),
        lede: "Your time, Europe/Oslo.".to_owned(),
        acts: Vec::new(),
        views: vec![view("Day", false), view("Week", true)],
        earlier: url.clone(),
        today: url.clone(),
        later: url.clone(),
        chips: vec![Chip {
            label: "Environment".to_owned(),
            value: "production".to_owned(),
            remove_url: url.clone(),
            is_said: true,
        }],
        filters: vec![Field::text("service", "Service").half()],
        filter_url: url,
        notices: vec![Notice::new(crate::Tone::Stop, Rich::from("shipments needs ledger-db")).title("Two collide")],
        drawing,
        table: crate::elements::sample::stuck(),
    }
}

fn sample_day(place: u8) -> Day {
    Day {
        name: "Wed".to_owned(),
        number: (18 + place).to_string(),
        href: "/t/halden/calendar?view=day".to_owned(),
        is_today: place == 2,
        is_outside: place == 6,
        now: (place == 2).then(|| (10, "Now, 10:42".to_owned())),
        bands: vec![Band {
            title: "Maintenance".to_owned(),
            hours_told: "from 20:00 to 24:00".to_owned(),
            is_freeze: place > 4,
            hour: if place > 4 { 0 } else { 20 },
            hours: if place > 4 { 24 } else { 4 },
            ..Band::default()
        }],
        blocks: (0..place % 3)
            .map(|number| Block {
                href: format!("/t/halden/changes/CHG-{number}"),
                title: "Invoice archive".to_owned(),
                time: "21:00".to_owned(),
                state: "scheduled".to_owned(),
                hour: 21,
                hours: 2,
                standing: CalendarStatus::Tentative,
                clashes: number == 1,
                column: (number + 1, place % 3),
                movable: Some(sample_movable()),
            })
            .collect(),
        more: if place == 2 { 294 } else { 0 },
    }
}

fn sample_movable() -> Movable {
    Movable {
        href: "/t/halden/calendar/propose?change=CHG-1042".to_owned(),
        from: "2026-11-21T22:00".to_owned(),
        to: "2026-11-21T23:00".to_owned(),
    }
}

fn sample_bar(from: u32, clashes: bool) -> Bar {
    Bar {
        from,
        length: 30,
        title: "Customs reference".to_owned(),
        key: "CHG-1042".to_owned(),
        href: "/t/halden/changes/CHG-1042".to_owned(),
        standing: CalendarStatus::Decided,
        word: "",
        clashes,
        row: 0,
        movable: Some(sample_movable()),
    }
}

impl Block {
    fn class(&self) -> String {
        let mut class = format!("block h{} n{}", self.hour.min(23), hours(self.hours));
        match self.standing {
            CalendarStatus::Decided => {}
            CalendarStatus::Tentative => class.push_str(" tentative"),
            CalendarStatus::Done => class.push_str(" done"),
        }
        if self.clashes {
            class.push_str(" clash");
        }
        if let (at, of @ 2..) = self.column {
            class.push_str(&format!(" at-{at}-of-{of}"));
        }
        class
    }
}

impl Band {
    fn class(&self) -> String {
        format!(
            "band drawn {} h{} n{}",
            self.tint(),
            self.hour.min(23),
            hours(self.hours)
        )
    }

    fn tint(&self) -> &'static str {
        if self.is_freeze { "hatch-freeze" } else { "tint-window" }
    }
}

/// A day has 24 hours, and everything on it takes at least one.
fn hours(count: u8) -> u8 {
    count.clamp(1, 24)
}

impl Bar {
    fn class(&self) -> &'static str {
        match (self.clashes, self.standing) {
            (true, CalendarStatus::Tentative) => "box clash tentative",
            (true, _) => "box clash",
            (_, CalendarStatus::Tentative) => "box tentative",
            (_, CalendarStatus::Done) => "box done",
            (_, CalendarStatus::Decided) => "box",
        }
    }

    /// Percent with one decimal, as SVG takes it.
    fn percent(thousandths: &u32) -> String {
        format!("{}.{}%", thousandths / 10, thousandths % 10)
    }

    /// A day's name, and its note where there is room: `Fri 20`, `today`.
    fn day(name: &str) -> (&str, &str) {
        name.split_once(" · ").unwrap_or((name, ""))
    }

    /// The side with the most room for its label; a long bar contains the label itself where neither side has any.
    fn side(&self) -> Side {
        let (before, after) = (self.from, 1_000_u32.saturating_sub(self.from + self.length));
        match before.max(after) < LEAST_ROOM.min(self.length) {
            true => Side::Inside,
            false if before > after => Side::Before,
            false => Side::After,
        }
    }

    /// The start and the length of its label: never past the drawing's edge, because the rest is cut with an ellipsis.
    fn words(&self) -> (u32, u32) {
        let letters =
            u32::try_from(self.title.chars().count().max(self.key.len() + self.word.len()) + 2).unwrap_or(u32::MAX);
        let wanted = letters.saturating_mul(LETTER);
        let end = self.from + self.length;
        match self.side() {
            Side::Inside => (self.from, self.length),
            Side::Before => (self.from.saturating_sub(wanted), wanted.min(self.from)),
            Side::After => (end, wanted.min(1_000_u32.saturating_sub(end))),
        }
    }

    /// The extent of the bar with its label.
    fn extent(&self) -> (u32, u32) {
        let (from, length) = self.words();
        (from.min(self.from), (from + length).max(self.from + self.length))
    }

    fn words_at(&self) -> String {
        Self::percent(&self.words().0)
    }

    fn words_width(&self) -> String {
        Self::percent(&self.words().1)
    }

    fn words_class(&self) -> &'static str {
        match self.side() {
            Side::Before => "bar-words before",
            Side::Inside | Side::After => "bar-words",
        }
    }

    /// A place in its row, in pixels from the top of its lane.
    fn y(&self, within: u32) -> u32 {
        self.row * ROW + within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(hour: u8, hours: u8) -> Block {
        Block {
            hour,
            hours,
            ..Block::default()
        }
    }

    #[test]
    fn blocks_that_share_hours_stand_side_by_side_and_others_take_the_whole_day() {
        let mut blocks = vec![
            block(1, 2),
            block(9, 2),
            block(9, 1),
            block(10, 3),
            block(12, 1),
            block(13, 1),
        ];
        assert_eq!(Block::spread(&mut blocks), 0);
        let columns: Vec<(u8, u8)> = blocks.iter().map(|block| block.column).collect();
        assert_eq!(columns, [(1, 1), (1, 2), (2, 2), (2, 2), (1, 2), (1, 1)]);
        let mut crowd: Vec<Block> = (0..8).map(|_| block(9, 2)).collect();
        assert_eq!(Block::spread(&mut crowd), 2, "nothing lies over another");
        let columns: Vec<(u8, u8)> = crowd.iter().map(|block| block.column).collect();
        assert_eq!((columns.len(), columns[5]), (6, (6, 6)));
    }

    #[test]
    fn the_words_of_a_bar_never_reach_past_the_drawing() {
        for (from, length, side) in [
            (0, 20, Side::After),
            (560, 20, Side::Before),
            (980, 20, Side::Before),
            (100, 850, Side::Inside),
            (0, 1_000, Side::Inside),
        ] {
            let bar = Bar {
                from,
                length,
                title: "A very long title ".repeat(9),
                ..Bar::default()
            };
            assert_eq!(bar.side(), side, "{from} {length}");
            let (begin, room) = bar.words();
            assert!(begin + room <= 1_000 && room > 0, "{from} {length}: {begin} {room}");
        }
    }

    #[test]
    fn bars_whose_words_would_lie_over_each_other_take_rows_of_their_own() {
        let mut lane = Lane {
            bars: vec![sample_bar(100, false), sample_bar(130, true), sample_bar(400, false)],
            ..Lane::default()
        };
        lane.settle();
        let rows: Vec<u32> = lane.bars.iter().map(|bar| bar.row).collect();
        assert_eq!((rows, lane.height()), (vec![0, 1, 0], 2 * ROW + 12));
    }
}
