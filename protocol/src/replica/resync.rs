//! A member whose device has no keys of the epochs that others are in asks for a new leaf by a `resync`,
//! and is swapped in (K-11).
//!
//! It comes to that when the branch of commits that let a device in lost against another, when a commit
//! could not be opened, or when states were lost. Nothing changes about who is a member.

use std::collections::BTreeSet;

use super::Replica;
use crate::entry::UnverifiedEntry;
use crate::group::operation::{Control, Doorway, MAX_BEHIND, Resync};
use crate::group::seal;
use crate::id::{DeviceKey, EntryId, EpochId, MemberId};
use crate::log::{Facts, LogId};

/// One device's wish for a new leaf.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    device: DeviceKey,
    behind: Vec<[u8; 8]>,
    door: Doorway,
}

/// What a commit that can be read is built on and says it carries out, believed or not.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) parent: EpochId,
    pub(super) maker: DeviceKey,
    /// When, by its maker's clock, in seconds.
    pub(super) time: u32,
    pub(super) operations: Vec<EntryId>,
}

impl Replica {
    /// Notes that a member writes in an epoch this node knows nothing of, by an entry that is of this group for
    /// certain: nothing has verified it.
    pub fn note_unplaced(&mut self, entry: &UnverifiedEntry) {
        let header = entry.header();
        let by_member = self.view.roster().into_iter().find(|device| device.hint() == header.author_hint);
        let Some(device) = by_member.filter(|_| !self.knows_epoch_hint(&header.epoch_hint)) else { return };
        let log = LogId { device, lane: header.lane };
        let newest = self.logs.head(&log).map_or(0, |(seq, _)| seq);
        let noted = self.unplaced.get(&log).map_or(0, |(seq, _)| *seq);
        if header.seq > newest && header.seq >= noted {
            self.unplaced.insert(log, (header.seq, header.epoch_hint));
        }
        if header.seq == newest.saturating_add(1) {
            self.sought.insert(log, (header.seq, header.epoch_hint));
        }
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
            let newest = |log: &LogId| self.logs.head(log).map_or(0, |(seq, _)| seq);
            self.unplaced.retain(|log, (seq, hint)| !known.contains(hint) && *seq > newest(log));
        }
        self.frozen.is_none() && !self.lacking().is_empty()
    }

    /// Hints of the epochs that this device is behind.
    pub fn lacking(&self) -> Vec<[u8; 8]> {
        let current = |log: &LogId| self.view.member_of(&log.device).is_some();
        let unplaced = self.unplaced.iter().filter(|(log, _)| current(log)).map(|(_, (_, hint))| *hint);
        let rival = self.tree.rival().map(|epoch| epoch.hint());
        // Told keys make an epoch known, though what leads to it may never come.
        let followed = |epoch: &EpochId| {
            *epoch == EpochId::from(self.group)
                || self.logs.has_act(&EntryId(epoch.0))
                || self.has_keys_of(epoch)
        };
        let waiting = self.logs.waiting_entries().filter(|meta| self.view.member_of(&meta.device).is_some());
        let lost = waiting.filter(|meta| !followed(&meta.epoch)).map(|meta| meta.epoch.hint());
        let hints: BTreeSet<[u8; 8]> = rival.into_iter().chain(lost).chain(unplaced).collect();
        hints.into_iter().take(MAX_BEHIND).collect()
    }

    /// Whether this device gives others new keys: not while it lacks some itself, for it knows no head to bring
    /// them to.
    pub fn set_fulfils(&mut self, fulfils: bool) {
        self.fulfils = fulfils;
    }

    /// A device asks for a new leaf: its package must be one that a commit can add (G-10).
    pub(super) fn read_resync(&self, device: &DeviceKey, payload: &[u8]) -> Option<Resync> {
        let asked = Resync::from_payload(payload).ok()?;
        seal::check_key_package(&asked.key_package, device, self.suite).ok()?;
        Some(asked)
    }

    pub(super) fn keep_resync(&mut self, id: EntryId, device: DeviceKey, asked: Resync) {
        self.packages.insert(id, asked.key_package.to_vec());
        let behind = asked.behind.iter().map(|hint| **hint).collect();
        self.resyncs.insert(id, Asked { device, behind, door: asked.door });
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
        operations.filter_map(|act| self.resyncs.get(act)).map(|asked| self.view.owner_of(&asked.device))
    }

    /// The wish of a device that is to be carried out on the head.
    pub(super) fn due_resync(&self, device: &DeviceKey) -> Option<EntryId> {
        let newest = self.newest_resync(device, |_| true).filter(|_| self.fulfils)?;
        let asked = self.resyncs.get(&newest)?;
        let mut way = self.tree.way_to(self.head());
        let on_the_way = way.any(|epoch| asked.behind.contains(&epoch.hint()));
        (on_the_way && !self.is_spent(&newest, &self.head())).then_some(newest)
    }

    /// Whether a commit that this node believes has carried an act out, on whatever branch.
    pub(super) fn is_carried_out(&self, act: &EntryId) -> bool {
        let cites = |made: &Made| made.operations.contains(act);
        self.made.iter().any(|(epoch, made)| cites(made) && self.tree.led_here(epoch))
    }

    /// Where devices that asked for a new leaf wait for it: each with its newest wish.
    pub fn doorways(&self) -> impl Iterator<Item = (EntryId, DeviceKey, &Doorway)> {
        let newest = |id: &EntryId, device| self.newest_resync(device, |_| true) == Some(*id);
        let asked = self.resyncs.iter().filter(move |(id, asked)| newest(id, &asked.device));
        asked.map(|(id, asked)| (*id, asked.device, &asked.door))
    }
}
