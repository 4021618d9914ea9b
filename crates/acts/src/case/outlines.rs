//! Reads the outlines of changes: known versions come from the cache, and only the others are read as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use model::change::record::Change;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::services::{Outline, OutlineList};

/// How many changes are read at once.
const AT_ONCE: usize = 200;

impl Context<'_, '_> {
    /// The outlines of the changes that a filter picks, in its order. An act that only reads takes a long list as it was read
    /// since the last commit.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn outlines(&mut self, filter: &Filter) -> Result<OutlineList> {
        let moment = self.tx.counted_moment().filter(|_| !self.writes);
        let Some(moment) = moment else {
            return Ok(Arc::new(self.read_outlines(filter)?));
        };
        let (tenant, wanted) = (self.tenant(), format!("{filter:?}"));
        if let Some(known) = self.services.outlines().list(moment, &tenant, &wanted) {
            return Ok(known);
        }
        let found = Arc::new(self.read_outlines(filter)?);
        self.services.outlines().keep_list(moment, (tenant, wanted), &found);
        Ok(found)
    }

    fn read_outlines(&mut self, filter: &Filter) -> Result<Vec<Arc<Outline>>> {
        let wanted = record::versions::<Change>(self.tx, filter)?;
        let tenant = self.tenant();
        let known = self.services.outlines().known(&tenant, &wanted);
        let missing = wanted.iter().zip(&known).filter(|(_, known)| known.is_none());
        let missing: Vec<&str> = missing.map(|((id, _), _)| id.as_str()).collect();
        let mut fresh: HashMap<String, Arc<Outline>> = HashMap::new();
        for ids in missing.chunks(AT_ONCE) {
            let filter = Filter::new().one_of("id", ids.iter().copied()).order_by("id");
            for change in record::bodies::<Change>(self.tx, &filter)? {
                fresh.insert(change.id.0.clone(), Arc::new(Outline::of(&change)));
            }
        }
        // Only committed states are cached.
        if !self.writes {
            self.services.outlines().keep(&tenant, &fresh);
        }
        let found = wanted.iter().zip(known);
        Ok(found
            .filter_map(|((id, _), known)| known.or_else(|| fresh.get(id).cloned()))
            .collect())
    }
}
