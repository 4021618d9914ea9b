//! The markup of our own pages, cut into tags and texts. Pages are well-formed like XML, which a test checks: every element is
//! closed, every attribute value is in double quotes, and every `<` begins a tag.

/// A piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A tag that opens an element, unchanged.
    Open(&'a str),
    /// A tag of an element without content, or the document type.
    Alone(&'a str),
    /// A tag that closes an element.
    Close(&'a str),
    /// The text between two tags, escaped.
    Text(&'a str),
}

/// Elements that have no end.
const VOID: [&str; 7] = ["meta", "link", "input", "br", "wbr", "img", "hr"];

/// Cuts a page into its pieces.
pub(super) fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::with_capacity(html.len() / 24);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        if !text.is_empty() {
            out.push(Piece::Text(text));
        }
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, behind) = tag.split_at(end);
        out.push(match tag {
            _ if tag.starts_with("</") => Piece::Close(tag),
            _ if tag.ends_with("/>") || tag.starts_with("<!") || VOID.contains(&name(tag)) => Piece::Alone(tag),
            _ => Piece::Open(tag),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

/// For each piece that opens an element, the place of the piece that closes it.
pub(super) fn ends(pieces: &[Piece<'_>]) -> Vec<usize> {
    let mut ends = vec![0; pieces.len()];
    let mut open = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Open(_) => open.push(place),
            Piece::Close(_) => {
                if let Some(end) = open.pop().and_then(|start: usize| ends.get_mut(start)) {
                    *end = place;
                }
            }
            Piece::Alone(_) | Piece::Text(_) => {}
        }
    }
    // An element that is never closed extends to the end, so that malformed markup loses no text.
    for start in open {
        if let Some(end) = ends.get_mut(start) {
            *end = pieces.len().saturating_sub(1);
        }
    }
    ends
}

/// The name of a tag's element.
pub(super) fn name(tag: &str) -> &str {
    let inner = tag.trim_start_matches(['<', '/']);
    inner
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default()
}

/// The value of an attribute, escaped.
pub(super) fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    attributes(tag)
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// The attributes of a tag with their escaped values, in order.
pub(super) fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let (before, behind) = rest.split_once("=\"")?;
        let (value, after) = behind.split_once('"')?;
        rest = after;
        Some((before.rsplit([' ', '\n']).next().unwrap_or_default(), value))
    })
}

/// A text without its escapes.
pub(super) fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_at_its_tags_and_nothing_is_lost() {
        let html = "<!doctype html>\n<p class=\"a &lt; b\">x<br/>y <b>z</b></p>";
        let found = pieces(html);
        let whole: String = found
            .iter()
            .map(|piece| match piece {
                Piece::Open(text) | Piece::Alone(text) | Piece::Close(text) | Piece::Text(text) => *text,
            })
            .collect();
        assert_eq!(whole, html);
        let ends = ends(&found);
        assert_eq!(found.get(2), Some(&Piece::Open("<p class=\"a &lt; b\">")));
        assert_eq!(ends.get(2), Some(&(found.len() - 1)));
        assert_eq!(attribute("<p class=\"a &lt; b\" id=\"x\">", "id"), Some("x"));
        assert_eq!(attribute("<p data-id=\"y\">", "id"), None);
        assert_eq!(unescaped("&amp;lt; &#39;"), "&lt; '");
        assert_eq!(name("</h1>"), "h1");
    }
}
