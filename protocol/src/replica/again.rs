//! Coming into a group again of which this profile has a copy, old or out of a backup (S-9, S-30): the keys stay, and
//! what was written comes along as from any peer. Nothing of it counts as applied: that was said in another order.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use super::backup::in_order;
use super::shelf::{self, Shelf, Stored};
use super::{Frozen, Replica, Round};
use crate::crypto::{self, Secret};
use crate::entry::Lane;
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};
use crate::log::{Facts, LogId};
use crate::store::StoreError;

/// What an earlier copy had.
#[derive(Default)]
pub(super) struct Earlier {
    /// In an order in which they fit.
    entries: Vec<Stored>,
    /// Messages that had gone from its screen (K-13).
    gone: BTreeSet<EntryId>,
}

/// Takes an earlier copy's entries out of the store, before anything of the new device is staged. What its own device
/// wrote is not among them: whoever is in with that device may have written other things in those places.
pub(super) fn take_out(group: GroupId, round: &mut Round<'_>) -> Result<Earlier, StoreError> {
    let (shelf, mut entries) = (Shelf { sight: round.sight(), group }, Vec::new());
    let (own, devices) = (own_device(shelf)?, shelf.devices()?);
    for device in &devices {
        entries.extend(shelf.entries_of(*device)?.into_iter().filter(|_| Some(*device) != own));
    }
    in_order(&mut entries);
    let places = shelf.timeline_from(0, usize::MAX)?;
    let shown: BTreeSet<(LogId, u32)> = places.iter().map(|shown| (shown.log, shown.seq)).collect();
    let is_gone = |facts: &Facts| {
        let log = LogId { device: facts.device, lane: facts.lane };
        facts.lane == Lane::Talk && !shown.contains(&(log, facts.seq))
    };
    let gone = entries.iter().filter(|stored| stored.facts.as_ref().is_some_and(is_gone));
    let gone = gone.map(|stored| stored.entry.id()).collect();
    for shown in places.iter().filter(|shown| Some(shown.log.device) == own) {
        shelf::drop_edited(round, &group, shown)?;
    }
    for device in devices {
        for lane in [Lane::Acts, Lane::Talk, Lane::Beacon] {
            shelf::drop_log(round, &group, LogId { device, lane })?;
        }
    }
    Ok(Earlier { entries, gone })
}

/// Of keys out of a backup those that members contradict go: theirs lead to the Welcome.
pub(super) fn drop_contradicted(
    group: GroupId,
    told: &BTreeMap<EpochId, Secret>,
    round: &mut Round<'_>,
) -> Result<(), StoreError> {
    let shelf = Shelf { sight: round.sight(), group };
    if shelf.named(b"frozen")?.is_none_or(|why| why != [Frozen::Restored as u8]) {
        return Ok(());
    }
    let mut false_ones = Vec::new();
    for (epoch, control) in told {
        let kept = shelf.epoch_keys(epoch)?;
        false_ones.extend(kept.filter(|keys| keys.control() != control).map(|_| *epoch));
    }
    for epoch in false_ones {
        shelf::erase_keys(round.overlay, &group, &epoch);
    }
    Ok(())
}

fn own_device(shelf: Shelf<'_>) -> Result<Option<DeviceKey>, StoreError> {
    let seed = shelf.secret(b"device")?.and_then(|seed| seed.as_slice().try_into().ok());
    Ok(seed.map(|seed| crypto::device_key(&SigningKey::from_bytes(&seed))))
}

impl Replica {
    /// The keys of the first epoch, where an earlier device was in it: no commit leads to them.
    pub(super) fn hold_first(&mut self, round: &mut Round<'_>) -> Result<(), StoreError> {
        let first = EpochId::from(self.group);
        if let Some(keys) = self.shelf(round).epoch_keys(&first)? {
            self.hold(first, keys);
        }
        Ok(())
    }

    /// Offers what an earlier copy had, where members have shown nothing in its place.
    pub(super) fn take_along(&mut self, earlier: &Earlier, round: &mut Round<'_>) -> Result<(), StoreError> {
        for Stored { entry, .. } in &earlier.entries {
            let log = LogId { device: entry.device(), lane: entry.header().lane };
            let shown = self.logs.head(&log).map_or(0, |(seq, _)| seq);
            if shown < entry.header().seq {
                self.receive(entry.bytes(), round)?;
            }
        }
        for shown in self.shelf(round).timeline_from(0, usize::MAX)? {
            let stored = self.shelf(round).at(shown.log, shown.seq)?;
            if stored.is_some_and(|stored| earlier.gone.contains(&stored.entry.id())) {
                shelf::drop_shown(round.overlay, &self.group, shown.order);
            }
        }
        Ok(())
    }
}
