//! Going on after records were lost (S-4): every log is held up to its first gap, and what follows is fetched
//! again; of one's own log nothing new is written before a member has shown what it has of it, else a lost
//! entry would be written twice.

use std::collections::BTreeSet;

use super::shelf::{self, Shelf, Stored};
use super::{Frozen, Replica, Round};
use crate::entry::Lane;
use crate::id::{DeviceKey, EntryId, GroupId};
use crate::log::{Facts, LogId, Meta};
use crate::store::{Overlay, StoreError};

const DOUBT: &[u8] = b"doubt";

/// Entries of a log read together.
const PAGE: usize = 256;

/// What is known of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Own entries may be lost.
    Own = 1,
    /// None are, but of others' there may be.
    Others = 2,
}

/// Stages that records of a group were lost, nobody knows which.
pub fn doubt(overlay: &mut Overlay, group: &GroupId) {
    shelf::put_named(overlay, group, DOUBT, vec![Doubt::Own as u8]);
}

pub(super) fn read(shelf: Shelf<'_>) -> Result<Option<Doubt>, StoreError> {
    let record = shelf.named(DOUBT)?;
    Ok(record.map(|record| if record == [Doubt::Others as u8] { Doubt::Others } else { Doubt::Own }))
}

/// The beginning of a log without a gap.
pub(super) fn contiguous(trunk: Vec<Stored>) -> Vec<Stored> {
    let follows = |(stored, seq): &(Stored, u32)| stored.entry.header().seq == *seq;
    trunk.into_iter().zip(1..).take_while(follows).map(|(stored, _)| stored).collect()
}

/// The newest entry before the first gap of a log.
pub(super) fn newest_before_gap(shelf: Shelf<'_>, log: LogId) -> Result<Option<Stored>, StoreError> {
    let (mut newest, mut next) = (None, 1);
    loop {
        let page = shelf.from(log, next, PAGE)?;
        let full = page.len() == PAGE;
        for stored in page {
            if stored.entry.header().seq != next {
                return Ok(newest);
            }
            next = next.saturating_add(1);
            newest = Some(stored);
        }
        if !full {
            return Ok(newest);
        }
    }
}

/// Of acts in causal order those whose whole past is here.
pub(super) fn sound<'a>(
    group: GroupId,
    acts: impl Iterator<Item = &'a (Facts, crate::entry::Entry)>,
) -> BTreeSet<EntryId> {
    let mut sound = BTreeSet::from([EntryId::default(), EntryId(*group.as_bytes())]);
    for (_, entry) in acts {
        let header = entry.header();
        let past = header.act_cites.iter().copied().chain([header.prev, EntryId(entry.epoch().0)]);
        if past.into_iter().all(|id| sound.contains(&id)) {
            sound.insert(entry.id());
        }
    }
    sound
}

impl Replica {
    /// Whether an entry of this very device, offered by a member, is one that was lost: some later one of the
    /// same log is still here, and no other at its place.
    pub(super) fn is_lost_own(&self, meta: &Meta, round: &Round<'_>) -> Result<bool, StoreError> {
        if self.doubt.is_none() {
            return Ok(false);
        }
        let (log, seq) = (meta.log(), meta.header.seq);
        match self.shelf(round).at(log, seq)? {
            Some(stored) => Ok(stored.entry.id() == meta.id),
            None => Ok(seq < self.newest(log, round)?),
        }
    }

    /// Whether nothing may be written until others have shown what they have: there are others, or there is a gap
    /// that none can fill.
    pub(super) fn must_wait(&self, round: &Round<'_>) -> Result<bool, StoreError> {
        let others = self.devices.len() > 1;
        Ok(self.doubt == Some(Doubt::Own) && (others || !self.is_whole(self.device, round)?))
    }

    /// Whoever is alone in a group has shown nobody anything, and nobody has what was lost.
    ///
    /// # Errors
    /// The store's.
    pub fn trust_if_alone(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        if self.devices.len() > 1 { Ok(()) } else { self.trust_again(round) }
    }

    fn newest(&self, log: LogId, round: &Round<'_>) -> Result<u32, StoreError> {
        Ok(self.shelf(round).newest(log)?.map_or(0, |stored| stored.entry.header().seq))
    }

    /// Whether the logs of a device have no gap any more.
    fn is_whole(&self, device: DeviceKey, round: &Round<'_>) -> Result<bool, StoreError> {
        for lane in [Lane::Acts, Lane::Talk] {
            let log = LogId { device, lane };
            if self.newest(log, round)? > self.logs.head(&log).map_or(0, |(seq, _)| seq) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A member has shown all it has of this device's logs, and none of it is unknown here: if no gap is left in
    /// them, this device writes again.
    ///
    /// # Errors
    /// The store's.
    pub fn trust_again(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        if self.doubt.is_none() || !self.is_whole(self.device, round)? {
            return Ok(());
        }
        self.frozen = self.frozen.filter(|why| *why != Frozen::Mending);
        let mut whole = true;
        for device in &self.devices {
            whole &= self.is_whole(*device, round)?;
        }
        if whole {
            self.doubt = None;
            shelf::drop_named(round.overlay, &self.group, DOUBT);
        } else if self.doubt != Some(Doubt::Others) {
            self.doubt = Some(Doubt::Others);
            shelf::put_named(round.overlay, &self.group, DOUBT, vec![Doubt::Others as u8]);
        }
        Ok(())
    }

    /// Whether records of this group were lost and not all of them are here again.
    pub fn is_mending(&self) -> bool {
        self.doubt.is_some()
    }
}
