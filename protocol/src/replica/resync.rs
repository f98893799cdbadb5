//! A member whose device has no keys of the epochs that others are in asks for a new leaf by a `resync`,
//! and is swapped in (K-11).
//!
//! It comes to that when the branch of commits that let a device in lost against another, when a commit
//! could not be opened, or when states were lost. Nothing changes about who is a member.

use std::collections::BTreeSet;

use super::Replica;
use crate::entry::UnverifiedEntry;
use crate::group::membership::Operation;
use crate::group::operation::{Commit, Control, Doorway, Resync};
use crate::group::seal;
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::log::Facts;

/// Epochs remembered in which members write and of which nothing is known here.
const MAX_UNPLACED: usize = 64;

/// One device's wish for a new leaf.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    device: DeviceKey,
    door: Doorway,
}

/// What a commit that can be read is built on and says it carries out, believed or not.
#[derive(Clone, Debug)]
pub(super) struct Made {
    parent: EpochId,
    operations: Vec<EntryId>,
}

impl Replica {
    /// Notes that a member writes in an epoch this node knows nothing of.
    pub(super) fn note_unplaced(&mut self, entry: &UnverifiedEntry) {
        let header = entry.header();
        let by_member = self.view.roster().iter().any(|device| device.hint() == header.author_hint);
        let known = self.knows_epoch_hint(&header.epoch_hint);
        if by_member && !known && self.unplaced.len() < MAX_UNPLACED {
            self.unplaced.insert(header.epoch_hint);
        }
    }

    /// Notes whether somebody writes in an epoch that this device has no keys of, though what gave this device
    /// its keys was known to them: then that branch has won.
    pub(super) fn note_elsewhere(&mut self, device: DeviceKey, epoch: EpochId, facts: Facts) {
        let knew = |act: EntryId| self.logs.states().contains(facts.ops, &act);
        if self.ring.whole(&epoch).is_none() && self.keys_came_by().is_some_and(knew) {
            self.elsewhere.insert(device);
        } else {
            self.elsewhere.remove(&device);
        }
    }

    /// The act that the commit carried out by which this device has its keys; none for who founded the group.
    fn keys_came_by(&self) -> Option<EntryId> {
        let operations = &self.made.get(&self.tree.root())?.operations;
        operations.iter().copied().find(|act| match self.membership.operation(act) {
            Some(Operation::Admit { device, .. } | Operation::Bring { device }) => *device == self.device,
            _ => false,
        })
    }

    /// Whether this device has all keys of an epoch.
    pub fn has_keys_of(&self, epoch: &EpochId) -> bool {
        self.ring.whole(epoch).is_some()
    }

    /// Whether members write in epochs that no commit known here leads to, or on a branch that has won and that
    /// this device has no keys of.
    pub fn is_behind(&mut self) -> bool {
        if !self.unplaced.is_empty() {
            let known: BTreeSet<[u8; 8]> = self.ring.epochs().map(EpochId::hint).collect();
            self.unplaced.retain(|hint| !known.contains(hint));
        }
        let elsewhere = || self.elsewhere.iter().any(|device| self.view.member_of(device).is_some());
        self.frozen.is_none() && (!self.unplaced.is_empty() || elsewhere())
    }

    /// Notes what a commit says it carries out.
    pub(super) fn note_commit(&mut self, epoch: EpochId, parent: EpochId, payload: &[u8]) {
        if let Ok(commit) = Commit::from_payload(payload) {
            self.made.insert(epoch, Made { parent, operations: commit.operations });
        }
    }

    /// A device asks for a new leaf: its package must be one that a commit can add (G-10).
    pub(super) fn read_resync(&self, device: &DeviceKey, payload: &[u8]) -> Option<Resync> {
        let asked = Resync::from_payload(payload).ok()?;
        seal::check_key_package(&asked.key_package, device, self.suite).ok()?;
        Some(asked)
    }

    pub(super) fn keep_resync(&mut self, id: EntryId, device: DeviceKey, asked: Resync) {
        self.packages.insert(id, asked.key_package.to_vec());
        self.resyncs.insert(id, Asked { device, door: asked.door });
    }

    /// Whether an act asks for a new leaf.
    pub(super) fn is_resync(&self, act: &EntryId) -> bool {
        self.resyncs.contains_key(act)
    }

    /// The newest wish of a device in a set of acts. Of a forked log's, any that no other follows.
    fn newest_resync(&self, device: &DeviceKey, known: impl Fn(&EntryId) -> bool) -> Option<EntryId> {
        let of_device = self.resyncs.iter().filter(|(id, asked)| asked.device == *device && known(id));
        of_device.map(|(id, _)| *id).max_by_key(|id| (self.logs.act(id).map(|facts| facts.seq), *id))
    }

    /// Whether a commit under `parent` may carry a wish out: nothing newer of the device's is known to it,
    /// and no commit that led here has carried it out.
    pub(super) fn is_open_resync(
        &self,
        act: &EntryId,
        parent: &EpochId,
        known: impl Fn(&EntryId) -> bool,
    ) -> bool {
        let newest = self.resyncs.get(act).and_then(|asked| self.newest_resync(&asked.device, known));
        newest == Some(*act) && !self.is_spent(act, parent)
    }

    /// Whether the commits that led to an epoch have carried an act out. They are looked at as far as the act
    /// is in their past.
    fn is_spent(&self, act: &EntryId, epoch: &EpochId) -> bool {
        let mut at = *epoch;
        while at != EpochId::from(self.group) {
            let entry = EntryId(at.0);
            let known = |facts: &Facts| self.logs.states().contains(facts.ops, act);
            match (self.logs.act(&entry).is_some_and(known), self.made.get(&at)) {
                (false, _) => return false,
                (true, Some(made)) if !made.operations.contains(act) => at = made.parent,
                (true, _) => return true,
            }
        }
        false
    }

    /// Who got new keys by a commit.
    pub(super) fn swapped_by(&self, epoch: &EpochId) -> impl Iterator<Item = MemberId> {
        let operations = self.made.get(epoch).into_iter().flat_map(|made| &made.operations);
        operations.filter_map(|act| self.resyncs.get(act)).map(|asked| asked.device.into())
    }

    /// The wish of a device that is to be carried out on the head.
    pub(super) fn due_resync(&self, device: &DeviceKey) -> Option<EntryId> {
        let newest = self.newest_resync(device, |_| true)?;
        (!self.is_spent(&newest, &self.head())).then_some(newest)
    }

    /// Whether a commit that this node believes has carried an act out, on whatever branch.
    pub(super) fn is_carried_out(&self, act: &EntryId) -> bool {
        let cites = |made: &Made| made.operations.contains(act);
        let mut elders = BTreeSet::new();
        let mut at = self.tree.root();
        while let Some(made) = self.made.get(&at) {
            elders.insert(at);
            at = made.parent;
        }
        let believed = |epoch: &EpochId| self.tree.get(epoch).is_some() || elders.contains(epoch);
        self.made.iter().any(|(epoch, made)| cites(made) && believed(epoch))
    }

    /// Where devices that asked for a new leaf wait for it: each with its newest wish.
    pub fn doorways(&self) -> impl Iterator<Item = (EntryId, DeviceKey, &Doorway)> {
        let newest = |id: &EntryId, device| self.newest_resync(device, |_| true) == Some(*id);
        let asked = self.resyncs.iter().filter(move |(id, asked)| newest(id, &asked.device));
        asked.map(|(id, asked)| (*id, asked.device, &asked.door))
    }
}
