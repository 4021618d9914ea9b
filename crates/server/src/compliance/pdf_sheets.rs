//! Pages of a PDF that are filled from the top: headings, paragraphs and tables.

use pdf_writer::{Content, Name, Pdf, Rect, Ref, Str, TextStr};

use super::pdf_fonts::{Weight, encoded, has_all, width, wrapped};

/// The width of a page in points: A4.
const WIDTH: f32 = 595.0;
/// Its height.
const HEIGHT: f32 = 842.0;
/// The margin on each side.
const MARGIN: f32 = 50.0;
/// The width between the margins.
pub(crate) const INNER: f32 = WIDTH - 2.0 * MARGIN;
/// The size of usual text, in points.
const TEXT: f32 = 9.0;
/// The distance of lines, as a multiple of the size.
const LEADING: f32 = 1.35;
/// The space between the columns of a table.
const GAP: f32 = 8.0;

/// A heading that readers list beside the pages.
struct Mark {
    title: String,
    page: usize,
}

/// Pages that are being filled.
pub(crate) struct Sheets {
    pages: Vec<Content>,
    marks: Vec<Mark>,
    /// The distance of the next line from the lower edge.
    y: f32,
    is_whole: bool,
}

impl Sheets {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self {
            pages: vec![Content::new()],
            marks: Vec::new(),
            y: HEIGHT - MARGIN,
            is_whole: true,
        }
    }

    /// Whether the font had every character so far.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Begins a new page unless there is room for so many points.
    fn make_room(&mut self, points: f32) {
        if self.y - points < MARGIN {
            self.pages.push(Content::new());
            self.y = HEIGHT - MARGIN;
        }
    }

    fn put(&mut self, x: f32, y: f32, (weight, size): (Weight, f32), text: &str) {
        self.is_whole &= has_all(text);
        if let Some(page) = self.pages.last_mut() {
            put(page, (x, y), (weight, size), text);
        }
    }

    /// A heading of the first or second level, which readers list.
    pub(crate) fn heading(&mut self, title: &str, is_first: bool) {
        let size = if is_first { 16.0 } else { 12.0 };
        let lines = wrapped(title, Weight::Bold, size, INNER);
        // A heading never ends a page.
        self.y -= size;
        self.make_room(lines.len() as f32 * size * LEADING + 4.0 * TEXT * LEADING);
        self.marks.push(Mark {
            title: title.to_owned(),
            page: self.pages.len() - 1,
        });
        for line in lines {
            self.y -= size * LEADING;
            self.put(MARGIN, self.y, (Weight::Bold, size), &line);
        }
        self.y -= 4.0;
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str, weight: Weight) {
        for line in wrapped(text, weight, TEXT, INNER) {
            self.make_room(TEXT * LEADING);
            self.y -= TEXT * LEADING;
            self.put(MARGIN, self.y, (weight, TEXT), &line);
        }
        self.y -= 4.0;
    }

    /// A table. `shares` are the widths of its columns as parts of the whole; its heads are repeated on each page.
    pub(crate) fn table(&mut self, heads: &[&str], shares: &[f32], rows: &[Vec<String>]) {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        self.make_room(3.0 * TEXT * LEADING);
        self.row(&heads, shares, Weight::Bold);
        for row in rows {
            let page = self.pages.len();
            let height = self.height(row, shares, Weight::Plain);
            self.make_room(height);
            if self.pages.len() > page {
                self.row(&heads, shares, Weight::Bold);
            }
            self.row(row, shares, Weight::Plain);
        }
        self.y -= 6.0;
    }

    /// The lines of each cell of a row.
    fn cells(row: &[String], shares: &[f32], weight: Weight) -> Vec<Vec<String>> {
        let of = |(text, share): (&String, &f32)| wrapped(text, weight, TEXT, INNER * share - GAP);
        row.iter().zip(shares).map(of).collect()
    }

    fn height(&self, row: &[String], shares: &[f32], weight: Weight) -> f32 {
        let most = Self::cells(row, shares, weight).iter().map(Vec::len).max().unwrap_or(1);
        // A row that is longer than a page is broken line by line.
        (most as f32 * TEXT * LEADING + 3.0).min(HEIGHT - 2.0 * MARGIN)
    }

    fn row(&mut self, row: &[String], shares: &[f32], weight: Weight) {
        let cells = Self::cells(row, shares, weight);
        let most = cells.iter().map(Vec::len).max().unwrap_or(1);
        for number in 0..most {
            self.make_room(TEXT * LEADING);
            self.y -= TEXT * LEADING;
            let mut x = MARGIN;
            for (lines, share) in cells.iter().zip(shares) {
                if let Some(line) = lines.get(number).filter(|line| !line.is_empty()) {
                    self.put(x, self.y, (weight, TEXT), line);
                }
                x += INNER * share;
            }
        }
        self.y -= 3.0;
        let y = self.y;
        if let Some(page) = self.pages.last_mut() {
            page.set_line_width(0.4);
            page.move_to(MARGIN, y).line_to(WIDTH - MARGIN, y).stroke();
        }
    }

    /// The document, with a foot on every page.
    pub(crate) fn finish(mut self, title: &str, foot: &str) -> Vec<u8> {
        let count = self.pages.len();
        for (number, page) in (1..).zip(&mut self.pages) {
            let place = format!("Page {number} of {count}");
            put(page, (MARGIN, MARGIN / 2.0), (Weight::Plain, 7.0), foot);
            let x = WIDTH - MARGIN - width(&place, Weight::Plain, 7.0);
            put(page, (x, MARGIN / 2.0), (Weight::Plain, 7.0), &place);
        }
        let mut ids = Ids(0);
        let (catalog, tree, info) = (ids.next(), ids.next(), ids.next());
        let (outline, fonts) = (ids.next(), [ids.next(), ids.next()]);
        let pages: Vec<(Ref, Ref)> = self.pages.iter().map(|_| (ids.next(), ids.next())).collect();
        let mut pdf = Pdf::new();
        let digest = proof::crypto::sha256_parts(&[title.as_bytes(), foot.as_bytes()])[..16].to_vec();
        pdf.set_file_id((digest.clone(), digest));
        pdf.document_info(info)
            .title(TextStr(title))
            .producer(TextStr("Assent"));
        pdf.catalog(catalog).pages(tree).outlines(outline).lang(TextStr("en"));
        pdf.pages(tree)
            .kids(pages.iter().map(|(page, _)| *page))
            .count(i32::try_from(count).unwrap_or(i32::MAX));
        for (font, name) in fonts.iter().zip([&b"Helvetica"[..], b"Helvetica-Bold"]) {
            pdf.type1_font(*font)
                .base_font(Name(name))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for ((page, stream), content) in pages.iter().zip(self.pages) {
            let mut made = pdf.page(*page);
            made.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT))
                .parent(tree)
                .contents(*stream);
            made.resources().fonts().pair(PLAIN, fonts[0]).pair(BOLD, fonts[1]);
            drop(made);
            pdf.stream(*stream, &content.finish());
        }
        outlines(&mut pdf, outline, &mut ids, &self.marks, &pages);
        pdf.finish()
    }
}

const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

fn put(page: &mut Content, (x, y): (f32, f32), (weight, size): (Weight, f32), text: &str) {
    let font = match weight {
        Weight::Plain => PLAIN,
        Weight::Bold => BOLD,
    };
    page.begin_text();
    page.set_font(font, size).next_line(x, y).show(Str(&encoded(text)));
    page.end_text();
}

/// The headings as a list beside the pages.
fn outlines(pdf: &mut Pdf, outline: Ref, ids: &mut Ids, marks: &[Mark], pages: &[(Ref, Ref)]) {
    let items: Vec<Ref> = marks.iter().map(|_| ids.next()).collect();
    let mut root = pdf.outline(outline);
    if let (Some(first), Some(last)) = (items.first(), items.last()) {
        root.first(*first).last(*last);
        root.count(i32::try_from(items.len()).unwrap_or(i32::MAX));
    }
    drop(root);
    for (number, (mark, id)) in marks.iter().zip(&items).enumerate() {
        let mut item = pdf.outline_item(*id);
        item.title(TextStr(&mark.title)).parent(outline);
        if let Some(before) = number.checked_sub(1).and_then(|at| items.get(at)) {
            item.prev(*before);
        }
        if let Some(after) = items.get(number + 1) {
            item.next(*after);
        }
        if let Some((page, _)) = pages.get(mark.page) {
            item.dest().page(*page).fit();
        }
    }
}

/// The numbers of objects, one after the other.
struct Ids(i32);

impl Ids {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}
