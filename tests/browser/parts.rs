//! The parts that pages are made of. A page with a part that no page before it had is worth a long look: most of what a look
//! finds rests on an element, its styles and the one around it. A part leaves out texts, elements further out and places on the
//! page; faults that rest on those alone are found where a page has a new part, and by the soak, which looks at every page.

use std::collections::BTreeSet;

use tests::faults::size;

use crate::desk::Desk;

/// The parts of a page: each kind of element, seen or not, within each kind of element around it; each element that is seen with
/// the names of its attributes, and whether it is empty, has no label or refers to nothing; each level of heading after each
/// other; and ids that are there twice.
const NAMES: &str = "
    const all = [...document.body.querySelectorAll('*')];
    const isSeen = (one) => one.checkVisibility({visibilityProperty: true});
    const plain = (text) => text.replace(/[0-9]+/g, '#');
    const joined = (parts) => parts.filter(Boolean).join(' ');
    const kind = (one) => joined([one.localName, one.role, one.type, one.open, one.disabled, one.tabIndex,
        ...[...one.classList].map(plain).sort()]);
    const pair = (one) => `${kind(one.parentElement)} > ${kind(one)}${isSeen(one) ? '' : ', not seen'}`;
    const isLost = (one, name) => (one.getAttribute(name) || '').split(' ').some((id) => id && !document.getElementById(id));
    const lost = (one) => ['for', 'aria-controls', 'aria-describedby', 'aria-labelledby'].filter((name) => isLost(one, name));
    const detail = (one) => joined([one.localName, ...one.getAttributeNames().sort(), !one.textContent.trim() && 'is empty',
        one.labels && one.labels.length === 0 && 'has no label', ...lost(one).map((name) => `lost ${name}`)]);
    const seen = all.filter(isSeen);
    const levels = seen.map((one) => one.localName).filter((name) => /^h[1-6]$/.test(name));
    const ids = all.map((one) => one.getAttribute('id')).filter(Boolean);
    return [...new Set([...all.map(pair), ...seen.map(detail), ...levels.map((level, at) => `${levels[at - 1]}, ${level}`),
        ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice ${plain(id)}`)])];";

/// The parts on the pages so far.
pub struct Parts {
    seen: BTreeSet<String>,
    /// How many pages without a new part are looked at all the same.
    spare: usize,
}

impl Parts {
    /// None so far. `ASSENT_TEST_PAGES` sets how many pages without a new part are looked at all the same.
    pub fn new() -> Self {
        Self {
            seen: BTreeSet::new(),
            spare: size("ASSENT_TEST_PAGES", 0),
        }
    }

    /// Whether the page in the window is worth a long look.
    ///
    /// # Panics
    /// When the script returns no parts, which would pass for a page without a new one.
    pub fn are_new(&mut self, desk: &Desk) -> bool {
        let found = desk.browser.run(NAMES, &[]);
        let names = found.as_array().expect("the parts of a page are a list");
        assert!(!names.is_empty(), "a page without parts");
        let known = self.seen.len();
        self.seen
            .extend(names.iter().filter_map(|name| name.as_str().map(str::to_owned)));
        if self.seen.len() > known {
            return true;
        }
        let is_spare = self.spare > 0;
        self.spare = self.spare.saturating_sub(1);
        is_spare
    }
}
