//! A map that knows which of its rows have changed.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::writer::Writers;

/// A table of the database: rows by key. Reads as the map it is; copies share the rows until one is changed.
#[derive(Clone, Debug)]
pub(crate) struct Table<K, V> {
    rows: Arc<BTreeMap<K, V>>,
    /// The keys of rows that were added, changed or removed, and by whom; none are noted where nobody asks.
    changed: Option<BTreeMap<K, Writers>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: Arc::default(), changed: None }
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.rows
    }
}

impl<K: Clone + Ord, V: Clone> Table<K, V> {
    /// Notes changes from now on.
    pub(crate) fn track(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// The keys of the rows that changed since they were last taken, and who changed them.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&K, &Writers)> {
        self.changed.iter().flatten()
    }

    /// The same, which count as unchanged from now on.
    pub(crate) fn take_changed(&mut self) -> BTreeMap<K, Writers> {
        self.changed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, key: K, row: V) -> Option<V> {
        if self.changed.is_some() {
            self.mark(key.clone(), Writers::current());
        }
        Arc::make_mut(&mut self.rows).insert(key, row)
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        if !self.rows.contains_key(key) {
            return None;
        }
        let removed = Arc::make_mut(&mut self.rows).remove(key);
        if removed.is_some() {
            self.mark(key.to_owned(), Writers::current());
        }
        removed
    }

    /// The row to change; it counts as changed.
    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        if self.changed.is_some() && self.rows.contains_key(key) {
            self.mark(key.to_owned(), Writers::current());
        }
        Arc::make_mut(&mut self.rows).get_mut(key)
    }

    /// Every row to change; all count as changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        if let Some(changed) = &mut self.changed {
            self.rows.keys().for_each(|key| note(changed, key.clone(), Writers::current()));
        }
        Arc::make_mut(&mut self.rows).values_mut()
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let Self { rows, changed } = self;
        Arc::make_mut(rows).retain(|key, row| {
            let kept = keep(key, row);
            if let (false, Some(changed)) = (kept, changed.as_mut()) {
                note(changed, key.clone(), Writers::current());
            }
            kept
        });
    }

    pub(crate) fn extend(&mut self, rows: impl IntoIterator<Item = (K, V)>) {
        for (key, row) in rows {
            self.insert(key, row);
        }
    }

    /// Notes that the row of `key` was changed by `writers`, whatever it is now.
    pub(crate) fn mark(&mut self, key: K, writers: Writers) {
        if let Some(changed) = &mut self.changed {
            note(changed, key, writers);
        }
    }
}

fn note<K: Ord>(changed: &mut BTreeMap<K, Writers>, key: K, writers: Writers) {
    changed.entry(key).or_default().join(writers);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Table;

    /// A table, and an old copy to which the changed rows alone are carried over.
    fn carried_over(changes: Vec<(u8, u8, u8)>) -> (Table<u8, u8>, std::collections::BTreeMap<u8, u8>) {
        let mut table = Table::default();
        table.extend((0..16).map(|key| (key, key)));
        let mut old = (*table).clone();
        table.track();
        for (what, key, value) in changes {
            match what % 5 {
                0 => drop(table.insert(key, value)),
                1 => drop(table.remove(&key)),
                2 => {
                    if let Some(row) = table.get_mut(&key) {
                        *row = value;
                    }
                }
                3 => table.retain(|found, _| found % 16 != key % 16),
                _ => table.values_mut().for_each(|row| *row = row.wrapping_add(value)),
            }
        }
        for key in table.take_changed().into_keys() {
            match table.get(&key) {
                Some(row) => drop(old.insert(key, *row)),
                None => drop(old.remove(&key)),
            }
        }
        (table, old)
    }

    proptest! {
        #[test]
        fn the_changed_rows_are_all_that_an_old_copy_lacks(
            changes in prop::collection::vec((0_u8..5, 0_u8..24, any::<u8>()), 0..40)
        ) {
            let (table, old) = carried_over(changes);
            prop_assert_eq!(&*table, &old);
        }
    }

    #[test]
    fn nothing_is_noted_where_nobody_asks() {
        let mut table = Table::default();
        table.insert(1, 1);
        assert!(table.take_changed().is_empty());
    }
}
