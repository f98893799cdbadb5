//! A group as it lies in a backup (S-29): what was written in it and the keys that open it; nothing to write with.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::shelf::Stored;
use super::{Replica, Round};
use crate::codec::{DecodeError, Reader};
use crate::crypto::Secret;
use crate::entry::{Lane, MAX_ENTRY};
use crate::group::epoch::{EpochKeys, KEYS_LEN};
use crate::id::{DeviceKey, EntryId, EpochId};
use crate::store::StoreError;

/// Longest group in a backup, in bytes.
pub const MAX_SECTION: usize = 128 << 20;

/// What stands for the moment a message came to the screen, for entries that are not on it.
pub(super) const NOT_SHOWN: u32 = 0;

/// A group, written for a backup.
pub struct Section {
    /// See S-29; with keys in it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// How many entries are in it.
    pub entries: usize,
}

/// A section as read; nothing in it is believed.
pub(super) struct Parts<'a> {
    pub(super) genesis: &'a [u8],
    /// The epoch that the Welcome led to.
    pub(super) root: EpochId,
    pub(super) whole: BTreeMap<EpochId, EpochKeys>,
    /// Control keys of epochs before this member's time.
    pub(super) control: BTreeMap<EpochId, Secret>,
    /// Each with the moment it came to the screen.
    pub(super) entries: Vec<(u32, &'a [u8])>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(section: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(section);
        let genesis = sized(&mut reader)?;
        let root = EpochId(reader.array()?);
        let whole = keys(&mut reader, |reader| {
            let mut keys = EpochKeys::from_bytes(reader.bytes(KEYS_LEN)?).ok_or(DecodeError::Value)?;
            keys.drop_outer();
            Ok(keys)
        })?;
        let control = keys(&mut reader, |reader| reader.array().map(Secret::new))?;
        let mut entries = Vec::new();
        while !reader.rest().is_empty() {
            entries.push((reader.u32()?, sized(&mut reader)?));
        }
        Ok(Self { genesis, root, whole, control, entries })
    }

    /// All epochs of which it has keys.
    pub(super) fn epochs(&self) -> impl Iterator<Item = &EpochId> {
        self.whole.keys().chain(self.control.keys())
    }
}

fn sized<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    let length = usize::try_from(reader.u32()?).map_err(|_| DecodeError::TooLarge)?;
    if length > MAX_ENTRY { Err(DecodeError::TooLarge) } else { reader.bytes(length) }
}

/// Keys by epoch, in the order of their ids.
fn keys<'a, K>(
    reader: &mut Reader<'a>,
    one: impl Fn(&mut Reader<'a>) -> Result<K, DecodeError>,
) -> Result<BTreeMap<EpochId, K>, DecodeError> {
    let mut keys = BTreeMap::new();
    for _ in 0..reader.u32()? {
        let epoch = EpochId(reader.array()?);
        if keys.last_key_value().is_some_and(|(before, _)| *before >= epoch) {
            return Err(DecodeError::NotCanonical);
        }
        keys.insert(epoch, one(reader)?);
    }
    Ok(keys)
}

impl Replica {
    /// This group for a backup; `None` if it is longer than a backup takes.
    ///
    /// # Errors
    /// The store's.
    pub fn backup(&self, round: &Round<'_>) -> Result<Option<Section>, StoreError> {
        let shown = self.shown_at(round)?;
        let entries = self.all_entries(round)?;
        let head = self.backup_head(round)?;
        let length: usize = entries.iter().map(|stored| 8 + stored.entry.bytes().len()).sum();
        let length = head.len().saturating_add(length);
        if length > MAX_SECTION {
            return Ok(None);
        }
        // Whole from the start: what grows leaves copies of keys behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(&head);
        for Stored { entry, .. } in &entries {
            let shown = shown.get(&entry.id()).copied().unwrap_or(NOT_SHOWN);
            bytes.extend_from_slice(&shown.to_be_bytes());
            push_sized(&mut bytes, entry.bytes());
        }
        Ok(Some(Section { bytes, entries: entries.len() }))
    }

    /// Genesis and keys.
    fn backup_head(&self, round: &Round<'_>) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let shelf = self.shelf(round);
        let genesis = shelf.named(b"genesis")?.ok_or(StoreError::Damaged)?;
        let root = shelf.named(b"root")?.ok_or(StoreError::Damaged)?;
        let whole: Vec<&EpochId> = self.ring.whole_epochs().collect();
        let told: Vec<&EpochId> =
            self.ring.epochs().filter(|epoch| self.ring.whole(epoch).is_none()).collect();
        let length = 4 + genesis.len() + 32 + 4 + whole.len() * (32 + KEYS_LEN) + 4 + told.len() * 64;
        let mut head = Zeroizing::new(Vec::with_capacity(length));
        push_sized(&mut head, &genesis);
        head.extend_from_slice(&root);
        push_count(&mut head, whole.len());
        for (epoch, keys) in whole.iter().filter_map(|epoch| Some((epoch, self.ring.whole(epoch)?))) {
            let mut keys = keys.clone();
            keys.drop_outer();
            head.extend_from_slice(epoch.as_bytes());
            head.extend_from_slice(&keys.to_bytes());
        }
        push_count(&mut head, told.len());
        for (epoch, control) in told.iter().filter_map(|epoch| Some((epoch, self.ring.control(epoch)?))) {
            head.extend_from_slice(epoch.as_bytes());
            head.extend_from_slice(control.as_bytes());
        }
        Ok(head)
    }

    fn all_entries(&self, round: &Round<'_>) -> Result<Vec<Stored>, StoreError> {
        let devices: Vec<DeviceKey> = self.devices.iter().chain(self.logs.promised()).copied().collect();
        let mut entries = Vec::new();
        for device in devices {
            entries.extend(self.shelf(round).entries_of(device)?);
        }
        in_order(&mut entries);
        Ok(entries)
    }

    /// When each message on the screen came here; this moment where an earlier version left that out.
    fn shown_at(&self, round: &Round<'_>) -> Result<BTreeMap<EntryId, u32>, StoreError> {
        let shelf = self.shelf(round);
        let mut shown = BTreeMap::new();
        for place in shelf.timeline_from(0, usize::MAX)? {
            let stored = shelf.at(place.log, place.seq)?.filter(|_| !self.is_expired(&place, round.now));
            let received = place.received.unwrap_or(round.now.as_entry_secs()).max(NOT_SHOWN + 1);
            shown.extend(stored.map(|stored| (stored.entry.id(), received)));
        }
        Ok(shown)
    }
}

/// So that each entry follows what it is built on; those that wait, and beacons, come last.
pub(super) fn in_order(entries: &mut [Stored]) {
    entries.sort_by_key(|stored| {
        let header = stored.entry.header();
        let depth = stored.facts.map_or(u32::MAX, |facts| facts.depth);
        (header.lane == Lane::Beacon, depth, header.seq, stored.entry.id())
    });
}

fn push_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    push_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Whatever is counted here is far below 2³².
fn push_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}
