//! What the core asks of a disk, and an in-memory twin for tests and the simulator.
//!
//! A store is a set of records addressed by [`Key`]. [`Store::commit`] is the only way to change
//! it: a batch is durable as a whole when `commit` returns, or not at all (spec store, S-1).
//! Secrets are kept apart, since they must be erasable for good (S-2).

mod overlay;

pub use overlay::{Overlay, Sight};

use std::collections::BTreeMap;

use std::fmt;

use zeroize::Zeroizing;

/// Kinds of records. The numbers are part of the disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Facts about the profile and the list of its groups.
    Profile = 1,
    /// Entries by position in their log; scope: group, device, lane; order: seq.
    Log = 2,
    /// Where an entry lies, by id; scope: group, entry id.
    Entry = 3,
    /// Entries in screen order; scope: group, view; order: depth, hash.
    Timeline = 4,
    /// What a group remembers beside its entries; scope: group, name.
    Group = 5,
    /// Own entries not yet known to be elsewhere; scope: group; order: seq.
    Outbox = 6,
    /// Epoch states and content keys, erasable; scope: group, name.
    Secret = 7,
}

/// How long a record lives: records of one class share journal segments (spec store, S-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Retention {
    /// Kept with the group: acts and local facts.
    Kept = 1,
    /// By the group's policy: records.
    Record = 2,
    /// Time to live of chat.
    Chat = 3,
    /// Time to live of disappearing messages.
    Short = 4,
    /// Superseded soon: beacons, outbox, session leftovers.
    Passing = 5,
}

/// Address of a record. Stores on disk keep only a keyed hash of `scope`; `order` sorts the
/// records of one table and scope.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Kind of record.
    pub table: Table,
    /// What the record belongs to; at most 256 bytes.
    pub scope: Vec<u8>,
    /// Position among the records of the same table and scope.
    pub order: u128,
}

impl Key {
    /// A key from its parts.
    pub fn new(table: Table, scope: impl Into<Vec<u8>>, order: u128) -> Self {
        Self { table, scope: scope.into(), order }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, {} B)", self.table, self.scope.len())
    }
}

/// One change of a batch.
pub enum Change {
    /// Writes a record, replacing one of the same key.
    Put(Key, Retention, Vec<u8>),
    /// Forgets a record. The bytes go with their journal segment, not at once.
    Delete(Key),
    /// Writes a secret, which [`Change::Erase`] can really destroy.
    PutSecret(Key, Zeroizing<Vec<u8>>),
    /// Destroys a secret: afterwards no file holds a key that opens it.
    Erase(Key),
}

/// Changes that become durable together.
#[derive(Default)]
pub struct Batch {
    /// In order: a later change of the same key wins.
    pub changes: Vec<Change>,
}

impl Batch {
    /// Adds [`Change::Put`].
    pub fn put(&mut self, key: Key, retention: Retention, value: Vec<u8>) {
        self.changes.push(Change::Put(key, retention, value));
    }

    /// Adds [`Change::Delete`].
    pub fn delete(&mut self, key: Key) {
        self.changes.push(Change::Delete(key));
    }

    /// Adds [`Change::PutSecret`].
    pub fn put_secret(&mut self, key: Key, value: Zeroizing<Vec<u8>>) {
        self.changes.push(Change::PutSecret(key, value));
    }

    /// Adds [`Change::Erase`].
    pub fn erase(&mut self, key: Key) {
        self.changes.push(Change::Erase(key));
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Why a store could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: the batch was not written, earlier ones stand.
    #[error("the disk is full")]
    Full,
    /// This record's bytes don't authenticate; others are unharmed.
    #[error("a record is damaged")]
    Damaged,
    /// The disk refused; the consequence is as for `Full`.
    #[error("the disk does not answer: {0}")]
    Io(String),
}

/// Durable records, read and written synchronously by the core.
pub trait Store {
    /// The record at `key`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it was written but can't be read any more.
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` records of one table and scope with `from <= order <= to`, ascending.
    ///
    /// # Errors
    /// As for [`Store::get`].
    fn range(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError>;

    /// The same, descending from `to`.
    ///
    /// # Errors
    /// As for [`Store::get`].
    fn range_back(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError>;

    /// The secret at `key`.
    ///
    /// # Errors
    /// As for [`Store::get`].
    fn secret(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Writes all changes durably, or none.
    ///
    /// # Errors
    /// Whatever the error, nothing of this batch is visible afterwards.
    fn commit(&mut self, batch: Batch) -> Result<(), StoreError>;
}

/// A store without a disk.
#[derive(Clone, Default)]
pub struct MemoryStore {
    records: BTreeMap<Key, Vec<u8>>,
    secrets: BTreeMap<Key, Zeroizing<Vec<u8>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether any record or secret has these bytes in it.
    pub fn shows(&self, bytes: &[u8]) -> bool {
        let secrets = self.secrets.values().map(|secret| &***secret);
        let mut values = self.records.values().map(Vec::as_slice).chain(secrets);
        values.any(|value| value.windows(bytes.len()).any(|part| part == bytes))
    }

    /// All secrets.
    pub fn secrets(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.secrets.iter().map(|(key, secret)| (key, secret.as_slice()))
    }

    /// Loses records and secrets, as damage does.
    pub fn lose(&mut self, mut which: impl FnMut(&Key) -> bool) {
        self.records.retain(|key, _| !which(key));
        self.secrets.retain(|key, _| !which(key));
    }

    fn between(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
    ) -> impl DoubleEndedIterator<Item = (u128, Vec<u8>)> {
        let first = Key::new(table, scope, from);
        let last = Key::new(table, scope, to.max(from));
        self.records
            .range(first..=last)
            .filter(move |(key, _)| key.order <= to)
            .map(|(key, value)| (key.order, value.clone()))
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.records.get(key).cloned())
    }

    fn range(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        Ok(self.between(table, scope, from, to).take(limit).collect())
    }

    fn range_back(
        &self,
        table: Table,
        scope: &[u8],
        from: u128,
        to: u128,
        limit: usize,
    ) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        Ok(self.between(table, scope, from, to).rev().take(limit).collect())
    }

    fn secret(&self, key: &Key) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(self.secrets.get(key).cloned())
    }

    fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        for change in batch.changes {
            match change {
                Change::Put(key, _, value) => {
                    self.records.insert(key, value);
                }
                Change::Delete(key) => {
                    self.records.remove(&key);
                }
                Change::PutSecret(key, value) => {
                    self.secrets.insert(key, value);
                }
                Change::Erase(key) => {
                    self.secrets.remove(&key);
                }
            }
        }
        Ok(())
    }
}
