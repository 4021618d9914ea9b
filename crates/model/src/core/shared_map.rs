//! Collections whose copies share unchanged entries: a directory is copied with each write of one of its records, and the cost
//! of a copy must depend on the record, not on the directory.

use std::borrow::Borrow;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::core::ids::RecordId;

/// The most entries of one board: a write copies the pointers of one board and of all boards.
const BOARD: usize = 128;

type Board<K, V> = Vec<Arc<(K, V)>>;

/// A sorted map. Its clone shares every entry; a write copies one entry and the board that holds it.
#[derive(Debug)]
pub struct Shelf<K, V> {
    /// Entries in the order of keys, none of the boards empty.
    boards: Vec<Arc<Board<K, V>>>,
    len: usize,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self {
            boards: Vec::new(),
            len: 0,
        }
    }
}

impl<K, V> Clone for Shelf<K, V> {
    fn clone(&self) -> Self {
        Self {
            boards: self.boards.clone(),
            len: self.len,
        }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Shelf<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K, V> Shelf<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keys and values in the order of keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        let entries = self.boards.iter().flat_map(|board| board.iter());
        entries.map(|entry| (&entry.0, &entry.1))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// Values in the order of keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Ord + Clone, V: Clone> Shelf<K, V> {
    /// The board that holds or would hold a key, and the key's place there.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> (usize, Result<usize, usize>)
    where
        K: Borrow<Q>,
    {
        let ends_before = |board: &Arc<Board<K, V>>| board.last().is_some_and(|last| last.0.borrow() < key);
        let at = self.boards.partition_point(ends_before);
        let at = at.min(self.boards.len().saturating_sub(1));
        let found = self.boards.get(at).map_or(Err(0), |board| {
            board.binary_search_by(|entry| entry.0.borrow().cmp(key))
        });
        (at, found)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (at, place) = self.place(key);
        let entry = self.boards.get(at)?.get(place.ok()?)?;
        Some(&entry.1)
    }

    /// Whether a key is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The value of a key, to be changed; other copies keep theirs.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (at, place) = self.place(key);
        let board = Arc::make_mut(self.boards.get_mut(at)?);
        let entry = board.get_mut(place.ok()?)?;
        Some(&mut Arc::make_mut(entry).1)
    }

    /// Values in the order of keys, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let boards = self.boards.iter_mut().map(Arc::make_mut);
        boards.flatten().map(|entry| &mut Arc::make_mut(entry).1)
    }

    /// Puts a value under its key and replaces an earlier one.
    pub fn insert(&mut self, key: K, value: V) {
        let (at, place) = self.place(&key);
        let entry = Arc::new((key, value));
        let is_last = at + 1 >= self.boards.len();
        let Some(board) = self.boards.get_mut(at) else {
            self.boards.push(Arc::new(vec![entry]));
            self.len = 1;
            return;
        };
        let place = match place {
            Ok(place) => {
                Arc::make_mut(board)[place] = entry;
                return;
            }
            Err(place) => place,
        };
        self.len += 1;
        // Ids grow with time, so most entries come at the end: there a full board stays full.
        if is_last && place >= BOARD {
            self.boards.push(Arc::new(vec![entry]));
            return;
        }
        let board = Arc::make_mut(board);
        board.insert(place, entry);
        if board.len() > BOARD {
            let rest = board.split_off(BOARD / 2);
            self.boards.insert(at + 1, Arc::new(rest));
        }
    }

    /// Removes a key; returns whether it was present.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        let (at, place) = self.place(key);
        let (Some(board), Ok(place)) = (self.boards.get_mut(at), place) else {
            return false;
        };
        let board = Arc::make_mut(board);
        board.remove(place);
        if board.is_empty() {
            self.boards.remove(at);
        }
        self.len -= 1;
        true
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Shelf<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut shelf = Self::default();
        shelf.extend(entries);
        shelf
    }
}

impl<K: Ord + Clone, V: Clone> Extend<(K, V)> for Shelf<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

/// A list. Its clone shares every row; a write copies one row and the pointers to the others.
#[derive(Debug)]
pub struct Rows<T>(Arc<Vec<Arc<T>>>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: PartialEq> PartialEq for Rows<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self(Arc::new(rows.into_iter().map(Arc::new).collect()))
    }
}

impl<T> Rows<T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator + Clone {
        self.0.iter().map(|row| &**row)
    }

    /// The row at a place.
    pub fn get(&self, place: usize) -> Option<&T> {
        self.0.get(place).map(|row| &**row)
    }
}

impl<T: Clone> Rows<T> {
    /// Copies of all rows.
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().cloned().collect()
    }

    /// The row at a place, to be changed; other copies keep theirs.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        Arc::make_mut(&mut self.0).get_mut(place).map(Arc::make_mut)
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: T) {
        Arc::make_mut(&mut self.0).push(Arc::new(row));
    }

    /// Puts a row into rows sorted by id: in the place of the row with the same id, or where it belongs.
    pub fn put(&mut self, row: T, id: impl Fn(&T) -> &RecordId) {
        let rows = Arc::make_mut(&mut self.0);
        let found = rows.binary_search_by(|known| id(known).cmp(id(&row)));
        let row = Arc::new(row);
        match found {
            Ok(place) => rows[place] = row,
            Err(place) => rows.insert(place, row),
        }
    }

    /// Removes the row with this id from rows sorted by id.
    pub fn remove(&mut self, gone: &RecordId, id: impl Fn(&T) -> &RecordId) {
        if let Ok(place) = self.0.binary_search_by(|known| id(known).cmp(gone)) {
            Arc::make_mut(&mut self.0).remove(place);
        }
    }
}

impl<T> Index<usize> for Rows<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.0[place]
    }
}

impl<T: Clone> IndexMut<usize> for Rows<T> {
    fn index_mut(&mut self, place: usize) -> &mut T {
        Arc::make_mut(&mut Arc::make_mut(&mut self.0)[place])
    }
}

impl<T: Clone> Extend<T> for Rows<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, rows: I) {
        Arc::make_mut(&mut self.0).extend(rows.into_iter().map(Arc::new));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The operations on a map.
    #[derive(Debug, Clone)]
    enum Step {
        Insert(u16, u8),
        Append(u8),
        Remove(u16),
        Change(u16, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = 0..400_u16;
        let step = prop_oneof![
            4 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
            4 => any::<u8>().prop_map(Step::Append),
            2 => key.clone().prop_map(Step::Remove),
            1 => (key, any::<u8>()).prop_map(|(key, value)| Step::Change(key, value)),
        ];
        proptest::collection::vec(step, 0..700)
    }

    fn take(shelf: &mut Shelf<u16, u8>, map: &mut BTreeMap<u16, u8>, step: &Step) {
        match step {
            Step::Insert(key, value) => {
                shelf.insert(*key, *value);
                map.insert(*key, *value);
            }
            Step::Append(value) => {
                let key = map.keys().next_back().map_or(0, |last| last + 1);
                shelf.insert(key, *value);
                map.insert(key, *value);
            }
            Step::Remove(key) => assert_eq!(shelf.remove(key), map.remove(key).is_some()),
            Step::Change(key, value) => {
                assert_eq!(shelf.get_mut(key).is_some(), map.contains_key(key));
                shelf.get_mut(key).into_iter().for_each(|it| *it = *value);
                map.entry(*key).and_modify(|it| *it = *value);
            }
        }
    }

    proptest! {
        #[test]
        fn a_shelf_holds_what_a_map_holds_and_copies_stay_as_they_were(steps in steps(), at in 0..700_usize) {
            let (mut shelf, mut map) = (Shelf::default(), BTreeMap::new());
            let mut kept = None;
            for (count, step) in steps.iter().enumerate() {
                if count == at {
                    kept = Some((shelf.clone(), map.clone()));
                }
                take(&mut shelf, &mut map, step);
                prop_assert_eq!(shelf.len(), map.len());
            }
            prop_assert!(shelf.iter().eq(map.iter()));
            prop_assert!(shelf.boards.iter().all(|board| (1..=BOARD).contains(&board.len())));
            for key in 0..1_200_u16 {
                prop_assert_eq!(shelf.get(&key), map.get(&key));
            }
            if let Some((shelf, map)) = kept {
                prop_assert!(shelf.iter().eq(map.iter()), "a copy moved with the other");
            }
        }

        #[test]
        fn rows_by_id_stay_in_order(ids in proptest::collection::vec((0..50_u8, any::<bool>()), 0..200)) {
            let (mut rows, mut map) = (Rows::default(), BTreeMap::new());
            for (count, (id, stays)) in ids.iter().enumerate() {
                let id = RecordId(format!("{id:02}"));
                if *stays {
                    rows.put((id.clone(), count), |row| &row.0);
                    map.insert(id, count);
                } else {
                    rows.remove(&id, |row| &row.0);
                    map.remove(&id);
                }
            }
            let wanted: Vec<(RecordId, usize)> = map.into_iter().collect();
            prop_assert_eq!(rows.to_vec(), wanted);
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_boards() {
        let shelf: Shelf<u32, ()> = (0..1_280).map(|key| (key, ())).collect();
        assert_eq!(shelf.boards.len(), 1_280 / BOARD);
    }
}
