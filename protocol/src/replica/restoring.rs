//! A group out of a backup (S-30): history to read, and nothing to write with. Every entry takes the one door, as from
//! any peer, and no key counts that does not open what it should: a backup is believed as little as a peer.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use thiserror::Error;
use zeroize::Zeroizing;

use super::backup::{NOT_SHOWN, Parts};
use super::receive::Received;
use super::shelf::{self, Stored};
use super::{Frozen, Replica, Round};
use crate::codec::DecodeError;
use crate::entry::{ClassKey, Entry, Lane, UnverifiedEntry};
use crate::group::epoch::EpochKeys;
use crate::group::genesis::Genesis;
use crate::group::operation::Control;
use crate::group::seal::{GenesisTree, Suite};
use crate::id::{EntryId, EpochId, GroupId};
use crate::store::StoreError;

/// How often entries are offered that did not fit before: one that was written in order fits at once.
const PASSES: usize = 8;

/// Why a group is not restored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// Not the form of a backup, or no group.
    #[error("malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// Of a version, or with a suite, that is unknown here.
    #[error("written by a newer version")]
    Newer,
    /// A key that does not open what it is said to.
    #[error("a key and an entry contradict one another")]
    Contradiction,
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Replica {
    /// Stages a group from a section of a backup, under a device key that nobody knows and that never signs. What is
    /// staged counts only if this succeeds; gives also how many entries were taken.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(section: &[u8], round: &mut Round<'_>) -> Result<(GroupId, usize), RestoreError> {
        let parts = Parts::read(section)?;
        let mut replica = Self::from_parts(&parts, round)?;
        replica.freeze(Frozen::Restored, round);
        replica.take_keys(&parts, round)?;
        let taken = replica.feed_restored(&parts, round)?;
        replica.check_keys(&parts, round)?;
        replica.set_screen(&parts, round)?;
        Ok((replica.group, taken))
    }

    /// Whether this is a group out of a backup, which this device is not in.
    pub fn is_restored(&self) -> bool {
        self.frozen == Some(Frozen::Restored)
    }

    fn from_parts(parts: &Parts<'_>, round: &mut Round<'_>) -> Result<Self, RestoreError> {
        let genesis = Genesis::from_payload(parts.genesis)?;
        let parameters = genesis.read()?;
        let suite = Suite::from_number(parameters.suite).ok_or(RestoreError::Newer)?;
        let tree = GenesisTree { group_info: genesis.group_info.to_vec(), tree: genesis.tree.to_vec() };
        let mut replica = Self::blank(SigningKey::generate(round.rng), parameters, tree, suite, parts.root);
        let group = replica.group;
        shelf::put_secret(round.overlay, &group, b"device", Zeroizing::new(replica.key.to_bytes().to_vec()));
        shelf::put_named(round.overlay, &group, b"genesis", genesis.to_payload());
        shelf::put_named(round.overlay, &group, b"root", parts.root.as_bytes().to_vec());
        replica.draw_ties(round)?;
        replica.add_first_devices(round);
        Ok(replica)
    }

    /// Whole epochs are held as their commits are found, as after a start.
    fn take_keys(&mut self, parts: &Parts<'_>, round: &mut Round<'_>) -> Result<(), RestoreError> {
        let root = parts.whole.get(&parts.root).ok_or(DecodeError::Value)?;
        for (epoch, keys) in &parts.whole {
            shelf::put_epoch_keys(round.overlay, &self.group, epoch, keys);
            self.ring.learn(*epoch, keys.control().clone(), false);
        }
        for (epoch, control) in &parts.control {
            self.learn_control(*epoch, control, false, round);
        }
        let first = EpochId::from(self.group);
        if let Some(keys) = parts.whole.get(&first) {
            self.hold(first, keys.clone());
        }
        self.ring.insert(parts.root, root.clone());
        self.tree.lose(parts.root);
        Ok(())
    }

    fn feed_restored(&mut self, parts: &Parts<'_>, round: &mut Round<'_>) -> Result<usize, RestoreError> {
        let (mut left, mut taken): (Vec<&[u8]>, usize) =
            (parts.entries.iter().map(|(_, bytes)| *bytes).collect(), 0);
        for _ in 0..PASSES {
            let mut rest = Vec::new();
            for bytes in std::mem::take(&mut left) {
                match self.receive(bytes, round)? {
                    Received::Stored => taken = taken.saturating_add(1),
                    Received::Unknown => rest.push(bytes),
                    Received::Duplicate | Received::Excess | Received::Bad => {}
                }
            }
            left = rest;
        }
        Ok(taken)
    }

    /// Every epoch but the first begins with a commit, whose id is the epoch's and which the key of the epoch before
    /// has to open: so nobody passes off a false key, under which acts would count for nothing, on the way to an epoch
    /// that this member was in. Beside it a member's lie must not spoil everybody's backups. A key of an epoch of which
    /// no commit is here opens nothing that counts, and is not kept.
    fn check_keys(&self, parts: &Parts<'_>, round: &mut Round<'_>) -> Result<(), RestoreError> {
        let (first, way) = (EpochId::from(self.group), self.way_to_all(parts, round)?);
        for epoch in parts.epochs().filter(|epoch| **epoch != first) {
            let stored = self.shelf(round).by_id(&EntryId(epoch.0))?;
            let fits = |commit: &Stored| self.tree.get(epoch).is_some() && parts.opens(&commit.entry);
            if way.contains(epoch) && stored.as_ref().is_some_and(|commit| !fits(commit)) {
                return Err(RestoreError::Contradiction);
            }
            if stored.is_none_or(|stored| stored.facts.is_none()) && *epoch != parts.root {
                shelf::erase_keys(round.overlay, &self.group, epoch);
            }
        }
        Ok(())
    }

    /// The epochs that led to those of which all keys are here, and these.
    fn way_to_all(&self, parts: &Parts<'_>, round: &Round<'_>) -> Result<BTreeSet<EpochId>, StoreError> {
        let mut way = BTreeSet::new();
        for epoch in parts.whole.keys() {
            let mut at = *epoch;
            while way.insert(at) {
                let Some(stored) = self.shelf(round).by_id(&EntryId(at.0))? else { break };
                at = stored.entry.epoch();
            }
        }
        Ok(way)
    }

    /// Messages are on the screen since when they were, and those that had gone from it stay away (K-13).
    fn set_screen(&self, parts: &Parts<'_>, round: &mut Round<'_>) -> Result<(), RestoreError> {
        let told: BTreeMap<([u8; 8], u32), u32> = parts.entries.iter().filter_map(told_of).collect();
        for shown in self.shelf(round).timeline_from(0, usize::MAX)? {
            let received = told.get(&(shown.log.device.hint(), shown.seq)).copied();
            let received = received.filter(|received| *received != NOT_SHOWN);
            let stored = self.shelf(round).at(shown.log, shown.seq)?;
            let Some((received, Stored { entry, .. })) = received.zip(stored) else {
                shelf::drop_shown(round.overlay, &self.group, shown.order);
                continue;
            };
            let received = received.min(round.now.as_entry_secs());
            shelf::put_message(round.overlay, &self.group, shown.log, &entry, shown.place(), received);
        }
        Ok(())
    }
}

impl Parts<'_> {
    /// Whether the key that a backup gives of its epoch opens an act. Others may have been told since, but after a
    /// start this one is what counts.
    fn opens(&self, act: &Entry) -> bool {
        let epoch = act.epoch();
        let given = self.whole.get(&epoch).map(EpochKeys::control).or_else(|| self.control.get(&epoch));
        given.is_none_or(|key| act.is_under(&ClassKey(key.clone())))
    }
}

/// What is told of an entry of a talk lane.
fn told_of((received, bytes): &(u32, &[u8])) -> Option<(([u8; 8], u32), u32)> {
    let entry = UnverifiedEntry::decode(bytes).ok()?;
    let header = entry.header();
    (header.lane == Lane::Talk).then_some(((header.author_hint, header.seq), *received))
}
