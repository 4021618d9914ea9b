//! The parts that pages are made of. A page with a part that no page before it had is worth a long look; what a look finds
//! rests on an element, its styles and the one around it, so a page of parts that were all looked at would tell nothing new.

use std::collections::BTreeSet;

use tests::faults::size;

use crate::desk::Desk;

/// The parts on the pages so far: each kind of element within each kind of element around it.
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
    pub fn are_new(&mut self, desk: &Desk) -> bool {
        let script = "const kind = (one) => [one.localName, one.role, one.type, one.open, one.disabled, one.tabIndex,
                ...[...one.classList].sort()].filter(Boolean).join(' ').replace(/\\d+/g, '#');
            const pair = (one) => `${kind(one.parentElement)} > ${kind(one)}`;
            return [...new Set([...document.body.querySelectorAll('*')].map(pair))];";
        let found = desk.browser.run(script, &[]);
        let known = self.seen.len();
        let names = found.as_array().into_iter().flatten();
        self.seen
            .extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
        if self.seen.len() > known {
            return true;
        }
        let is_spare = self.spare > 0;
        self.spare = self.spare.saturating_sub(1);
        is_spare
    }
}
