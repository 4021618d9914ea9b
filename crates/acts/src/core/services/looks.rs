//! What looks of pages found, kept until the next commit: a page shows the same until then.

use std::any::Any;
use std::sync::Arc;

use store::Moment;

use crate::core::context::Context;
use crate::core::error::Result;

/// The most results kept.
pub(super) const MOST_LOOKS: usize = 200;

impl Context<'_, '_> {
    /// What a look found at the present moment, whoever looked, or what it finds now. The key tells all that the look depends on
    /// besides the tenant's data. Acts that write look for themselves.
    ///
    /// # Errors
    /// The look's own.
    pub(crate) fn since_commit<T: Any + Send + Sync>(
        &mut self,
        key: &str,
        look: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Arc<T>> {
        let Some(moment) = self.tx.counted_moment().filter(|_| !self.writes) else {
            return Ok(Arc::new(look(self)?));
        };
        let key = format!("{} {key}", self.tenant());
        let kept = self.services.looks().get::<(Moment, Arc<T>)>(&key);
        if let Some(kept) = kept.filter(|kept| kept.0 == moment) {
            return Ok(Arc::clone(&kept.1));
        }
        let found = Arc::new(look(self)?);
        self.services.looks().keep(&key, Arc::new((moment, Arc::clone(&found))));
        Ok(found)
    }
}
