//! Values that many looks share, in memory. A value carries its own proof that it is still true; this only keeps it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The values by key. Of more than `most`, the one that was not needed for longest goes.
pub(crate) struct Memo {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Grows with each use.
    turn: u64,
    /// Each value with the turn of its last use.
    values: HashMap<String, (u64, Arc<dyn Any + Send + Sync>)>,
}

impl Memo {
    /// An empty memo for so many values.
    pub(crate) fn of(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A map is whole after any panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value under a key, if it is of this type.
    pub(crate) fn get<T: Any + Send + Sync>(&self, key: &str) -> Option<Arc<T>> {
        let mut kept = self.kept();
        kept.turn += 1;
        let turn = kept.turn;
        let (used, value) = kept.values.get_mut(key)?;
        *used = turn;
        Arc::clone(value).downcast::<T>().ok()
    }

    /// Keeps a value under a key, in place of the one before.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, key: &str, value: Arc<T>) {
        let value: Arc<dyn Any + Send + Sync> = value;
        let mut kept = self.kept();
        kept.turn += 1;
        let turn = kept.turn;
        kept.values.insert(key.to_owned(), (turn, value));
        if kept.values.len() > self.most {
            let oldest = kept.values.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                kept.values.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_values_the_one_that_was_not_needed_for_longest_goes() {
        let memo = Memo::of(2);
        memo.keep("one", Arc::new(1_i64));
        memo.keep("two", Arc::new(2_i64));
        assert_eq!(memo.get::<i64>("one").as_deref(), Some(&1));
        memo.keep("three", Arc::new(3_i64));
        assert_eq!(memo.get::<i64>("two"), None);
        assert_eq!(memo.get::<i64>("one").as_deref(), Some(&1));
        assert_eq!(memo.get::<String>("three"), None, "a value of another type is no value");
        memo.keep("three", Arc::new(4_i64));
        assert_eq!(memo.get::<i64>("three").as_deref(), Some(&4));
    }
}
