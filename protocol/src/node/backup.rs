//! What goes into a backup, and what becomes of it in a new profile (spec store, S-29, S-30).

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::{Node, NodeError};
use crate::id::GroupId;
use crate::replica::{Replica, RestoreError, Round, Section};
use crate::store::{Batch, Change, MemoryStore, Overlay, Store};
use crate::time::Timestamp;

/// Bytes of restored records made durable together, about.
const BATCH: usize = 32 << 20;

/// A group out of a backup, checked and not written yet.
pub struct Restored {
    group: GroupId,
    staged: Overlay,
    /// How many entries were taken.
    pub entries: usize,
}

impl Restored {
    /// Checks a section of a backup, without any disk.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn check(section: &[u8], rng: &mut dyn CryptoRng, now: Timestamp) -> Result<Self, RestoreError> {
        let (store, mut staged) = (MemoryStore::new(), Overlay::default());
        let (mut events, mut stored) = (Vec::new(), Vec::new());
        let mut round =
            Round { store: &store, overlay: &mut staged, rng, now, events: &mut events, stored: &mut stored };
        let (group, entries) = Replica::restore(section, &mut round)?;
        Ok(Self { group, staged, entries })
    }

    /// The group.
    pub fn group(&self) -> GroupId {
        self.group
    }
}

impl<S: Store> Node<S> {
    /// A group for a backup; `None` if it is longer than a backup takes.
    ///
    /// # Errors
    /// [`NodeError::NoGroup`], or the store's.
    pub fn backup(&mut self, group: &GroupId, now: Timestamp) -> Result<Option<Section>, NodeError> {
        let section = self.ask(*group, now, |replica, round| replica.backup(round));
        Ok(section.ok_or(NodeError::NoGroup)??)
    }

    /// Writes the groups of a backup into a profile that has none, each as it was read there: none is listed before
    /// all are durable.
    ///
    /// # Errors
    /// [`NodeError::AlreadyMember`] in a profile with groups, or the store's.
    pub fn restore(&mut self, groups: Vec<Restored>, now: Timestamp) -> Result<(), NodeError> {
        if !self.listed()?.is_empty() {
            return Err(NodeError::AlreadyMember);
        }
        let mut names = BTreeSet::new();
        for Restored { group, mut staged, .. } in groups {
            for batch in in_parts(staged.take()) {
                self.store.commit(batch)?;
            }
            names.insert(group);
        }
        for group in names {
            self.list_group(group)?;
        }
        self.flush(now)?;
        self.abandon(now);
        Ok(())
    }
}

fn in_parts(batch: Batch) -> Vec<Batch> {
    let (mut parts, mut size) = (vec![Batch::default()], 0usize);
    for change in batch.changes {
        let length = length(&change);
        if size.saturating_add(length) > BATCH {
            parts.push(Batch::default());
            size = 0;
        }
        size = size.saturating_add(length);
        if let Some(part) = parts.last_mut() {
            part.changes.push(change);
        }
    }
    parts
}

fn length(change: &Change) -> usize {
    match change {
        Change::Put(_, _, value) => value.len(),
        Change::PutSecret(_, value) => value.len(),
        Change::Delete(_) | Change::Erase(_) => 0,
    }
}
