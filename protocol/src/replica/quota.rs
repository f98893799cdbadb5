//! How much of one author a node takes (Y-26): a flood stays with its author.
//!
//! Each node counts for itself what it has stored of an author in a group, by its own clock, in days
//! since the act that let the author in says it was made. That act is signed by whoever may let in, so
//! an author can't make itself older; two more days are given, because clocks differ and a day that has
//! begun counts whole. Days on which little was written stay with the author. What is over is neither
//! fetched nor taken until a day later; nothing of it is lost where it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Replica, Round, shelf};
use crate::codec::Reader;
use crate::entry::{Entry, Lane};
use crate::id::DeviceKey;
use crate::log::LogId;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Entries a day in the acts lane and in the talk lane.
const ACTS: u64 = 2_000;
const TALK: u64 = 10_000;
/// Bytes a day, all lanes together.
const BYTES: u64 = 64 << 20;
const DAY: u64 = 86_400;
/// Days that are given.
const GIVEN: u64 = 2;
/// The count of bytes is stored when it has grown by so much: a restart forgets less than that.
const STEP: u64 = 1 << 20;

/// What is counted of the authors of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct Quota {
    /// When each device was let in first, by the clock of whoever did.
    since: BTreeMap<DeviceKey, u32>,
    /// Bytes stored of each.
    bytes: BTreeMap<DeviceKey, u64>,
}

impl Quota {
    /// Somebody was let in.
    pub(super) fn admitted(&mut self, device: DeviceKey, time: u32) {
        let since = self.since.entry(device).or_insert(time);
        *since = time.min(*since);
    }

    /// When a device was let in first.
    pub(super) fn since(&self, device: &DeviceKey) -> Option<u32> {
        self.since.get(device).copied()
    }

    fn days(&self, device: &DeviceKey, now: Timestamp) -> u64 {
        let since = self.since.get(device).map_or(u64::MAX, |since| u64::from(*since));
        (now.as_secs().saturating_sub(since) / DAY).saturating_add(GIVEN)
    }

    fn entries(&self, log: LogId, now: Timestamp) -> u64 {
        match log.lane {
            Lane::Acts => self.days(&log.device, now).saturating_mul(ACTS),
            Lane::Talk => self.days(&log.device, now).saturating_mul(TALK),
            // Only the newest is kept: bytes bound them.
            Lane::Beacon => u64::MAX,
        }
    }

    fn bytes_left(&self, device: &DeviceKey, now: Timestamp) -> u64 {
        let used = self.bytes.get(device).copied().unwrap_or(0);
        self.days(device, now).saturating_mul(BYTES).saturating_sub(used)
    }

    /// Whether an entry of this position and length is within bounds.
    fn allows(&self, log: LogId, seq: u32, length: usize, now: Timestamp) -> bool {
        u64::from(seq) <= self.entries(log, now) && length as u64 <= self.bytes_left(&log.device, now)
    }

    /// Counts bytes; the count if it is time to store it.
    fn count(&mut self, device: DeviceKey, length: usize) -> Option<u64> {
        let used = self.bytes.entry(device).or_default();
        let before = *used;
        *used = used.saturating_add(length as u64);
        (before / STEP != *used / STEP).then_some(*used)
    }
}

fn name(device: &DeviceKey) -> Vec<u8> {
    shelf::named(b"bytes", device.as_bytes())
}

impl Replica {
    /// Whether another's entry may be stored.
    pub(super) fn within_quota(&self, entry: &Entry, now: Timestamp) -> bool {
        let log = LogId { device: entry.device(), lane: entry.header().lane };
        self.quota.allows(log, entry.header().seq, entry.bytes().len(), now)
    }

    /// Counts an entry that is stored, and no other: nobody uses up another's bytes by repeating them.
    pub(super) fn count_stored(&mut self, entry: &Entry, round: &mut Round<'_>) {
        let device = entry.device();
        if let Some(used) = self.quota.count(device, entry.bytes().len()) {
            shelf::put_named(round.overlay, &self.group, &name(&device), used.to_be_bytes().to_vec());
        }
    }

    /// Whether anything more of a log is taken now.
    pub fn takes_more(&self, log: LogId, now: Timestamp) -> bool {
        let newest = self.logs.head(&log).map_or(0, |(seq, _)| seq);
        log.device == self.device || self.quota.allows(log, newest.saturating_add(1), 1, now)
    }

    /// Devices that have written as much as is taken of anybody by now; this node's own too, of which
    /// others take no more.
    pub fn at_quota(&self, now: Timestamp) -> BTreeSet<DeviceKey> {
        let newest = self.logs.heads().map(|(log, seq, ..)| (log, seq));
        let full = newest.filter(|(log, seq)| !self.quota.allows(*log, seq.saturating_add(1), 1, now));
        full.map(|(log, _)| log.device).collect()
    }

    pub(super) fn restore_quota(&mut self, round: &Round<'_>) -> Result<(), StoreError> {
        for device in &self.devices {
            let stored = self.shelf(round).named(&name(device))?;
            if let Some(used) = stored.and_then(|bytes| Reader::new(&bytes).u64().ok()) {
                self.quota.bytes.insert(*device, used);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVE: DeviceKey = DeviceKey([7; 32]);

    fn at(days: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000_000 + days * DAY)
    }

    fn quota() -> Quota {
        let mut quota = Quota::default();
        quota.admitted(EVE, 1_000_000_000);
        quota
    }

    #[test]
    fn entries_are_bounded_by_day_and_lane_and_unused_days_stay() {
        let quota = quota();
        for (lane, most) in [(Lane::Acts, 2_000), (Lane::Talk, 10_000)] {
            let log = LogId { device: EVE, lane };
            for days in [0, 1, 30] {
                let most = most * (u32::try_from(days).unwrap() + 2);
                assert!(quota.allows(log, most, 100, at(days)));
                assert!(!quota.allows(log, most + 1, 100, at(days)));
            }
        }
    }

    #[test]
    fn bytes_are_bounded_whatever_they_are_spent_on() {
        let mut quota = quota();
        let log = LogId { device: EVE, lane: Lane::Beacon };
        let mut taken = 0u64;
        while quota.allows(log, 1, 60_000, at(0)) {
            quota.count(EVE, 60_000);
            taken += 60_000;
        }
        assert!(taken <= 2 * BYTES && taken > 2 * BYTES - 60_000);
        assert!(quota.allows(log, 1, 60_000, at(1)));
    }

    #[test]
    fn a_back_dated_second_admission_or_a_clock_ahead_makes_nobody_younger_or_unbounded() {
        let mut quota = quota();
        quota.admitted(EVE, 2_000_000_000);
        let log = LogId { device: EVE, lane: Lane::Acts };
        assert!(quota.allows(log, 4_000 + 2_000, 100, at(1)));
        // Let in "tomorrow", or by an act that is not here: the days given, no more.
        let mut early = Quota::default();
        early.admitted(EVE, 2_000_000_000);
        for quota in [early, Quota::default()] {
            assert!(quota.allows(log, 4_000, 100, at(0)) && !quota.allows(log, 4_001, 100, at(0)));
        }
    }
}
