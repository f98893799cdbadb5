//! Changes not yet committed, laid over a store: later work of one round sees what earlier work of
//! the same round wrote, and all of it becomes durable in one batch.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{Batch, Change, Key, Retention, Store, StoreError, Table};

/// Pending changes of one round: of each record the last one.
#[derive(Clone, Default)]
pub struct Overlay {
    records: BTreeMap<Key, Option<(Retention, Vec<u8>)>>,
    secrets: BTreeMap<Key, Option<Zeroizing<Vec<u8>>>>,
}

impl Overlay {
    /// Stages a record.
    pub fn put(&mut self, key: Key, retention: Retention, value: Vec<u8>) {
        self.records.insert(key, Some((retention, value)));
    }

    /// Stages the end of a record.
    pub fn delete(&mut self, key: Key) {
        self.records.insert(key, None);
    }

    /// Stages a secret.
    pub fn put_secret(&mut self, key: Key, value: Zeroizing<Vec<u8>>) {
        self.secrets.insert(key, Some(value));
    }

    /// Stages the destruction of a secret.
    pub fn erase(&mut self, key: Key) {
        self.secrets.insert(key, None);
    }

    /// Whether nothing is staged.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.secrets.is_empty()
    }

    /// Takes the batch out; the overlay is empty afterwards.
    pub fn take(&mut self) -> Batch {
        let records = std::mem::take(&mut self.records).into_iter().map(|(key, value)| match value {
            Some((retention, value)) => Change::Put(key, retention, value),
            None => Change::Delete(key),
        });
        let secrets = std::mem::take(&mut self.secrets).into_iter().map(|(key, value)| match value {
            Some(value) => Change::PutSecret(key, value),
            None => Change::Erase(key),
        });
        Batch { changes: records.chain(secrets).collect() }
    }

    /// Adds the changes of a batch made elsewhere.
    pub fn extend(&mut self, batch: Batch) {
        for change in batch.changes {
            match change {
                Change::Put(key, retention, value) => self.put(key, retention, value),
                Change::Delete(key) => self.delete(key),
                Change::PutSecret(key, value) => self.put_secret(key, value),
                Change::Erase(key) => self.erase(key),
            }
        }
    }
}

/// A store as it will be once the overlay is committed.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// What is durable.
    pub store: &'a dyn Store,
    /// What is staged over it.
    pub overlay: &'a Overlay,
}

impl Sight<'_> {
    /// As [`Store::get`].
    ///
    /// # Errors
    /// As for [`Store::get`].
    pub fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        match self.overlay.records.get(key) {
            Some(staged) => Ok(staged.as_ref().map(|(_, value)| value.clone())),
            None => self.store.get(key),
        }
    }

    /// As [`Store::secret`].
    ///
    /// # Errors
    /// As for [`Store::get`].
    pub fn secret(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.overlay.secrets.get(key) {
            Some(staged) => Ok(staged.clone()),
            None => self.store.secret(key),
        }
    }

    /// As [`Store::range`].
    ///
    /// # Errors
    /// As for [`Store::get`].
    pub fn range(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        // Deleted records may stand among the stored ones: ask for that many more.
        let staged = self.staged(table, scope, from, to);
        let deleted = staged.values().filter(|value| value.is_none()).count();
        let stored = self.store.range(table, scope, from, to, limit.saturating_add(deleted))?;
        Ok(merge(stored, staged).into_iter().take(limit).collect())
    }

    /// As [`Store::range_back`].
    ///
    /// # Errors
    /// As for [`Store::get`].
    pub fn range_back(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        let staged = self.staged(table, scope, from, to);
        let deleted = staged.values().filter(|value| value.is_none()).count();
        let stored = self.store.range_back(table, scope, from, to, limit.saturating_add(deleted))?;
        Ok(merge(stored, staged).into_iter().rev().take(limit).collect())
    }

    fn staged(&self, table: Table, scope: &[u8], from: u128, to: u128) -> BTreeMap<u128, Option<&Vec<u8>>> {
        let first = Key::new(table, scope, from);
        let last = Key::new(table, scope, to.max(from));
        self.overlay
            .records
            .range(first..=last)
            .filter(|(key, _)| key.order <= to)
            .map(|(key, value)| (key.order, value.as_ref().map(|(_, value)| value)))
            .collect()
    }
}

fn merge(stored: Vec<(u128, Vec<u8>)>, staged: BTreeMap<u128, Option<&Vec<u8>>>) -> BTreeMap<u128, Vec<u8>> {
    let mut merged: BTreeMap<u128, Vec<u8>> = stored.into_iter().collect();
    for (order, value) in staged {
        match value {
            Some(value) => {
                merged.insert(order, value.clone());
            }
            None => {
                merged.remove(&order);
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStore;
    use super::*;

    #[test]
    fn staged_changes_are_seen_before_they_are_durable() {
        let key = |order| Key::new(Table::Log, *b"log", order);
        let mut store = MemoryStore::new();
        let mut overlay = Overlay::default();
        for order in [1, 2, 4] {
            overlay.put(key(order), Retention::Kept, vec![order as u8]);
        }
        store.commit(overlay.take()).unwrap();
        overlay.put(key(3), Retention::Kept, vec![3]);
        overlay.delete(key(2));
        let sight = Sight { store: &store, overlay: &overlay };
        let orders =
            |found: Vec<(u128, Vec<u8>)>| found.into_iter().map(|(order, _)| order).collect::<Vec<_>>();
        assert_eq!(orders(sight.range(Table::Log, b"log", 0, 9, 2).unwrap()), [1, 3]);
        assert_eq!(orders(sight.range_back(Table::Log, b"log", 0, 9, 2).unwrap()), [4, 3]);
        assert_eq!(sight.get(&key(2)).unwrap(), None);
        assert_eq!(store.get(&key(3)).unwrap(), None);
    }
}
