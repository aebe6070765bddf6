//! A map that forgets its oldest rows: whatever a stranger can add a row to has a bound.

use std::collections::{HashMap, VecDeque};

/// Rows by key, `most` of them at once.
pub(crate) struct Bounded<V> {
    rows: HashMap<String, V>,
    /// The keys in the order they came; one that was removed may still stand here.
    order: VecDeque<String>,
    most: usize,
}

impl<V> Bounded<V> {
    /// An empty map for `most` rows.
    pub(crate) fn new(most: usize) -> Self {
        Self { rows: HashMap::new(), order: VecDeque::new(), most: most.max(1) }
    }

    /// Adds a row under a key that was never used before; the oldest goes when there are too many.
    pub(crate) fn insert(&mut self, key: String, row: V) {
        if self.order.len() >= 2 * self.most {
            let Self { rows, order, .. } = self;
            order.retain(|key| rows.contains_key(key));
        }
        while self.rows.len() >= self.most {
            let Some(oldest) = self.order.pop_front() else { break };
            self.rows.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.rows.insert(key, row);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.rows.get(key)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        self.rows.remove(key)
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Bounded;

    #[test]
    fn the_oldest_row_goes_first_and_the_newest_stays() {
        let mut map = Bounded::new(3);
        for key in ["a", "b", "c", "d"] {
            map.insert(key.to_owned(), key);
        }
        assert_eq!((map.get("a"), map.get("b"), map.get("d")), (None, Some(&"b"), Some(&"d")));
    }

    #[test]
    fn rows_that_were_removed_take_no_room_for_long() {
        let mut map = Bounded::new(3);
        map.insert("stays".to_owned(), 0);
        for number in 0..100 {
            map.insert(number.to_string(), number);
            map.remove(&number.to_string());
        }
        assert!(map.order.len() <= 6, "{}", map.order.len());
        assert_eq!(map.get("stays"), Some(&0));
    }
}
